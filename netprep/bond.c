/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges and changes the bond inside a guest. */
#include "netprep/bond.h"

#include <string.h>

#include "netprep/text_check.h"

#define REMEDY_SET_UP "call SetUpBond, or let `migprep migrate` do it with --set-up-bond"

/* The words of a guest that an error may repeat. */
#define GUEST_WORDS_MAX 200

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

static char *
printable(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, GUEST_WORDS_MAX));

    for (char *at = valid; *at; at++) {
        if (g_ascii_iscntrl(*at))
            *at = ' ';
    }
    return g_strdup(g_strstrip(valid));
}

/* netprep-guest says {"error": "..."}; anything else that failed says it on standard error. */
static void
set_guest_failure(const BondAccess *access, const GuestAgentResult *result, GError **error)
{
    json_auto_t *object = json_loads(result->output, 0, NULL);
    const char *said = json_string_value(json_object_get(object, "error"));
    g_autofree char *words = printable(said ? said : result->error_text);
    g_autofree char *label = network_guest_label(access->guest_name);

    fault_set(error, FAULT_AGENT_FAILED, label,
              "look into the guest's network, or at `netprep-guest report` there",
              "netprep-guest failed with status %d: %s", result->exit_status, words);
}

static char *
run(const BondAccess *access, const char *const *argv, unsigned timeout_seconds, GError **error)
{
    g_auto(GuestAgentResult) result = { 0 };

    if (!guest_agent_run(access->hypervisor, access->guest_uuid, argv, timeout_seconds,
                         access->cancellable, &result, error))
        return NULL;
    if (result.exit_status != 0) {
        set_guest_failure(access, &result, error);
        return NULL;
    }
    return g_steal_pointer(&result.output);
}

GuestReport *
bond_report(const BondAccess *access, GError **error)
{
    const char *const argv[] = { BOND_GUEST_PROGRAM, "report", NULL };
    g_autofree char *output = run(access, argv, access->agent_seconds, error);

    return output ? guest_report_parse(access->guest_name, output, error) : NULL;
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
    const char *const argv[] = { BOND_GUEST_PROGRAM, "use", "--bond", bond, "--port", port, NULL };
    g_autofree char *output = run(access, argv, access->agent_seconds, error);
    g_autoptr(GuestBond) state =
        output ? guest_bond_parse(access->guest_name, output, error) : NULL;

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
        fault_set(error, FAULT_BOND_UNFIT, label, "look at `netprep-guest report` in the guest",
                  "bond %s or its device at %s is missing again", bond, guest_path);
        return FALSE;
    }
    return check_active(access, state, interface->name, error);
}

gboolean
bond_join(const BondAccess *access, const char *bond, const char *guest_path,
          unsigned timeout_seconds, GError **error)
{
    g_autofree char *timeout = g_strdup_printf("%u", timeout_seconds);
    const char *const argv[] = { BOND_GUEST_PROGRAM, "join",      "--bond", bond, "--path",
                                 guest_path,         "--timeout", timeout,  NULL };
    /* The program keeps its own deadline; the agent gets the time to say so. */
    g_autofree char *output = run(access, argv, timeout_seconds + access->agent_seconds, error);

    return output && prove_joined(access, bond, guest_path, error);
}

GuestBond *
bond_create(const BondAccess *access, const char *bond, const char *primary_path,
            const char *backup_mac, GError **error)
{
    const char *const argv[] = {
        BOND_GUEST_PROGRAM, "create-bond",  "--bond",   bond, "--primary-path",
        primary_path,       "--backup-mac", backup_mac, NULL
    };
    g_autofree char *output = run(access, argv, access->agent_seconds, error);

    return output ? guest_bond_parse(access->guest_name, output, error) : NULL;
}

static gboolean
is_virtio(const DomainXml *domain, const GuestInterface *interface)
{
    for (guint i = 0; interface->pci_path && i < domain->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = domain->virtio_nics->pdata[i];

        if (g_strcmp0(nic->guest_path, interface->pci_path) == 0)
            return TRUE;
    }
    return FALSE;
}

/* A VirtIO port of @bond: one with carrier if there is any. */
static const GuestInterface *
find_backup(const GuestReport *report, const DomainXml *domain, const GuestBond *bond)
{
    const GuestInterface *found = NULL;

    for (gsize i = 0; bond->ports[i]; i++) {
        const GuestInterface *port = guest_report_find_link(report, bond->ports[i]);

        if (!port || !is_virtio(domain, port))
            continue;
        if (port->carrier)
            return port;
        found = port;
    }
    return found;
}

static gboolean
unfit(const Vnic *vnic, GError **error, const char *remedy, const char *cause)
{
    g_autofree char *label = vnic_label(vnic);

    fault_set(error, FAULT_BOND_UNFIT, label, remedy, "%s", cause);
    return FALSE;
}

static gboolean
check_bond(const Vnic *vnic, const GuestBond *bond, GError **error)
{
    if (!g_str_equal(bond->mode, "active-backup"))
        return unfit(vnic, error, "set the bond's mode to active-backup in the guest",
                     "its bond in the guest has another mode than active-backup");
    if (bond->monitor_interval_msec == 0)
        return unfit(vnic, error, "set the bond's miimon to 100 in the guest",
                     "its bond in the guest does not watch its links");
    return TRUE;
}

gboolean
bond_pair(const GuestReport *report, const DomainXml *domain, Vnic *vnic, GError **error)
{
    const GuestInterface *interface = guest_report_find_path(report, vnic->guest_path);

    if (!interface)
        return unfit(vnic, error, "load the guest's driver for it",
                     "the guest has no network device for it");
    const GuestBond *bond = guest_report_find_bond(report, interface->master);
    if (!bond)
        return unfit(vnic, error, REMEDY_SET_UP, "it is in no bond in the guest");
    if (!check_bond(vnic, bond, error))
        return FALSE;
    const GuestInterface *backup = find_backup(report, domain, bond);
    if (!backup)
        return unfit(vnic, error, "add a VirtIO vNIC on the same network to the guest's bond",
                     "its bond in the guest has no VirtIO vNIC");
    if (!backup->carrier)
        return unfit(vnic, error, "bring the VirtIO vNIC's link up, on the host and in the guest",
                     "the VirtIO vNIC of its bond has no carrier");
    g_free(vnic->bond);
    g_free(vnic->backup);
    vnic->bond = g_strdup(bond->name);
    vnic->backup = g_strdup(backup->name);
    return TRUE;
}
