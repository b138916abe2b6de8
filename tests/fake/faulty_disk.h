/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The disk under one SQLite database: it fails when it is told to, and forgets what was not synced
 * when its power is cut. */
#pragma once

#include "fake/injector.h"

/*
 * Theory of operation. A VFS of SQLite's, in front of the real one and its default, keeps for each
 * file of a database that lies on such a disk what was synced and each change since. A cut puts
 * together what a disk might have then: the synced content with each later change whole, torn at
 * some byte or missing, in whatever combination. Directory entries are not simulated: SQLite syncs
 * the directory with the first sync of a log.
 */
typedef struct FaultyDisk FaultyDisk;

/* Files whose path begins with @path, that of a database, are on the disk; each write, sync,
 * truncation and removal passes @injector (borrowed). To be made before the database is opened. */
FaultyDisk *faulty_disk_new(const char *path, Injector *injector);
/* After the database is closed. */
void faulty_disk_free(FaultyDisk *disk);

/* The power fails and comes back; the database is closed. What is lost is chosen by @random. */
void faulty_disk_cut(FaultyDisk *disk, GRand *random);
