/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the way of an image's bytes to another host: one end of a socket pair for whoever speaks
 * NBD, the other one for ssh. */
#include "storprep/image_tunnel.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "common/program.h"
#include "common/ssh_command.h"

#define GREETING         "NBDMAGIC" /* docs/proto.md of NBD, handshake phase */
#define GREETING_SECONDS 30
#define COMPLAINT_BYTES  2048

gboolean
image_tunnel_check(const char *socket, GError **error)
{
    gboolean plain = socket[0] == '/' && strlen(socket) <= LIMIT_NAME_BYTES;

    for (const char *c = socket; *c && plain; c++)
        plain = g_ascii_isalnum(*c) || strchr("/._-", *c) != NULL;
    if (plain)
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "socket", "pass on what OpenTargets gives",
              "it is no absolute path of letters, digits, '.', '_' and '-'");
    return FALSE;
}

static gboolean
start(const ImageAddress *address, ImageTunnel *tunnel, GError **error)
{
    const char *remote[] = { "migprep", "proxy", "storage", "--socket", address->socket, NULL };
    g_auto(GStrv) command = ssh_command(address->ssh, NULL, address->host, remote);
    int pair[2] = { -1, -1 }, errors[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
        pipe2(errors, O_CLOEXEC) < 0) {
        fault_set(error, FAULT_INTERNAL, "socket pair", NULL, "%s", g_strerror(errno));
        for (gsize i = 0; i < G_N_ELEMENTS(pair); i++) {
            if (pair[i] >= 0)
                close(pair[i]);
        }
        return FALSE;
    }
    gboolean started =
        child_start((const char *const *)command, program_environment(),
                    (const int[]) { pair[1], pair[1], errors[1] }, &tunnel->child, error);
    close(pair[1]);
    close(errors[1]);
    g_unix_set_fd_nonblocking(errors[0], TRUE, NULL);
    tunnel->fd = pair[0];
    tunnel->errors = errors[0];
    if (!started) {
        close(tunnel->fd);
        close(tunnel->errors);
    }
    return started;
}

/* Something to read, the end, or time is up; FALSE with @error if somebody changes his mind. */
static gboolean
wait_for_bytes(const ImageTunnel *tunnel, GCancellable *cancellable, GError **error)
{
    GPollFD cancel = { .fd = -1 };
    gboolean has_cancel_fd = g_cancellable_make_pollfd(cancellable, &cancel);
    struct pollfd fds[] = { { .fd = tunnel->fd, .events = POLLIN },
                            { .fd = cancel.fd, .events = POLLIN } };

    while (poll(fds, G_N_ELEMENTS(fds), GREETING_SECONDS * 1000) < 0 && errno == EINTR)
        ;
    if (has_cancel_fd)
        g_cancellable_release_fd(cancellable);
    if (!g_cancellable_is_cancelled(cancellable))
        return TRUE;
    fault_set(error, FAULT_CANCELLED, "connection", NULL, "cancelled while it was made");
    return FALSE;
}

static gboolean
await_greeting(const ImageTunnel *tunnel, const ImageAddress *address, GCancellable *cancellable,
               GError **error)
{
    g_autofree char *object = g_strdup_printf("host '%s'", address->host);
    char bytes[sizeof GREETING - 1];

    if (!wait_for_bytes(tunnel, cancellable, error))
        return FALSE;
    ssize_t count = recv(tunnel->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0 && memcmp(bytes, GREETING, (size_t)count) == 0)
        return TRUE;
    if (count < 0 && errno == EAGAIN) {
        fault_set(error, FAULT_TIMED_OUT, object, "see that root can reach it by ssh",
                  "it did not serve the image within %d s", GREETING_SECONDS);
        return FALSE;
    }
    g_autofree char *complaint = image_tunnel_complaint(tunnel);
    fault_set(error, FAULT_PEER_UNREACHABLE, object,
              "see that 'ssh HOST migprep proxy storage' works for root on this host",
              "the image that it is to take cannot be reached: %s",
              *complaint ? complaint : "the connection ended at once");
    return FALSE;
}

gboolean
image_tunnel_open(const ImageAddress *address, GCancellable *cancellable, ImageTunnel *ret_tunnel,
                  GError **error)
{
    ImageTunnel tunnel;

    if (!start(address, &tunnel, error))
        return FALSE;
    if (!await_greeting(&tunnel, address, cancellable, error)) {
        image_tunnel_close(&tunnel);
        return FALSE;
    }
    *ret_tunnel = tunnel;
    return TRUE;
}

void
image_tunnel_close(ImageTunnel *tunnel)
{
    close(tunnel->fd);
    child_end(&tunnel->child);
    close(tunnel->errors);
}

char *
image_tunnel_complaint(const ImageTunnel *tunnel)
{
    char text[COMPLAINT_BYTES];
    ssize_t count = read(tunnel->errors, text, sizeof text);
    g_autofree char *said = count > 0 ? g_strndup(text, (gsize)count) : g_strdup("");

    return g_utf8_make_valid(g_strstrip(said), -1);
}
