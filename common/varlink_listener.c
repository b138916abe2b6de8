/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Binding a UNIX socket and accepting connections on the main loop. */
#include "common/varlink_listener.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/fault.h"

#define BACKLOG        4096 /* as systemd asks for; the kernel may allow less (somaxconn) */
#define ACCEPTED_MAX   64   /* at once: then it is the turn of those that are connected */
#define PAUSE_MSEC     1000
#define CREATED_MODE   0660
#define ACCEPTED_FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)

struct VarlinkListener {
    int fd;
    char *path; /* to remove in the end; NULL: none */
    GSource *source;
    GMainContext *context;
    VarlinkAccept accepted;
    void *data;
};

static gboolean on_connection(int fd, GIOCondition condition, gpointer data);

static void
drop_source(VarlinkListener *listener)
{
    if (listener->source) {
        g_source_destroy(listener->source);
        g_source_unref(listener->source);
    }
    listener->source = NULL;
}

static void
watch(VarlinkListener *listener)
{
    drop_source(listener);
    listener->source = g_unix_fd_source_new(listener->fd, G_IO_IN);
    g_source_set_callback(listener->source, G_SOURCE_FUNC(on_connection), listener, NULL);
    g_source_attach(listener->source, listener->context);
}

static gboolean
on_pause_over(gpointer data)
{
    watch(data);
    return G_SOURCE_REMOVE;
}

/* The connection that could not be accepted stays in the queue and would wake us at once. */
static void
pause_accepting(VarlinkListener *listener, int code)
{
    g_warning("cannot accept a connection: %s; trying again in %d ms", g_strerror(code),
              PAUSE_MSEC);
    drop_source(listener);
    listener->source = g_timeout_source_new(PAUSE_MSEC);
    g_source_set_callback(listener->source, on_pause_over, listener, NULL);
    g_source_attach(listener->source, listener->context);
}

/* Many at a time, as somebody who connects without end must not keep others in the queue. */
static gboolean
on_connection(int fd, GIOCondition condition, gpointer data)
{
    VarlinkListener *listener = data;
    int connection = 0;

    for (unsigned i = 0; i < ACCEPTED_MAX && connection >= 0; i++) {
        connection = accept4(fd, NULL, NULL, ACCEPTED_FLAGS);
        if (connection >= 0)
            listener->accepted(connection, listener->data);
    }
    if (connection < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        pause_accepting(listener, errno);
    return G_SOURCE_CONTINUE;
}

static VarlinkListener *
listener_new(int fd, const char *path, VarlinkAccept accepted, void *data)
{
    VarlinkListener *listener = g_new0(VarlinkListener, 1);

    listener->fd = fd;
    listener->path = g_strdup(path);
    listener->context = g_main_context_ref_thread_default();
    listener->accepted = accepted;
    listener->data = data;
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    watch(listener);
    return listener;
}

static gboolean
refuse(GError **error, const char *path, const char *remedy, const char *cause)
{
    g_autofree char *object = g_strdup_printf("socket %s", path);

    fault_set(error, FAULT_INVALID_ARGUMENT, object, remedy, "%s", cause);
    return FALSE;
}

static gboolean
fill_address(const char *path, struct sockaddr_un *ret_address, GError **error)
{
    *ret_address = (struct sockaddr_un) { .sun_family = AF_UNIX };
    if (g_strlcpy(ret_address->sun_path, path, sizeof ret_address->sun_path) >=
        sizeof ret_address->sun_path)
        return refuse(error, path, "choose a shorter path", "too long for a socket");
    return TRUE;
}

static gboolean
somebody_listens(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | ACCEPTED_FLAGS, 0);
    int result = connect(fd, (const struct sockaddr *)address, sizeof *address);
    gboolean refused = result < 0 && (errno == ECONNREFUSED || errno == ENOENT);

    if (fd >= 0)
        close(fd);
    return !refused;
}

/* Only a socket is ever removed, and only one that nobody listens on. */
static gboolean
clear_path(const struct sockaddr_un *address, GError **error)
{
    const char *path = address->sun_path;
    struct stat status;

    if (lstat(path, &status) < 0)
        return TRUE;
    if (!S_ISSOCK(status.st_mode))
        return refuse(error, path, "remove it or choose another path", "not a socket");
    if (somebody_listens(address))
        return refuse(error, path, "stop the other daemon or choose another path",
                      "somebody listens there");
    unlink(path);
    return TRUE;
}

/* Nobody can connect before listen(), by when mode and group are right. */
static gboolean
bind_and_listen(int fd, const struct sockaddr_un *address, gid_t group)
{
    return bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
           chmod(address->sun_path, CREATED_MODE) == 0 &&
           (group == (gid_t)-1 || chown(address->sun_path, (uid_t)-1, group) == 0) &&
           listen(fd, BACKLOG) == 0;
}

VarlinkListener *
varlink_listener_bind(const char *path, gid_t group, VarlinkAccept accepted, void *data,
                      GError **error)
{
    struct sockaddr_un address;

    if (!fill_address(path, &address, error) || !clear_path(&address, error))
        return NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | ACCEPTED_FLAGS, 0);
    if (fd >= 0 && bind_and_listen(fd, &address, group))
        return listener_new(fd, path, accepted, data);
    refuse(error, path, "create its directory, or start the unit's socket", g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

VarlinkListener *
varlink_listener_adopt(int fd, VarlinkAccept accepted, void *data, GError **error)
{
    if (sd_is_socket_unix(fd, SOCK_STREAM, TRUE, NULL, 0) <= 0) {
        g_autofree char *name = g_strdup_printf("descriptor %d", fd);
        refuse(error, name, "see ListenStream= in the unit's socket",
               "not a listening UNIX stream socket");
        return NULL;
    }
    return listener_new(fd, NULL, accepted, data);
}

void
varlink_listener_free(VarlinkListener *listener)
{
    drop_source(listener);
    close(listener->fd);
    if (listener->path)
        unlink(listener->path);
    g_free(listener->path);
    g_main_context_unref(listener->context);
    g_free(listener);
}
