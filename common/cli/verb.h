/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of the command, one file each, and the options that they share. */
#pragma once

#include <glib.h>

#include "common/cli/peer.h"

typedef struct {
    const char *name;
    const char *summary;
    /* @argv[0] is the verb. Returns the exit status. */
    int (*run)(int argc, char **argv);
} Verb;

extern const Verb verb_drain, verb_return, verb_check, verb_cpu_baseline, verb_migrate, verb_status,
    verb_release, verb_cancel, verb_setup_bond, verb_proxy, verb_policy, verb_maintenance,
    verb_doctor, verb_complete, verb_metrics;

/* Where the daemons are. */
typedef struct {
    char *network_socket;
    char *storage_socket;
    char *ssh;
} Connection;
void connection_clear(Connection *connection);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Connection, connection_clear)

/* The local host's daemons, at the sockets that the options name. */
Peer *connection_open_local(const Connection *connection);
/* FAULT_INVALID_ARGUMENT for what is no host name. */
Peer *connection_open_remote(const Connection *connection, const char *host, GError **error);

/* Whether this command reaches other hosts as this host's libvirt does, by root's ssh: where it is
 * let in, so is libvirt. */
gboolean connection_is_libvirts(const Connection *connection);

/* What a verb takes. @connection may be NULL if the verb talks to no daemon; --ssh is offered with
 * @remote. */
typedef struct {
    const char *synopsis; /* "GUEST --to HOST" */
    const char *summary;
    const char *examples;
    const GOptionEntry *entries; /* may be NULL */
    Connection *connection;
    gboolean remote;
    const char *statuses; /* its exit statuses; NULL: exit_status_help */
    int more_operands;    /* takes so many words more than it demands */
} VerbOptions;

/*
 * Parses @argv (--help prints and exits) and demands @operands words besides the options. FALSE
 * after it has printed what is wrong: the verb then returns EXIT_STATUS_USAGE.
 */
gboolean verb_parse(const VerbOptions *options, int argc, char ***argv, int operands);

/* Prints @error, with @json on standard output, too (docs/schemas/error.schema.json); returns its
 * exit status. */
int verb_fail(const GError *error, gboolean json);
/* Whether there are 1-CHECK_HOSTS_MAX @hosts (NULL: none), which --to names; else
 * FAULT_INVALID_ARGUMENT with @remedy. */
gboolean verb_check_destinations(char *const *hosts, const char *remedy, GError **error);
