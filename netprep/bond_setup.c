/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job behind SetUpBond. */
#include "netprep/bond_setup.h"

#include "netprep/bond.h"

#define BOND_NUMBERS 64

typedef struct {
    const NetworkHost *host;
    char *guest_uuid;
    char *bond; /* NULL once used */
} Setup;

static void
setup_free(Setup *setup)
{
    g_free(setup->guest_uuid);
    g_free(setup->bond);
    g_free(setup);
}

static gboolean
is_free(const GuestReport *report, const DomainVirtioNic *nic)
{
    const GuestInterface *interface = guest_report_find_path(report, nic->guest_path);

    return interface && !interface->master && nic->mac;
}

static const DomainVirtioNic *
choose_backup(const GuestReport *report, const DomainXml *domain, const Vnic *vnic)
{
    const DomainVirtioNic *found = NULL;

    for (guint i = 0; i < domain->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = domain->virtio_nics->pdata[i];

        if (!is_free(report, nic))
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
create(Setup *setup, const BondAccess *access, const GuestReport *report, const DomainXml *domain,
       const Vnic *vnic, GError **error)
{
    const GuestInterface *interface = guest_report_find_path(report, vnic->guest_path);
    const DomainVirtioNic *backup = choose_backup(report, domain, vnic);

    if (!interface)
        return refuse(vnic, "load the guest's driver for it",
                      "the guest has no network device for it", error);
    if (interface->master)
        return refuse(vnic, "make that an active-backup bond with a VirtIO vNIC",
                      "the guest already has it in a bridge, team or unfit bond", error);
    if (!backup)
        return refuse(vnic, "add a VirtIO vNIC on the same network to the guest",
                      "the guest has no VirtIO vNIC that is in no bond yet", error);
    g_autofree char *name = choose_name(setup, report);
    BondPlan plan = { vnic->guest_path, backup->mac, FALSE };
    g_autoptr(GuestBond) bond = bond_create(access, name, &plan, error);
    return bond != NULL;
}

/* Makes sure of one vNIC's bond, and pairs it. Asks the guest anew each time. */
static gboolean
ensure(Setup *setup, const BondAccess *access, const GuestView *view, Vnic *vnic, json_t **ret_bond,
       GError **error)
{
    g_autoptr(GuestReport) before = bond_report(access, error);
    g_autoptr(GError) unfit = NULL;

    if (!before)
        return FALSE;
    if (!bond_pair(before, view->live, vnic, &unfit) &&
        !create(setup, access, before, view->live, vnic, error))
        return FALSE;
    g_autoptr(GuestReport) after = bond_report(access, error);
    if (!after || !bond_pair(after, view->live, vnic, error))
        return FALSE;
    *ret_bond = guest_bond_to_json(guest_report_find_bond(after, vnic->bond));
    return TRUE;
}

static json_t *
run(Job *job, void *data, GError **error)
{
    Setup *setup = data;
    g_autoptr(GuestView) view = guest_view_read(setup->host->hypervisor, setup->guest_uuid, error);
    json_t *first = NULL;

    if (!view || !guest_view_check_running(view, error))
        return NULL;
    g_autoptr(GPtrArray) vnics = vnics_describe(setup->host, view, error);
    BondAccess access = bond_access(setup->host, view, job_cancellable(job));
    network_progress(job, "bond", "guest", NULL);
    for (guint i = 0; vnics && i < vnics->len; i++) {
        json_t *bond = NULL;

        if (!ensure(setup, &access, view, vnics->pdata[i], &bond, error)) {
            json_decref(first);
            return NULL;
        }
        if (first)
            json_decref(bond);
        else
            first = bond;
    }
    if (vnics && !first) {
        g_autofree char *label = network_guest_label(view->guest->name);
        fault_set(error, FAULT_INVALID_ARGUMENT, label, "it needs no bond",
                  "has no passthrough vNIC");
    }
    return first;
}

Job *
bond_setup_start(const NetworkHost *host, const char *guest, const char *bond, GError **error)
{
    g_autoptr(Guest) known = hypervisor_get_guest(host->hypervisor, guest, error);

    if (!known)
        return NULL;
    Setup *setup = g_new0(Setup, 1);
    setup->host = host;
    setup->guest_uuid = g_strdup(known->uuid);
    setup->bond = g_strdup(bond);
    return job_start(host->jobs, "SetUpBond", known->uuid, run, setup, (GDestroyNotify)setup_free,
                     error);
}
