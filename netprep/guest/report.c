/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Describes network devices and bonds as JSON. */
#include "netprep/guest/report.h"

#include "netprep/guest/persistence.h"

#define REPORT_BONDS_MAX 64 /* what a host reads */

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
    char mac[LINK_MAC_TEXT_SIZE], permanent_mac[LINK_MAC_TEXT_SIZE];

    link_print_mac(link->mac, mac);
    link_print_mac(link->permanent_mac, permanent_mac);
    return json_pack("{s:s, s:i, s:s, s:s, s:s?, s:s?, s:b, s:b, s:i, s:i, s:b, s:s?}", "name",
                     link->name, "index", link->index, "macAddress", mac, "permanentMacAddress",
                     permanent_mac, "driver", or_null(link->driver), "pciPath",
                     or_null(link->pci_path), "up", link->up, "carrier", link->carrier, "mtu",
                     (int)link->mtu, "addresses", (int)link->addresses, "xdp", link->has_xdp,
                     "master", name_of(links, link->master));
}

json_t *
report_bond(const Links *links, const Link *bond)
{
    json_t *ports = json_array();
    const Link *port = NULL;
    char mac[LINK_MAC_TEXT_SIZE];

    for (size_t i = 0; (port = links_find_port(links, bond, i)); i++)
        json_array_append_new(ports, json_string(port->name));
    link_print_mac(bond->mac, mac);
    json_t *report = json_pack("{s:s, s:s, s:s?, s:s?, s:o}", "name", bond->name, "macAddress", mac,
                               "active", name_of(links, bond->bond.active), "primary",
                               name_of(links, bond->bond.primary), "ports", ports);
    for (BondOption option = 0; option < BOND_OPTION_COUNT; option++)
        json_object_set_new(report, bond_option_name(option),
                            bond_option_to_json(option, bond->bond.options[option]));
    return report;
}

json_t *
report_all(const Links *links, const char *root)
{
    json_t *interfaces = json_array(), *bonds = json_array();

    for (size_t i = 0; i < links->count; i++) {
        const Link *link = &links->items[i];

        if (link->ethernet)
            json_array_append_new(interfaces, report_interface(links, link));
        if (!link->is_bond || json_array_size(bonds) == REPORT_BONDS_MAX)
            continue;
        json_t *bond = report_bond(links, link);
        json_object_set_new(bond, "persistence", persistence_describe(root, link->name));
        json_array_append_new(bonds, bond);
    }
    return json_pack("{s:o, s:o}", "interfaces", interfaces, "bonds", bonds);
}
