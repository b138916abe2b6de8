/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what is said to ssh's control socket, as PROTOCOL.mux of OpenSSH has it. */
#include "common/cli/ssh_master.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>

/* Each message: its length, its type, and its words, as 32 bits in network order. */
static const guint8 farewell[] = {
    0, 0, 0, 8, 0,    0, 0, 1, 0, 0, 0, 4, /* hello, version 4 */
    0, 0, 0, 8, 0x10, 0, 0, 5, 0, 0, 0, 1, /* terminate, request 1 */
};

static GSocket *
connect_to(const char *path)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

    if (!socket || !g_socket_connect(socket, address, NULL, NULL))
        return NULL;
    return g_steal_pointer(&socket);
}

/* Its answers say nothing that its end does not say. */
static void
await_end(GSocket *socket)
{
    gint64 deadline = g_get_monotonic_time() + SSH_MASTER_END_MSEC * G_TIME_SPAN_MILLISECOND;
    char answer[256];
    gint64 left;

    while ((left = deadline - g_get_monotonic_time()) > 0 &&
           g_socket_condition_timed_wait(socket, G_IO_IN, left, NULL, NULL) &&
           g_socket_receive(socket, answer, sizeof answer, NULL, NULL) > 0)
        ;
}

void
ssh_master_end(const char *socket)
{
    g_autoptr(GSocket) connection = connect_to(socket);

    if (connection && g_socket_send(connection, (const char *)farewell, sizeof farewell, NULL,
                                    NULL) == (gssize)sizeof farewell)
        await_end(connection);
}

gboolean
ssh_master_listens(const char *socket)
{
    g_autoptr(GSocket) connection = connect_to(socket);

    return connection != NULL;
}
