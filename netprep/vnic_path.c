/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses and proves the way that each vNIC travels. */
#include "netprep/vnic_path.h"

#define TEAM_INTERVAL_USEC (G_USEC_PER_SEC / 4)

/* VFIO drivers of NICs that can move a device's state (Linux 6.1-6.12, drivers/vfio/pci). */
static const char *const migratable_drivers[] = { "mlx5_vfio_pci",     "mlx5-vfio-pci",
                                                  "hisi_acc_vfio_pci", "pds_vfio_pci",
                                                  "pds-vfio-pci",      "virtio_vfio_pci",
                                                  "virtio-vfio-pci",   NULL };

static void
set_path(Vnic *vnic, VnicPath path, char *reason)
{
    vnic->path = path;
    g_free(vnic->path_reason);
    vnic->path_reason = reason;
}

static const DomainVirtioNic *
find_partner(const DomainXml *domain, const Vnic *vnic)
{
    for (guint i = 0; i < domain->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = domain->virtio_nics->pdata[i];

        if (nic->alias && g_strcmp0(nic->alias, vnic->teaming) == 0)
            return nic;
    }
    return NULL;
}

static void
choose_team(const GuestView *view, Vnic *vnic)
{
    const DomainVirtioNic *partner = find_partner(view->live, vnic);

    if (!vnic->mac && partner)
        vnic->mac = g_strdup(partner->mac);
    set_path(vnic, VNIC_PATH_TEAMING,
             g_strdup_printf("the guest's net_failover uses %s meanwhile", vnic->teaming));
}

static void
choose_by_driver(const NetworkHost *host, const char *driver, Vnic *vnic)
{
    const VnicShape *configuration = vnic->configuration;

    if (!host->config->native_migration)
        set_path(vnic, VNIC_PATH_BOND,
                 g_strdup_printf("%s could move the function's state, but native-migration is off "
                                 "in /etc/migprep/migprep.conf",
                                 driver));
    else if (!configuration || configuration->form != VNIC_FORM_NETWORK)
        set_path(vnic, VNIC_PATH_BOND,
                 g_strdup_printf("%s could move the function's state, but only a libvirt network "
                                 "in the guest's configuration finds a function on another host",
                                 driver));
    else
        set_path(vnic, VNIC_PATH_NATIVE,
                 g_strdup_printf("%s moves the function's state; libvirt's network '%s' gives it "
                                 "a function on the other host",
                                 driver, configuration->network));
}

void
vnic_path_choose(const NetworkHost *host, const GuestView *view, const DomainPassthrough *device,
                 const Function *function, Vnic *vnic)
{
    g_autoptr(VnicShape) live = vnic_shape_parse(device->xml, NULL);

    vnic->teaming = live ? g_steal_pointer(&live->teaming) : NULL;
    if (vnic->teaming)
        choose_team(view, vnic);
    else if (function->driver && g_strv_contains(migratable_drivers, function->driver))
        choose_by_driver(host, function->driver, vnic);
    else
        set_path(vnic, VNIC_PATH_BOND, g_strdup("the guest's bond uses a VirtIO vNIC meanwhile"));
}

gboolean
vnic_path_unplugs(const Vnic *vnic)
{
    switch (vnic->path) {
    case VNIC_PATH_BOND:
    case VNIC_PATH_TEAMING:
        return TRUE;
    case VNIC_PATH_NATIVE:
    case VNIC_PATH_VIRTIO_ONLY:
        return FALSE;
    }
    g_return_val_if_reached(FALSE);
}

static gboolean
unfit(const Vnic *vnic, GError **error, const char *remedy, const char *cause)
{
    g_autofree char *label = vnic_label(vnic);

    fault_set(error, FAULT_BOND_UNFIT, label, remedy, "%s", cause);
    return FALSE;
}

/* The half of the team at @path: net_failover's own device may claim the same path. */
static const GuestInterface *
find_standby(const GuestReport *report, const char *path, const char *master)
{
    for (guint i = 0; path && master && i < report->interfaces->len; i++) {
        const GuestInterface *interface = report->interfaces->pdata[i];

        if (g_strcmp0(interface->pci_path, path) == 0 && g_strcmp0(interface->master, master) == 0)
            return interface;
    }
    return NULL;
}

static gboolean
prove_team(const GuestReport *report, const DomainXml *domain, Vnic *vnic, GError **error)
{
    const DomainVirtioNic *partner = find_partner(domain, vnic);
    const GuestInterface *primary = guest_report_find_path(report, vnic->guest_path);

    if (!partner)
        return unfit(vnic, error, "correct its <teaming> element",
                     "the VirtIO vNIC that it is teamed with is missing");
    const GuestInterface *standby =
        primary ? find_standby(report, partner->guest_path, primary->master) : NULL;
    if (!standby)
        return unfit(vnic, error,
                     "use a guest kernel with net_failover, and one MAC address for both vNICs",
                     "the guest has not teamed it with its VirtIO vNIC");
    if (!standby->carrier)
        return unfit(vnic, error, "bring the VirtIO vNIC's link up, on the host and in the guest",
                     "the VirtIO vNIC of its team has no carrier");
    g_free(vnic->bond);
    g_free(vnic->backup);
    vnic->bond = g_strdup(primary->master);
    vnic->backup = g_strdup(standby->name);
    return TRUE;
}

gboolean
vnic_path_prove(GuestReport *report, const DomainXml *domain, Vnic *vnic, GError **error)
{
    switch (vnic->path) {
    case VNIC_PATH_BOND:
        return bond_pair(report, domain, vnic, error);
    case VNIC_PATH_TEAMING:
        return prove_team(report, domain, vnic, error);
    case VNIC_PATH_NATIVE:
    case VNIC_PATH_VIRTIO_ONLY:
        return TRUE;
    }
    g_return_val_if_reached(FALSE);
}

static gboolean
is_teamed(const GuestReport *report, const Vnic *vnic)
{
    const GuestInterface *interface = guest_report_find_path(report, vnic->guest_path);

    return interface && interface->master && interface->carrier;
}

/* The guest does it by itself, and tells nobody: it is asked from time to time. */
static gboolean
await_team(const BondAccess *access, const Vnic *vnic, unsigned timeout_seconds, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_seconds * G_USEC_PER_SEC;
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(access->hypervisor, access->guest_uuid);

    for (;;) {
        g_autoptr(GuestReport) report = bond_report(access, error);
        g_autoptr(GError) woken = NULL;

        if (!report)
            return FALSE;
        if (is_teamed(report, vnic))
            return TRUE;
        gint64 now = g_get_monotonic_time();
        if (now >= deadline)
            return unfit(vnic, error, "look at the guest's kernel log",
                         "the guest's net_failover does not use it");
        g_autoptr(HypervisorEvent) event = hypervisor_watch_next(
            watch, MIN(now + TEAM_INTERVAL_USEC, deadline), access->cancellable, &woken);
        if (g_error_matches(woken, FAULT, FAULT_CANCELLED)) {
            g_propagate_error(error, g_steal_pointer(&woken));
            return FALSE;
        }
    }
}

gboolean
vnic_path_join(const BondAccess *access, const Vnic *vnic, unsigned timeout_seconds, GError **error)
{
    if (!vnic->guest_path)
        return TRUE;
    if (vnic->path == VNIC_PATH_TEAMING)
        return await_team(access, vnic, timeout_seconds, error);
    return !vnic->bond || bond_join(access, vnic->bond, vnic->guest_path, timeout_seconds, error);
}

json_t *
vnic_path_virtio_to_json(const DomainXml *domain)
{
    json_t *array = json_array();

    for (guint i = 0; i < domain->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = domain->virtio_nics->pdata[i];

        json_array_append_new(array,
                              json_pack("{s:s?, s:s?, s:s?, s:s?, s:s, s:s}", "alias", nic->alias,
                                        "macAddress", nic->mac, "bridge", nic->bridge, "network",
                                        nic->network, "path", vnic_path_name(VNIC_PATH_VIRTIO_ONLY),
                                        "pathReason", "QEMU moves it with the guest"));
    }
    return array;
}
