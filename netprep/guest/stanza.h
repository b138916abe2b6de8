/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stanzas of interfaces(5), as far as taking some devices out of a file needs them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define STANZAS_MAX 16

/* "iface DEVICE FAMILY METHOD" with its options. */
typedef struct {
    char device[16];
    char method[64]; /* "inet dhcp" */
    char *options;   /* its lines as they were; "" if none */
} Stanza;

typedef struct {
    Stanza items[STANZAS_MAX];
    size_t count;
    char *rest;       /* the file without them */
    bool rest_counts; /* there is more in it than comments */
    bool named;       /* a line of it names one of the devices: it is not the file it was */
} Stanzas;

/* Takes the stanzas of the devices (a list that ends with NULL) out of @text, and their names out
 * of the lists of what is brought up. False if out of memory or too many. */
bool stanzas_take(const char *text, const char *const *devices, Stanzas *ret_stanzas);
void stanzas_clear(Stanzas *stanzas);

/* Whether @text has a stanza "iface DEVICE". */
bool stanzas_have(const char *text, const char *device);
