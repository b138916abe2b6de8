/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Describes network devices and bonds as JSON. */
#include "netprep/guest/report.h"

#include <stdio.h>

#define MAC_TEXT_SIZE 18

static const char *const mode_names[] = { "balance-rr", "active-backup", "balance-xor", "broadcast",
                                          "802.3ad",    "balance-tlb",   "balance-alb" };
static const char *const fail_over_mac_names[] = { "none", "active", "follow" };

#define NAME_OF(table, value)                                                                      \
    ((value) < sizeof(table) / sizeof((table)[0]) ? (table)[value] : "unknown")

static void
print_mac(const uint8_t *mac, char *text)
{
    snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
}

static const char *
name_of(const Links *links, int index)
{
    const Link *link = index ? links_find_index(links, index) : NULL;

    return link ? link->name : NULL;
}

static const char *
or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static json_t *
report_interface(const Links *links, const Link *link)
{
    char mac[MAC_TEXT_SIZE], permanent_mac[MAC_TEXT_SIZE];

    print_mac(link->mac, mac);
    print_mac(link->permanent_mac, permanent_mac);
    return json_pack("{s:s, s:i, s:s, s:s, s:s?, s:s?, s:b, s:s?}", "name", link->name, "index",
                     link->index, "mac", mac, "permanentMac", permanent_mac, "driver",
                     or_null(link->driver), "pciPath", or_null(link->pci_path), "carrier",
                     link->carrier, "master", name_of(links, link->master));
}

json_t *
report_bond(const Links *links, const Link *bond)
{
    json_t *ports = json_array();

    for (size_t i = 0; i < links->count; i++) {
        if (links->items[i].master == bond->index)
            json_array_append_new(ports, json_string(links->items[i].name));
    }
    return json_pack("{s:s, s:s, s:s?, s:s?, s:I, s:s, s:o}", "name", bond->name, "mode",
                     NAME_OF(mode_names, bond->bond.mode), "active",
                     name_of(links, bond->bond.active), "primary",
                     name_of(links, bond->bond.primary), "monitorIntervalMilliseconds",
                     (json_int_t)bond->bond.monitor_interval_msec, "failOverMac",
                     NAME_OF(fail_over_mac_names, bond->bond.fail_over_mac), "ports", ports);
}

json_t *
report_all(const Links *links)
{
    json_t *interfaces = json_array(), *bonds = json_array();

    for (size_t i = 0; i < links->count; i++) {
        const Link *link = &links->items[i];

        if (link->ethernet)
            json_array_append_new(interfaces, report_interface(links, link));
        if (link->is_bond)
            json_array_append_new(bonds, report_bond(links, link));
    }
    return json_pack("{s:o, s:o}", "interfaces", interfaces, "bonds", bonds);
}
