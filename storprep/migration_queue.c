/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the places for migrations and the order in which they are given out. */
#include "storprep/migration_queue.h"

struct MigrationQueue {
    GMutex lock; /* guards everything below */
    GCond changed;
    unsigned free;
    GQueue waiting; /* of whoever waits, the first of them at the head: addresses as names */
};

MigrationQueue *
migration_queue_new(unsigned at_once)
{
    MigrationQueue *queue = g_new0(MigrationQueue, 1);

    g_mutex_init(&queue->lock);
    g_cond_init(&queue->changed);
    g_queue_init(&queue->waiting);
    queue->free = at_once;
    return queue;
}

void
migration_queue_free(MigrationQueue *queue)
{
    if (!queue)
        return;
    g_mutex_clear(&queue->lock);
    g_cond_clear(&queue->changed);
    g_free(queue);
}

static void
wake(GCancellable *cancellable, void *data)
{
    MigrationQueue *queue = data;

    g_mutex_lock(&queue->lock);
    g_cond_broadcast(&queue->changed);
    g_mutex_unlock(&queue->lock);
}

static gboolean
is_cancelled(GCancellable *const cancellables[2])
{
    return g_cancellable_is_cancelled(cancellables[0]) ||
           g_cancellable_is_cancelled(cancellables[1]);
}

/* With the lock. */
static gboolean
has_place(const MigrationQueue *queue, const void *name)
{
    return queue->free && g_queue_peek_head((GQueue *)&queue->waiting) == name;
}

static gboolean
wait_for_place(MigrationQueue *queue, GCancellable *const cancellables[2], const void *name)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&queue->lock);

    while (!has_place(queue, name) && !is_cancelled(cancellables))
        g_cond_wait(&queue->changed, &queue->lock);
    gboolean entered = has_place(queue, name) && !is_cancelled(cancellables);
    g_queue_remove(&queue->waiting, name);
    queue->free -= entered;
    /* The next one may have a place, too, or has come to the head. */
    g_cond_broadcast(&queue->changed);
    return entered;
}

static gboolean
queue_up(MigrationQueue *queue, void *name)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&queue->lock);

    g_queue_push_tail(&queue->waiting, name);
    return has_place(queue, name);
}

gboolean
migration_queue_enter(MigrationQueue *queue, GCancellable *const cancellables[2],
                      void (*waiting)(void *data), void *data)
{
    int name = 0; /* its address is this waiter's name */
    gulong handlers[2];

    if (!queue_up(queue, &name) && waiting)
        waiting(data);
    for (int i = 0; i < 2; i++)
        handlers[i] = g_cancellable_connect(cancellables[i], G_CALLBACK(wake), queue, NULL);
    gboolean entered = wait_for_place(queue, cancellables, &name);
    for (int i = 0; i < 2; i++)
        g_cancellable_disconnect(cancellables[i], handlers[i]);
    return entered;
}

void
migration_queue_leave(MigrationQueue *queue)
{
    g_mutex_lock(&queue->lock);
    queue->free++;
    g_cond_broadcast(&queue->changed);
    g_mutex_unlock(&queue->lock);
}
