/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the threads that survey guests. */
#include "common/cli/check_batch.h"

#include "common/cli/reply.h"
#include "common/parallel.h"

/* Each survey is a worker and some ten threads in a daemon, which has LIMIT_WORKERS and
 * LIMIT_CHECK_THREADS for all callers: others must get through, too. */
#define SURVEYORS 13

char **
check_batch_running(Peer *host, GCancellable *cancellable, GError **error)
{
    json_auto_t *reply = peer_call(host,
                                   &(PeerCall) { .service = SERVICE_STORAGE,
                                                 .method = "ListGuests",
                                                 .timeout_seconds = PEER_CALL_SECONDS,
                                                 .cancellable = cancellable },
                                   error);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    size_t i;
    json_t *entry;

    if (!reply)
        return NULL;
    json_array_foreach (json_object_get(reply, "guests"), i, entry) {
        if (g_str_equal(reply_text(entry, "state"), "running"))
            g_strv_builder_add(names, reply_text(json_object_get(entry, "guest"), "name"));
    }
    return g_strv_builder_end(names);
}

typedef struct {
    const CheckPlan *plan;
    char *const *guests;
    GPtrArray *surveys;
    int next; /* atomic: the first guest that nobody surveys yet */
} Batch;

static gboolean
survey_some(guint surveyor, void *data, GError **error)
{
    Batch *batch = data;

    for (;;) {
        guint i = (guint)g_atomic_int_add(&batch->next, 1);

        if (i >= batch->surveys->len || g_cancellable_is_cancelled(batch->plan->cancellable))
            return TRUE;
        batch->surveys->pdata[i] = check_survey_guest(batch->plan, batch->guests[i]);
    }
}

GPtrArray *
check_batch_run(const CheckPlan *plan, char *const *guests)
{
    g_autoptr(CheckSilence) silence = check_silence_new();
    g_autoptr(CheckRoutes) routes = check_routes_new();
    CheckPlan shared = *plan;
    Batch batch = { .plan = &shared, .guests = guests };

    shared.silence = silence;
    shared.routes = routes;
    batch.surveys = g_ptr_array_new_with_free_func((GDestroyNotify)check_survey_free);
    g_ptr_array_set_size(batch.surveys, (gint)g_strv_length((char **)guests));
    (void)parallel_run(MIN(SURVEYORS, batch.surveys->len), survey_some, &batch, NULL);
    return batch.surveys;
}
