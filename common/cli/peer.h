/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host's two daemons as callers see them, whether behind local sockets or behind ssh. */
#pragma once

#include <gio/gio.h>
#include <jansson.h>

#include "common/varlink_client.h"

typedef enum {
    SERVICE_NETWORK,
    SERVICE_STORAGE,
} Service;
#define SERVICE_COUNT 2

const char *service_daemon(Service service);    /* "netprepd" */
const char *service_interface(Service service); /* "io.migprep.Network" */
const char *service_socket(Service service);    /* where its daemon listens by default */
/* "network" | "storage", as `migprep proxy` takes it; FALSE if it is neither. */
gboolean service_from_name(const char *name, Service *ret_service);

/* One call. Members left out are zero: no progress, no time limit, not cancellable. */
typedef struct {
    Service service;
    const char *method; /* "Reserve" */
    json_t *parameters; /* stolen by peer_call() */
    VarlinkProgress progress;
    void *data;
    unsigned timeout_seconds;
    GCancellable *cancellable;
} PeerCall;

/* Daemons answer a short call from what they know and from libvirt, which may be slow. */
#define PEER_CALL_SECONDS 120

typedef struct {
    json_t *(*call)(void *self, const PeerCall *call, GError **error);
    void (*prepare)(void *self, Service service, GCancellable *cancellable); /* may be NULL */
    void (*free)(void *self);
} PeerOps;

typedef struct Peer Peer;

/* @self is freed by ops->free. @host names it in reports. */
Peer *peer_new(const char *host, const PeerOps *ops, void *self);
/* This host, through its sockets; NULL: the default one. */
Peer *peer_new_local(const char *network_socket, const char *storage_socket);
/* Another host, through sockets that @ssh forwards, or `SSH HOST migprep proxy network|storage`.
 * @host passed host_name_check(). */
Peer *peer_new_remote(const char *host, const char *ssh);
void peer_free(Peer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_free)

/* The host's name, as in messages. Borrowed. */
const char *peer_host(const Peer *peer);

/*
 * Makes @call and returns the final reply (owned), or NULL with the daemon's Fault; for a remote
 * host its object says on which one. Blocks. Thread-safe: concurrent calls use connections of
 * their own, which are kept for later calls; those to one host share an ssh. A kept connection that
 * turns out to be dead before anything was answered is replaced once.
 */
json_t *peer_call(Peer *peer, const PeerCall *call, GError **error);

/* Opens a connection for the next call to @service, unless one is open that nobody uses. What fails
 * shows at that call. Blocks until ssh to a remote host is there; does not wait for the daemon. */
void peer_prepare(Peer *peer, Service service, GCancellable *cancellable);

/* The command that reaches @service on @host, through the connection at the socket @shared (NULL:
 * one of its own): NULL-terminated, owned. */
char **peer_ssh_command(const char *ssh, const char *host, Service service, const char *shared);
