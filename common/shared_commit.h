/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose turn it is at a database, and which transactions are committed together. */
#pragma once

#include "common/database.h"

/*
 * Theory of operation. A commit waits for the disk, which takes no longer for what many wrote than
 * for what one did. So who is done while others wait to begin leaves the commit to them: they are a
 * group, in one transaction of SQLite's, in which each is a savepoint and can be taken back alone.
 * The last of them commits for all, at the latest the 32nd. Who comes during the commit is of the
 * next group: nobody waits for others to come.
 *
 * Members see what those before them in the group wrote. So nobody is told anything, be it a
 * refusal, before the commit is made, and all are told of its failure, after which nothing of the
 * group is to be seen. Who only reads waits until no group is open, and the next group waits for
 * those readers. A thread has one turn at a time; within it, it waits for nobody.
 */
typedef struct SharedCommit SharedCommit;

/* For @database, borrowed. */
SharedCommit *shared_commit_new(Database *database);
/* Nobody has a turn or waits for one. */
void shared_commit_free(SharedCommit *commit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SharedCommit, shared_commit_free)

/* Takes the database to write. FALSE with FAULT_STORE_FAILED: it is not taken. Blocks. */
gboolean shared_commit_begin(SharedCommit *commit, GError **error);
/* Gives it back: what was written counts if @good, else it is taken back. Blocks until the group is
 * on disk. FALSE: it was not @good, and *error stays as it is; or the group failed, and *error (may
 * be set before) becomes the reason, FAULT_STORE_FAILED. */
gboolean shared_commit_end(SharedCommit *commit, gboolean good, GError **error);
/* Takes the database to read what is on disk, and gives it back. Block. */
void shared_commit_begin_reading(SharedCommit *commit);
void shared_commit_end_reading(SharedCommit *commit);
/* How many threads wait to begin to write. Any thread. */
unsigned shared_commit_waiting(SharedCommit *commit);
