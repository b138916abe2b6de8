/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waits for a guest to arrive and follows its VFs into it. */
#include "netprep/attach_job.h"

/* Other jobs that may be on the guest before ours. */
#define TURNS_MAX 8

typedef struct {
    const NetworkHost *host;
    char *lease;
    guint64 generation;
    char *guest_name;
    char *guest_uuid;
    unsigned wait_seconds;
} Attach;

static void
attach_free(Attach *attach)
{
    g_free(attach->lease);
    g_free(attach->guest_name);
    g_free(attach->guest_uuid);
    g_free(attach);
}

static Attach *
attach_new(const NetworkHost *host, const Lease *lease, unsigned wait_seconds)
{
    Attach *attach = g_new0(Attach, 1);

    attach->host = host;
    attach->lease = g_strdup(lease->id);
    attach->generation = lease->generation;
    attach->guest_name = g_strdup(lease->guest_name);
    attach->guest_uuid = g_strdup(lease->guest_uuid);
    attach->wait_seconds = wait_seconds;
    return attach;
}

static json_t *
work(Job *job, void *data, GError **error)
{
    const Attach *attach = data;
    g_autoptr(Lease) lease =
        lease_store_get(attach->host->leases, attach->lease, attach->generation, error);

    if (!lease || (!g_str_equal(lease->state, STATE_ATTACHED) &&
                   !attach_reservation(attach->host, job, lease, error)))
        return NULL;
    return json_object();
}

Job *
attach_work_start(const NetworkHost *host, const Lease *lease, GError **error)
{
    return job_start(host->jobs, "Plug", lease->guest_uuid, work, attach_new(host, lease, 0),
                     (GDestroyNotify)attach_free, error);
}

static gboolean
guest_runs(const Attach *attach, gboolean *ret_runs, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(Guest) guest =
        hypervisor_get_guest(attach->host->hypervisor, attach->guest_uuid, &failure);

    if (!guest && !g_error_matches(failure, FAULT, FAULT_GUEST_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    *ret_runs = guest && guest->state == GUEST_STATE_RUNNING;
    return TRUE;
}

/* Follows the job that is on the guest, which is usually the one that libvirt's event started. */
static gboolean
follow(const Attach *attach, const Lease *lease, GError **error)
{
    g_autoptr(Job) running = job_registry_find_subject(attach->host->jobs, attach->guest_uuid);
    g_autoptr(GError) busy = NULL;

    if (!running)
        running = attach_work_start(attach->host, lease, &busy);
    if (!running && !g_error_matches(busy, FAULT, FAULT_GUEST_BUSY)) {
        g_propagate_error(error, g_steal_pointer(&busy));
        return FALSE;
    }
    if (running)
        json_decref(job_wait(running, NULL)); /* the lease says how it ended */
    return TRUE;
}

static gboolean
is_settled(const Lease *lease)
{
    return g_str_equal(lease->state, STATE_ATTACHED) || g_str_equal(lease->state, STATE_DEGRADED);
}

/* Follows the jobs on the guest, at least one, until the matter is settled. Steals @lease; NULL on
 * failure. */
static Lease *
settle(const Attach *attach, Lease *lease, GError **error)
{
    for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
        gboolean followed = follow(attach, lease, error);

        lease_free(lease);
        lease = followed ? lease_store_get(attach->host->leases, attach->lease, attach->generation,
                                           error)
                         : NULL;
        if (!lease || is_settled(lease))
            break;
    }
    return lease;
}

/* One look: *ret_result stays NULL while there is something to wait for. */
static gboolean
look(Job *job, const Attach *attach, json_t **ret_result, GError **error)
{
    Lease *lease = lease_store_get(attach->host->leases, attach->lease, attach->generation, error);
    gboolean runs = FALSE;

    if (lease && !g_str_equal(lease->state, STATE_ATTACHED)) {
        if (!guest_runs(attach, &runs, error)) {
            g_clear_pointer(&lease, lease_free);
        } else if (runs) {
            network_progress(job, "attach", "guest", NULL);
            lease = settle(attach, lease, error);
        }
    }
    g_autoptr(Lease) now = lease;
    if (!now)
        return FALSE;
    if (g_str_equal(now->state, STATE_ATTACHED) || (runs && is_settled(now))) {
        *ret_result = attach_result(attach->host, now, error);
        return *ret_result != NULL;
    }
    return TRUE;
}

static json_t *
not_here(const Attach *attach, GError **error)
{
    g_autofree char *label = network_guest_label(attach->guest_name);

    fault_set(error, FAULT_GUEST_NOT_RUNNING, label, "call Attach again when it has been migrated",
              "did not run on this host within %u seconds", attach->wait_seconds);
    return NULL;
}

static json_t *
run(Job *job, void *data, GError **error)
{
    const Attach *attach = data;
    gint64 deadline = g_get_monotonic_time() + (gint64)attach->wait_seconds * G_USEC_PER_SEC;
    g_autoptr(HypervisorWatch) watch =
        hypervisor_watch_new(attach->host->hypervisor, attach->guest_uuid);

    for (;;) {
        json_t *result = NULL;
        g_autoptr(GError) failure = NULL;

        if (!look(job, attach, &result, error))
            return NULL;
        if (result)
            return result;
        network_progress(job, "wait", "guest", "to run on this host");
        g_autoptr(HypervisorEvent) event =
            hypervisor_watch_next(watch, deadline, job_cancellable(job), &failure);
        if (event)
            continue;
        if (g_error_matches(failure, FAULT, FAULT_TIMED_OUT))
            return not_here(attach, error);
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
}

Job *
attach_start(const NetworkHost *host, const char *id, guint64 generation, unsigned wait_seconds,
             GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(host->leases, id, generation, error);
    g_autoptr(GError) busy = NULL;

    if (!lease)
        return NULL;
    if (!g_str_equal(lease->kind, LEASE_RESERVATION)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "lease", "pass the lease that Reserve returned",
                  "is not a reservation");
        return NULL;
    }
    Job *job = job_start(host->jobs, "Attach", id, run, attach_new(host, lease, wait_seconds),
                         (GDestroyNotify)attach_free, &busy);
    if (!job && g_error_matches(busy, FAULT, FAULT_GUEST_BUSY))
        job = job_registry_find_subject(host->jobs, id);
    if (!job)
        g_propagate_error(error, g_steal_pointer(&busy));
    return job;
}
