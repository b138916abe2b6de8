/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns counting the moves of others: at the source by its jobs, at the destination by its leases.
 */
#include "common/cli/drain_busy.h"

#include "common/cli/reply.h"

static json_t *
list(const DrainWork *work, Peer *peer, Service service, const char *method)
{
    return peer_call(peer,
                     &(PeerCall) { .service = service,
                                   .method = method,
                                   .timeout_seconds = PEER_CALL_SECONDS,
                                   .cancellable = work->task->cancel },
                     NULL);
}

static gboolean
is_ours(const DrainWork *work, const char *uuid)
{
    const DrainPlan *plan = work->task->plan;

    for (guint i = 0; i < plan->items->len; i++) {
        if (g_str_equal(((DrainItem *)plan->items->pdata[i])->guest->uuid, uuid))
            return TRUE;
    }
    return FALSE;
}

static unsigned
count_leaving(const DrainWork *work)
{
    json_auto_t *reply = list(work, work->task->source, SERVICE_STORAGE, "ListJobs");
    unsigned count = 0;
    size_t i;
    json_t *job;

    json_array_foreach (json_object_get(reply, "jobs"), i, job)
        count += g_str_equal(reply_text(job, "kind"), "Migrate") &&
                 g_str_equal(reply_text(job, "state"), "running") &&
                 !is_ours(work, reply_text(job, "subject"));
    return count;
}

/* One that brings neither virtual functions nor disks has no lease, and weighs little. */
static unsigned
count_coming(const DrainWork *work)
{
    static const char *const kinds[] = {
        [SERVICE_NETWORK] = "reservation", [SERVICE_STORAGE] = "targets"
    };
    g_autoptr(GHashTable) guests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (int service = 0; service < SERVICE_COUNT; service++) {
        json_auto_t *reply = list(work, work->destination, (Service)service, "ListLeases");
        size_t i;
        json_t *lease;

        json_array_foreach (json_object_get(reply, "leases"), i, lease) {
            const char *uuid = reply_text(json_object_get(lease, "guest"), "uuid");

            if (g_str_equal(reply_text(lease, "kind"), kinds[service]) && !is_ours(work, uuid))
                g_hash_table_add(guests, g_strdup(uuid));
        }
    }
    return g_hash_table_size(guests);
}

char *
drain_busy(const DrainWork *work)
{
    const ScheduleLimits *limits = &work->task->plan->rules.limits;
    unsigned leaving = count_leaving(work), coming = count_coming(work);

    if (leaving > 0 && leaving + work->leaving > limits->out)
        return g_strdup_printf("%u other guests are leaving %s", leaving,
                               peer_host(work->task->source));
    if (coming > 0 && coming + work->coming > limits->in)
        return g_strdup_printf("%u other guests are coming to %s", coming,
                               peer_host(work->destination));
    return NULL;
}
