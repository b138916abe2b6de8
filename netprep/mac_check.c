/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists who has which MAC address on this host, and looks for the guest's. */
#include "netprep/mac_check.h"

#include "common/domain_features.h"

#define HOST "this host"

/* Who has a MAC address, and what helps. */
typedef struct {
    char *name; /* "guest 'db1'" */
    char *remedy;
} Holder;

typedef struct {
    const NetworkHost *host; /* borrowed */
    NetworkFacts facts;
    GHashTable *holders; /* of Holder *, by MAC address in lower case */
} Context;

static void
holder_free(gpointer data)
{
    Holder *holder = data;

    g_free(holder->name);
    g_free(holder->remedy);
    g_free(holder);
}

static void
context_free(void *data)
{
    Context *context = data;

    network_facts_clear(&context->facts);
    g_clear_pointer(&context->holders, g_hash_table_unref);
    g_free(context);
}

/* The first one who is found to have it stays. @name and @remedy are stolen. */
static void
add_holder(const Context *context, const char *mac, char *name, char *remedy)
{
    Holder *holder = g_new0(Holder, 1);

    *holder = (Holder) { name, remedy };
    if (g_hash_table_contains(context->holders, mac))
        holder_free(holder);
    else
        g_hash_table_insert(context->holders, g_strdup(mac), holder);
}

static gboolean
is_active(const Guest *guest)
{
    return guest->state != GUEST_STATE_SHUT_OFF && guest->state != GUEST_STATE_CRASHED;
}

static void
add_guest(const Context *context, const Guest *guest)
{
    g_autoptr(DomainFeatures) features =
        is_active(guest) ? domain_features_parse(guest->xml, NULL) : NULL;

    for (char **mac = features ? features->macs : NULL; mac && *mac; mac++)
        add_holder(context, *mac, g_strdup_printf("guest '%s'", guest->name),
                   g_strdup_printf("virsh domiflist %s", guest->name));
}

/* A VF that a guest has is that guest's; one that nobody has may still take its frames. */
static gboolean
add_functions(const Context *context, const char *port, GError **error)
{
    g_autoptr(GArray) entries = function_settings_list(context->host->control, port, error);

    for (guint i = 0; entries && i < entries->len; i++) {
        const FunctionEntry *entry = &g_array_index(entries, FunctionEntry, i);
        g_autofree char *mac = function_mac_to_text(entry->settings.mac);

        if (mac)
            add_holder(
                context, mac, g_strdup_printf("VF %u of %s", entry->index, port),
                g_strdup_printf("ip link set %s vf %u mac 00:00:00:00:00:00", port, entry->index));
    }
    return entries != NULL;
}

static gboolean
list_holders(const Context *context, GError **error)
{
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(context->host->hypervisor, error);
    g_autoptr(FunctionInventory) inventory =
        guests ? function_inventory_read(context->host->sysfs, NULL, error) : NULL;

    if (!inventory)
        return FALSE;
    for (guint i = 0; i < guests->len; i++)
        add_guest(context, guests->pdata[i]);
    for (guint i = 0; i < inventory->physical_functions->len; i++) {
        const PhysicalFunction *port = inventory->physical_functions->pdata[i];

        if (!add_functions(context, port->name, error))
            return FALSE;
    }
    return TRUE;
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;

    if (!context->facts.macs) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "facts", NULL,
                  "the guest's host did not tell what MAC addresses the guest has");
        return CHECK_HINDERED;
    }
    if (!context->facts.macs[0])
        return CHECK_NOTHING;
    context->holders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, holder_free);
    return list_holders(context, error) ? CHECK_READY : CHECK_HINDERED;
}

static void
check_unused(void *data, CheckReport *report)
{
    const Context *context = data;

    for (char **mac = context->facts.macs; *mac; mac++) {
        g_autofree char *lower = g_ascii_strdown(*mac, -1);
        g_autofree char *object = g_strdup_printf("MAC address %s", lower);
        const Holder *holder = g_hash_table_lookup(context->holders, lower);

        if (holder)
            check_fail(report, object, holder->remedy, "%s has it here", holder->name);
        else
            check_pass(report, object, "nobody has it here");
    }
}

CheckGroup
mac_check(const NetworkHost *host, NetworkFacts *facts)
{
    static const Check checks[] = { { "network.mac-unused", check_unused }, { 0 } };
    Context *context = g_new0(Context, 1);

    context->host = host;
    context->facts = *facts;
    *facts = (NetworkFacts) { 0 };
    return (CheckGroup) { .object = HOST,
                          .checks = checks,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}
