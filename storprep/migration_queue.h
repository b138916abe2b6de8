/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many migrations leave this host at once; the others wait for their turn. */
#pragma once

#include <gio/gio.h>

typedef struct MigrationQueue MigrationQueue;

/* @at_once: at least 1. */
MigrationQueue *migration_queue_new(unsigned at_once);
/* Nobody may be in it or wait for it. */
void migration_queue_free(MigrationQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MigrationQueue, migration_queue_free)

/*
 * Waits for a place, in the order of arrival; whoever gets one must migration_queue_leave(). FALSE
 * if one of @cancellables (two of them) was cancelled before. @waiting (may be NULL) is called once
 * if there is no place at once. Blocks.
 */
gboolean migration_queue_enter(MigrationQueue *queue, GCancellable *const cancellables[2],
                               void (*waiting)(void *data), void *data);
void migration_queue_leave(MigrationQueue *queue); /* gives the place to the next */
