/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GLib's locks for programs that ThreadSanitizer watches, which knows pthreads only: GLib's own are
 * made of futexes in a library that it does not see into, so all that they guard would look
 * unguarded. Built with -Db_sanitize=thread only, and loaded before GLib.
 *
 * Mutexes and conditions are pthreads' here, and counted boxes are counted where the sanitizer
 * sees it. What else hands memory from one thread to another goes to GLib, with a word to the
 * sanitizer about it.
 */
#include <dlfcn.h>
#include <gio/gio.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

/* What GLib calls so. */
#define GLIBS(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define NSEC_PER_USEC 1000

/* Mutexes: made when first locked, as those in zeroed memory have to be. */

static pthread_mutex_t *
mutex_of(GMutex *mutex)
{
    pthread_mutex_t *found = __atomic_load_n(&mutex->p, __ATOMIC_ACQUIRE);
    void *none = NULL;

    if (found)
        return found;
    pthread_mutex_t *made = malloc(sizeof *made);
    pthread_mutex_init(made, NULL);
    if (__atomic_compare_exchange_n(&mutex->p, &none, (void *)made, FALSE, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return made;
    pthread_mutex_destroy(made);
    free(made);
    return none;
}

void
g_mutex_init(GMutex *mutex)
{
    mutex->p = NULL;
}

void
g_mutex_clear(GMutex *mutex)
{
    pthread_mutex_t *own = mutex->p;

    if (own)
        pthread_mutex_destroy(own);
    free(own);
    mutex->p = NULL;
}

void
g_mutex_lock(GMutex *mutex)
{
    pthread_mutex_lock(mutex_of(mutex));
}

gboolean
g_mutex_trylock(GMutex *mutex)
{
    return pthread_mutex_trylock(mutex_of(mutex)) == 0;
}

void
g_mutex_unlock(GMutex *mutex)
{
    pthread_mutex_unlock(mutex_of(mutex));
}

/* Conditions, likewise. */

static pthread_cond_t *
condition_of(GCond *condition)
{
    pthread_cond_t *found = __atomic_load_n(&condition->p, __ATOMIC_ACQUIRE);
    pthread_condattr_t attributes;
    void *none = NULL;

    if (found)
        return found;
    pthread_cond_t *made = malloc(sizeof *made);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(made, &attributes);
    pthread_condattr_destroy(&attributes);
    if (__atomic_compare_exchange_n(&condition->p, &none, (void *)made, FALSE, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return made;
    pthread_cond_destroy(made);
    free(made);
    return none;
}

void
g_cond_init(GCond *condition)
{
    condition->p = NULL;
}

void
g_cond_clear(GCond *condition)
{
    pthread_cond_t *own = condition->p;

    if (own)
        pthread_cond_destroy(own);
    free(own);
    condition->p = NULL;
}

void
g_cond_wait(GCond *condition, GMutex *mutex)
{
    pthread_cond_wait(condition_of(condition), mutex_of(mutex));
}

gboolean
g_cond_wait_until(GCond *condition, GMutex *mutex, gint64 end_usec)
{
    struct timespec end = { end_usec / G_USEC_PER_SEC, end_usec % G_USEC_PER_SEC * NSEC_PER_USEC };

    return pthread_cond_timedwait(condition_of(condition), mutex_of(mutex), &end) == 0;
}

void
g_cond_signal(GCond *condition)
{
    pthread_cond_signal(condition_of(condition));
}

void
g_cond_broadcast(GCond *condition)
{
    pthread_cond_broadcast(condition_of(condition));
}

/* Counted boxes. */

/* As aligned as malloc(3) has it. */
typedef struct {
    gint references;
    char memory[] __attribute__((aligned(16)));
} Box;

static Box *
box_of(void *memory)
{
    return (Box *)((char *)memory - offsetof(Box, memory));
}

gpointer
g_atomic_rc_box_alloc0(gsize size)
{
    Box *box = g_malloc0(sizeof *box + size);

    box->references = 1;
    return box->memory;
}

gpointer
g_atomic_rc_box_alloc(gsize size)
{
    return g_atomic_rc_box_alloc0(size);
}

gpointer(g_atomic_rc_box_dup)(gsize size, gconstpointer from)
{
    return memcpy(g_atomic_rc_box_alloc0(size), from, size);
}

gpointer(g_atomic_rc_box_acquire)(gpointer memory)
{
    g_atomic_int_inc(&box_of(memory)->references);
    return memory;
}

void
g_atomic_rc_box_release_full(gpointer memory, GDestroyNotify clear)
{
    if (!g_atomic_int_dec_and_test(&box_of(memory)->references))
        return;
    if (clear)
        clear(memory);
    g_free(box_of(memory));
}

void
g_atomic_rc_box_release(gpointer memory)
{
    g_atomic_rc_box_release_full(memory, NULL);
}

/* Hand-overs. */

void
g_cancellable_cancel(GCancellable *cancellable)
{
    if (cancellable)
        __tsan_release(cancellable);
    GLIBS(g_cancellable_cancel)(cancellable);
}

gboolean
g_cancellable_is_cancelled(GCancellable *cancellable)
{
    gboolean cancelled = GLIBS(g_cancellable_is_cancelled)(cancellable);

    if (cancelled)
        __tsan_acquire(cancellable);
    return cancelled;
}

void
g_async_queue_push(GAsyncQueue *queue, gpointer item)
{
    __tsan_release(item);
    GLIBS(g_async_queue_push)(queue, item);
}

gpointer
g_async_queue_pop(GAsyncQueue *queue)
{
    void *item = GLIBS(g_async_queue_pop)(queue);

    __tsan_acquire(item);
    return item;
}

gpointer
g_async_queue_timeout_pop(GAsyncQueue *queue, guint64 usec)
{
    void *item = GLIBS(g_async_queue_timeout_pop)(queue, usec);

    if (item)
        __tsan_acquire(item);
    return item;
}

/* Its context's table of sources, which grows here and shrinks where they end, is guarded by a lock
 * inside of GLib. */
guint
g_source_attach(GSource *source, GMainContext *context)
{
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    guint id = GLIBS(g_source_attach)(source, context);

    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    return id;
}

/* Lives as long as the process, as its pool may. */
typedef struct {
    GFunc work;
    void *data;
} PoolWork;

static void
run_task(void *task, void *data)
{
    const PoolWork *work = data;

    __tsan_acquire(task);
    work->work(task, work->data);
    __tsan_release(data);
}

GThreadPool *
g_thread_pool_new(GFunc function, gpointer data, gint most, gboolean exclusive, GError **error)
{
    PoolWork *work = g_new0(PoolWork, 1);

    *work = (PoolWork) { function, data };
    return GLIBS(g_thread_pool_new)(run_task, work, most, exclusive, error);
}

/* Likewise. */
typedef struct {
    GCompareDataFunc compare;
    void *data;
} PoolOrder;

/* Whoever takes one of them to its thread does so under the queue's lock, as this here is called.
 */
static gint
compare_tasks(gconstpointer task, gconstpointer other, void *data)
{
    const PoolOrder *order = data;
    gint sign = order->compare(task, other, order->data);

    __tsan_release((void *)task);
    __tsan_release((void *)other);
    return sign;
}

void
g_thread_pool_set_sort_function(GThreadPool *pool, GCompareDataFunc compare, gpointer data)
{
    PoolOrder *order = g_new0(PoolOrder, 1);

    *order = (PoolOrder) { compare, data };
    GLIBS(g_thread_pool_set_sort_function)(pool, compare_tasks, order);
}

gboolean
g_thread_pool_push(GThreadPool *pool, gpointer task, GError **error)
{
    __tsan_release(task);
    return GLIBS(g_thread_pool_push)(pool, task, error);
}

/* Unseen by the sanitizer: the pool's last thread frees what is read here, under GLib's lock. */
__attribute__((no_sanitize_thread)) void
g_thread_pool_free(GThreadPool *pool, gboolean immediate, gboolean wait)
{
    void *work = pool->user_data;

    GLIBS(g_thread_pool_free)(pool, immediate, wait);
    if (wait)
        __tsan_acquire(work);
}
