/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugs the VFs of a detachment back. */
#include "netprep/replug.h"

#include "netprep/mac_path.h"
#include "netprep/migration_hooks.h"
#include "netprep/replacement.h"

/* How long a guest may take to act on a request that it did not follow in time. */
#define WATCH_SECONDS 600

static gboolean
removal_pending(const Lease *lease)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (g_str_equal(asset->state, ASSET_UNPLUGGING))
            return TRUE;
    }
    return FALSE;
}

/* All is back, for now: a request to let a device go cannot be taken back. */
static gboolean
finish(const NetworkHost *host, const Lease *before, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(host->leases, before->id, 0, error);

    if (!lease)
        return FALSE;
    if (!removal_pending(lease))
        return network_lease_end(host, before, BULLETIN_RETURNED, error);
    if (!lease_store_renew(host->leases, lease->id, lease->generation, WATCH_SECONDS, error) ||
        !lease_store_set_state(host->leases, lease->id, STATE_WATCHING,
                               "the guest may still let a device go that it was asked for", error))
        return FALSE;
    network_lease_announce(host, before, BULLETIN_RETURNED);
    return TRUE;
}

static void
degrade(const NetworkHost *host, const Lease *lease, const GError *failure, GError **error)
{
    g_autofree char *label = network_guest_label(lease->guest_name);

    network_lease_degrade(host, lease, failure);
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, label,
              "it is retried by itself; see `migprep status`",
              "runs without some of its passthrough vNICs: %s", failure->message);
}

gboolean
replug_detachment(const NetworkHost *host, Job *job, const Lease *detachment, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(Lease) lease = replacement_make(host, detachment);

    gboolean plugged = plug_lease(host, job, lease, &failure);
    migration_hooks_after(host, job, detachment);
    if (plugged)
        return finish(host, lease, error);
    mac_path_stay_on_virtio(host, lease);
    degrade(host, lease, failure, error);
    return FALSE;
}
