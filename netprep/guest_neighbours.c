/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/guest_neighbours.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/guest_file.h"
#include "netprep/leg_probe.h"

#define ARP_COMPLETE 0x2 /* ATF_COM */

void
guest_neighbours_free(GuestNeighbours *neighbours)
{
    if (!neighbours)
        return;
    g_strfreev(neighbours->own);
    g_strfreev(neighbours->neighbours);
    g_free(neighbours);
}

static gboolean
is_ipv4(const char *text)
{
    struct in_addr address;

    return text && inet_pton(AF_INET, text, &address) == 1;
}

static char **
take_addresses(const json_t *interface)
{
    const json_t *addresses = json_object_get(interface, "ip-addresses");
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    unsigned count = 0;

    for (gsize i = 0; i < json_array_size(addresses) && count < LEG_PROBE_ADDRESSES; i++) {
        const json_t *address = json_array_get(addresses, i);
        const char *text = json_string_value(json_object_get(address, "ip-address"));

        if (is_ipv4(text)) {
            g_strv_builder_add(found, text);
            count++;
        }
    }
    return g_strv_builder_end(found);
}

/* NULL if the guest has no such device. */
static char **
find_own(const json_t *interfaces, const char *bond)
{
    for (gsize i = 0; i < json_array_size(interfaces); i++) {
        const json_t *interface = json_array_get(interfaces, i);

        if (g_strcmp0(json_string_value(json_object_get(interface, "name")), bond) == 0)
            return take_addresses(interface);
    }
    return g_new0(char *, 1);
}

/* "10.0.0.1  0x1  0x2  52:54:00:00:00:01  *  bond0" */
static char *
parse_line(const char *line, const char *device)
{
    enum { ADDRESS, TYPE, FLAGS, MAC, MASK, DEVICE, COLUMNS };
    const char *columns[COLUMNS] = { NULL };
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    unsigned count = 0;

    for (gsize i = 0; words[i] && count < COLUMNS; i++) {
        if (*words[i])
            columns[count++] = words[i];
    }
    if (count < COLUMNS || !g_str_equal(columns[DEVICE], device) || !is_ipv4(columns[ADDRESS]) ||
        !(g_ascii_strtoull(columns[FLAGS], NULL, 0) & ARP_COMPLETE))
        return NULL;
    return g_strdup(columns[ADDRESS]);
}

char **
guest_neighbours_parse(const char *text, const char *device)
{
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned count = 0;

    for (gsize i = 0; lines[i] && count < LEG_PROBE_ADDRESSES; i++) {
        g_autofree char *address = parse_line(lines[i], device);

        if (address) {
            g_strv_builder_add(found, address);
            count++;
        }
    }
    return g_strv_builder_end(found);
}

GuestNeighbours *
guest_neighbours_of(const GuestNeighbourhood *neighbourhood, const char *bond)
{
    GuestNeighbours *neighbours = g_new0(GuestNeighbours, 1);

    neighbours->own = find_own(neighbourhood->interfaces, bond);
    neighbours->neighbours = guest_neighbours_parse(neighbourhood->arp, bond);
    return neighbours;
}

void
guest_neighbourhood_free(GuestNeighbourhood *neighbourhood)
{
    if (!neighbourhood)
        return;
    json_decref(neighbourhood->interfaces);
    g_free(neighbourhood->arp);
    g_free(neighbourhood);
}

GuestNeighbourhood *
guest_neighbourhood_told(const GuestReport *report)
{
    GuestNeighbourhood *neighbourhood = NULL;

    if (report->arp) {
        neighbourhood = g_new0(GuestNeighbourhood, 1);
        neighbourhood->arp = g_strdup(report->arp);
    }
    return neighbourhood;
}

GuestNeighbourhood *
guest_neighbourhood_read(const BondAccess *access, GError **error)
{
    g_autoptr(GuestNeighbourhood) neighbourhood = g_new0(GuestNeighbourhood, 1);
    g_autoptr(GError) refused = NULL;

    neighbourhood->interfaces =
        guest_agent_call(access->hypervisor, access->guest_uuid, "guest-network-get-interfaces",
                         NULL, access->agent_seconds, &refused);
    neighbourhood->arp = guest_file_read(access->hypervisor, access->guest_uuid, "/proc/net/arp",
                                         access->agent_seconds, refused ? NULL : &refused);
    if (refused && fault_code(refused) != FAULT_AGENT_FAILED) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return NULL;
    }
    if (!neighbourhood->arp)
        neighbourhood->arp = g_strdup("");
    return g_steal_pointer(&neighbourhood);
}
