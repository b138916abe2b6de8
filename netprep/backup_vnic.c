/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/backup_vnic.h"

/* The guest tells nobody when its driver is ready. */
#define LOOK_AGAIN_MSEC 200

static const DomainVirtioNic *
find(const DomainXml *domain, const char *mac)
{
    for (guint i = 0; domain && i < domain->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = domain->virtio_nics->pdata[i];

        if (g_strcmp0(nic->mac, mac) == 0)
            return nic;
    }
    return NULL;
}

static DeviceScope
scope_of(const GuestView *view)
{
    return view->config ? DEVICE_LIVE | DEVICE_CONFIG : DEVICE_LIVE;
}

/* By alias and by the element as libvirt has it: the MAC may be that of the passthrough vNIC. */
gboolean
backup_vnic_remove(const NetworkHost *host, const char *guest_uuid, const char *mac, GError **error)
{
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, guest_uuid, error);

    if (!view)
        return FALSE;
    const DomainVirtioNic *live = guest_view_is_active(view) ? find(view->live, mac) : NULL;
    const DomainVirtioNic *configured = find(view->config, mac);
    if (live &&
        !hypervisor_detach_device(host->hypervisor, guest_uuid, live->xml, DEVICE_LIVE, error))
        return FALSE;
    return !configured || hypervisor_detach_device(host->hypervisor, guest_uuid, configured->xml,
                                                   DEVICE_CONFIG, error);
}

static gboolean
is_seen(const NetworkHost *host, const BondAccess *access, const char *mac, gboolean *ret_seen,
        GError **error)
{
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, access->guest_uuid, error);
    g_autoptr(GuestReport) report = view ? bond_report(access, error) : NULL;

    if (!report)
        return FALSE;
    const DomainVirtioNic *nic = find(view->live, mac);
    *ret_seen = nic && guest_report_find_path(report, nic->guest_path);
    return TRUE;
}

static gboolean
look_again(const BondAccess *access, gint64 deadline_usec, GError **error)
{
    g_autofree char *label = network_guest_label(access->guest_name);

    if (g_get_monotonic_time() >= deadline_usec) {
        fault_set(error, FAULT_TIMED_OUT, label, "load the VirtIO network driver in the guest",
                  "has no network device for the VirtIO vNIC that was added");
        return FALSE;
    }
    return guest_agent_pause(access->guest_uuid, LOOK_AGAIN_MSEC * G_TIME_SPAN_MILLISECOND,
                             access->cancellable, error);
}

static gboolean
wait_until_seen(const NetworkHost *host, const BondAccess *access, const char *mac, GError **error)
{
    gint64 deadline_usec =
        g_get_monotonic_time() + (gint64)host->config->attach_seconds * G_USEC_PER_SEC;
    gboolean seen = FALSE;

    while (is_seen(host, access, mac, &seen, error)) {
        if (seen)
            return TRUE;
        if (!look_again(access, deadline_usec, error))
            break;
    }
    return FALSE;
}

gboolean
backup_vnic_add(const NetworkHost *host, const BondAccess *access, const char *bridge,
                const char *mac, GError **error)
{
    g_autofree char *xml = domain_xml_build_virtio_nic(bridge, mac);
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, access->guest_uuid, error);
    g_autoptr(GError) left = NULL;

    if (!view ||
        !hypervisor_attach_device(host->hypervisor, access->guest_uuid, xml, scope_of(view), error))
        return FALSE;
    if (wait_until_seen(host, access, mac, error))
        return TRUE;
    if (!backup_vnic_remove(host, access->guest_uuid, mac, &left))
        g_warning("guest '%s' keeps a VirtIO vNIC that it does not use: %s", access->guest_name,
                  left->message);
    return FALSE;
}

void
backup_vnic_xml_clear(BackupVnicXml *xml)
{
    g_clear_pointer(&xml->live, g_free);
    g_clear_pointer(&xml->config, g_free);
}

gboolean
backup_vnic_restore(const NetworkHost *host, const char *guest_uuid, const BackupVnicXml *before,
                    GError **error)
{
    return hypervisor_update_device(host->hypervisor, guest_uuid, before->live, DEVICE_LIVE,
                                    error) &&
           (!before->config || hypervisor_update_device(host->hypervisor, guest_uuid,
                                                        before->config, DEVICE_CONFIG, error));
}

/* The configured element has no tap and may differ otherwise: each is changed from what it is. */
gboolean
backup_vnic_remove_filter(const NetworkHost *host, const GuestView *view,
                          const DomainVirtioNic *nic, BackupVnicXml *ret_before, GError **error)
{
    const DomainVirtioNic *configured = find(view->config, nic->mac);
    const char *uuid = view->guest->uuid;
    g_autofree char *live = domain_xml_without_filter(nic->xml, error);
    g_autofree char *config =
        configured && live ? domain_xml_without_filter(configured->xml, error) : NULL;

    if (!live || (configured && !config) ||
        !hypervisor_update_device(host->hypervisor, uuid, live, DEVICE_LIVE, error))
        return FALSE;
    if (configured &&
        !hypervisor_update_device(host->hypervisor, uuid, config, DEVICE_CONFIG, error)) {
        (void)hypervisor_update_device(host->hypervisor, uuid, nic->xml, DEVICE_LIVE, NULL);
        return FALSE;
    }
    *ret_before =
        (BackupVnicXml) { g_strdup(nic->xml), configured ? g_strdup(configured->xml) : NULL };
    return TRUE;
}
