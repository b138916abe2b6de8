/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* That one command at a time empties a host or brings guests back, and how another one stops it. */
#pragma once

#include <glib.h>

typedef struct DrainLock DrainLock;

/* Takes the lock of this host, below @root ("" or, for tests, what stands for "/"), for as long as
 * the process lives or until drain_lock_free(). FAULT_GUEST_BUSY naming the process that has it;
 * FAULT_STORE_FAILED. */
DrainLock *drain_lock_take(const char *root, GError **error);
void drain_lock_free(DrainLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DrainLock, drain_lock_free)

/* Sends SIGINT to who has the lock. FALSE with *ret_running FALSE (and no error): nobody has;
 * FAULT_PERMISSION_DENIED. */
gboolean drain_lock_interrupt(const char *root, gboolean *ret_running, GError **error);
