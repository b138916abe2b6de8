/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handlers of io.migprep.Network. Types were checked against the interface description before a
 * handler runs; what it cannot express is checked here. */
#include "netprep/network_service.h"

#include "common/limits.h"
#include "common/printable.h"
#include "io.migprep.Network.varlink.h"
#include "netprep/attach_job.h"
#include "netprep/bond_setup.h"
#include "netprep/check_service.h"
#include "netprep/description.h"
#include "netprep/force_release.h"
#include "netprep/hooks_job.h"
#include "netprep/network_metrics.h"
#include "netprep/release.h"
#include "netprep/reservation.h"
#include "netprep/text_check.h"
#include "netprep/unplug.h"

#define WAIT_SECONDS_MAX 86400

static const char *
text(const json_t *parameters, const char *name)
{
    return json_string_value(json_object_get(parameters, name));
}

static gboolean
check_name(const char *field, const char *value, GError **error)
{
    if (text_is_name(value))
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, field, NULL, "is not 1-%d bytes of printable text",
              LIMIT_NAME_BYTES);
    return FALSE;
}

static gboolean
read_number(const json_t *parameters, const char *field, json_int_t minimum, json_int_t maximum,
            json_int_t *ret_value, GError **error)
{
    json_int_t value = json_integer_value(json_object_get(parameters, field));

    if (value < minimum || value > maximum) {
        fault_set(error, FAULT_INVALID_ARGUMENT, field, NULL,
                  "is not within %" JSON_INTEGER_FORMAT "-%" JSON_INTEGER_FORMAT, minimum, maximum);
        return FALSE;
    }
    *ret_value = value;
    return TRUE;
}

static gboolean
read_timeout(const json_t *parameters, unsigned *ret_seconds, GError **error)
{
    json_int_t seconds = 0;

    if (!read_number(parameters, "timeoutSeconds", LIMIT_LEASE_SECONDS_MIN, LIMIT_LEASE_SECONDS_MAX,
                     &seconds, error))
        return FALSE;
    *ret_seconds = (unsigned)seconds;
    return TRUE;
}

/* Every call on a lease names its generation, so that a late one cannot hit a successor. */
static gboolean
read_lease(const json_t *parameters, const char **ret_id, guint64 *ret_generation, GError **error)
{
    json_int_t generation = 0;

    if (!check_name("lease", text(parameters, "lease"), error) ||
        !read_number(parameters, "generation", 1, G_MAXINT64, &generation, error))
        return FALSE;
    *ret_id = text(parameters, "lease");
    *ret_generation = (guint64)generation;
    return TRUE;
}

/* Replies with @result, which is stolen, or with @error. */
static void
reply(VarlinkCall *call, json_t *result, GError *error)
{
    if (result)
        varlink_call_reply(call, result);
    else
        varlink_call_fail(call, error);
}

static void
serve(VarlinkCall *call, Job *started, GError *error)
{
    g_autoptr(Job) job = started;

    if (job)
        job_serve(job, call);
    else
        varlink_call_fail(call, error);
}

static void
method_describe(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    const char *guest = text(parameters, "guest");
    GError *error = NULL;
    json_t *result = NULL;

    if (check_name("guest", guest, &error))
        result = description_of_guest(host, guest, &error);
    reply(call, result, error);
}

static void
method_list_functions(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    GError *error = NULL;
    json_t *result = description_of_functions(host, &error);

    reply(call, result, error);
}

static void
method_list_physical_networks(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    GError *error = NULL;
    json_t *result = description_of_networks(host, &error);

    reply(call, result, error);
}

static void
method_list_leaks(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    GError *error = NULL;
    json_t *result = description_of_leaks(host, &error);

    reply(call, result, error);
}

static json_t *
lease_reply(Lease *lease)
{
    g_autoptr(Lease) owned = lease;

    return owned ? json_pack("{s:o}", "lease", network_lease_to_json(owned)) : NULL;
}

static gboolean
check_guest(const char *name, const char *uuid, GError **error)
{
    if (!check_name("guest.name", name, error))
        return FALSE;
    if (g_uuid_string_is_valid(uuid))
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "guest.uuid", NULL, "is not a UUID");
    return FALSE;
}

static void
method_reserve(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    const json_t *guest = json_object_get(parameters, "guest");
    ReservationRequest request = {
        .owner = text(parameters, "owner"),
        .token = text(parameters, "token"),
        .guest_name = text(guest, "name"),
        .guest_uuid = text(guest, "uuid"),
        .vnics = json_object_get(parameters, "vnics"),
    };
    GError *error = NULL;
    json_t *result = NULL;

    if (check_name("owner", request.owner, &error) && check_name("token", request.token, &error) &&
        check_guest(request.guest_name, request.guest_uuid, &error) &&
        read_timeout(parameters, &request.timeout_seconds, &error))
        result = lease_reply(reservation_create(host, &request, &error));
    reply(call, result, error);
}

static void
method_renew(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    const char *id = NULL;
    guint64 generation = 0;
    unsigned seconds = 0;
    GError *error = NULL;
    json_t *result = NULL;

    if (read_lease(parameters, &id, &generation, &error) &&
        read_timeout(parameters, &seconds, &error) &&
        lease_store_renew(host->leases, id, generation, seconds, &error))
        result = lease_reply(lease_store_get(host->leases, id, generation, &error));
    reply(call, result, error);
}

static void
method_release(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    const char *id = NULL;
    guint64 generation = 0;
    GError *error = NULL;
    Job *job = NULL;

    if (read_lease(parameters, &id, &generation, &error))
        job = release_start(host, id, generation, &error);
    serve(call, job, error);
}

static gboolean
check_bond_name(const char *bond, GError **error)
{
    if (!bond || text_is_link_name(bond))
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "bond", NULL, "is not a network device's name");
    return FALSE;
}

static void
method_set_up_bond(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    const char *guest = text(parameters, "guest");
    const BondSetupRequest request = {
        .bond = text(parameters, "bond"),
        .fail_over_mac_active = g_strcmp0(text(parameters, "failOverMac"), "active") == 0,
        .repair = json_is_true(json_object_get(parameters, "repair")),
        .remove_filter = json_is_true(json_object_get(parameters, "removeFilter")),
    };
    GError *error = NULL;
    Job *job = NULL;

    if (check_name("guest", guest, &error) && check_bond_name(request.bond, &error))
        job = bond_setup_start(host, guest, &request, &error);
    serve(call, job, error);
}

static void
method_detach(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    const char *owner = text(parameters, "owner");
    const char *token = text(parameters, "token");
    const char *guest = text(parameters, "guest");
    unsigned seconds = 0;
    GError *error = NULL;
    Job *job = NULL;

    if (check_name("owner", owner, &error) && check_name("token", token, &error) &&
        check_name("guest", guest, &error) && read_timeout(parameters, &seconds, &error))
        job = unplug_start(host, owner, token, guest, seconds, &error);
    serve(call, job, error);
}

static void
method_run_hooks(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    const char *guest = text(parameters, "guest");
    GuestHooksPhase phase = GUEST_HOOKS_BEFORE_MIGRATION;
    GError *error = NULL;
    Job *job = NULL;

    guest_hooks_phase_parse(text(parameters, "phase"), &phase); /* the interface knows no other */
    if (check_name("guest", guest, &error))
        job = hooks_job_start(host, guest, phase, &error);
    serve(call, job, error);
}

static void
method_attach(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    const char *id = NULL;
    guint64 generation = 0;
    json_int_t seconds = 0;
    GError *error = NULL;
    Job *job = NULL;

    if (read_lease(parameters, &id, &generation, &error) &&
        read_number(parameters, "waitSeconds", 0, WAIT_SECONDS_MAX, &seconds, &error))
        job = attach_start(host, id, generation, (unsigned)seconds, &error);
    serve(call, job, error);
}

static void
method_force_release(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    g_autofree char *caller =
        g_strdup_printf("uid %u, process %d", varlink_call_uid(call), varlink_call_process(call));
    ForceReleaseRequest request = { .caller = caller, .reason = text(parameters, "reason") };
    GError *error = NULL;
    Job *job = NULL;

    if (read_lease(parameters, &request.lease, &request.generation, &error) &&
        check_name("reason", request.reason, &error))
        job = force_release_start(host, &request, &error);
    serve(call, job, error);
}

/* After the first event, so that none is missed; one may come twice. */
static void
tell_degraded(const NetworkHost *host, VarlinkCall *call)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(host->leases, &error);

    if (!leases)
        g_warning("%s", error->message);
    for (guint i = 0; leases && i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        if (g_str_equal(lease->state, STATE_DEGRADED))
            bulletin_tell(call, BULLETIN_DEGRADED, lease, lease->reason);
    }
}

/* Keeps no thread: whoever makes news tells it. */
static void
method_watch(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    GError *error = NULL;

    if (!varlink_call_wants_more(call))
        fault_set(&error, FAULT_INVALID_ARGUMENT, "Watch", "call it with more",
                  "has no single answer");
    else if (bulletin_watch(host->bulletin, call, &error))
        tell_degraded(host, call);
    if (error)
        varlink_call_fail(call, error);
}

static void
method_announce(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    const json_t *guest = json_object_get(parameters, "guest");
    const char *name = text(guest, "name"), *uuid = text(guest, "uuid");
    g_autofree char *detail = printable_line(text(parameters, "detail"), LIMIT_TEXT_BYTES);
    GError *error = NULL;

    if (name && !check_guest(name, uuid, &error)) {
        varlink_call_fail(call, error);
        return;
    }
    bulletin_announce(host->bulletin, text(parameters, "kind"), name, uuid, detail);
    varlink_call_reply(call, json_object());
}

static json_t *
pack_leases(const GPtrArray *leases)
{
    json_t *array = json_array();

    for (guint i = 0; i < leases->len; i++)
        json_array_append_new(array, network_lease_to_json(leases->pdata[i]));
    return json_pack("{s:o}", "leases", array);
}

static void
method_list_leases(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    GError *error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(host->leases, &error);

    reply(call, leases ? pack_leases(leases) : NULL, error);
}

static gboolean
list_leases_at_once(VarlinkCall *call, json_t *parameters, void *context)
{
    const NetworkHost *host = context;
    g_autoptr(GPtrArray) leases = lease_store_recall(host->leases);

    if (leases)
        varlink_call_reply(call, pack_leases(leases));
    return leases != NULL;
}

static void
method_get_metrics(VarlinkCall *call, json_t *parameters, void *context)
{
    g_autofree char *metrics = network_metrics_text(context, varlink_call_failures(call));

    varlink_call_reply(call, json_pack("{s:s}", "text", metrics));
}

gboolean
network_service_add(VarlinkServer *server, NetworkHost *host, GError **error)
{
    static const VarlinkMethod methods[] = {
        { "Describe", method_describe },
        { "ListFunctions", method_list_functions },
        { "ListPhysicalNetworks", method_list_physical_networks },
        { "ListLeaks", method_list_leaks },
        { "Reserve", method_reserve },
        { "Renew", method_renew },
        { "Release", method_release },
        { "SetUpBond", method_set_up_bond },
        { "Detach", method_detach },
        { "Attach", method_attach },
        { "RunHooks", method_run_hooks },
        { "Check", network_check_method },
        { "ForceRelease", method_force_release },
        { "Watch", method_watch },
        { "Announce", method_announce },
        { "GetMetrics", method_get_metrics },
        { "ListLeases", method_list_leases },
        { "ListJobs", job_method_list },
        { "WatchJob", job_method_watch },
        { "CancelJob", job_method_cancel },
        { 0 },
    };
    static const VarlinkBrief brief[] = {
        { "ListLeases", list_leases_at_once },
        { "ListJobs", job_method_list_at_once },
        { 0 },
    };

    if (!varlink_server_add_interface(server, io_migprep_network, methods, host, error))
        return FALSE;
    varlink_server_add_brief(server, brief);
    return TRUE;
}
