/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the connections of the service: each has a process that keeps it, and one that works. */
#include "storprep/nfs/service.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storprep/image_place.h"
#include "storprep/nfs/verbs.h"

#define REQUEST_BYTES   (128 << 10)
#define REQUEST_SECONDS 5
#define STREAMS         3

/* What both sides send. */

typedef union {
    char space[CMSG_SPACE(STREAMS * sizeof(int))];
    struct cmsghdr aligned;
} Control;

static struct msghdr
message_of(struct iovec *part, Control *control)
{
    return (struct msghdr) { .msg_iov = part,
                             .msg_iovlen = 1,
                             .msg_control = control->space,
                             .msg_controllen = sizeof control->space };
}

/* The service. */

typedef struct {
    char **arguments; /* verb first */
    int streams[STREAMS];
} Request;

static void
request_clear(Request *request)
{
    g_strfreev(request->arguments);
    for (int i = 0; i < STREAMS; i++) {
        if (request->streams[i] >= 0)
            close(request->streams[i]);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)

static gboolean
is_root(int connection)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           peer.uid == geteuid();
}

/* NULL if it is no array of strings. */
static char **
read_arguments(const char *text, size_t length)
{
    json_auto_t *array = json_loadb(text, length, 0, NULL);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    size_t i;
    json_t *entry;

    json_array_foreach (array, i, entry) {
        if (!json_is_string(entry))
            return NULL;
        g_strv_builder_add(builder, json_string_value(entry));
    }
    return json_array_size(array) > 0 ? g_strv_builder_end(builder) : NULL;
}

static void
take_streams(const struct msghdr *message, int *streams)
{
    const struct cmsghdr *header = CMSG_FIRSTHDR(message);

    /* A fourth one, for which alignment leaves room, ends with this process. */
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(streams, CMSG_DATA(header),
               MIN(header->cmsg_len - CMSG_LEN(0), STREAMS * sizeof(int)));
}

static gboolean
receive(int connection, Request *request)
{
    const struct timeval patience = { .tv_sec = REQUEST_SECONDS };
    g_autofree char *text = g_malloc(REQUEST_BYTES);
    struct iovec part = { text, REQUEST_BYTES };
    Control control;
    struct msghdr message = message_of(&part, &control);
    ssize_t length;

    (void)setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    length = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    if (length <= 0)
        return FALSE;
    take_streams(&message, request->streams);
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        return FALSE;
    request->arguments = read_arguments(text, (size_t)length);
    return request->arguments && request->streams[STREAMS - 1] >= 0;
}

static gboolean
is_privileged(const char *verb)
{
    static const char *const privileged[] = { NFS_PRIVILEGED_VERBS, NULL };

    return g_strv_contains(privileged, verb);
}

/* In a session of its own, so that what it starts can be killed with it. */
static int
work(const Request *request)
{
    setsid();
    for (int i = 0; i < STREAMS; i++)
        dup2(request->streams[i], i);
    closefrom(STREAMS);
    if (!is_privileged(request->arguments[0]))
        return verb_fail("'%s' is nothing that takes this service", request->arguments[0]);
    return verb_run(request->arguments);
}

/* Whatever comes from the caller is the end of it. Then, and when the worker ends, the session is
 * killed: before reaping, since until then the number cannot belong to another one. */
static guint8
wait_for(pid_t worker, int connection)
{
    g_auto(FileDescriptor) ended = (int)syscall(SYS_pidfd_open, worker, 0);
    struct pollfd events[] = { { .fd = connection, .events = POLLIN },
                               { .fd = ended, .events = POLLIN } };
    int status = 0;

    while (ended >= 0 && poll(events, G_N_ELEMENTS(events), -1) < 0 && errno == EINTR)
        ;
    /* Not yet the leader of a session, it has started nothing. */
    if (kill(-worker, SIGKILL) < 0)
        kill(worker, SIGKILL);
    while (waitpid(worker, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? (guint8)WEXITSTATUS(status) : NFS_STATUS_FAILED;
}

static int
keep(int connection)
{
    g_auto(Request) request = { .streams = { -1, -1, -1 } };
    pid_t worker;
    guint8 status;

    if (!is_root(connection) || !receive(connection, &request))
        return NFS_STATUS_USAGE;
    worker = fork();
    if (worker == 0)
        _exit(work(&request));
    if (worker < 0)
        return verb_fail("cannot start a process: %s", g_strerror(errno));
    status = wait_for(worker, connection);
    (void)send(connection, &status, sizeof status, MSG_NOSIGNAL);
    return 0;
}

/* In the process that keeps @connection. */
static void
serve(int connection)
{
    signal(SIGCHLD, SIG_DFL);
    _exit(keep(connection));
}

int
nfs_service_run(void)
{
    signal(SIGCHLD, SIG_IGN); /* nobody asks how they ended */
    for (;;) {
        g_auto(FileDescriptor) connection = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);

        if (connection < 0 && errno != EINTR && errno != ECONNABORTED)
            return verb_fail("cannot accept connections on standard input: %s", g_strerror(errno));
        if (connection >= 0 && fork() == 0)
            serve(connection);
    }
}

/* Who asks. */

static int
connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int code = errno;
        close(fd);
        errno = code;
        fd = -1;
    }
    return fd;
}

static gboolean
send_request(int connection, char **arguments)
{
    static const int streams[STREAMS] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
    json_auto_t *array = json_array();
    g_autofree char *text = NULL;
    Control control;
    struct cmsghdr *header;

    for (char **argument = arguments; *argument; argument++)
        json_array_append_new(array, json_string(*argument));
    text = json_dumps(array, JSON_COMPACT);
    struct iovec part = { text, strlen(text) };
    struct msghdr message = message_of(&part, &control);
    header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr) { .cmsg_level = SOL_SOCKET,
                                 .cmsg_type = SCM_RIGHTS,
                                 .cmsg_len = CMSG_LEN(sizeof streams) };
    memcpy(CMSG_DATA(header), streams, sizeof streams);
    return sendmsg(connection, &message, MSG_NOSIGNAL) >= 0;
}

int
nfs_service_ask(const char *socket_path, char **arguments)
{
    g_auto(FileDescriptor) connection = connect_to(socket_path);
    guint8 status;
    ssize_t length;

    if (connection < 0 || !send_request(connection, arguments))
        return verb_fail("cannot ask storprepd-nfs.service by '%s': %s (see systemctl status "
                         "storprepd-nfs.socket storprepd-nfs.service)",
                         socket_path, g_strerror(errno));
    do
        length = recv(connection, &status, sizeof status, 0);
    while (length < 0 && errno == EINTR);
    return length > 0
               ? status
               : verb_fail("storprepd-nfs.service ended before it was done (see its journal)");
}
