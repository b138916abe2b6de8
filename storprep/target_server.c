/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the qemu-nbd processes, from their start to their end. */
#include "storprep/target_server.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/child.h"
#include "common/fault.h"
#include "common/program.h"
#include "storprep/target_files.h"

#define GREETING        "NBDMAGIC" /* docs/proto.md of NBD, handshake phase */
#define START_USEC      (20 * G_USEC_PER_SEC)
#define LOOK_MSEC       10    /* there is no event for a socket that begins to listen */
#define END_MSEC        30000 /* it may have to write first */
#define COMPLAINT_BYTES 2048
#define SUFFIX          ".nbd"

typedef struct {
    char *lease;
    char *path;
    char *socket;
    guint64 bytes; /* of the disk */
    Child child;
    int errors; /* what it complains about */
} TargetServer;

struct TargetServers {
    char *directory;
    GMutex lock;
    GPtrArray *running; /* of TargetServer * */
};

/* Asks it to end, so that it writes what it holds; only then it is killed. */
static void
server_free(void *data)
{
    TargetServer *server = data;
    struct pollfd ended = { .fd = server->child.pidfd, .events = POLLIN };

    kill(server->child.pid, SIGTERM);
    while (poll(&ended, 1, END_MSEC) < 0 && errno == EINTR)
        ;
    child_end(&server->child);
    close(server->errors);
    (void)g_unlink(server->socket);
    g_free(server->lease);
    g_free(server->path);
    g_free(server->socket);
    g_free(server);
}

static void
remove_old_sockets(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        if (g_str_has_suffix(name, SUFFIX))
            (void)g_unlink(path);
    }
}

TargetServers *
target_servers_new(const char *directory)
{
    TargetServers *servers = g_new0(TargetServers, 1);

    servers->directory = g_strdup(directory);
    servers->running = g_ptr_array_new_with_free_func(server_free);
    g_mutex_init(&servers->lock);
    if (g_mkdir_with_parents(directory, 0700) < 0)
        g_warning("'%s': cannot make it, so no disk can be received: %s", directory,
                  g_strerror(errno));
    remove_old_sockets(directory);
    return servers;
}

void
target_servers_free(TargetServers *servers)
{
    if (!servers)
        return;
    g_ptr_array_unref(servers->running);
    g_mutex_clear(&servers->lock);
    g_free(servers->directory);
    g_free(servers);
}

static gboolean
set_start_fault(const TargetServer *server, FaultCode code, const char *cause, GError **error)
{
    g_autofree char *object = g_strdup_printf("target '%s'", server->path);
    char text[COMPLAINT_BYTES];
    ssize_t count = read(server->errors, text, sizeof text);
    g_autofree char *said = count > 0 ? g_strndup(text, (gsize)count) : g_strdup("");

    fault_set(error, code, object, "see that qemu-nbd is installed and who else uses the file",
              "it cannot be served: %s", *g_strstrip(said) ? said : cause);
    return FALSE;
}

/* Whether a server answers there: it greets only once the image is open. */
static gboolean
is_greeting(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = { .tv_sec = START_USEC / G_USEC_PER_SEC };
    char bytes[sizeof GREETING - 1];
    ssize_t count = -1;

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        count = recv(fd, bytes, sizeof bytes, MSG_WAITALL);
    if (fd >= 0)
        close(fd);
    return count == sizeof bytes && memcmp(bytes, GREETING, sizeof bytes) == 0;
}

static gboolean
await_greeting(const TargetServer *server, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + START_USEC;
    struct pollfd ended = { .fd = server->child.pidfd, .events = POLLIN };

    while (!is_greeting(server->socket)) {
        if (poll(&ended, 1, LOOK_MSEC) > 0)
            return set_start_fault(server, FAULT_PROGRAM_FAILED, "qemu-nbd ended", error);
        if (g_get_monotonic_time() > deadline)
            return set_start_fault(server, FAULT_TIMED_OUT, "qemu-nbd does not answer", error);
    }
    return TRUE;
}

/* Persistent: connections come and go, whoever knows that all is done ends it. Two at once, as one
 * that is ending may still count. */
static gboolean
spawn(TargetServer *server, const char *format, int file, GError **error)
{
    g_autofree char *format_option = g_strconcat("--format=", format, NULL);
    g_autofree char *socket_option = g_strconcat("--socket=", server->socket, NULL);
    g_autofree char *image = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), file);
    const char *argv[] = { "qemu-nbd",    "--persistent", "--shared=2", "--discard=unmap",
                           format_option, socket_option,  image,        NULL };
    int errors[2], nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    gboolean started = FALSE;

    if (nothing >= 0 && g_unix_open_pipe(errors, FD_CLOEXEC, error)) {
        g_unix_set_fd_nonblocking(errors[0], TRUE, NULL);
        started = child_start(argv, program_environment(),
                              (const int[]) { nothing, nothing, errors[1] }, &server->child, error);
        close(errors[1]);
        server->errors = errors[0];
        if (!started)
            close(errors[0]);
    }
    if (nothing >= 0)
        close(nothing);
    return started;
}

static TargetServer *
start(const TargetServers *servers, const Lease *lease, const LeaseAsset *asset, GError **error)
{
    const ImageShape shape = target_asset_recipe(asset).shape;
    g_auto(FileDescriptor) file = -1;
    TargetServer *server;

    if (!target_file_open(asset, &file, error))
        return NULL;
    server = g_new0(TargetServer, 1);
    server->lease = g_strdup(lease->id);
    server->path = g_strdup(asset->key);
    server->socket =
        g_strdup_printf("%s/%08x%08x" SUFFIX, servers->directory, g_random_int(), g_random_int());
    server->bytes = shape.virtual_size_bytes;
    if (!spawn(server, image_format_name(shape.format), file, error)) {
        g_free(server->lease);
        g_free(server->path);
        g_free(server->socket);
        g_free(server);
        return NULL;
    }
    if (await_greeting(server, error))
        return server;
    server_free(server);
    return NULL;
}

static const TargetServer *
find_locked(const TargetServers *servers, const char *lease, const char *path)
{
    for (guint i = 0; i < servers->running->len; i++) {
        const TargetServer *server = servers->running->pdata[i];

        if (g_str_equal(server->lease, lease) && g_str_equal(server->path, path))
            return server;
    }
    return NULL;
}

static void
end_locked(const TargetServers *servers, const char *id)
{
    for (guint i = servers->running->len; i-- > 0;) {
        const TargetServer *server = servers->running->pdata[i];

        if (g_str_equal(server->lease, id))
            g_ptr_array_remove_index(servers->running, i);
    }
}

static json_t *
open_locked(const TargetServers *servers, const Lease *lease, GError **error)
{
    json_auto_t *records = json_array();

    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        const TargetServer *server = find_locked(servers, lease->id, asset->key);

        if (!server) {
            TargetServer *started = start(servers, lease, asset, error);

            if (!started)
                return NULL;
            g_ptr_array_add(servers->running, started);
            server = started;
        }
        json_array_append_new(records, json_pack("{s:s, s:s, s:I}", "path", server->path, "socket",
                                                 server->socket, "virtualSizeBytes",
                                                 (json_int_t)server->bytes));
    }
    return json_incref(records);
}

json_t *
target_servers_open(TargetServers *servers, const Lease *lease, GError **error)
{
    g_mutex_lock(&servers->lock);
    json_t *records = open_locked(servers, lease, error);
    if (!records)
        end_locked(servers, lease->id);
    g_mutex_unlock(&servers->lock);
    return records;
}

void
target_servers_end(TargetServers *servers, const char *id)
{
    g_mutex_lock(&servers->lock);
    end_locked(servers, id);
    g_mutex_unlock(&servers->lock);
}
