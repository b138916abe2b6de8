/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's network devices, as the kernel lists them at one moment. */
#pragma once

#include <linux/if_ether.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netprep/guest/bond_option.h"
#include "netprep/guest/failure.h"
#include "netprep/guest/kernel.h"

#define LINKS_MAX             1024
#define LINK_PCI_PATH_SIZE    96
#define LINK_PCI_ADDRESS_SIZE 16
#define LINK_DRIVER_SIZE      32
#define LINK_MAC_TEXT_SIZE    18

/* A bond's own settings; indexes of devices are 0 where there is none. */
typedef struct {
    uint32_t options[BOND_OPTION_COUNT];
    int active;
    int primary;
} LinkBond;

typedef struct {
    char name[IFNAMSIZ];
    int index;
    int master; /* 0: none */
    int lower;  /* of a VLAN or the like: the device it stands on; 0: none */
    unsigned mtu;
    unsigned addresses; /* once counted */
    uint8_t mac[ETH_ALEN];
    uint8_t permanent_mac[ETH_ALEN];
    bool ethernet;
    bool up;
    bool carrier;
    bool port_usable; /* as a port: its bond has seen its link, by its own polling */
    bool is_bond;
    bool has_xdp; /* a program in front of its own stack: XDP */
    LinkBond bond;
    char driver[LINK_DRIVER_SIZE];           /* "" if none */
    char pci_path[LINK_PCI_PATH_SIZE];       /* device.function of each hop; "" if not on PCI */
    char pci_address[LINK_PCI_ADDRESS_SIZE]; /* its own, with this guest's bus number; likewise */
} Link;

typedef struct {
    Link *items;
    size_t count;
} Links;

/* Reads all links into *ret_links, to be freed by links_clear(). False with @failure. Blocks for as
 * long as the kernel's answer takes, as all that asks the kernel does. */
bool links_read(const Kernel *kernel, Links *ret_links, Failure *failure);
void links_clear(Links *links);

/* Counts the addresses of each link. */
bool links_count_addresses(const Kernel *kernel, Links *links, Failure *failure);

/* Borrowed, or NULL. A MAC is looked for among devices of their own, not bonds, and not @other,
 * which may have the same: permanent first. */
const Link *links_find_index(const Links *links, int index);
const Link *links_find_name(const Links *links, const char *name);
const Link *links_find_path(const Links *links, const char *pci_path);
const Link *links_find_mac(const Links *links, const uint8_t *mac, const Link *other);

/* A bond's port number @number, counted from 0; NULL: it has no more. */
const Link *links_find_port(const Links *links, const Link *bond, size_t number);

/* Reads "52:54:00:00:00:01": an address of one device, neither a group's nor all zeros. */
bool link_parse_mac(const char *text, uint8_t *ret_mac);
/* Writes it, in LINK_MAC_TEXT_SIZE bytes. */
void link_print_mac(const uint8_t *mac, char *text);
