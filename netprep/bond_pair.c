/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges whether a guest's bond can carry its traffic without a passthrough vNIC. */
#include "netprep/bond.h"

#define REMEDY_SET_UP "call SetUpBond, or let `migprep migrate` do it with --set-up-bond"

/* Recommended by the kernel's networking/bonding.rst and measured: see docs/decisions.md. */
#define MONITOR_MSEC_MAX  100
#define ANNOUNCEMENTS_MIN 3
#define UP_DELAY_MSEC_MIN 200

static const DomainVirtioNic *
find_virtio(const DomainXml *domain, const GuestInterface *interface)
{
    for (guint i = 0; interface->pci_path && i < domain->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = domain->virtio_nics->pdata[i];

        if (g_strcmp0(nic->guest_path, interface->pci_path) == 0)
            return nic;
    }
    return NULL;
}

const DomainVirtioNic *
bond_backup_nic(const GuestReport *report, const DomainXml *domain, const Vnic *vnic)
{
    const GuestInterface *backup = guest_report_find_link(report, vnic->backup);

    return backup ? find_virtio(domain, backup) : NULL;
}

/* A VirtIO port of @bond: one with carrier if there is any. */
static const GuestInterface *
find_backup(const GuestReport *report, const DomainXml *domain, const GuestBond *bond)
{
    const GuestInterface *found = NULL;

    for (gsize i = 0; bond->ports[i]; i++) {
        const GuestInterface *port = guest_report_find_link(report, bond->ports[i]);

        if (!port || !find_virtio(domain, port))
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

/* libvirt's filters against MAC spoofing let only the vNIC's own address out. */
static gboolean
check_filter(const Vnic *vnic, const GuestReport *report, const GuestBond *bond,
             const DomainVirtioNic *nic, GError **error)
{
    const GuestInterface *device = guest_report_find_link(report, bond->name);

    if (!nic->filtered || (device && g_strcmp0(device->mac, nic->mac) == 0))
        return TRUE;
    return unfit(vnic, error,
                 "call SetUpBond with removeFilter, or remove <filterref> from the VirtIO vNIC",
                 "the VirtIO vNIC of its bond has a network filter, which may drop what the bond "
                 "sends with another MAC address");
}

static gboolean
check_backup(const Vnic *vnic, const GuestInterface *backup, GError **error)
{
    if (!backup)
        return unfit(vnic, error, "add a VirtIO vNIC on the same network to the guest's bond",
                     "its bond in the guest has no VirtIO vNIC");
    if (!backup->carrier)
        return unfit(vnic, error, "bring the VirtIO vNIC's link up, on the host and in the guest",
                     "the VirtIO vNIC of its bond has no carrier");
    return TRUE;
}

static char **
advise(const GuestBond *bond, const char *port)
{
    g_autoptr(GStrvBuilder) advice = g_strv_builder_new();

    if (g_strcmp0(bond->primary, port) != 0) {
        g_autofree char *text = g_strdup_printf(
            "primary is %s: make it %s, else the traffic stays on VirtIO after an interruption",
            bond->primary ? bond->primary : "not set", port);
        g_strv_builder_add(advice, text);
    }
    if (bond->monitor_interval_msec > MONITOR_MSEC_MAX) {
        g_autofree char *text = g_strdup_printf("miimon is %u ms: %d finds a dead link sooner",
                                                bond->monitor_interval_msec, MONITOR_MSEC_MAX);
        g_strv_builder_add(advice, text);
    }
    if (bond->announcements >= 0 && bond->announcements < ANNOUNCEMENTS_MIN) {
        g_autofree char *text = g_strdup_printf(
            "num_grat_arp is %d: with %d, switches learn of a change even if one is lost",
            bond->announcements, ANNOUNCEMENTS_MIN);
        g_strv_builder_add(advice, text);
    }
    if (bond->up_delay_msec >= 0 && bond->up_delay_msec < UP_DELAY_MSEC_MIN) {
        g_autofree char *text =
            g_strdup_printf("updelay is %d ms: %d lets the link of a new function settle",
                            bond->up_delay_msec, UP_DELAY_MSEC_MIN);
        g_strv_builder_add(advice, text);
    }
    return g_strv_builder_end(advice);
}

static void
pair(Vnic *vnic, GuestBond *bond, const GuestInterface *port, const GuestInterface *backup)
{
    g_free(vnic->bond);
    g_free(vnic->backup);
    vnic->bond = g_strdup(bond->name);
    vnic->backup = g_strdup(backup->name);
    g_strfreev(bond->advice);
    bond->advice = advise(bond, port->name);
}

gboolean
bond_pair(GuestReport *report, const DomainXml *domain, Vnic *vnic, GError **error)
{
    const GuestInterface *port = guest_report_find_path(report, vnic->guest_path);

    if (!port)
        return unfit(vnic, error, "load the guest's driver for it",
                     "the guest has no network device for it");
    GuestBond *bond = guest_report_find_bond(report, port->master);
    if (!bond)
        return unfit(vnic, error, REMEDY_SET_UP, "it is in no bond in the guest");
    const GuestInterface *backup = find_backup(report, domain, bond);
    if (!check_bond(vnic, bond, error) || !check_backup(vnic, backup, error) ||
        !check_filter(vnic, report, bond, find_virtio(domain, backup), error))
        return FALSE;
    pair(vnic, bond, port, backup);
    return TRUE;
}
