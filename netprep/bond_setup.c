/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/bond_setup.h"

#include "netprep/backup_vnic.h"

#define BOND_NUMBERS 64

typedef struct {
    const NetworkHost *host;
    char *guest_uuid;
    char *bond; /* NULL once used */
    gboolean fail_over_mac_active, repair, remove_filter;
    PhysicalNetworks *networks;
    GuestView *view;
    BondAccess access;
} Setup;

/* What was changed for one vNIC, to be taken back if its bond does not come about. */
typedef struct {
    char *added_mac;
    BackupVnicXml filtered; /* as it was before its filter was removed */
} Changes;

static void
changes_clear(Changes *changes)
{
    g_free(changes->added_mac);
    backup_vnic_xml_clear(&changes->filtered);
}

static void
setup_free(Setup *setup)
{
    g_free(setup->guest_uuid);
    g_free(setup->bond);
    physical_networks_free(setup->networks);
    guest_view_free(setup->view);
    g_free(setup);
}

static gboolean
is_spare(const GuestReport *report, const DomainVirtioNic *nic)
{
    const GuestInterface *interface = guest_report_find_path(report, nic->guest_path);

    return interface && !interface->master && nic->mac;
}

/* The one with the vNIC's own MAC, if there is one; else any that is in no bond. */
static const DomainVirtioNic *
find_spare(const GuestReport *report, const DomainXml *domain, const Vnic *vnic)
{
    const DomainVirtioNic *found = NULL;

    for (guint i = 0; i < domain->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = domain->virtio_nics->pdata[i];

        if (!is_spare(report, nic))
            continue;
        if (g_strcmp0(nic->mac, vnic->mac) == 0)
            return nic;
        if (!found)
            found = nic;
    }
    return found;
}

static char *
choose_name(Setup *setup, const GuestReport *report)
{
    if (setup->bond)
        return g_steal_pointer(&setup->bond);
    for (unsigned number = 0; number < BOND_NUMBERS; number++) {
        g_autofree char *name = g_strdup_printf("bond%u", number);

        if (!guest_report_find_link(report, name))
            return g_steal_pointer(&name);
    }
    return g_strdup("bond0");
}

static gboolean
refuse(const Vnic *vnic, const char *remedy, const char *cause, GError **error)
{
    g_autofree char *label = vnic_label(vnic);

    fault_set(error, FAULT_BOND_UNFIT, label, remedy, "%s", cause);
    return FALSE;
}

static gboolean
has_mac(const DomainXml *domain, const char *mac)
{
    for (guint i = 0; i < domain->virtio_nics->len; i++) {
        if (g_strcmp0(((const DomainVirtioNic *)domain->virtio_nics->pdata[i])->mac, mac) == 0)
            return TRUE;
    }
    return FALSE;
}

/* The vNIC's own MAC, so that both have the same from the start; else one of QEMU's range. */
static char *
choose_mac(const DomainXml *domain, const Vnic *vnic)
{
    guint32 random = g_random_int();

    if (vnic->mac && !has_mac(domain, vnic->mac))
        return g_strdup(vnic->mac);
    return g_strdup_printf("52:54:00:%02x:%02x:%02x", random >> 16 & 0xff, random >> 8 & 0xff,
                           random & 0xff);
}

static gboolean
read_guest(Setup *setup, GError **error)
{
    GuestView *view = guest_view_read(setup->host->hypervisor, setup->guest_uuid, error);

    if (!view)
        return FALSE;
    guest_view_free(setup->view);
    setup->view = view;
    setup->access = bond_access(setup->host, view, setup->access.cancellable);
    return TRUE;
}

static gboolean
add_spare(Setup *setup, Job *job, const Vnic *vnic, Changes *changes, GError **error)
{
    const char *bridge = vnic->physical_network
                             ? physical_networks_bridge(setup->networks, vnic->physical_network)
                             : NULL;
    g_autofree char *mac = choose_mac(setup->view->live, vnic);

    if (!bridge)
        return refuse(vnic,
                      "add a VirtIO vNIC on the same network to the guest, or name the network's "
                      "bridge in /etc/migprep/migprep.conf",
                      "the guest has no VirtIO vNIC to spare, and its physical network has no "
                      "bridge on this host",
                      error);
    network_progress(job, "add", "guest", bridge);
    if (!backup_vnic_add(setup->host, &setup->access, bridge, mac, error))
        return FALSE;
    changes->added_mac = g_steal_pointer(&mac);
    return read_guest(setup, error);
}

static gboolean
remove_filter(Setup *setup, const DomainVirtioNic *nic, Changes *changes, GError **error)
{
    return !setup->remove_filter || !nic->filtered ||
           backup_vnic_remove_filter(setup->host, setup->view, nic, &changes->filtered, error);
}

/* A bond that is there, but unfit, is not replaced: why it is unfit has its own remedy. */
static gboolean
check_unbonded(const GuestReport *report, const Vnic *vnic, const GError *unfit, GError **error)
{
    const GuestInterface *interface = guest_report_find_path(report, vnic->guest_path);

    if (interface && !interface->master)
        return TRUE;
    if (interface && !guest_report_find_bond(report, interface->master))
        return refuse(vnic, "make that an active-backup bond with a VirtIO vNIC",
                      "the guest already has it in a bridge or team", error);
    g_propagate_error(error, g_error_copy(unfit));
    return FALSE;
}

static gboolean
create(Setup *setup, Job *job, GuestReport *report, const Vnic *vnic, Changes *changes,
       GError **error)
{
    const DomainVirtioNic *spare = find_spare(report, setup->view->live, vnic);
    g_autoptr(GuestReport) later = NULL;
    if (!spare) {
        if (!add_spare(setup, job, vnic, changes, error))
            return FALSE;
        later = bond_report(&setup->access, error);
        spare = later ? find_spare(later, setup->view->live, vnic) : NULL;
        if (!spare)
            return later &&
                   refuse(vnic, "try again", "the VirtIO vNIC that was added is gone", error);
    }
    if (!remove_filter(setup, spare, changes, error))
        return FALSE;
    g_autofree char *name = choose_name(setup, later ? later : report);
    BondPlan plan = { vnic->guest_path, spare->mac, setup->fail_over_mac_active };
    network_progress(job, "bond", "guest", name);
    g_autoptr(GuestBond) bond = bond_create(&setup->access, name, &plan, error);
    return bond != NULL;
}

/* Takes the filter off the backup of a bond that is there, so that the bond may pass. */
static gboolean
clear_backup(Setup *setup, const GuestReport *report, const Vnic *vnic, Changes *changes,
             GError **error)
{
    const GuestInterface *port = guest_report_find_path(report, vnic->guest_path);

    for (guint i = 0; port && port->master && i < setup->view->live->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = setup->view->live->virtio_nics->pdata[i];
        const GuestInterface *other = guest_report_find_path(report, nic->guest_path);

        if (other && g_strcmp0(other->master, port->master) == 0 &&
            !remove_filter(setup, nic, changes, error))
            return FALSE;
    }
    return !changes->filtered.live || read_guest(setup, error);
}

static gboolean
bring_about(Setup *setup, Job *job, Vnic *vnic, Changes *changes, GError **error)
{
    g_autoptr(GuestReport) report = bond_report(&setup->access, error);
    g_autoptr(GError) unfit = NULL;

    if (!report || !clear_backup(setup, report, vnic, changes, error))
        return FALSE;
    if (!bond_pair(report, setup->view->live, vnic, &unfit))
        return check_unbonded(report, vnic, unfit, error) &&
               create(setup, job, report, vnic, changes, error);
    const GuestBond *bond = guest_report_find_bond(report, vnic->bond);
    return !setup->repair || !bond->advice[0] || bond_repair(&setup->access, vnic->bond, error);
}

static void
take_back(const Setup *setup, const Changes *changes)
{
    g_autoptr(GError) failure = NULL;

    if (changes->added_mac)
        (void)backup_vnic_remove(setup->host, setup->guest_uuid, changes->added_mac, &failure);
    else if (changes->filtered.live)
        (void)backup_vnic_restore(setup->host, setup->guest_uuid, &changes->filtered, &failure);
    if (failure)
        g_warning("a change to the VirtIO vNIC of guest '%s' could not be undone: %s",
                  setup->view->guest->name, failure->message);
}

static gboolean
prove(Setup *setup, Vnic *vnic, json_t **ret_bond, GError **error)
{
    g_autoptr(GuestReport) report =
        read_guest(setup, error) ? bond_report(&setup->access, error) : NULL;

    if (!report || !bond_pair(report, setup->view->live, vnic, error))
        return FALSE;
    *ret_bond = guest_bond_to_json(guest_report_find_bond(report, vnic->bond));
    return TRUE;
}

/* Makes sure of one vNIC's bond, and proves it. */
static gboolean
ensure(Setup *setup, Job *job, Vnic *vnic, json_t **ret_bond, GError **error)
{
    Changes changes = { 0 };
    gboolean done = bring_about(setup, job, vnic, &changes, error);

    if (!done)
        take_back(setup, &changes);
    changes_clear(&changes);
    return done && prove(setup, vnic, ret_bond, error);
}

static json_t *
ensure_all(Setup *setup, Job *job, const GPtrArray *vnics, GError **error)
{
    json_t *first = NULL;

    for (guint i = 0; i < vnics->len; i++) {
        const Vnic *vnic = vnics->pdata[i];
        json_t *bond = NULL;

        if (vnic->path != VNIC_PATH_BOND)
            continue;
        if (!ensure(setup, job, vnics->pdata[i], &bond, error)) {
            json_decref(first);
            return NULL;
        }
        if (first)
            json_decref(bond);
        else
            first = bond;
    }
    if (!first) {
        g_autofree char *label = network_guest_label(setup->view->guest->name);
        fault_set(error, FAULT_INVALID_ARGUMENT, label, "it needs no bond",
                  "has no passthrough vNIC that travels with a bond");
    }
    return first;
}

static json_t *
run(Job *job, void *data, GError **error)
{
    Setup *setup = data;

    setup->access.cancellable = job_cancellable(job);
    network_progress(job, "check", "guest", NULL);
    if (!read_guest(setup, error) || !guest_view_check_running(setup->view, error))
        return NULL;
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(setup->host, error);
    setup->networks = inventory ? physical_networks_read(setup->host, inventory, error) : NULL;
    g_autoptr(GPtrArray) vnics =
        setup->networks ? vnics_describe(setup->host, setup->view, error) : NULL;
    return vnics ? ensure_all(setup, job, vnics, error) : NULL;
}

Job *
bond_setup_start(const NetworkHost *host, const char *guest, const BondSetupRequest *request,
                 GError **error)
{
    g_autoptr(Guest) known = hypervisor_get_guest(host->hypervisor, guest, error);

    if (!known)
        return NULL;
    Setup *setup = g_new0(Setup, 1);
    setup->host = host;
    setup->guest_uuid = g_strdup(known->uuid);
    setup->bond = g_strdup(request->bond);
    setup->fail_over_mac_active = request->fail_over_mac_active;
    setup->repair = request->repair;
    setup->remove_filter = request->remove_filter;
    return job_start(host->jobs, "SetUpBond", known->uuid, run, setup, (GDestroyNotify)setup_free,
                     error);
}
