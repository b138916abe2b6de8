/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the list of leases that are to be looked after, and the threads that do. */
#include "storprep/lease_errands.h"

struct LeaseErrands {
    LeaseErrand run;
    void *data;
    GThreadPool *pool;
    GMutex lock; /* guards all below */
    GCond changed;
    GHashTable *open; /* of Errand *, by its id */
    gboolean stop;
};

typedef struct {
    char *id;
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

    errand->asked = errand->resumed = FALSE;
    g_mutex_unlock(&errands->lock);
    errands->run(errand->id, resumed, errands->data);
    g_mutex_lock(&errands->lock);
}

static void
work(void *data, void *user_data)
{
    LeaseErrands *errands = user_data;
    Errand *errand = data;

    g_mutex_lock(&errands->lock);
    while (errand->asked && !errands->stop)
        run_once(errands, errand);
    g_hash_table_remove(errands->open, errand->id);
    g_cond_broadcast(&errands->changed);
    g_mutex_unlock(&errands->lock);
}

LeaseErrands *
lease_errands_new(LeaseErrand run, void *data)
{
    LeaseErrands *errands = g_new0(LeaseErrands, 1);

    errands->run = run;
    errands->data = data;
    g_mutex_init(&errands->lock);
    g_cond_init(&errands->changed);
    errands->open = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, errand_free);
    errands->pool = g_thread_pool_new(work, errands, LEASE_ERRANDS_AT_ONCE, FALSE, NULL);
    return errands;
}

void
lease_errands_free(LeaseErrands *errands)
{
    if (!errands)
        return;
    g_mutex_lock(&errands->lock);
    errands->stop = TRUE;
    g_mutex_unlock(&errands->lock);
    g_thread_pool_free(errands->pool, FALSE, TRUE);
    g_hash_table_unref(errands->open);
    g_cond_clear(&errands->changed);
    g_mutex_clear(&errands->lock);
    g_free(errands);
}

/* Where no thread is to be had, it waits for one that another errand has. */
static Errand *
begin(LeaseErrands *errands, const char *id)
{
    Errand *errand = g_new0(Errand, 1);

    errand->id = g_strdup(id);
    g_hash_table_insert(errands->open, errand->id, errand);
    g_thread_pool_push(errands->pool, errand, NULL);
    return errand;
}

void
lease_errands_ask(LeaseErrands *errands, const char *id, gboolean resumed)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&errands->lock);
    Errand *errand = g_hash_table_lookup(errands->open, id);

    if (!errand)
        errand = begin(errands, id);
    errand->asked = TRUE;
    errand->resumed |= resumed;
}

void
lease_errands_await(LeaseErrands *errands)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&errands->lock);

    while (g_hash_table_size(errands->open) > 0)
        g_cond_wait(&errands->changed, &errands->lock);
}
