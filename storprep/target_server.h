/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Targets that another host is filling while their guest is shut off: each served by qemu-nbd. */
#pragma once

#include <jansson.h>

#include "common/lease.h"

/*
 * Theory of operation. A server is handed our own descriptor of the file, whose identity the lease
 * has: whoever gives the path to another file meanwhile gains nothing. Its socket lies in a
 * directory that only root enters, and is reached by `migprep proxy`. Servers are never more than
 * their lease has files, end before the lease does, and with the daemon: systemd ends its children.
 */
typedef struct TargetServers TargetServers;

/* @directory (copied) is made if need be, and emptied of the sockets of an earlier daemon. */
TargetServers *target_servers_new(const char *directory);
/* Ends them all. */
void target_servers_free(TargetServers *servers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TargetServers, target_servers_free)

/*
 * Serves every file of @lease (claimed) that is not served yet. Returns the ServedTarget records of
 * io.migprep.Storage, a new array. On failure none of them is served. FAULT_TARGET_REFUSED (another
 * file is in its place), FAULT_PROGRAM_FAILED, FAULT_TIMED_OUT. Blocks.
 */
json_t *target_servers_open(TargetServers *servers, const Lease *lease, GError **error);
/* Ends those of lease @id, having them write down what they hold. Harmless if there are none.
 * Blocks. */
void target_servers_end(TargetServers *servers, const char *id);
