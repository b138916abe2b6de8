/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the handler that tells what this host has for guests, and which run here. */
#include "common/domain_features.h"
#include "common/fault.h"
#include "common/maintenance.h"
#include "storprep/guest_policy.h"
#include "storprep/storage_methods.h"
#include "storprep/target_lease.h"
#include "storprep/target_reach.h"
#include "storprep/target_space.h"

static json_t *
pack_huge_pages(const HypervisorHost *host)
{
    json_t *records = json_array();

    for (guint i = 0; i < host->huge_pages->len; i++) {
        const HugePages *pages = &g_array_index(host->huge_pages, HugePages, i);
        guint64 free_bytes = pages->free_count * pages->size_bytes;

        json_array_append_new(records,
                              json_pack("{s:I, s:I}", "sizeBytes", (json_int_t)pages->size_bytes,
                                        "freeBytes", (json_int_t)free_bytes));
    }
    return records;
}

/* "" for those of a server that is silent: there is no room. */
static const char **
list_answering(const TargetReach *reach, const char *const *directories)
{
    const char **answering = g_new0(const char *, g_strv_length((char **)directories) + 1);

    for (guint i = 0; directories[i]; i++)
        answering[i] = storage_pulse_check(reach->pulse, directories[i], reach->mount_info, NULL)
                           ? directories[i]
                           : "";
    return answering;
}

static json_t *
pack_volumes(const StorageService *service, GPtrArray *leases)
{
    const TargetReach reach = { service->checks->pulse, service->checks->mount_info };
    const char *const *directories = (const char *const *)service->directories;
    g_autofree const char **answering = list_answering(&reach, directories);
    json_t *records = json_array();

    target_reach_filter(&reach, leases);
    g_autofree guint64 *space = target_space_list(answering, leases);

    for (guint i = 0; directories[i]; i++)
        json_array_append_new(records, json_pack("{s:s, s:I}", "directory", directories[i],
                                                 "freeBytes", (json_int_t)space[i]));
    return records;
}

/* A guest that cannot be understood still runs here: it counts with what is known. */
static json_t *
pack_guest(const Guest *guest)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainFeatures) features = domain_features_parse(guest->xml, &error);
    g_auto(GuestPlace) place = { 0 };

    if (!features || !guest_policy_read_place(guest->xml, &place, &error))
        g_info("what guest '%s' needs is not all known: %s", guest->name, error->message);
    return json_pack("{s:{s:s, s:s}, s:i, s:I, s:s?, s:s?}", "guest", "name", guest->name, "uuid",
                     guest->uuid, "processors", features ? (int)features->vcpus : 0, "memoryBytes",
                     (json_int_t)(features ? features->memory_bytes : 0), "together",
                     place.values[GUEST_PLACE_TOGETHER], "apart", place.values[GUEST_PLACE_APART]);
}

static json_t *
pack_guests(const GPtrArray *guests)
{
    json_t *records = json_array();

    for (guint i = 0; i < guests->len; i++) {
        const Guest *guest = guests->pdata[i];

        if (guest->state == GUEST_STATE_RUNNING || guest->state == GUEST_STATE_PAUSED)
            json_array_append_new(records, pack_guest(guest));
    }
    return records;
}

static json_t *
describe(const StorageService *service, GError **error)
{
    g_autoptr(HypervisorHost) host = hypervisor_get_host(service->hypervisor, error);
    g_autoptr(GPtrArray) guests = host ? hypervisor_list_guests(service->hypervisor, error) : NULL;
    g_autoptr(GPtrArray) leases = guests ? target_leases_read(service->store, error) : NULL;
    g_autofree char *maintenance = maintenance_reason("");

    if (!leases)
        return NULL;
    return json_pack("{s:i, s:I, s:o, s:o, s:o, s:s?}", "processors", (int)host->processors,
                     "availableMemoryBytes", (json_int_t)host->available_bytes, "hugePages",
                     pack_huge_pages(host), "volumes", pack_volumes(service, leases), "guests",
                     pack_guests(guests), "maintenance", maintenance);
}

void
storage_run_describe_host(VarlinkCall *call, json_t *parameters, void *context)
{
    GError *error = NULL;
    json_t *reply = describe(context, &error);

    if (reply)
        varlink_call_reply(call, reply);
    else
        varlink_call_fail(call, error);
}
