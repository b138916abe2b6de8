/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls Varlink services over a UNIX socket or through a command's standard input and output. */
#pragma once

#include <gio/gio.h>
#include <jansson.h>

typedef struct VarlinkClient VarlinkClient; /* one connection; used by one thread at a time */

/* FAULT_DAEMON_UNAVAILABLE naming the socket. */
VarlinkClient *varlink_client_connect(const char *socket_path, GError **error);
/* The same, where the socket leads to one of host @peer, which errors name instead. */
VarlinkClient *varlink_client_connect_through(const char *socket_path, const char *peer,
                                              GError **error);
/* Runs @argv and speaks over its stdin/stdout ("ssh HOST migprep proxy network"). @peer names the
 * host in errors. Starting succeeds at once; an unreachable host shows at the first call as
 * FAULT_PEER_UNREACHABLE (or FAULT_DAEMON_UNAVAILABLE, told by the program's exit status:
 * VARLINK_PROXY_NO_DAEMON or VARLINK_PROXY_HUNG_UP), with the program's last line of standard error
 * as the cause. */
VarlinkClient *varlink_client_spawn(const char *const *argv, const char *peer, GError **error);
#define VARLINK_PROXY_NO_DAEMON 69 /* exit status of `migprep proxy` that finds no daemon */
#define VARLINK_PROXY_HUNG_UP   70 /* of one whose daemon ended before its caller did */
void varlink_client_free(VarlinkClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarlinkClient, varlink_client_free)

/* Called for every reply with continues=true. */
typedef void (*VarlinkProgress)(const json_t *parameters, void *data);

/*
 * Calls @method ("io.migprep.Network.Reserve"); @parameters is stolen. With @progress the call asks
 * for more. Returns the final parameters (owned), or NULL with the service's error turned back into
 * the Fault it was (fault_code_from_name). Blocks until the reply, @timeout_seconds (0: none) or
 * @cancellable; after a time-out or cancellation the connection is unusable.
 */
json_t *varlink_client_call(VarlinkClient *client, const char *method, json_t *parameters,
                            VarlinkProgress progress, void *data, unsigned timeout_seconds,
                            GCancellable *cancellable, GError **error);
