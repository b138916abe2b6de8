/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names, widths and recommended values of a bond's options. */
#include "netprep/guest/bond_option.h"

#include <linux/if_link.h>

static const char *const modes[] = { "balance-rr", "active-backup", "balance-xor", "broadcast",
                                     "802.3ad",    "balance-tlb",   "balance-alb", NULL };
static const char *const fail_over_macs[] = { "none", "active", "follow", NULL };
static const char *const reselects[] = { "always", "better", "failure", NULL };

typedef struct {
    const char *name;
    int attribute;
    int width;
    const char *const *words; /* NULL: a number */
} Entry;

static const Entry entries[BOND_OPTION_COUNT] = {
    [BOND_OPTION_MODE] = { "mode", IFLA_BOND_MODE, 1, modes },
    [BOND_OPTION_FAIL_OVER_MAC] = { "failOverMac", IFLA_BOND_FAIL_OVER_MAC, 1, fail_over_macs },
    [BOND_OPTION_MONITOR_INTERVAL] = { "monitorIntervalMilliseconds", IFLA_BOND_MIIMON, 4, NULL },
    [BOND_OPTION_UP_DELAY] = { "upDelayMilliseconds", IFLA_BOND_UPDELAY, 4, NULL },
    [BOND_OPTION_GRATUITOUS_ARP] = { "gratuitousArp", IFLA_BOND_NUM_PEER_NOTIF, 1, NULL },
    [BOND_OPTION_PEER_NOTIFY_DELAY] = { "peerNotifyDelayMilliseconds", IFLA_BOND_PEER_NOTIF_DELAY,
                                        4, NULL },
    [BOND_OPTION_PRIMARY_RESELECT] = { "primaryReselect", IFLA_BOND_PRIMARY_RESELECT, 1,
                                       reselects },
    [BOND_OPTION_ALL_PORTS_ACTIVE] = { "allPortsActive", IFLA_BOND_ALL_SLAVES_ACTIVE, 1, NULL },
};

int
bond_option_attribute(BondOption option)
{
    return entries[option].attribute;
}

int
bond_option_width(BondOption option)
{
    return entries[option].width;
}

const char *
bond_option_name(BondOption option)
{
    return entries[option].name;
}

const char *
bond_option_word(BondOption option, uint32_t value)
{
    const char *const *words = entries[option].words;

    for (uint32_t i = 0; words && words[i]; i++) {
        if (i == value)
            return words[i];
    }
    return words ? "unknown" : NULL;
}

json_t *
bond_option_to_json(BondOption option, uint32_t value)
{
    const char *word = bond_option_word(option, value);

    if (word)
        return json_string(word);
    return option == BOND_OPTION_ALL_PORTS_ACTIVE ? json_boolean(value) : json_integer(value);
}

/* The least multiple of the interval that is enough: the kernel would round down. */
static uint32_t
up_delay(uint32_t interval_msec)
{
    uint32_t interval = interval_msec ? interval_msec : BOND_MONITOR_INTERVAL_MSEC;

    return (BOND_UP_DELAY_MSEC + interval - 1) / interval * interval;
}

static uint32_t
at_least(uint32_t value, uint32_t least)
{
    return value < least ? least : value;
}

uint32_t
bond_option_recommend(BondOption option, const uint32_t *values)
{
    uint32_t value = values[option], interval = values[BOND_OPTION_MONITOR_INTERVAL];

    switch (option) {
    case BOND_OPTION_MONITOR_INTERVAL:
        return value == 0 || value > BOND_MONITOR_INTERVAL_MSEC ? BOND_MONITOR_INTERVAL_MSEC
                                                                : value;
    case BOND_OPTION_UP_DELAY:
        return value < BOND_UP_DELAY_MSEC ? up_delay(interval) : value;
    case BOND_OPTION_GRATUITOUS_ARP:
        return at_least(value, BOND_GRATUITOUS_ARP);
    case BOND_OPTION_PRIMARY_RESELECT:
        return BOND_PRIMARY_RESELECT;
    case BOND_OPTION_FAIL_OVER_MAC:
        return value > BOND_FAIL_OVER_MAC_ACTIVE ? BOND_FAIL_OVER_MAC_NONE : value;
    case BOND_OPTION_MODE:
    case BOND_OPTION_PEER_NOTIFY_DELAY:
    case BOND_OPTION_ALL_PORTS_ACTIVE:
    case BOND_OPTION_COUNT:
        break;
    }
    return value;
}
