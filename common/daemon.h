/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What both daemons' main() share: options, logging, socket activation, signals, watchdog, loop. */
#pragma once

#include "common/config.h"
#include "common/job.h"
#include "common/varlink_server.h"

typedef struct {
    const char *name;        /* "netprepd" */
    const char *summary;     /* one line for --help */
    const char *socket_path; /* default socket when not socket-activated */
    const char *state_path;  /* default database, "/var/lib/netprep/leases.db" */
    /* Builds the daemon on the main thread and adds its interface to @server; NULL with @error if
     * it cannot serve at all. */
    void *(*start)(VarlinkServer *server, const Config *config, const char *state_path,
                   const char *hypervisor_uri, GError **error);
    void (*stop)(void *self);
} Daemon;

/*
 * Runs until SIGTERM or SIGINT; returns the exit status (0, 1 failure, 2 usage). Options: --help
 * --version --socket PATH --monitor-socket PATH --state PATH --config PATH --connect URI --verbose.
 * Sends READY=1 and WATCHDOG=1 from the main loop, so a blocked loop is noticed by systemd.
 */
int daemon_main(const Daemon *daemon, int argc, char **argv);
