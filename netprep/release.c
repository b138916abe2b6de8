/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives back what leases hold. */
#include "netprep/release.h"

#include "netprep/give_back.h"
#include "netprep/guest_turn.h"
#include "netprep/mac_path.h"
#include "netprep/replug.h"

typedef struct {
    const NetworkHost *host;
    char *lease;
    guint64 generation;
    char *guest_uuid;
} Release;

static void
release_free(Release *release)
{
    g_free(release->lease);
    g_free(release->guest_uuid);
    g_free(release);
}

static gboolean
release_assets(const NetworkHost *host, const Lease *lease, const FunctionInventory *inventory,
               GError **error)
{
    g_autoptr(GiveBack) give_back = give_back_new(host, lease, inventory, error);

    if (!give_back || !mac_path_to_function(host, lease, error))
        return FALSE;
    for (guint i = 0; i < lease->assets->len; i++) {
        if (!give_back_function(give_back, lease->assets->pdata[i], i + 1 == lease->assets->len,
                                error))
            return FALSE;
    }
    return TRUE;
}

gboolean
release_functions(const NetworkHost *host, const Lease *lease, const FunctionInventory *inventory,
                  GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (release_assets(host, lease, inventory, &failure))
        return network_lease_end(host, lease, BULLETIN_RELEASED, error);
    network_lease_degrade(host, lease, failure);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static json_t *
outcome(const char *name)
{
    return json_pack("{s:s}", "outcome", name);
}

static gboolean
refuse_moving(const Lease *lease, GError **error)
{
    g_autofree char *label = network_guest_label(lease->guest_name);

    fault_set(error, FAULT_GUEST_BUSY, label, "try again when its migration ended or was aborted",
              "is being migrated or is paused, which decides who gets its VFs");
    return FALSE;
}

static json_t *
release_detachment(const NetworkHost *host, const Lease *lease, const GuestView *view,
                   GError **error)
{
    if (!view || !guest_view_is_active(view))
        return release_functions(host, lease, NULL, error) ? outcome("freed") : NULL;
    if (view->guest->has_job || view->guest->state != GUEST_STATE_RUNNING) {
        refuse_moving(lease, error);
        return NULL;
    }
    return replug_detachment(host, NULL, lease, error) ? outcome("returned") : NULL;
}

/* Those that are in the guest are its own; the lease is asked to let go of the others. */
static json_t *
release_arrived(const NetworkHost *host, const Lease *lease, const GuestView *view, GError **error)
{
    gboolean kept = g_str_equal(lease->state, STATE_ATTACHED);

    if (!mac_path_to_function(host, lease, error))
        return NULL;
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (!guest_view_find(view->live, asset->key))
            continue;
        if (!lease_store_drop_asset(host->leases, lease->id, asset->kind, asset->key, error))
            return NULL;
        kept = TRUE;
    }
    g_autoptr(Lease) rest = lease_store_get(host->leases, lease->id, 0, error);
    if (!rest || !release_functions(host, rest, NULL, error))
        return NULL;
    return outcome(kept ? "returned" : "freed");
}

static json_t *
release_reservation(const NetworkHost *host, const Lease *lease, const GuestView *view,
                    GError **error)
{
    if (!view || !guest_view_is_active(view))
        return release_functions(host, lease, NULL, error) ? outcome("freed") : NULL;
    if (view->guest->state != GUEST_STATE_RUNNING) {
        refuse_moving(lease, error);
        return NULL;
    }
    return release_arrived(host, lease, view, error);
}

static json_t *
give_back(Job *job, void *data, GError **error)
{
    const Release *release = data;
    g_autoptr(Lease) lease =
        lease_store_get(release->host->leases, release->lease, release->generation, error);
    GuestView *found = NULL;

    if (!lease ||
        !guest_view_find_guest(release->host->hypervisor, lease->guest_uuid, &found, error))
        return NULL;
    g_autoptr(GuestView) view = found;
    network_progress(job, "release", NULL, NULL);
    if (g_str_equal(lease->kind, LEASE_DETACHMENT))
        return release_detachment(release->host, lease, view, error);
    return release_reservation(release->host, lease, view, error);
}

static json_t *
run(Job *job, void *data, GError **error)
{
    const Release *release = data;

    network_progress(job, "wait", NULL, "for other work on the guest");
    return guest_turn_run(release->host, "GiveBack", release->guest_uuid, give_back, data, error);
}

Job *
release_start(const NetworkHost *host, const char *id, guint64 generation, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(host->leases, id, generation, error);

    if (!lease)
        return NULL;
    Release *release = g_new0(Release, 1);
    release->host = host;
    release->lease = g_strdup(id);
    release->generation = generation;
    release->guest_uuid = g_strdup(lease->guest_uuid);
    return job_start(host->jobs, "Release", id, run, release, (GDestroyNotify)release_free, error);
}
