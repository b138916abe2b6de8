/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One ssh connection to a host for all that is asked of it. */
#pragma once

#include <gio/gio.h>

/*
 * Theory of operation. ssh(1) can lead further sessions through a connection that is there
 * (ControlMaster): they cost neither a handshake nor a place among those that sshd accepts at once
 * (MaxStartups). The connection is opened by whoever needs it first, kept by an ssh in the
 * background, and closed at the end; should this process be killed, it closes itself after some
 * seconds without a session. A session that finds it gone connects by itself.
 * The connection also leads sockets of the host's to sockets here (LocalForward), which costs no
 * program on either side, and no session. sshd may forbid that (AllowStreamLocalForwarding): then
 * what connects there is hung up on, and a session is needed.
 */
typedef struct SshShare SshShare; /* thread-safe */

/* A socket of the host's, and how the one here is called: letters. */
typedef struct {
    const char *name, *path;
} SshForward;

/* Nothing is opened yet. @host passed host_name_check(). @forwards: of @count, kept; their strings
 * must outlive the share. Owned by the caller. */
SshShare *ssh_share_new(const char *ssh, const char *host, const SshForward *forwards, gsize count);
/* Closes the connection. No session may be needed any more. Blocks for some milliseconds. */
void ssh_share_free(SshShare *share);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SshShare, ssh_share_free)

/*
 * Opens the connection, if it is not there; others who want it meanwhile wait, and fail with who
 * tried. *ret_socket is for the option ControlPath of sessions: borrowed, NULL if each has to
 * connect by itself. FAULT_PEER_UNREACHABLE with what ssh said, FAULT_CANCELLED. Blocks for
 * SSH_SHARE_SECONDS at most.
 */
gboolean ssh_share_open(SshShare *share, GCancellable *cancellable, const char **ret_socket,
                        GError **error);

#define SSH_SHARE_SECONDS 10

/* Takes a place for a session; FALSE if all are taken: sshd allows ten (MaxSessions). */
gboolean ssh_share_enter(SshShare *share);
/* Gives it back. */
void ssh_share_leave(SshShare *share);

#define SSH_SHARE_SESSIONS 8

/* The socket here that leads to the one of this name, once the connection is open; NULL: none
 * does. Owned by the caller. */
char *ssh_share_forward(SshShare *share, const char *name);

/* Whether the connection that was opened is still there, as far as ssh knows. */
gboolean ssh_share_lives(SshShare *share);
