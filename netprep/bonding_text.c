/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/bonding_text.h"

#include <string.h>

#include "netprep/text_check.h"

#define PORTS_MAX 64

/* What the text calls a mode, and what everybody else calls it. */
static const struct {
    const char *text, *name;
} modes[] = {
    { "load balancing (round-robin)", "balance-rr" },
    { "fault-tolerance (active-backup)", "active-backup" },
    { "load balancing (xor)", "balance-xor" },
    { "fault-tolerance (broadcast)", "broadcast" },
    { "IEEE 802.3ad Dynamic link aggregation", "802.3ad" },
    { "transmit load balancing", "balance-tlb" },
    { "adaptive load balancing", "balance-alb" },
};

typedef struct {
    GuestBond *bond;
    GStrvBuilder *ports, *ports_up;
    unsigned port_count;
    char *port; /* whose lines these are; NULL: the bond's own */
    gboolean wrong;
} Reading;

static const char *
value_of(const char *line, const char *label)
{
    gsize length = strlen(label);

    return strncmp(line, label, length) == 0 && strncmp(line + length, ": ", 2) == 0
               ? line + length + 2
               : NULL;
}

/* "eth1 (primary_reselect always)": the name alone; NULL for "None". */
static char *
take_name(Reading *reading, const char *value)
{
    g_autofree char *name = g_strndup(value, strcspn(value, " "));

    if (g_str_equal(name, "None"))
        return NULL;
    if (text_is_link_name(name))
        return g_steal_pointer(&name);
    reading->wrong = TRUE;
    return NULL;
}

static void
take_mode(Reading *reading, const char *value)
{
    GuestBond *bond = reading->bond;

    for (gsize i = 0; !bond->mode && i < G_N_ELEMENTS(modes); i++) {
        if (g_str_has_prefix(value, modes[i].text))
            bond->mode = g_strdup(modes[i].name);
    }
    g_free(bond->fail_over_mac);
    bond->fail_over_mac = g_strdup(strstr(value, "fail_over_mac active")   ? "active"
                                   : strstr(value, "fail_over_mac follow") ? "follow"
                                                                           : "none");
}

static void
begin_port(Reading *reading, const char *value)
{
    g_free(reading->port);
    reading->port = take_name(reading, value);
    if (!reading->port || ++reading->port_count > PORTS_MAX)
        reading->wrong = TRUE;
    else
        g_strv_builder_add(reading->ports, reading->port);
}

static unsigned
number(const char *value)
{
    return (unsigned)MIN(g_ascii_strtoull(value, NULL, 10), G_MAXINT);
}

static void
take_bond_line(Reading *reading, const char *line)
{
    GuestBond *bond = reading->bond;
    const char *value;

    if ((value = value_of(line, "Bonding Mode"))) {
        take_mode(reading, value);
    } else if ((value = value_of(line, "Primary Slave"))) {
        g_free(bond->primary);
        bond->primary = take_name(reading, value);
    } else if ((value = value_of(line, "Currently Active Slave"))) {
        g_free(bond->active);
        bond->active = take_name(reading, value);
    } else if ((value = value_of(line, "MII Polling Interval (ms)"))) {
        bond->monitor_interval_msec = number(value);
    } else if ((value = value_of(line, "Up Delay (ms)"))) {
        bond->up_delay_msec = (int)number(value);
    }
}

static void
take_line(Reading *reading, const char *line)
{
    const char *value;

    if ((value = value_of(line, "Slave Interface")))
        begin_port(reading, value);
    else if (!reading->port)
        take_bond_line(reading, line);
    else if ((value = value_of(line, "MII Status")) && g_str_equal(value, "up"))
        g_strv_builder_add(reading->ports_up, reading->port);
}

GuestBond *
bonding_text_parse(const char *name, const char *text, char ***ret_ports_up)
{
    g_autoptr(GuestBond) bond = guest_bond_new(name);
    g_autoptr(GStrvBuilder) ports = g_strv_builder_new();
    g_autoptr(GStrvBuilder) ports_up = g_strv_builder_new();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    Reading reading = { .bond = bond, .ports = ports, .ports_up = ports_up };

    for (gsize i = 0; lines[i] && !reading.wrong; i++)
        take_line(&reading, lines[i]);
    g_free(reading.port);
    if (reading.wrong || !bond->mode)
        return NULL;
    bond->ports = g_strv_builder_end(ports);
    *ret_ports_up = g_strv_builder_end(ports_up);
    return g_steal_pointer(&bond);
}
