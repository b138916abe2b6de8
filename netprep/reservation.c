/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses and holds VFs. */
#include "netprep/reservation.h"

#include "common/maintenance.h"
#include "netprep/function_choice.h"
#include "netprep/pool_port.h"
#include "netprep/vnic_path.h"

/* How often somebody else may be quicker before we give up. */
#define RACES_MAX 16

static json_t *
request_json(const ReservationRequest *request)
{
    return json_pack("{s:{s:s, s:s}, s:O}", "guest", "name", request->guest_name, "uuid",
                     request->guest_uuid, "vnics", (json_t *)request->vnics);
}

static gboolean
check_vnic(const Vnic *vnic, GError **error)
{
    g_autofree char *label = vnic_label(vnic);

    if (vnic->physical_network)
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, label,
              "name its PF in /etc/migprep/migprep.conf on the guest's host",
              "belongs to no physical network");
    return FALSE;
}

/* Fills @draft with one asset for each vNIC. */
static gboolean
fill(Lease *draft, const GPtrArray *vnics, FunctionChoice *choice, GError **error)
{
    for (guint i = 0; i < vnics->len; i++) {
        const Vnic *vnic = vnics->pdata[i];

        if (!vnic_path_unplugs(vnic))
            continue;
        if (!check_vnic(vnic, error))
            return FALSE;
        const Function *function =
            function_choice_next(choice, vnic->physical_network, vnics->len, error);
        if (!function)
            return FALSE;
        g_ptr_array_add(draft->assets,
                        lease_asset_new(ASSET_FUNCTION, function->address, ASSET_RESERVED,
                                        json_pack("{s:o}", "vnic", vnic_to_json(vnic))));
    }
    return TRUE;
}

/* Nothing was done yet for this lease but the ports that it got, which are swept. */
static void
drop(const NetworkHost *host, const Lease *lease)
{
    g_autoptr(GError) error = NULL;

    if (!lease_store_remove(host->leases, lease->id, &error))
        g_warning("lease %s stays until its deadline: %s", lease->id, error->message);
}

static Lease *
try_create(const NetworkHost *host, const ReservationRequest *request, const GPtrArray *vnics,
           GError **error)
{
    g_autoptr(FunctionChoice) choice = function_choice_new(host, error);
    g_autoptr(Lease) draft =
        network_lease_draft(LEASE_RESERVATION, request->owner, request->token, request->guest_name,
                            request->guest_uuid, STATE_RESERVED, request_json(request));
    gboolean existing = FALSE;

    if (!choice || !fill(draft, vnics, choice, error))
        return NULL;
    g_autoptr(Lease) lease = lease_store_create(host->leases, draft, request->timeout_seconds,
                                                FAULT_FUNCTION_BUSY, &existing, error);
    if (!lease)
        return NULL;
    if (pool_ports_hold(host, lease, error))
        return g_steal_pointer(&lease);
    drop(host, lease);
    return NULL;
}

/* Its VFs would be attached at once, beside those that it has. */
static gboolean
check_not_here(const NetworkHost *host, const ReservationRequest *request, GError **error)
{
    g_autoptr(GError) missing = NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(host->hypervisor, request->guest_uuid, &missing);
    g_autofree char *label = network_guest_label(request->guest_name);

    if (!guest && fault_code(missing) != FAULT_GUEST_NOT_FOUND) {
        g_propagate_error(error, g_steal_pointer(&missing));
        return FALSE;
    }
    if (!guest || guest->state == GUEST_STATE_SHUT_OFF || guest->state == GUEST_STATE_CRASHED)
        return TRUE;
    fault_set(error, FAULT_GUEST_BUSY, label,
              "reserve on another host, before the guest gets there", "is on this host already");
    return FALSE;
}

static gboolean
check_admitted(const NetworkHost *host, const ReservationRequest *request, GError **error)
{
    g_autofree char *label = network_guest_label(request->guest_name);

    return maintenance_check(host->root, label, error) && check_not_here(host, request, error);
}

static Lease *
repeat(Lease *known, const ReservationRequest *request, GError **error)
{
    g_autoptr(Lease) lease = known;
    json_auto_t *wanted = request_json(request);

    if (json_equal(lease->request, wanted))
        return g_steal_pointer(&lease);
    g_autofree char *label = g_strdup_printf("lease %s", lease->id);
    fault_set(error, FAULT_LEASE_CONFLICT, label, "use another token for another request",
              "token '%s' was used for a different reservation", request->token);
    return NULL;
}

Lease *
reservation_create(const NetworkHost *host, const ReservationRequest *request, GError **error)
{
    g_autoptr(GPtrArray) vnics = vnics_from_json(request->vnics, error);
    Lease *known = NULL;

    if (!vnics || !network_lease_find(host->leases, LEASE_RESERVATION, request->owner,
                                      request->token, &known, error))
        return NULL;
    if (known)
        return repeat(known, request, error);
    if (!check_admitted(host, request, error))
        return NULL;
    for (unsigned race = 1;; race++) {
        g_autoptr(GError) failure = NULL;
        Lease *lease = try_create(host, request, vnics, &failure);

        if (lease) {
            network_lease_announce(host, lease, BULLETIN_RESERVED);
            return lease;
        }
        if (race == RACES_MAX || !g_error_matches(failure, FAULT, FAULT_FUNCTION_BUSY)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
    }
}
