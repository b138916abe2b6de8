/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collects what a bond's configuration says. */
#include "netprep/guest/bond_plan.h"

#include <stdio.h>
#include <string.h>

#include "netprep/guest/config_file.h"

static void
init_port(BondPlanPort *port, const char *root, const Link *link)
{
    char path[64];

    port->link = link;
    link_print_mac(link->permanent_mac, port->mac);
    snprintf(path, sizeof(path), "/run/udev/data/n%d", link->index);
    if (!config_file_value(root, path, "E:ID_PATH", port->place, sizeof(port->place)) &&
        link->pci_address[0])
        snprintf(port->place, sizeof(port->place), "pci-%s", link->pci_address);
}

void
bond_plan_options(uint32_t fail_over_mac, uint32_t *options)
{
    memset(options, 0, BOND_OPTION_COUNT * sizeof(*options));
    options[BOND_OPTION_MODE] = BOND_MODE_BACKUP;
    options[BOND_OPTION_FAIL_OVER_MAC] = fail_over_mac;
    options[BOND_OPTION_MONITOR_INTERVAL] = BOND_MONITOR_INTERVAL_MSEC;
    options[BOND_OPTION_UP_DELAY] = BOND_UP_DELAY_MSEC;
    options[BOND_OPTION_GRATUITOUS_ARP] = BOND_GRATUITOUS_ARP;
    options[BOND_OPTION_PRIMARY_RESELECT] = BOND_PRIMARY_RESELECT;
}

void
bond_plan_init(BondPlan *plan, const char *root, const char *name, const Link *primary,
               const Link *backup, const Link *owner, const Layer3 *layer3)
{
    *plan = (BondPlan) { .root = root, .name = name, .mtu = backup->mtu, .owner = owner };
    init_port(&plan->primary, root, primary);
    init_port(&plan->backup, root, backup);
    memcpy(plan->mac, plan->backup.mac, sizeof(plan->mac));
    bond_plan_options(BOND_FAIL_OVER_MAC_NONE, plan->options);
    layer3_settings_read(layer3, &plan->settings);
}
