/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of addresses and routes an administrator set, and what a server gave: the part of layer 3
 * that can be written into a configuration file. */
#pragma once

#include <netinet/in.h>

#include "netprep/guest/layer3.h"

#define LAYER3_SETTINGS_MAX 64
#define LAYER3_PREFIX_SIZE  (INET6_ADDRSTRLEN + 4)

typedef struct {
    int family; /* AF_INET or AF_INET6 */
    char prefix[LAYER3_PREFIX_SIZE];
} Layer3Address;

typedef struct {
    int family;
    char to[LAYER3_PREFIX_SIZE]; /* "0.0.0.0/0" or "::/0": everywhere */
    char via[INET6_ADDRSTRLEN];  /* "": directly */
    unsigned metric;             /* 0: the kernel's choice */
    unsigned table;              /* RT_TABLE_MAIN or another */
} Layer3Route;

typedef struct {
    bool dynamic4; /* a server gave an IPv4 address: DHCP */
    bool dynamic6; /* a router or server gave an IPv6 address */
    Layer3Address addresses[LAYER3_SETTINGS_MAX];
    size_t address_count;
    Layer3Route routes[LAYER3_SETTINGS_MAX];
    size_t route_count;
    unsigned left_out; /* what has no place here: several hops, or too many */
} Layer3Settings;

/* Reads them out of what the devices have now. */
void layer3_settings_read(const Layer3 *layer3, Layer3Settings *ret_settings);
