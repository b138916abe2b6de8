/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's network devices, as the kernel lists them at one moment. */
#pragma once

#include <linux/if_ether.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netprep/guest/failure.h"

#define LINKS_MAX          1024
#define LINK_PCI_PATH_SIZE 96
#define LINK_DRIVER_SIZE   32
#define LINK_MODE_BACKUP   1 /* active-backup */

/* A bond's own options; indexes of devices are 0 where there is none. */
typedef struct {
    uint8_t mode;
    uint8_t fail_over_mac;
    uint32_t monitor_interval_msec;
    int active;
    int primary;
} LinkBond;

typedef struct {
    char name[IFNAMSIZ];
    int index;
    int master; /* 0: none */
    uint8_t mac[ETH_ALEN];
    uint8_t permanent_mac[ETH_ALEN];
    bool ethernet;
    bool up;
    bool carrier;
    bool is_bond;
    LinkBond bond;
    char driver[LINK_DRIVER_SIZE];     /* "" if none */
    char pci_path[LINK_PCI_PATH_SIZE]; /* device.function of each hop; "" if not on PCI */
} Link;

typedef struct {
    Link *items;
    size_t count;
} Links;

/* Reads all links into *ret_links, to be freed by links_clear(). False with @failure. */
bool links_read(Links *ret_links, Failure *failure);
void links_clear(Links *links);

/* Borrowed, or NULL. A MAC is looked for among devices of their own, not bonds: permanent first. */
const Link *links_find_index(const Links *links, int index);
const Link *links_find_name(const Links *links, const char *name);
const Link *links_find_path(const Links *links, const char *pci_path);
const Link *links_find_mac(const Links *links, const uint8_t *mac);

/* Reads "52:54:00:00:00:01". */
bool link_parse_mac(const char *text, uint8_t *ret_mac);
