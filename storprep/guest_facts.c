/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns facts into JSON and back, distrusting what comes in. */
#include "storprep/guest_facts.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"

#define PROCESSORS_MAX 65536
#define PAGE_SIZES_MAX 16 /* no processor has as many */

void
guest_facts_free(GuestFacts *facts)
{
    if (!facts)
        return;
    g_free(facts->name);
    g_free(facts->uuid);
    g_free(facts->type);
    g_free(facts->architecture);
    g_free(facts->machine);
    g_free(facts->emulator);
    g_free(facts->processor_mode);
    g_free(facts->processor);
    g_free(facts->hypervisor);
    g_free(facts->processor_model);
    g_free(facts->processor_vendor);
    g_free(facts->selinux);
    g_free(facts->system);
    g_free(facts->firmware);
    g_free(facts->cluster);
    g_free(facts->host_name);
    g_free(facts->memory_nodes);
    g_free(facts->pinned_processors);
    g_free(facts->only_hosts);
    g_free(facts->apart_from);
    g_clear_pointer(&facts->huge_pages, g_array_unref);
    json_decref(facts->disks);
    json_decref(facts->images);
    json_decref(facts->pools);
    json_decref(facts->files);
    json_decref(facts->servers);
    json_decref(facts->sectors);
    g_free(facts->tpm);
    g_free(facts);
}

GuestFacts *
guest_facts_copy(const GuestFacts *facts)
{
    GuestFacts *copy = g_memdup2(facts, sizeof *facts);

    copy->name = g_strdup(facts->name);
    copy->uuid = g_strdup(facts->uuid);
    copy->type = g_strdup(facts->type);
    copy->architecture = g_strdup(facts->architecture);
    copy->machine = g_strdup(facts->machine);
    copy->emulator = g_strdup(facts->emulator);
    copy->processor_mode = g_strdup(facts->processor_mode);
    copy->processor = g_strdup(facts->processor);
    copy->hypervisor = g_strdup(facts->hypervisor);
    copy->processor_model = g_strdup(facts->processor_model);
    copy->processor_vendor = g_strdup(facts->processor_vendor);
    copy->selinux = g_strdup(facts->selinux);
    copy->system = g_strdup(facts->system);
    copy->firmware = g_strdup(facts->firmware);
    copy->cluster = g_strdup(facts->cluster);
    copy->host_name = g_strdup(facts->host_name);
    copy->memory_nodes = g_strdup(facts->memory_nodes);
    copy->pinned_processors = g_strdup(facts->pinned_processors);
    copy->only_hosts = g_strdup(facts->only_hosts);
    copy->apart_from = g_strdup(facts->apart_from);
    copy->huge_pages = facts->huge_pages ? g_array_copy(facts->huge_pages) : NULL;
    copy->disks = json_deep_copy(facts->disks);
    copy->images = json_deep_copy(facts->images);
    copy->pools = json_deep_copy(facts->pools);
    copy->files = json_deep_copy(facts->files);
    copy->servers = json_deep_copy(facts->servers);
    copy->sectors = json_deep_copy(facts->sectors);
    copy->tpm = g_strdup(facts->tpm);
    return copy;
}

/* A text member, where it goes and how long it may be. */
static const struct {
    const char *name;
    gsize offset;
    gsize bytes_max;
} text_members[] = {
    { "type", G_STRUCT_OFFSET(GuestFacts, type), LIMIT_NAME_BYTES },
    { "architecture", G_STRUCT_OFFSET(GuestFacts, architecture), LIMIT_NAME_BYTES },
    { "machine", G_STRUCT_OFFSET(GuestFacts, machine), LIMIT_NAME_BYTES },
    { "emulator", G_STRUCT_OFFSET(GuestFacts, emulator), LIMIT_PATH_BYTES },
    { "processorMode", G_STRUCT_OFFSET(GuestFacts, processor_mode), LIMIT_NAME_BYTES },
    { "processor", G_STRUCT_OFFSET(GuestFacts, processor), LIMIT_MESSAGE_BYTES },
    { "hypervisor", G_STRUCT_OFFSET(GuestFacts, hypervisor), LIMIT_NAME_BYTES },
    { "pinnedProcessors", G_STRUCT_OFFSET(GuestFacts, pinned_processors), LIMIT_TEXT_BYTES },
    { "memoryNodes", G_STRUCT_OFFSET(GuestFacts, memory_nodes), LIMIT_TEXT_BYTES },
    { "onlyHosts", G_STRUCT_OFFSET(GuestFacts, only_hosts), LIMIT_TEXT_BYTES },
    { "apartFrom", G_STRUCT_OFFSET(GuestFacts, apart_from), LIMIT_NAME_BYTES },
    { "tpm", G_STRUCT_OFFSET(GuestFacts, tpm), LIMIT_NAME_BYTES },
    { "hostName", G_STRUCT_OFFSET(GuestFacts, host_name), LIMIT_NAME_BYTES },
    { "system", G_STRUCT_OFFSET(GuestFacts, system), LIMIT_NAME_BYTES },
    { "firmware", G_STRUCT_OFFSET(GuestFacts, firmware), LIMIT_NAME_BYTES },
    { "cluster", G_STRUCT_OFFSET(GuestFacts, cluster), LIMIT_NAME_BYTES },
    { "selinux", G_STRUCT_OFFSET(GuestFacts, selinux), LIMIT_NAME_BYTES },
    { "processorVendor", G_STRUCT_OFFSET(GuestFacts, processor_vendor), LIMIT_NAME_BYTES },
    { "processorModel", G_STRUCT_OFFSET(GuestFacts, processor_model), LIMIT_NAME_BYTES },
};

static gboolean
refuse(const char *member, const char *cause, GError **error)
{
    g_autofree char *field = g_strdup_printf("facts.%s", member);

    fault_set(error, FAULT_INVALID_ARGUMENT, field,
              "pass the facts as Check of the source returned them", "%s", cause);
    return FALSE;
}

static gboolean
read_texts(const json_t *object, GuestFacts *facts, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(text_members); i++) {
        const char *text = json_string_value(json_object_get(object, text_members[i].name));

        if (text && (!*text || strlen(text) > text_members[i].bytes_max))
            return refuse(text_members[i].name, "it is empty or too long", error);
        G_STRUCT_MEMBER(char *, facts, text_members[i].offset) = g_strdup(text);
    }
    return TRUE;
}

static gboolean
read_guest(const json_t *object, GuestFacts *facts, GError **error)
{
    const json_t *guest = json_object_get(object, "guest");
    const char *name = json_string_value(json_object_get(guest, "name"));
    const char *uuid = json_string_value(json_object_get(guest, "uuid"));

    if (!name)
        return TRUE;
    if (!*name || strlen(name) > LIMIT_NAME_BYTES || !g_uuid_string_is_valid(uuid))
        return refuse("guest", "it has no name or no UUID", error);
    facts->name = g_strdup(name);
    facts->uuid = g_strdup(uuid);
    return TRUE;
}

static gboolean
read_number(const json_t *object, const char *member, json_int_t maximum, guint64 *ret_value,
            GError **error)
{
    json_int_t value = json_integer_value(json_object_get(object, member));

    if (value < 0 || value > maximum)
        return refuse(member, "it is out of range", error);
    *ret_value = (guint64)value;
    return TRUE;
}

static gboolean
read_numbers(const json_t *object, GuestFacts *facts, GError **error)
{
    guint64 processors = 0;

    if (!read_number(object, "memoryBytes", G_MAXINT64, &facts->memory_bytes, error) ||
        !read_number(object, "processors", PROCESSORS_MAX, &processors, error) ||
        !read_number(object, "clockMilliseconds", G_MAXINT64, &facts->clock_msec, error) ||
        !read_number(object, "firstMigrationPort", G_MAXUINT16, &facts->first_port, error) ||
        !read_number(object, "lastMigrationPort", G_MAXUINT16, &facts->last_port, error) ||
        !read_number(object, "qemuUser", G_MAXUINT32, &facts->qemu_user, error) ||
        !read_number(object, "libraryVersion", G_MAXINT64, &facts->library_version, error) ||
        !read_number(object, "tscHertz", G_MAXINT64, &facts->tsc_hertz, error) ||
        !read_number(object, "hypervisorVersion", G_MAXINT64, &facts->hypervisor_version, error))
        return FALSE;
    facts->processors = (unsigned)processors;
    facts->tells_qemu_user = json_is_integer(json_object_get(object, "qemuUser"));
    return TRUE;
}

static gboolean
read_pages(const json_t *entry, GArray *pages, GError **error)
{
    DomainPages need = { .page_bytes = HUGE_PAGES_DEFAULT_SIZE };

    if (!read_number(entry, "bytes", G_MAXINT64, &need.bytes, error) ||
        (json_is_integer(json_object_get(entry, "pageBytes")) &&
         !read_number(entry, "pageBytes", G_MAXINT64, &need.page_bytes, error)))
        return FALSE;
    g_array_append_val(pages, need);
    return TRUE;
}

static gboolean
read_huge_pages(const json_t *object, GuestFacts *facts, GError **error)
{
    const json_t *list = json_object_get(object, "hugePages");

    if (json_array_size(list) > PAGE_SIZES_MAX)
        return refuse("hugePages", "they are too many", error);
    facts->huge_pages = json_is_array(list) ? g_array_new(FALSE, FALSE, sizeof(DomainPages)) : NULL;
    for (gsize i = 0; i < json_array_size(list); i++) {
        if (!read_pages(json_array_get(list, i), facts->huge_pages, error))
            return FALSE;
    }
    return TRUE;
}

/* One entry a disk at the most; an absent list stays NULL. */
static gboolean
read_list(const json_t *object, const char *member, json_t **ret_list, GError **error)
{
    const json_t *list = json_object_get(object, member);

    if (json_array_size(list) > LIMIT_DISKS)
        return refuse(member, "they are too many", error);
    *ret_list = json_is_array(list) ? json_deep_copy(list) : NULL;
    return TRUE;
}

GuestFacts *
guest_facts_from_json(const json_t *object, GError **error)
{
    g_autoptr(GuestFacts) facts = g_new0(GuestFacts, 1);

    if (!read_texts(object, facts, error) || !read_guest(object, facts, error) ||
        !read_numbers(object, facts, error) || !read_huge_pages(object, facts, error) ||
        !read_list(object, "disks", &facts->disks, error) ||
        !read_list(object, "files", &facts->files, error) ||
        !read_list(object, "pools", &facts->pools, error) ||
        !read_list(object, "servers", &facts->servers, error) ||
        !read_list(object, "sectors", &facts->sectors, error) ||
        !read_list(object, "images", &facts->images, error))
        return NULL;
    return g_steal_pointer(&facts);
}

static json_t *
pack_huge_pages(const GArray *pages)
{
    json_t *list = json_array();

    for (guint i = 0; i < pages->len; i++) {
        const DomainPages *need = &g_array_index(pages, DomainPages, i);
        json_t *entry = json_pack("{s:I}", "bytes", (json_int_t)need->bytes);

        if (need->page_bytes != HUGE_PAGES_DEFAULT_SIZE)
            json_object_set_new(entry, "pageBytes", json_integer((json_int_t)need->page_bytes));
        json_array_append_new(list, entry);
    }
    return list;
}

json_t *
guest_facts_of_guest(const Guest *guest, const DomainFeatures *features)
{
    return json_pack("{s:{s:s, s:s}, s:s?, s:s?, s:s?, s:s?, s:I, s:o, s:i}", "guest", "name",
                     guest->name, "uuid", guest->uuid, "type", features->type, "architecture",
                     features->architecture, "machine", features->machine, "emulator",
                     features->emulator, "memoryBytes", (json_int_t)features->memory_bytes,
                     "hugePages", pack_huge_pages(features->huge_pages), "processors",
                     (int)features->vcpus);
}

/* A guest that has its host's own processor needs one like that. */
json_t *
guest_facts_of_host(const HypervisorHost *host, const DomainFeatures *features)
{
    const char *mode = features->processor
                           ? features->processor_mode ? features->processor_mode : "custom"
                           : "none";
    g_autofree char *own =
        g_str_equal(mode, "host-passthrough") ? hypervisor_host_processor(host) : NULL;

    g_autofree char *vendor = NULL, *model = NULL;

    hypervisor_host_name_processor(host, &vendor, &model);
    return json_pack("{s:s, s:s?, s:s, s:I, s:I, s:s?, s:s?}", "processorMode", mode, "processor",
                     own ? own : features->processor, "hypervisor", host->type, "hypervisorVersion",
                     (json_int_t)host->version, "libraryVersion", (json_int_t)host->library_version,
                     "processorVendor", vendor, "processorModel", model);
}
