/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the list of leases that are to be looked after, and the threads that do. */
#include "storprep/lease_errands.h"

struct LeaseErrands {
    LeaseErrand run;
    void *data;
    GMutex lock; /* guards all below */
    GCond changed;
    GHashTable *open; /* of Errand *, by its id */
    GQueue waiting;   /* of those that are not begun, borrowed */
    GQueue begun;     /* of those that a thread is at work on, borrowed */
    unsigned threads;
    gboolean stop;
};

typedef struct {
    char *id;
    gint64 begun_usec;
    gboolean asked; /* since it was begun last */
    gboolean resumed;
} Errand;

static void
errand_free(void *data)
{
    Errand *errand = data;

    g_free(errand->id);
    g_free(errand);
}

/* With the lock, which is let go meanwhile. */
static void
run_once(LeaseErrands *errands, Errand *errand)
{
    gboolean resumed = errand->resumed;

    errand->begun_usec = g_get_monotonic_time();
    errand->asked = errand->resumed = FALSE;
    g_mutex_unlock(&errands->lock);
    errands->run(errand->id, resumed, errands->data);
    g_mutex_lock(&errands->lock);
}

/* How many are at work that do not hang. */
static unsigned
count_prompt(const LeaseErrands *errands)
{
    gint64 prompt_usec =
        g_get_monotonic_time() - LEASE_ERRANDS_PROMPT_SECONDS * (gint64)G_USEC_PER_SEC;
    unsigned prompt = 0;

    for (const GList *link = errands->begun.head; link; link = link->next)
        prompt += ((const Errand *)link->data)->begun_usec > prompt_usec;
    return prompt;
}

/* One thread: as long as there is work for it. */
static void *
work(void *data)
{
    LeaseErrands *errands = data;
    Errand *errand;

    g_mutex_lock(&errands->lock);
    while (!errands->stop && count_prompt(errands) < LEASE_ERRANDS_AT_ONCE &&
           (errand = g_queue_pop_head(&errands->waiting))) {
        g_queue_push_tail(&errands->begun, errand);
        while (errand->asked && !errands->stop)
            run_once(errands, errand);
        g_queue_remove(&errands->begun, errand);
        g_hash_table_remove(errands->open, errand->id);
        g_cond_broadcast(&errands->changed);
    }
    errands->threads--;
    g_cond_broadcast(&errands->changed);
    g_mutex_unlock(&errands->lock);
    return NULL;
}

LeaseErrands *
lease_errands_new(LeaseErrand run, void *data)
{
    LeaseErrands *errands = g_new0(LeaseErrands, 1);

    errands->run = run;
    errands->data = data;
    g_mutex_init(&errands->lock);
    g_cond_init(&errands->changed);
    g_queue_init(&errands->waiting);
    g_queue_init(&errands->begun);
    errands->open = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, errand_free);
    return errands;
}

void
lease_errands_free(LeaseErrands *errands)
{
    if (!errands)
        return;
    g_mutex_lock(&errands->lock);
    errands->stop = TRUE;
    while (errands->threads > 0)
        g_cond_wait(&errands->changed, &errands->lock);
    g_mutex_unlock(&errands->lock);
    g_queue_clear(&errands->waiting);
    g_hash_table_unref(errands->open);
    g_cond_clear(&errands->changed);
    g_mutex_clear(&errands->lock);
    g_free(errands);
}

static Errand *
add(LeaseErrands *errands, const char *id)
{
    Errand *errand = g_new0(Errand, 1);

    errand->id = g_strdup(id);
    g_hash_table_insert(errands->open, errand->id, errand);
    g_queue_push_tail(&errands->waiting, errand);
    return errand;
}

/* Where no thread is to be had, it waits for one that another errand has, or for the next try. */
static void
start_thread(LeaseErrands *errands)
{
    unsigned beginning = errands->threads - errands->begun.length;
    GThread *thread;

    if (errands->threads >= LEASE_ERRANDS_THREADS || g_queue_is_empty(&errands->waiting) ||
        count_prompt(errands) + beginning >= LEASE_ERRANDS_AT_ONCE)
        return;
    thread = g_thread_try_new("lease", work, errands, NULL);
    if (!thread)
        return;
    errands->threads++;
    g_thread_unref(thread);
}

void
lease_errands_ask(LeaseErrands *errands, const char *id, gboolean resumed)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&errands->lock);
    Errand *errand = g_hash_table_lookup(errands->open, id);

    if (!errand)
        errand = add(errands, id);
    errand->asked = TRUE;
    errand->resumed |= resumed;
    start_thread(errands);
}

void
lease_errands_await(LeaseErrands *errands)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&errands->lock);

    while (g_hash_table_size(errands->open) > 0)
        g_cond_wait(&errands->changed, &errands->lock);
}
