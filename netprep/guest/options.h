/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a verb was given on the command line. */
#pragma once

#include <linux/if_ether.h>
#include <stdbool.h>
#include <stdint.h>

#include "netprep/guest/hooks.h"
#include "netprep/guest/persistence.h"

/* One bit for each option, in the order of the table in options.c. */
typedef enum {
    OPTION_BOND = 1 << 0,
    OPTION_PORT = 1 << 1,
    OPTION_PATH = 1 << 2,
    OPTION_PRIMARY_PATH = 1 << 3,
    OPTION_BACKUP_MAC = 1 << 4,
    OPTION_FAIL_OVER_MAC = 1 << 5,
    OPTION_TIMEOUT = 1 << 6,
    OPTION_PERSIST = 1 << 7,
    OPTION_ROOT = 1 << 8,
    OPTION_PHASE = 1 << 9,
} OptionBit;

typedef struct {
    unsigned given; /* OptionBits */
    const char *bond;
    const char *port;
    const char *path;
    const char *primary_path;
    uint8_t backup_mac[ETH_ALEN];
    uint32_t fail_over_mac;
    unsigned timeout_seconds;
    PersistenceChoice choice;
    const char *root;
    HookPhase phase;
} Options;

#define OPTIONS_PROBLEM_SIZE 128

/* Reads @argv, whose first element is the verb. Only @allowed options may be there, each once, and
 * all @required ones must. False with what is wrong in @problem, OPTIONS_PROBLEM_SIZE bytes. */
bool options_read(int argc, char **argv, unsigned required, unsigned allowed, Options *ret_options,
                  char *problem);
