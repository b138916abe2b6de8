/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/guest_files.h"

#include <string.h>

#include "netprep/bonding_text.h"
#include "netprep/guest_link_files.h"

/* The agent has no event for a new network device. */
#define LOOK_AGAIN_MSEC 300
/* What IFF_UP is not set in; the other flags cannot be written. */
#define FLAGS_DOWN "0x1002"

static gboolean
check_abilities(const BondAccess *access, GError **error)
{
    const GuestAbilities needed = GUEST_ABILITY_FILES | GUEST_ABILITY_INTERFACES;
    g_autofree char *label = network_guest_label(access->guest_name);
    GuestAbilities abilities = 0;

    if (!guest_agent_abilities(access->hypervisor, access->guest_uuid, access->agent_seconds,
                               &abilities, error))
        return FALSE;
    if ((abilities & needed) == needed)
        return TRUE;
    fault_set(error, FAULT_AGENT_FAILED, label,
              "install netprep-guest in the guest, or allow these commands in the configuration of "
              "its qemu-guest-agent",
              "netprep-guest cannot be run there, and its agent does not allow %s",
              abilities & GUEST_ABILITY_FILES ? "guest-network-get-interfaces"
                                              : "guest-file-open, -read, -write and -close");
    return FALSE;
}

/* Which ports a bond has is told by the bond; each port's link as well. */
static void
note_ports(GuestReport *report, const GuestBond *bond, const char *const *ports_up)
{
    for (guint i = 0; i < report->interfaces->len; i++) {
        GuestInterface *interface = report->interfaces->pdata[i];

        if (!g_strv_contains((const char *const *)bond->ports, interface->name))
            continue;
        g_free(interface->master);
        interface->master = g_strdup(bond->name);
        interface->carrier = g_strv_contains(ports_up, interface->name);
    }
}

static gboolean
read_bonds(GuestLinkFiles *files, GuestReport *report, GError **error)
{
    g_auto(GStrv) names = NULL;

    if (!guest_link_files_list_bonds(files, &names, error))
        return FALSE;
    for (gsize i = 0; names[i]; i++) {
        g_auto(GStrv) ports_up = NULL;
        GuestBond *bond = guest_link_files_read_bond(files, names[i], &ports_up, error);

        if (!bond)
            return FALSE;
        g_ptr_array_add(report->bonds, bond);
        note_ports(report, bond, (const char *const *)ports_up);
    }
    return TRUE;
}

static GuestReport *
read_report(GuestLinkFiles *files, GError **error)
{
    g_autoptr(GuestReport) report = guest_report_new(GUEST_STEERING_FILES);

    if (!guest_link_files_list_links(files, report, error) || !read_bonds(files, report, error))
        return NULL;
    return g_steal_pointer(&report);
}

GuestReport *
guest_files_report(const BondAccess *access, GError **error)
{
    GuestLinkFiles files = guest_link_files(access);

    return check_abilities(access, error) ? read_report(&files, error) : NULL;
}

/* In this order: a preferred port would take the traffic back, and a NIC goes on delivering to the
 * old port until that is gone. */
GuestBond *
guest_files_use(const BondAccess *access, const char *bond, const char *port, GError **error)
{
    GuestLinkFiles files = guest_link_files(access);
    g_auto(GStrv) ports_up = NULL;

    if (!check_abilities(access, error) ||
        !guest_link_files_set_option(&files, bond, "all_slaves_active", "1", error) ||
        !guest_link_files_set_option(&files, bond, "primary", "\n", error) ||
        !guest_link_files_set_option(&files, bond, "active_slave", port, error))
        return NULL;
    return guest_link_files_read_bond(&files, bond, &ports_up, error);
}

typedef struct {
    GuestLinkFiles *files;
    const char *bond;
    const char *guest_path;
    gboolean enslaved; /* by us, or its answer was lost */
    gboolean done;
} Join;

static gboolean
enslave(Join *join, const char *port, GError **error)
{
    g_autofree char *entry = g_strconcat("+", port, NULL);

    if (!guest_link_files_set_flags(join->files, port, FLAGS_DOWN, error))
        return FALSE;
    join->enslaved = TRUE;
    return guest_link_files_set_option(join->files, join->bond, "slaves", entry, error);
}

static gboolean
activate(Join *join, const GuestBond *bond, const char *port, GError **error)
{
    if (g_strcmp0(bond->primary, port) != 0)
        return guest_link_files_set_option(join->files, join->bond, "primary", port, error);
    if (g_strcmp0(bond->active, port) != 0)
        return guest_link_files_set_option(join->files, join->bond, "active_slave", port, error);
    join->done = TRUE;
    return guest_link_files_set_option(join->files, join->bond, "all_slaves_active", "0", error);
}

static gboolean
refuse_taken(const BondAccess *access, const GuestInterface *interface, GError **error)
{
    g_autofree char *label = network_guest_label(access->guest_name);

    fault_set(error, FAULT_BOND_UNFIT, label, "take it out of that in the guest",
              "its device %s is a port of another device, %s", interface->name, interface->master);
    return FALSE;
}

/* One look at the guest, and the next thing to do about it. */
static gboolean
advance(Join *join, GError **error)
{
    g_autoptr(GuestReport) report = read_report(join->files, error);

    if (!report)
        return FALSE;
    const GuestInterface *interface = guest_report_find_path(report, join->guest_path);
    const GuestBond *bond = guest_report_find_bond(report, join->bond);
    if (!interface || !bond)
        return TRUE;
    if (!interface->master)
        return enslave(join, interface->name, error);
    if (!g_str_equal(interface->master, join->bond))
        return refuse_taken(join->files->access, interface, error);
    return !interface->carrier || activate(join, bond, interface->name, error);
}

/* A port that carries nothing still makes its NIC keep the bond's MAC from the other port. */
static void
take_back(const Join *join)
{
    g_autoptr(GuestReport) report = join->enslaved ? read_report(join->files, NULL) : NULL;
    const GuestInterface *interface =
        report ? guest_report_find_path(report, join->guest_path) : NULL;

    if (!interface || g_strcmp0(interface->master, join->bond) != 0)
        return;
    g_autofree char *entry = g_strconcat("-", interface->name, NULL);
    (void)guest_link_files_set_option(join->files, join->bond, "slaves", entry, NULL);
}

static gboolean
pause_before(const BondAccess *access, gint64 deadline_usec, GError **error)
{
    g_autofree char *label = network_guest_label(access->guest_name);

    if (g_get_monotonic_time() >= deadline_usec) {
        fault_set(error, FAULT_BOND_UNFIT, label, "load the guest's driver for the device",
                  "its device did not become the active port of its bond in time");
        return FALSE;
    }
    return guest_agent_pause(access->guest_uuid, LOOK_AGAIN_MSEC * G_TIME_SPAN_MILLISECOND,
                             access->cancellable, error);
}

gboolean
guest_files_join(const BondAccess *access, const char *bond, const char *guest_path,
                 unsigned timeout_seconds, GError **error)
{
    gint64 deadline_usec = g_get_monotonic_time() + (gint64)timeout_seconds * G_USEC_PER_SEC;
    GuestLinkFiles files = guest_link_files(access);
    Join join = { .files = &files, .bond = bond, .guest_path = guest_path };

    files.deadline_usec += (gint64)timeout_seconds * G_USEC_PER_SEC;
    if (!check_abilities(access, error))
        return FALSE;
    while (advance(&join, error)) {
        if (join.done)
            return TRUE;
        if (!pause_before(access, deadline_usec, error))
            break;
    }
    take_back(&join);
    return FALSE;
}
