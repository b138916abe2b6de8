/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a bond that a migration depends on: what they are called, and which values carry a
 * guest through the loss and the return of its function. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    BOND_OPTION_MODE,
    BOND_OPTION_FAIL_OVER_MAC,
    BOND_OPTION_MONITOR_INTERVAL, /* milliseconds; 0: links are not watched */
    BOND_OPTION_UP_DELAY,         /* milliseconds; the kernel rounds down to whole intervals */
    BOND_OPTION_GRATUITOUS_ARP,   /* announcements after each fail-over */
    BOND_OPTION_PEER_NOTIFY_DELAY,
    BOND_OPTION_PRIMARY_RESELECT,
    BOND_OPTION_ALL_PORTS_ACTIVE, /* whether the bond hears the ports that it does not use */
    BOND_OPTION_COUNT,
} BondOption;

#define BOND_MODE_BACKUP          1 /* active-backup */
#define BOND_FAIL_OVER_MAC_NONE   0 /* one MAC address on all ports */
#define BOND_FAIL_OVER_MAC_ACTIVE 1 /* the bond takes the MAC address of the port in use */

/* Recommended: a lost link is seen within one interval; three announcements, since one can be lost;
 * the delay outlasts the settling of a function's link (kernel: Documentation/networking/bonding).
 */
#define BOND_MONITOR_INTERVAL_MSEC 100
#define BOND_UP_DELAY_MSEC         200
#define BOND_GRATUITOUS_ARP        3
#define BOND_PRIMARY_RESELECT      0 /* always: the function is used as soon as it is back */

/* The rtnetlink attribute (IFLA_BOND_...) and its width in bytes, 1 or 4. */
int bond_option_attribute(BondOption option);
int bond_option_width(BondOption option);

/* The member's name in a report, and what it says there for @value. */
const char *bond_option_name(BondOption option);
json_t *bond_option_to_json(BondOption option, uint32_t value);

/* The kernel's own word for a value that has one, otherwise NULL. */
const char *bond_option_word(BondOption option, uint32_t value);

/* The value @option should have in a bond whose options are @values; the same value if that is good
 * enough. Nothing is recommended for what has no right value, such as the mode. */
uint32_t bond_option_recommend(BondOption option, const uint32_t *values);
