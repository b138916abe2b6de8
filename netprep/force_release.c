/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends leases by force. */
#include "netprep/force_release.h"

#include "netprep/give_back.h"
#include "netprep/guest_turn.h"
#include "netprep/mac_path.h"

typedef struct {
    const NetworkHost *host;
    char *lease;
    guint64 generation;
    char *guest_uuid;
    char *detail; /* who and why */
} Force;

static void
force_free(Force *force)
{
    g_free(force->lease);
    g_free(force->guest_uuid);
    g_free(force->detail);
    g_free(force);
}

/* What is done about one VF; its address goes where it belongs. */
static gboolean
let_go(const GiveBack *give_back, const LeaseAsset *asset, json_t *freed, json_t *kept,
       GError **error)
{
    if (give_back->view && guest_view_is_active(give_back->view) &&
        guest_view_find(give_back->view->live, asset->key)) {
        json_array_append_new(kept, json_string(asset->key));
        return lease_store_drop_asset(give_back->host->leases, give_back->lease->id, asset->kind,
                                      asset->key, error);
    }
    if (!give_back_function(give_back, asset, FALSE, error))
        return FALSE;
    json_array_append_new(freed, json_string(asset->key));
    return TRUE;
}

/* One that cannot be let go is no reason to keep the others. */
static gboolean
let_all_go(const GiveBack *give_back, json_t *freed, json_t *kept, GError **error)
{
    gboolean all = TRUE;

    for (guint i = 0; i < give_back->lease->assets->len; i++) {
        g_autoptr(GError) later = NULL;

        if (!let_go(give_back, give_back->lease->assets->pdata[i], freed, kept,
                    all ? error : &later))
            all = FALSE;
    }
    return all;
}

static json_t *
work(Job *job, void *data, GError **error)
{
    const Force *force = data;
    g_autoptr(Lease) lease =
        lease_store_get(force->host->leases, force->lease, force->generation, error);
    json_auto_t *freed = json_array(), *kept = json_array();

    if (!lease)
        return NULL;
    bulletin_post(force->host->bulletin, BULLETIN_FORCED, lease, force->detail);
    /* First, and not in vain: an entry that outlives the lease is nobody's, for ever. */
    if (!mac_path_to_function(force->host, lease, error))
        return NULL;
    g_autoptr(GiveBack) give_back = give_back_new(force->host, lease, NULL, error);
    if (!give_back || !let_all_go(give_back, freed, kept, error) ||
        !lease_store_remove(force->host->leases, lease->id, error))
        return NULL;
    return json_pack("{s:O, s:O}", "freed", freed, "kept", kept);
}

static json_t *
run(Job *job, void *data, GError **error)
{
    const Force *force = data;

    network_progress(job, "wait", NULL, "for other work on the guest");
    return guest_turn_run(force->host, "ForceGiveBack", force->guest_uuid, work, data, error);
}

Job *
force_release_start(const NetworkHost *host, const ForceReleaseRequest *request, GError **error)
{
    g_autoptr(Lease) lease =
        lease_store_get(host->leases, request->lease, request->generation, error);

    if (!lease)
        return NULL;
    Force *force = g_new0(Force, 1);
    force->host = host;
    force->lease = g_strdup(request->lease);
    force->generation = request->generation;
    force->guest_uuid = g_strdup(lease->guest_uuid);
    force->detail = g_strdup_printf("by %s: %s", request->caller, request->reason);
    return job_start(host->jobs, "ForceRelease", NULL, run, force, (GDestroyNotify)force_free,
                     error);
}
