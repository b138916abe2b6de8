/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/varlink_connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib-unix.h>

#include "common/limits.h"

struct VarlinkConnection {
    gint references;
    int fd; /* -1 when closed */
    guint uid;
    const VarlinkConnectionEvents *events;
    void *data;
    GByteArray *input;
    gsize scanned; /* bytes of input known to hold no NUL */
    GByteArray *output;
    guint read_source, write_source;
    gboolean busy;      /* a message was handed over and not answered yet */
    gboolean finishing; /* closes when the output is empty */
    gboolean ended;     /* the client sends no more */
};

static void take_message(VarlinkConnection *connection);

VarlinkConnection *
varlink_connection_ref(VarlinkConnection *connection)
{
    g_atomic_int_inc(&connection->references);
    return connection;
}

void
varlink_connection_unref(VarlinkConnection *connection)
{
    if (!g_atomic_int_dec_and_test(&connection->references))
        return;
    g_byte_array_unref(connection->input);
    g_byte_array_unref(connection->output);
    g_free(connection);
}

guint
varlink_connection_uid(const VarlinkConnection *connection)
{
    return connection->uid;
}

void *
varlink_connection_data(const VarlinkConnection *connection)
{
    return connection->data;
}

static void
stop_source(guint *source)
{
    if (*source)
        g_source_remove(*source);
    *source = 0;
}

void
varlink_connection_close(VarlinkConnection *connection)
{
    if (connection->fd < 0)
        return;
    stop_source(&connection->read_source);
    stop_source(&connection->write_source);
    close(connection->fd);
    connection->fd = -1;
    connection->events->closed(connection, connection->data);
}

static gboolean
on_readable(gint fd, GIOCondition condition, gpointer data)
{
    VarlinkConnection *connection = data;
    guint8 buffer[16384];
    ssize_t length = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (length < 0) {
        varlink_connection_close(connection);
        return G_SOURCE_REMOVE;
    }
    if (length == 0) {
        /* It may have shut down only its sending side and wait for the answer. */
        connection->ended = TRUE;
        connection->read_source = 0;
        if (!connection->busy)
            varlink_connection_finish(connection);
        return G_SOURCE_REMOVE;
    }
    g_byte_array_append(connection->input, buffer, (guint)length);
    take_message(connection);
    return G_SOURCE_CONTINUE;
}

/* Reads on only while there is room: a client that sends faster than it is served has to wait. */
static void
update_reading(VarlinkConnection *connection)
{
    gboolean wanted = connection->fd >= 0 && !connection->ended && !connection->finishing &&
                      connection->input->len <= LIMIT_MESSAGE_BYTES;

    if (wanted && !connection->read_source)
        connection->read_source =
            g_unix_fd_add(connection->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, connection);
    else if (!wanted)
        stop_source(&connection->read_source);
}

/* Hands the first whole message over, if there is one and none is being answered. */
static void
take_message(VarlinkConnection *connection)
{
    if (connection->busy || connection->fd < 0 || connection->finishing)
        return update_reading(connection);

    GByteArray *input = connection->input;
    const guint8 *end = NULL;
    if (input->len > connection->scanned)
        end = memchr(input->data + connection->scanned, 0, input->len - connection->scanned);
    gsize length = end ? (gsize)(end - input->data) : input->len;
    if (length > LIMIT_MESSAGE_BYTES) {
        g_warning("client with uid %u sent more than %d bytes in one message", connection->uid,
                  LIMIT_MESSAGE_BYTES);
        return varlink_connection_close(connection);
    }
    if (!end) {
        connection->scanned = input->len;
        if (connection->ended)
            return varlink_connection_finish(connection);
        return update_reading(connection);
    }
    g_autofree char *text = g_strdup((const char *)input->data);
    g_byte_array_remove_range(input, 0, (guint)length + 1);
    connection->scanned = 0;
    connection->busy = TRUE;
    update_reading(connection);
    connection->events->message(connection, text, connection->data);
}

static gboolean
on_next(gpointer data)
{
    take_message(data);
    return G_SOURCE_REMOVE;
}

void
varlink_connection_next(VarlinkConnection *connection)
{
    connection->busy = FALSE;
    /* Not at once: a flood of calls that are answered at once must not nest nor starve others. */
    g_idle_add_full(G_PRIORITY_DEFAULT, on_next, varlink_connection_ref(connection),
                    (GDestroyNotify)varlink_connection_unref);
}

/* Writes what the socket takes. FALSE when the connection is closed. */
static gboolean
flush(VarlinkConnection *connection)
{
    GByteArray *output = connection->output;

    while (output->len > 0) {
        ssize_t length =
            send(connection->fd, output->data, output->len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == EAGAIN)
            return TRUE;
        if (length < 0) {
            varlink_connection_close(connection);
            return FALSE;
        }
        g_byte_array_remove_range(output, 0, (guint)length);
    }
    if (!connection->finishing)
        return TRUE;
    varlink_connection_close(connection);
    return FALSE;
}

static gboolean
on_writable(gint fd, GIOCondition condition, gpointer data)
{
    VarlinkConnection *connection = varlink_connection_ref(data);
    gboolean more = flush(connection) && connection->output->len > 0;

    if (!more)
        connection->write_source = 0;
    varlink_connection_unref(connection);
    return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void
varlink_connection_send(VarlinkConnection *connection, const char *text)
{
    if (connection->fd < 0)
        return;
    g_byte_array_append(connection->output, (const guint8 *)text, (guint)strlen(text) + 1);
    if (connection->write_source == 0 && !flush(connection))
        return;
    if (connection->output->len > LIMIT_OUTPUT_BYTES) {
        g_warning("client with uid %u does not read its replies", connection->uid);
        varlink_connection_close(connection);
    } else if (connection->output->len > 0 && connection->write_source == 0) {
        connection->write_source = g_unix_fd_add(connection->fd, G_IO_OUT, on_writable, connection);
    }
}

void
varlink_connection_finish(VarlinkConnection *connection)
{
    if (connection->fd < 0)
        return;
    connection->finishing = TRUE;
    update_reading(connection);
    if (connection->output->len == 0)
        varlink_connection_close(connection);
}

VarlinkConnection *
varlink_connection_new(int fd, guint uid, const VarlinkConnectionEvents *events, void *data)
{
    VarlinkConnection *connection = g_new0(VarlinkConnection, 1);

    connection->references = 1;
    connection->fd = fd;
    connection->uid = uid;
    connection->events = events;
    connection->data = data;
    connection->input = g_byte_array_new();
    connection->output = g_byte_array_new();
    update_reading(connection);
    return connection;
}
