/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the guest by the means that it offers, and believes what it reports afterwards. */
#include "netprep/bond.h"

#include "netprep/guest_files.h"
#include "netprep/guest_program.h"

/*
 * Theory of operation. netprep-guest is tried first: it does in one round trip what takes thirty
 * with the agent's file commands, and can create a bond. Where it cannot be started nothing has
 * happened, so the files are tried next. Neither is believed: what was asked for is read back.
 */

BondAccess
bond_access(const NetworkHost *host, const GuestView *view, GCancellable *cancellable)
{
    return (BondAccess) {
        .hypervisor = host->hypervisor,
        .guest_name = view->guest->name,
        .guest_uuid = view->guest->uuid,
        .agent_seconds = host->config->agent_seconds,
        .cancellable = cancellable,
    };
}

/* Drops @failure if the files are to be tried; else hands it on. */
static gboolean
try_files(gboolean program_absent, GError *failure, GError **error)
{
    if (program_absent) {
        g_clear_error(&failure);
        return TRUE;
    }
    if (failure)
        g_propagate_error(error, failure);
    return FALSE;
}

GuestReport *
bond_report(const BondAccess *access, GError **error)
{
    GError *failure = NULL;
    gboolean absent = FALSE;
    GuestReport *report = guest_program_report(access, &absent, &failure);

    return try_files(absent, failure, error) ? guest_files_report(access, error) : report;
}

static gboolean
check_active(const BondAccess *access, const GuestBond *bond, const char *port, GError **error)
{
    g_autofree char *label = network_guest_label(access->guest_name);

    if (g_strcmp0(bond->active, port) == 0)
        return TRUE;
    fault_set(error, FAULT_BOND_UNFIT, label, "check the link of that device in the guest",
              "bond %s does not use %s although it was told to", bond->name, port);
    return FALSE;
}

gboolean
bond_use(const BondAccess *access, const char *bond, const char *port, GError **error)
{
    GError *failure = NULL;
    gboolean absent = FALSE;
    g_autoptr(GuestBond) state = guest_program_use(access, bond, port, &absent, &failure);

    if (try_files(absent, failure, error))
        state = guest_files_use(access, bond, port, error);
    return state && check_active(access, state, port, error);
}

static gboolean
prove_joined(const BondAccess *access, const char *bond, const char *guest_path, GError **error)
{
    g_autoptr(GuestReport) report = bond_report(access, error);

    if (!report)
        return FALSE;
    const GuestInterface *interface = guest_report_find_path(report, guest_path);
    const GuestBond *state = guest_report_find_bond(report, bond);
    if (!interface || !state) {
        g_autofree char *label = network_guest_label(access->guest_name);
        fault_set(error, FAULT_BOND_UNFIT, label, "look at the network devices in the guest",
                  "bond %s or its device at %s is missing again", bond, guest_path);
        return FALSE;
    }
    return check_active(access, state, interface->name, error);
}

gboolean
bond_join(const BondAccess *access, const char *bond, const char *guest_path,
          unsigned timeout_seconds, GError **error)
{
    GError *failure = NULL;
    gboolean absent = FALSE;
    gboolean joined =
        guest_program_join(access, bond, guest_path, timeout_seconds, &absent, &failure);

    if (try_files(absent, failure, error))
        joined = guest_files_join(access, bond, guest_path, timeout_seconds, error);
    return joined && prove_joined(access, bond, guest_path, error);
}

/* What only the program can do. */
static void
ask_for_program(const BondAccess *access, gboolean absent, GError *failure, GError **error)
{
    g_autofree char *label = network_guest_label(access->guest_name);
    g_autoptr(GError) why = failure;

    if (!failure)
        return;
    if (!absent) {
        g_propagate_error(error, g_steal_pointer(&why));
        return;
    }
    fault_set(error, FAULT_AGENT_FAILED, label,
              "install netprep-guest in the guest, or change the bond there by hand",
              "netprep-guest cannot be run there: %s", fault_cause(why));
}

GuestBond *
bond_create(const BondAccess *access, const char *bond, const BondPlan *plan, GError **error)
{
    GError *failure = NULL;
    gboolean absent = FALSE;
    GuestBond *state = guest_program_create(access, bond, plan, &absent, &failure);

    ask_for_program(access, absent, failure, error);
    return state;
}

gboolean
bond_repair(const BondAccess *access, const char *bond, GError **error)
{
    GError *failure = NULL;
    gboolean absent = FALSE;
    gboolean repaired = guest_program_repair(access, bond, &absent, &failure);

    ask_for_program(access, absent, failure, error);
    return repaired;
}
