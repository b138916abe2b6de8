/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks VFs with the guests and leases that hold them. */
#include "netprep/function_holder.h"

#include "common/domain_xml.h"
#include "netprep/network_lease.h"

/* A VF bound to vfio-pci for a guest that manages its devices itself stays foreign, since it is not
 * free, but it is known whose it is. */
static void
mark_configured(Function *function, const char *holder)
{
    if (function->state == FUNCTION_STATE_FREE)
        function->holder = g_strdup(holder);
    else if (function->state == FUNCTION_STATE_FOREIGN)
        function_set_state(function, FUNCTION_STATE_FOREIGN, holder,
                           "is bound to %s, which is how %s needs it", function->driver, holder);
}

static void
mark_guest(FunctionInventory *inventory, const Guest *guest, const DomainXml *domain)
{
    gboolean active = guest->state != GUEST_STATE_SHUT_OFF;
    g_autofree char *holder =
        g_strdup_printf("guest '%s'%s", guest->name, active ? "" : " (shut off)");

    for (guint i = 0; i < domain->passthrough->len; i++) {
        const DomainPassthrough *device = domain->passthrough->pdata[i];
        Function *function = function_inventory_find(inventory, device->function);

        if (!function || function->state == FUNCTION_STATE_GUEST)
            continue;
        if (active)
            function_set_state(function, FUNCTION_STATE_GUEST, holder, "is in use by %s", holder);
        else if (!function->holder)
            mark_configured(function, holder);
    }
}

void
function_holders_mark_guests(FunctionInventory *inventory, const GPtrArray *guests)
{
    for (guint i = 0; i < guests->len; i++) {
        const Guest *guest = guests->pdata[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(DomainXml) domain = domain_xml_parse(guest->xml, &error);

        /* Its VFs are bound to vfio-pci while it runs, so they still do not count as free. */
        if (domain)
            mark_guest(inventory, guest, domain);
        else
            g_warning("cannot tell which VFs guest '%s' has: %s", guest->name, error->message);
    }
}

static void
mark_lease(FunctionInventory *inventory, const Lease *lease)
{
    g_autofree char *holder =
        g_strdup_printf("lease %s for guest '%s'", lease->id, lease->guest_name);

    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        Function *function = g_str_equal(asset->kind, ASSET_FUNCTION)
                                 ? function_inventory_find(inventory, asset->key)
                                 : NULL;

        if (function && function->state != FUNCTION_STATE_GUEST)
            function_set_state(function, FUNCTION_STATE_RESERVED, holder, "is held by %s", holder);
    }
}

void
function_holders_mark_leases(FunctionInventory *inventory, const GPtrArray *leases,
                             GHashTable *held)
{
    GHashTableIter iter;
    void *address, *id;

    for (guint i = 0; i < leases->len; i++)
        mark_lease(inventory, leases->pdata[i]);
    g_hash_table_iter_init(&iter, held);
    while (g_hash_table_iter_next(&iter, &address, &id)) {
        Function *function = function_inventory_find(inventory, address);
        g_autofree char *holder = g_strdup_printf("lease %s", (const char *)id);

        if (function && function->state != FUNCTION_STATE_GUEST &&
            function->state != FUNCTION_STATE_RESERVED)
            function_set_state(function, FUNCTION_STATE_RESERVED, holder,
                               "is held by %s, whose record is damaged", holder);
    }
}
