/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing one connection on the main loop. */
#include "common/varlink_connection.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/varlink_message.h"

/*
 * Theory of operation. While a request is unanswered (busy) nothing is read, so a client can have
 * at most one request at work and one read ahead; nor is anything taken while the client leaves
 * more than LIMIT_UNREAD_BYTES of answers unread. Answers come from any thread: they are queued
 * under the lock and a wake-up on the main loop sends them. A client that closes its sending half
 * still gets its answers; one that is gone altogether (POLLHUP) gets none, but what it sent before
 * is still taken, for the sake of one-way requests.
 */
struct VarlinkConnection {
    gint references;
    int fd;
    guint uid;
    int process;
    VarlinkLevel level;
    GMainContext *context;
    const VarlinkConnectionEvents *events;
    void *data;

    /* Main loop only. */
    VarlinkReader input;
    GSource *io; /* NULL: nothing to wait for */
    GIOCondition awaited;
    gboolean busy;
    gboolean at_end; /* nothing more will be read */

    GMutex lock;        /* guards the rest */
    GQueue output;      /* of char *, from malloc() */
    gsize output_bytes; /* queued, NULs included, and what is sent of the head too */
    gsize head_sent;
    GSource *wakeup;   /* pending; NULL: none */
    gboolean answered; /* the wake-up ends the request */
    gboolean overflown;
    gboolean gone; /* nobody reads */
    gboolean closed;
};

VarlinkConnection *
varlink_connection_ref(VarlinkConnection *connection)
{
    g_atomic_int_inc(&connection->references);
    return connection;
}

static void
clear_output(VarlinkConnection *connection)
{
    g_queue_clear_full(&connection->output, free);
    connection->output_bytes = connection->head_sent = 0;
}

void
varlink_connection_unref(VarlinkConnection *connection)
{
    if (!connection || !g_atomic_int_dec_and_test(&connection->references))
        return;
    varlink_reader_clear(&connection->input);
    clear_output(connection);
    g_mutex_clear(&connection->lock);
    g_main_context_unref(connection->context);
    g_free(connection);
}

int
varlink_connection_process(const VarlinkConnection *connection)
{
    return connection->process;
}

guint
varlink_connection_uid(const VarlinkConnection *connection)
{
    return connection->uid;
}

VarlinkLevel
varlink_connection_level(const VarlinkConnection *connection)
{
    return connection->level;
}

gboolean
varlink_connection_is_closed(VarlinkConnection *connection)
{
    g_mutex_lock(&connection->lock);
    gboolean closed = connection->gone || connection->closed;
    g_mutex_unlock(&connection->lock);
    return closed;
}

static void
drop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}

void
varlink_connection_close(VarlinkConnection *connection)
{
    if (connection->fd < 0)
        return;
    g_autoptr(VarlinkConnection) self = varlink_connection_ref(connection);
    drop_source(&self->io);
    g_mutex_lock(&self->lock);
    GSource *wakeup = g_steal_pointer(&self->wakeup);
    self->closed = TRUE;
    clear_output(self);
    g_mutex_unlock(&self->lock);
    /* Outside the lock: it holds a reference. */
    drop_source(&wakeup);
    close(self->fd);
    self->fd = -1;
    self->events->closed(self, self->data);
}

/* The oldest unsent text, NULL if all is sent. It stays queued; only the main loop removes it. */
static const char *
peek_output(VarlinkConnection *connection, gsize *ret_length)
{
    g_mutex_lock(&connection->lock);
    const char *head = g_queue_peek_head(&connection->output);
    g_mutex_unlock(&connection->lock);
    if (!head)
        return NULL;
    *ret_length = strlen(head) + 1 - connection->head_sent;
    return head + connection->head_sent;
}

static void
note_sent(VarlinkConnection *connection, gsize sent, gsize length)
{
    g_mutex_lock(&connection->lock);
    connection->head_sent += sent;
    if (sent == length) {
        connection->output_bytes -= connection->head_sent;
        connection->head_sent = 0;
        free(g_queue_pop_head(&connection->output));
    }
    g_mutex_unlock(&connection->lock);
}

static void
note_gone(VarlinkConnection *connection)
{
    g_mutex_lock(&connection->lock);
    connection->gone = TRUE;
    clear_output(connection);
    g_mutex_unlock(&connection->lock);
}

/* Sends what the socket takes. */
static void
flush(VarlinkConnection *connection)
{
    const char *text;
    gsize length;

    while ((text = peek_output(connection, &length))) {
        ssize_t sent = send(connection->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            note_sent(connection, (gsize)sent, length);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            note_gone(connection);
    }
}

/* FALSE on a broken connection. */
static gboolean
read_input(VarlinkConnection *connection)
{
    guint8 chunk[65536];
    ssize_t count = recv(connection->fd, chunk, sizeof chunk, MSG_DONTWAIT);

    if (count < 0)
        return errno == EINTR || errno == EAGAIN;
    if (count == 0)
        connection->at_end = TRUE;
    else
        varlink_reader_append(&connection->input, chunk, (gsize)count);
    return TRUE;
}

/* Hands the next message over, if it is complete. FALSE, with the reason logged: close. */
static gboolean
take_message(VarlinkConnection *connection)
{
    gsize length;

    if (varlink_reader_overflown(&connection->input)) {
        g_message("uid %u sent a message of more than %d bytes: disconnected", connection->uid,
                  LIMIT_MESSAGE_BYTES);
        return FALSE;
    }
    g_autofree char *text = varlink_reader_take(&connection->input, &length);
    if (!text)
        return TRUE;
    connection->busy = TRUE;
    if (connection->events->message(connection, text, length, connection->data))
        return TRUE;
    g_message("uid %u sent something that is no request: disconnected", connection->uid);
    return FALSE;
}

static gboolean on_io(int fd, GIOCondition condition, gpointer data);

static void
await(VarlinkConnection *connection, GIOCondition wanted)
{
    /* A peer that is gone would wake us for ever. */
    gboolean watch = wanted != 0 || !varlink_connection_is_closed(connection);

    if (watch && connection->io && connection->awaited == wanted)
        return;
    drop_source(&connection->io);
    if (!watch)
        return;
    connection->awaited = wanted;
    connection->io = g_unix_fd_source_new(connection->fd, wanted | G_IO_HUP | G_IO_ERR);
    g_source_set_callback(connection->io, G_SOURCE_FUNC(on_io), connection, NULL);
    g_source_attach(connection->io, connection->context);
}

/* Whether the client has to read before it is served again. */
static gboolean
is_held_back(VarlinkConnection *connection)
{
    g_mutex_lock(&connection->lock);
    gboolean held_back = connection->output_bytes > LIMIT_UNREAD_BYTES;
    g_mutex_unlock(&connection->lock);
    return held_back;
}

/* Does what can be done now, then waits for what may come next. */
static void
advance(VarlinkConnection *connection)
{
    gboolean held_back = is_held_back(connection);
    gsize length;

    if (!connection->busy && !held_back && !take_message(connection)) {
        varlink_connection_close(connection);
        return;
    }
    gboolean unsent = peek_output(connection, &length) != NULL;
    if (!connection->busy && connection->at_end && !unsent) {
        varlink_connection_close(connection);
        return;
    }
    gboolean reading = !connection->busy && !connection->at_end && !held_back;
    await(connection, (reading ? G_IO_IN : 0) | (unsent ? G_IO_OUT : 0));
}

static gboolean
on_io(int fd, GIOCondition condition, gpointer data)
{
    g_autoptr(VarlinkConnection) connection = varlink_connection_ref(data);
    GIOCondition ready = condition & connection->awaited;
    gboolean alive = TRUE;

    if (ready & G_IO_IN)
        alive = read_input(connection);
    else if (condition & (G_IO_HUP | G_IO_ERR))
        note_gone(connection);
    if (ready & G_IO_OUT)
        flush(connection);
    if (alive)
        advance(connection);
    else
        varlink_connection_close(connection);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_wakeup(gpointer data)
{
    g_autoptr(VarlinkConnection) connection = varlink_connection_ref(data);

    g_mutex_lock(&connection->lock);
    g_clear_pointer(&connection->wakeup, g_source_unref);
    if (connection->answered)
        connection->busy = FALSE;
    connection->answered = FALSE;
    gboolean overflown = connection->overflown;
    g_mutex_unlock(&connection->lock);

    if (overflown) {
        g_message("uid %u does not read its answers: disconnected", connection->uid);
        varlink_connection_close(connection);
    } else {
        flush(connection);
        advance(connection);
    }
    return G_SOURCE_REMOVE;
}

/* Called with the lock. */
static void
wake_up(VarlinkConnection *connection)
{
    if (connection->wakeup)
        return;
    connection->wakeup = g_idle_source_new();
    g_source_set_priority(connection->wakeup, G_PRIORITY_DEFAULT);
    g_source_set_callback(connection->wakeup, on_wakeup, varlink_connection_ref(connection),
                          (GDestroyNotify)varlink_connection_unref);
    g_source_attach(connection->wakeup, connection->context);
}

void
varlink_connection_send(VarlinkConnection *connection, char *text, gboolean final)
{
    gsize length = text ? strlen(text) + 1 : 0;

    g_mutex_lock(&connection->lock);
    if (connection->output_bytes + length > LIMIT_OUTPUT_BYTES)
        connection->overflown = TRUE;
    if (text && !connection->gone && !connection->closed && !connection->overflown) {
        connection->output_bytes += length;
        g_queue_push_tail(&connection->output, g_steal_pointer(&text));
    }
    connection->answered |= final;
    if (!connection->closed)
        wake_up(connection);
    g_mutex_unlock(&connection->lock);
    free(text);
}

void
varlink_connection_finish(VarlinkConnection *connection)
{
    varlink_reader_clear(&connection->input);
    connection->at_end = TRUE;
}

static int
read_process(int fd)
{
    struct ucred peer = { 0 };
    socklen_t length = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

VarlinkConnection *
varlink_connection_new(int fd, guint uid, VarlinkLevel level, const VarlinkConnectionEvents *events,
                       void *data)
{
    VarlinkConnection *connection = g_new0(VarlinkConnection, 1);

    connection->references = 1;
    connection->fd = fd;
    connection->uid = uid;
    connection->process = read_process(fd);
    connection->level = level;
    connection->context = g_main_context_ref_thread_default();
    connection->events = events;
    connection->data = data;
    g_mutex_init(&connection->lock);
    g_queue_init(&connection->output);
    await(connection, G_IO_IN);
    return connection;
}
