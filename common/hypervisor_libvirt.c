/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real HypervisorOps: guests, devices and the guest agent through libvirt. */
#include "common/hypervisor_libvirt.h"

#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

static char *
name_guest(const char *uuid)
{
    return g_strdup_printf("guest '%s'", uuid);
}

static GuestState
state_of(int state)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
        return GUEST_STATE_RUNNING;
    case VIR_DOMAIN_PAUSED:
        return GUEST_STATE_PAUSED;
    case VIR_DOMAIN_SHUTOFF:
        return GUEST_STATE_SHUT_OFF;
    case VIR_DOMAIN_CRASHED:
        return GUEST_STATE_CRASHED;
    default: /* libvirt's enumeration, which grows */
        return GUEST_STATE_OTHER;
    }
}

/* For what libvirt says instead of the job: a driver that knows no jobs has none, nor has a guest
 * that stopped meanwhile; one that cannot be asked since something else holds it has that. */
static gboolean
judge_refusal(gboolean *ret_has_job)
{
    int code = virGetLastErrorCode();

    *ret_has_job = code == VIR_ERR_OPERATION_TIMEOUT;
    return *ret_has_job || code == VIR_ERR_NO_SUPPORT || code == VIR_ERR_OPERATION_INVALID ||
           code == VIR_ERR_OPERATION_UNSUPPORTED;
}

/* A guest that stands still for a migration has that job, on either host; a destination that is
 * asked for it logs an error. FALSE, with libvirt's error: it does not say. */
static gboolean
find_job(virDomainPtr domain, int state, int reason, gboolean *ret_has_job)
{
    virDomainJobInfo info = { 0 };

    *ret_has_job = state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION;
    if (state == VIR_DOMAIN_SHUTOFF || *ret_has_job)
        return TRUE;
    if (virDomainGetJobInfo(domain, &info) < 0)
        return judge_refusal(ret_has_job);
    *ret_has_job = info.type == VIR_DOMAIN_JOB_BOUNDED || info.type == VIR_DOMAIN_JOB_UNBOUNDED;
    return TRUE;
}

/* Reads what @domain is now. The guest may vanish between two questions: that is GUEST_NOT_FOUND.
 */
static Guest *
read_guest(virDomainPtr domain, gboolean with_inactive, GError **error)
{
    g_autoptr(Guest) guest = g_new0(Guest, 1);
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    int state = 0, reason = 0;

    virDomainGetUUIDString(domain, uuid);
    guest->uuid = g_strdup(uuid);
    guest->name = g_strdup(virDomainGetName(domain));
    char *xml = virDomainGetXMLDesc(domain, 0);
    guest->xml = g_strdup(xml);
    free(xml);
    if (!guest->xml || virDomainGetState(domain, &state, &reason, 0) < 0 ||
        !find_job(domain, state, reason, &guest->has_job)) {
        g_autofree char *object = name_guest(guest->name);
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, NULL);
        return NULL;
    }
    guest->state = state_of(state);
    guest->is_between = state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION;
    guest->is_split = state == VIR_DOMAIN_PAUSED && (reason == VIR_DOMAIN_PAUSED_POSTCOPY ||
                                                     reason == VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);
    guest->persistent = virDomainIsPersistent(domain) == 1;
    if (guest->persistent && with_inactive) {
        xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
        guest->inactive_xml = g_strdup(xml);
        free(xml);
    }
    return g_steal_pointer(&guest);
}

static Guest *
get_guest(void *self, const char *guest, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, guest, error);

    return domain ? read_guest(domain, TRUE, error) : NULL;
}

/* One that went away meanwhile is not on this host any more; of any other that cannot be read the
 * caller must know, to whom it would look gone. */
static gboolean
add_guest(virDomainPtr domain, GPtrArray *guests, GError **error)
{
    g_autoptr(GError) failure = NULL;
    Guest *guest = read_guest(domain, FALSE, &failure);

    if (guest)
        g_ptr_array_add(guests, guest);
    if (guest || fault_code(failure) == FAULT_GUEST_NOT_FOUND)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static GPtrArray *
list_guests(void *self, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    g_autoptr(GPtrArray) guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_free);
    virDomainPtr *domains = NULL;
    gboolean good = TRUE;

    if (!connection)
        return NULL;
    int count = virConnectListAllDomains(connection, &domains, 0);
    if (count < 0) {
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, "list of guests", NULL);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        good = good && add_guest(domains[i], guests, error);
        virDomainFree(domains[i]);
    }
    free(domains);
    return good ? g_steal_pointer(&guests) : NULL;
}

static unsigned
scope_flags(DeviceScope scope)
{
    return (scope & DEVICE_LIVE ? VIR_DOMAIN_DEVICE_MODIFY_LIVE : 0U) |
           (scope & DEVICE_CONFIG ? VIR_DOMAIN_DEVICE_MODIFY_CONFIG : 0U);
}

/* QEMU's answer to a second request while the first is still with the guest: go on waiting. libvirt
 * has no error code of its own for it. */
static gboolean
is_unplugging_already(void)
{
    const char *message = virGetLastErrorMessage();

    return message && strstr(message, "already in the process of unplug");
}

static gboolean
detach_device(void *self, const char *uuid, const char *alias_or_xml, DeviceScope scope,
              GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    if (!domain)
        return FALSE;
    /* Before the call: asking for the name would clear libvirt's error. */
    g_autofree char *object = name_guest(virDomainGetName(domain));
    int result = *alias_or_xml == '<'
                     ? virDomainDetachDeviceFlags(domain, alias_or_xml, scope_flags(scope))
                     : virDomainDetachDeviceAlias(domain, alias_or_xml, scope_flags(scope));
    if (result == 0 || is_unplugging_already())
        return TRUE;
    libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, "look at: journalctl -u libvirtd");
    return FALSE;
}

static gboolean
attach_device(void *self, const char *uuid, const char *xml, DeviceScope scope, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    if (!domain)
        return FALSE;
    g_autofree char *object = name_guest(virDomainGetName(domain));
    if (virDomainAttachDeviceFlags(domain, xml, scope_flags(scope)) == 0)
        return TRUE;
    libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, "look at: journalctl -u libvirtd");
    return FALSE;
}

static gboolean
update_device(void *self, const char *uuid, const char *xml, DeviceScope scope, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    if (!domain)
        return FALSE;
    g_autofree char *object = name_guest(virDomainGetName(domain));
    if (virDomainUpdateDeviceFlags(domain, xml, scope_flags(scope)) == 0)
        return TRUE;
    libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, "look at: journalctl -u libvirtd");
    return FALSE;
}

static gboolean
set_metadata(void *self, const char *uuid, const char *uri, const char *prefix, const char *xml,
             DeviceScope scope, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    if (!domain)
        return FALSE;
    g_autofree char *object = name_guest(virDomainGetName(domain));
    unsigned flags = (scope & DEVICE_LIVE ? VIR_DOMAIN_AFFECT_LIVE : 0U) |
                     (scope & DEVICE_CONFIG ? VIR_DOMAIN_AFFECT_CONFIG : 0U);
    if (virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, xml, prefix, uri, flags) == 0)
        return TRUE;
    libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, "look at: journalctl -u libvirtd");
    return FALSE;
}

static char *
agent_command(void *self, const char *uuid, const char *command, unsigned timeout_seconds,
              GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    if (!domain)
        return NULL;
    g_autofree char *object = g_strdup_printf("guest agent of '%s'", virDomainGetName(domain));
    char *reply = virDomainQemuAgentCommand(domain, command, (int)timeout_seconds, 0);
    if (reply) {
        char *copy = g_strdup(reply);
        free(reply);
        return copy;
    }
    const virError *last = virGetLastError();
    gboolean absent =
        last && (last->code == VIR_ERR_ARGUMENT_UNSUPPORTED ||
                 last->code == VIR_ERR_OPERATION_INVALID || last->code == VIR_ERR_NO_SUPPORT);
    libvirt_set_fault(error, absent ? FAULT_AGENT_UNAVAILABLE : FAULT_AGENT_FAILED, object,
                      absent ? "give the guest a channel org.qemu.guest_agent.0 and run "
                               "qemu-guest-agent in it"
                             : "see which commands qemu-guest-agent allows in the guest");
    return NULL;
}

/* One that was stopped meanwhile leads nowhere any more; one that cannot be understood is left out,
 * so that the others can be used. */
static HypervisorNetwork *
read_network(virNetworkPtr network)
{
    g_autoptr(GError) error = NULL;
    char *xml = virNetworkGetXMLDesc(network, 0);
    HypervisorNetwork *result = xml ? hypervisor_network_parse(xml, &error) : NULL;

    if (error)
        g_warning("network '%s' is left out: %s", virNetworkGetName(network), error->message);
    free(xml);
    return result;
}

static GPtrArray *
list_networks(void *self, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    virNetworkPtr *networks = NULL;

    if (!connection)
        return NULL;
    int count = virConnectListAllNetworks(connection, &networks, VIR_CONNECT_LIST_NETWORKS_ACTIVE);
    if (count < 0) {
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, "list of networks", NULL);
        return NULL;
    }
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)hypervisor_network_free);
    for (int i = 0; i < count; i++) {
        HypervisorNetwork *network = read_network(networks[i]);
        if (network)
            g_ptr_array_add(found, network);
        virNetworkFree(networks[i]);
    }
    free(networks);
    return found;
}

static void
free_link(void *self)
{
    libvirt_link_free(self);
}

Hypervisor *
hypervisor_new_libvirt(const char *uri, unsigned return_seconds)
{
    static const HypervisorOps ops = {
        .get_guest = get_guest,
        .list_guests = list_guests,
        .detach_device = detach_device,
        .attach_device = attach_device,
        .update_device = update_device,
        .agent_command = agent_command,
        .migrate = libvirt_migrate,
        .get_progress = libvirt_get_progress,
        .abort_job = libvirt_abort_job,
        .start_post_copy = libvirt_start_post_copy,
        .suspend = libvirt_suspend,
        .save = libvirt_save,
        .shut_down = libvirt_shut_down,
        .start = libvirt_start,
        .set_metadata = set_metadata,
        .list_networks = list_networks,
        .get_host = libvirt_get_host,
        .compare_processor = libvirt_compare_processor,
        .inspect_guest = libvirt_inspect_guest,
        .get_definition = libvirt_get_definition,
        .list_pools = libvirt_list_pools,
        .measure_dirty_rate = libvirt_measure_dirty_rate,
        .baseline_processor = libvirt_baseline_processor,
        .list_network_ports = libvirt_list_network_ports,
        .create_network_port = libvirt_create_network_port,
        .delete_network_port = libvirt_delete_network_port,
        .create_pool = libvirt_create_pool,
        .destroy_pool = libvirt_destroy_pool,
        .find_volume = libvirt_find_volume,
        .refresh_pool = libvirt_refresh_pool,
        .free = free_link,
    };
    LibvirtLink *link = libvirt_link_new(uri, return_seconds);
    Hypervisor *hypervisor = hypervisor_new(&ops, link);

    libvirt_link_set_hypervisor(link, hypervisor);
    return hypervisor;
}
