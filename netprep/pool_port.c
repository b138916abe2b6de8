/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes and deletes ports in libvirt's networks of VFs. */
#include "netprep/pool_port.h"

#define DIGEST_BYTES 20 /* of SHA-1, which RFC 4122 has for UUIDs made from names */

/* What a port of ours is told by. */
static void
digest(const char *network, const char *guest_uuid, const char *function, guint8 *ret_digest)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA1);
    const char *const parts[] = { "io.migprep.Network port", network, guest_uuid, function };
    gsize length = DIGEST_BYTES;

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        g_checksum_update(checksum, (const guchar *)parts[i], (gssize)strlen(parts[i]) + 1);
    g_checksum_get_digest(checksum, ret_digest, &length);
}

static NetworkPort *
make_port(const char *network, const char *guest, const char *guest_uuid, const char *function)
{
    NetworkPort *port = g_new0(NetworkPort, 1);
    guint8 d[DIGEST_BYTES];

    digest(network, guest_uuid, function, d);
    port->network = g_strdup(network);
    port->owner = g_strdup(guest);
    port->owner_uuid = g_strdup(guest_uuid);
    port->function = g_strdup(function);
    port->uuid =
        g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        d[0], d[1], d[2], d[3], d[4], d[5], (d[6] & 0x0f) | 0x50, d[7],
                        (d[8] & 0x3f) | 0x80, d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
    /* libvirt wants one, and uses it for nothing here. */
    port->mac = g_strdup_printf("02:%02x:%02x:%02x:%02x:%02x", d[15], d[16], d[17], d[18], d[19]);
    return port;
}

static gboolean
is_ours(const NetworkPort *port)
{
    g_autoptr(NetworkPort) made =
        make_port(port->network, port->owner, port->owner_uuid, port->function);

    return g_ascii_strcasecmp(made->uuid, port->uuid) == 0;
}

GHashTable *
pool_ports_taken(const NetworkHost *host, GError **error)
{
    g_autoptr(GPtrArray) ports = hypervisor_list_network_ports(host->hypervisor, error);

    if (!ports)
        return NULL;
    GHashTable *taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < ports->len; i++) {
        const NetworkPort *port = ports->pdata[i];

        if (!is_ours(port))
            g_hash_table_add(taken, g_strdup(port->function));
    }
    return taken;
}

static const NetworkPort *
find_port(const GPtrArray *ports, const char *network, const char *function)
{
    for (guint i = 0; i < ports->len; i++) {
        const NetworkPort *port = ports->pdata[i];

        if (g_str_equal(port->network, network) && g_str_equal(port->function, function))
            return port;
    }
    return NULL;
}

/* Whether the network gives out VFs of @function's PF. */
static gboolean
has_function(const HypervisorNetwork *network, const FunctionInventory *inventory,
             const Function *function)
{
    for (char **name = network->functions; name && *name; name++) {
        if (function_inventory_find_port(inventory, *name) == function->port)
            return TRUE;
    }
    return FALSE;
}

static gboolean
set_given_away(const NetworkPort *port, GError **error)
{
    g_autofree char *label = network_function_label(port->function);

    fault_set(error, FAULT_FUNCTION_BUSY, label, "try again, to get another one",
              "libvirt's network '%s' gave it to guest '%s'", port->network, port->owner);
    return FALSE;
}

/* libvirt has no code of its own for a VF that is taken, so its ports are asked again. The guest's
 * port of a moment ago may still be there: asking for another one would be an error in the journal.
 */
static gboolean
hold_in(const NetworkHost *host, const Lease *lease, const GPtrArray *ports, const char *network,
        const char *function, GError **error)
{
    g_autoptr(NetworkPort) port =
        make_port(network, lease->guest_name, lease->guest_uuid, function);
    const NetworkPort *there = find_port(ports, network, function);
    g_autoptr(GError) refused = NULL;

    if (there && g_str_equal(there->owner_uuid, lease->guest_uuid))
        return TRUE;
    if (hypervisor_create_network_port(host->hypervisor, port, &refused))
        return TRUE;
    g_autoptr(GPtrArray) now = hypervisor_list_network_ports(host->hypervisor, error);
    if (!now)
        return FALSE;
    const NetworkPort *other = find_port(now, network, function);
    if (other && !g_str_equal(other->owner_uuid, lease->guest_uuid))
        return set_given_away(other, error);
    if (!other)
        g_message("libvirt's network '%s' does not note that %s is held: %s", network, function,
                  refused->message);
    return TRUE;
}

static gboolean
hold_function(const NetworkHost *host, const Lease *lease, const GPtrArray *networks,
              const GPtrArray *ports, const FunctionInventory *inventory, const char *address,
              GError **error)
{
    const Function *function = function_inventory_find(inventory, address);

    for (guint i = 0; function && i < networks->len; i++) {
        const HypervisorNetwork *network = networks->pdata[i];

        if (has_function(network, inventory, function) &&
            !hold_in(host, lease, ports, network->name, address, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
pool_ports_hold(const NetworkHost *host, const Lease *lease, GError **error)
{
    if (lease->assets->len == 0)
        return TRUE;
    g_autoptr(GPtrArray) networks = hypervisor_list_networks(host->hypervisor, error);
    g_autoptr(GPtrArray) ports =
        networks ? hypervisor_list_network_ports(host->hypervisor, error) : NULL;
    g_autoptr(FunctionInventory) inventory =
        ports ? function_inventory_read(host->sysfs, NULL, error) : NULL;

    for (guint i = 0; inventory && i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (!hold_function(host, lease, networks, ports, inventory, asset->key, error))
            return FALSE;
    }
    return inventory != NULL;
}

static gboolean
is_held(const GPtrArray *leases, const char *function)
{
    for (guint i = 0; i < leases->len; i++) {
        if (lease_find_asset(leases->pdata[i], ASSET_FUNCTION, function))
            return TRUE;
    }
    return FALSE;
}

/* When in doubt, it is. */
static gboolean
is_in_guest(const NetworkHost *host, const NetworkPort *port)
{
    GuestView *found = NULL;

    if (!guest_view_find_guest(host->hypervisor, port->owner_uuid, &found, NULL))
        return TRUE;
    g_autoptr(GuestView) view = found;
    return view && guest_view_is_active(view) && guest_view_find(view->live, port->function);
}

void
pool_ports_sweep(const NetworkHost *host)
{
    /* Ports first: a lease made meanwhile has no port among them yet. */
    g_autoptr(GPtrArray) ports = hypervisor_list_network_ports(host->hypervisor, NULL);
    g_autoptr(GPtrArray) leases = ports ? lease_store_list(host->leases, NULL) : NULL;

    for (guint i = 0; leases && i < ports->len; i++) {
        const NetworkPort *port = ports->pdata[i];
        g_autoptr(GError) error = NULL;

        if (!is_ours(port) || is_held(leases, port->function) || is_in_guest(host, port))
            continue;
        if (!hypervisor_delete_network_port(host->hypervisor, port->network, port->uuid, &error))
            g_warning("libvirt's network '%s' keeps %s from others: %s", port->network,
                      port->function, error->message);
    }
}
