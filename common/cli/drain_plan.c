/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the translation of what hosts tell into needs and offers. */
#include "common/cli/drain_plan.h"

#include <string.h>

#include "common/cli/reply.h"

#define MEMORY     "bytes of memory"
#define PROCESSORS "processors"
#define MOVE_SECONDS                                                                               \
    10.0 /* of a move besides what is sent: checks, VFs, the way back of the bond */
#define SMALLEST_HUGE (2ULL << 20)

DrainHost *
drain_host_new(const char *name)
{
    DrainHost *host = g_new0(DrainHost, 1);

    host->name = g_strdup(name);
    return host;
}

void
drain_host_free(DrainHost *host)
{
    g_free(host->name);
    json_decref(host->load);
    json_decref(host->networks);
    g_clear_error(&host->failure);
    g_free(host);
}

static guint64
number(const json_t *object, const char *name)
{
    return (guint64)MAX(json_integer_value(json_object_get(object, name)), 0);
}

/* Names of resources. */

static char *
functions_of(const char *network)
{
    return g_strdup_printf("free virtual functions of '%s'", network);
}

static char *
huge_pages_of(guint64 size)
{
    g_autofree char *text = g_format_size_full(size, G_FORMAT_SIZE_IEC_UNITS);

    return g_strdup_printf("bytes of huge pages of %s", text);
}

static char *
space_in(const char *directory)
{
    return g_strdup_printf("bytes of space in %s", directory);
}

static void
offer(Placement *placement, PlacementHost *host, char *resource, guint64 amount)
{
    placement_offer(placement, host, resource, amount);
    g_free(resource);
}

static void
need(Placement *placement, PlacementGuest *guest, char *resource, guint64 amount)
{
    placement_need(placement, guest, resource, amount);
    g_free(resource);
}

/* What hosts have. */

/* A physical function that leads to several networks counts for the first one only: its functions
 * cannot be handed out twice. One without a link hands out none. */
static void
offer_functions(Placement *placement, PlacementHost *place, const DrainHost *host)
{
    g_autoptr(GHashTable) counted = g_hash_table_new(g_str_hash, g_str_equal);
    size_t i, k;
    json_t *network, *port;

    json_array_foreach (host->networks, i, network) {
        guint64 free_functions = 0;

        json_array_foreach (json_object_get(network, "physicalFunctions"), k, port) {
            const char *address = reply_text(port, "address");

            if (!json_is_false(json_object_get(port, "carrier")) &&
                g_hash_table_add(counted, (void *)address))
                free_functions += number(port, "free");
        }
        offer(placement, place, functions_of(reply_text(network, "name")), free_functions);
    }
}

static void
offer_processors(Placement *placement, PlacementHost *place, const DrainHost *host,
                 unsigned overcommit)
{
    guint64 all = number(host->load, "processors") * overcommit, used = 0;
    size_t i;
    json_t *guest;

    json_array_foreach (json_object_get(host->load, "guests"), i, guest) {
        const char *together = reply_text(guest, "together");
        const char *apart = reply_text(guest, "apart");

        used += number(guest, "processors");
        if (*together)
            g_hash_table_add(place->together, g_strdup(together));
        if (*apart)
            g_hash_table_add(place->apart, g_strdup(apart));
    }
    placement_offer(placement, place, PROCESSORS, all > used ? all - used : 0);
}

static void
add_host(DrainPlan *plan, const DrainHost *host)
{
    Placement *placement = plan->placement;
    PlacementHost *place = placement_add_host(placement, host->name);
    size_t i;
    json_t *entry;

    placement_offer(placement, place, MEMORY, number(host->load, "availableMemoryBytes"));
    offer_processors(placement, place, host, plan->rules.overcommit);
    offer_functions(placement, place, host);
    json_array_foreach (json_object_get(host->load, "hugePages"), i, entry)
        offer(placement, place, huge_pages_of(number(entry, "sizeBytes")),
              number(entry, "freeBytes"));
    json_array_foreach (json_object_get(host->load, "volumes"), i, entry)
        offer(placement, place, space_in(reply_text(entry, "directory")),
              number(entry, "freeBytes"));
}

/* What guests need. */

/* The longest image directory of any host that @path lies in; where it is if there is none. */
static char *
directory_of(const DrainPlan *plan, const char *path)
{
    const char *longest = "";
    size_t k;
    json_t *volume;

    for (guint i = 0; i < plan->hosts->len; i++) {
        const DrainHost *host = plan->hosts->pdata[i];

        json_array_foreach (json_object_get(host->load, "volumes"), k, volume) {
            const char *directory = reply_text(volume, "directory");
            gsize length = strlen(directory);

            if (length > strlen(longest) && strncmp(path, directory, length) == 0 &&
                (path[length] == '/' || directory[length - 1] == '/'))
                longest = directory;
        }
    }
    return *longest ? g_strdup(longest) : g_path_get_dirname(path);
}

static void
need_space(DrainPlan *plan, PlacementGuest *place, const DrainGuest *guest)
{
    json_auto_t *copies = drain_guest_copies(guest);
    size_t i;
    json_t *disk;

    json_array_foreach (copies, i, disk) {
        g_autofree char *directory = directory_of(plan, reply_text(disk, "path"));

        need(plan->placement, place, space_in(directory), number(disk, "bytes"));
    }
}

static void
need_memory(Placement *placement, PlacementGuest *place, const json_t *facts)
{
    guint64 usual = number(facts, "memoryBytes");
    size_t i;
    json_t *pages;

    json_array_foreach (json_object_get(facts, "hugePages"), i, pages) {
        guint64 size = number(pages, "pageBytes"), bytes = number(pages, "bytes");

        need(placement, place, huge_pages_of(size ? size : SMALLEST_HUGE), bytes);
        usual -= MIN(usual, bytes);
    }
    if (usual > 0)
        placement_need(placement, place, MEMORY, usual);
}

static void
need_functions(Placement *placement, PlacementGuest *place, const json_t *facts)
{
    size_t i;
    json_t *vnic;

    json_array_foreach (json_object_get(facts, "vnics"), i, vnic) {
        const char *network = reply_text(vnic, "physicalNetwork");

        if (*network)
            need(placement, place, functions_of(network), 1);
    }
}

static double
expected_seconds(const DrainPlan *plan, const DrainGuest *guest)
{
    guint64 own = drain_guest_policy(guest, POLICY_BANDWIDTH);
    guint64 mebibytes =
        own ? MIN(own, plan->rules.bandwidth_mebibytes) : plan->rules.bandwidth_mebibytes;

    return MOVE_SECONDS + (double)drain_guest_bytes(guest) / ((double)mebibytes * (1 << 20));
}

static void
bar_hosts(const DrainPlan *plan, PlacementGuest *place, const DrainGuest *guest)
{
    for (guint i = 0; i < plan->hosts->len; i++) {
        const DrainHost *host = plan->hosts->pdata[i];
        g_autofree char *obstacle = drain_guest_obstacle(guest, host->name);
        const json_t *maintenance = json_object_get(host->load, "maintenance");

        if (host->failure)
            placement_bar(place, i, host->failure->message);
        if (json_is_string(maintenance))
            placement_bar(place, i, "it is in maintenance itself");
        if (obstacle)
            placement_bar(place, i, obstacle);
    }
}

static void
add_guest(DrainPlan *plan, DrainItem *item)
{
    const DrainGuest *guest = item->guest;
    PlacementGuest *place = placement_add_guest(plan->placement, guest->name);
    const json_t *facts = guest->facts[SERVICE_STORAGE];

    item->number = (int)plan->placement->guests->len - 1;
    place->priority = (unsigned)drain_guest_policy(guest, POLICY_PRIORITY);
    place->together = g_strdup(drain_guest_place(guest, "together"));
    place->apart = g_strdup(drain_guest_place(guest, "apart"));
    place->seconds = expected_seconds(plan, guest);
    need_memory(plan->placement, place, facts);
    placement_need(plan->placement, place, PROCESSORS, number(facts, "processors"));
    need_functions(plan->placement, place, guest->facts[SERVICE_NETWORK]);
    need_space(plan, place, guest);
    bar_hosts(plan, place, guest);
}

static char *
find_reason(const DrainPlan *plan, const DrainGuest *guest)
{
    MigrationChoice mode = (MigrationChoice)drain_guest_policy(guest, POLICY_MODE);

    if (mode == CHOICE_AUTOMATIC || plan->rules.include_manual)
        return drain_guest_hindrance(guest);
    g_autofree char *name = policy_print(POLICY_MODE, mode);
    return g_strdup_printf("its mode is %s; --include-manual moves it, too", name);
}

static void
item_free(void *data)
{
    DrainItem *item = data;

    drain_guest_free(item->guest);
    g_free(item->reason);
    g_free(item);
}

/* A group that is to be together and of which one cannot move has to leave that one behind. */
static void
add_items(DrainPlan *plan, GPtrArray *guests)
{
    for (guint i = 0; i < guests->len; i++) {
        DrainItem *item = g_new0(DrainItem, 1);

        item->guest = guests->pdata[i];
        item->number = -1;
        item->reason = find_reason(plan, item->guest);
        if (!item->reason)
            add_guest(plan, item);
        g_ptr_array_add(plan->items, item);
    }
}

DrainPlan *
drain_plan_new(GPtrArray *guests, GPtrArray *hosts, const DrainRules *rules)
{
    DrainPlan *plan = g_new0(DrainPlan, 1);

    plan->rules = *rules;
    plan->placement = placement_new();
    plan->items = g_ptr_array_new_with_free_func(item_free);
    plan->hosts = hosts;
    for (guint i = 0; i < hosts->len; i++)
        add_host(plan, hosts->pdata[i]);
    add_items(plan, guests);
    g_ptr_array_set_free_func(guests, NULL);
    g_ptr_array_unref(guests);
    placement_solve(plan->placement);
    for (guint i = 0; i < plan->items->len; i++) {
        DrainItem *item = plan->items->pdata[i];

        if (item->number < 0)
            continue;
        const PlacementGuest *place = plan->placement->guests->pdata[item->number];
        item->reason = g_strdup(place->reason);
    }
    return plan;
}

void
drain_plan_free(DrainPlan *plan)
{
    if (!plan)
        return;
    g_ptr_array_unref(plan->items);
    for (guint i = 0; i < plan->hosts->len; i++)
        drain_host_free(plan->hosts->pdata[i]);
    g_ptr_array_set_free_func(plan->hosts, NULL);
    g_ptr_array_unref(plan->hosts);
    placement_free(plan->placement);
    g_free(plan);
}

const char *
drain_plan_host(const DrainPlan *plan, const DrainItem *item)
{
    const PlacementGuest *place =
        item->number < 0 ? NULL : plan->placement->guests->pdata[item->number];

    if (!place || place->host == PLACEMENT_NOWHERE)
        return NULL;
    return ((PlacementHost *)plan->placement->hosts->pdata[place->host])->name;
}

guint
drain_plan_staying(const DrainPlan *plan)
{
    guint staying = 0;

    for (guint i = 0; i < plan->items->len; i++)
        staying += drain_plan_host(plan, plan->items->pdata[i]) == NULL;
    return staying;
}

static json_t *
guest_to_json(const DrainPlan *plan, const DrainItem *item)
{
    const DrainGuest *guest = item->guest;
    const PlacementGuest *place =
        item->number < 0 ? NULL : plan->placement->guests->pdata[item->number];
    PolicyKey keys[] = { POLICY_MODE, POLICY_PRIORITY, POLICY_FALLBACK };
    json_t *record =
        json_pack("{s:s, s:s, s:s?, s:s?, s:f, s:I}", "name", guest->name, "uuid", guest->uuid,
                  "host", drain_plan_host(plan, item), "reason", item->reason, "seconds",
                  place ? place->seconds : 0.0, "bytes", (json_int_t)drain_guest_bytes(guest));

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *value = policy_print(keys[i], drain_guest_policy(guest, keys[i]));
        json_object_set_new(record, policy_key_name(keys[i]), json_string(value));
    }
    return record;
}

json_t *
drain_plan_to_json(const DrainPlan *plan)
{
    json_t *guests = json_array(), *hosts = json_array();

    for (guint i = 0; i < plan->items->len; i++)
        json_array_append_new(guests, guest_to_json(plan, plan->items->pdata[i]));
    for (guint i = 0; i < plan->hosts->len; i++)
        json_array_append_new(hosts, json_pack("{s:s, s:f}", "name",
                                               ((DrainHost *)plan->hosts->pdata[i])->name,
                                               "fullness", placement_fullness(plan->placement, i)));
    return json_pack("{s:b, s:f, s:o, s:o}", "fits", drain_plan_staying(plan) == 0, "seconds",
                     schedule_seconds(plan->placement, &plan->rules.limits), "guests", guests,
                     "hosts", hosts);
}
