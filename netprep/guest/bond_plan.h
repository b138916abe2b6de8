/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a bond is to be whenever the guest boots: what a configuration is written from. */
#pragma once

#include "netprep/guest/layer3_settings.h"

#define BOND_PLAN_PLACE_SIZE 64

/* A port, and how it is known again when its name changed: by where it is plugged in (udev's
 * ID_PATH, "pci-0000:01:00.0"). A function's MAC address may be made up by its driver each time. */
typedef struct {
    const Link *link;
    char mac[LINK_MAC_TEXT_SIZE];
    char place[BOND_PLAN_PLACE_SIZE]; /* "" if unknown */
} BondPlanPort;

typedef struct {
    const char *root; /* "" or where the guest's files are */
    const char *name;
    char mac[LINK_MAC_TEXT_SIZE];
    unsigned mtu;
    uint32_t options[BOND_OPTION_COUNT];
    BondPlanPort primary; /* the function */
    BondPlanPort backup;  /* the VirtIO device */
    const Link *owner;    /* whose old configuration is the bond's: the device with the addresses */
    Layer3Settings settings;
} BondPlan;

/* A plan for bond @name over two devices, with the recommended options. Everything it points to is
 * borrowed. @layer3 is what the devices (or the bond) have; @owner may be NULL. */
void bond_plan_init(BondPlan *plan, const char *root, const char *name, const Link *primary,
                    const Link *backup, const Link *owner, const Layer3 *layer3);

/* The recommended options, with @fail_over_mac, in BOND_OPTION_COUNT elements. */
void bond_plan_options(uint32_t fail_over_mac, uint32_t *options);
