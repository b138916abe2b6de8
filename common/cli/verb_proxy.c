/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep proxy`: joins standard input and output to a daemon's socket, for ssh. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cli/exit_status.h"
#include "common/cli/verb.h"

/*
 * Theory of operation. One thread copies input to the socket and shuts the socket's writing side at
 * the end of input; the daemon may still answer. The main thread copies answers to output and
 * watches output while it waits: when ssh dies, its end of output closes, and nothing must stay
 * behind holding a connection, however long the daemon's current call takes.
 */

static gboolean
write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return FALSE;
        bytes += written;
        length -= (size_t)written;
    }
    return TRUE;
}

/* FALSE at the end of @from or when @to is closed. */
static gboolean
copy_some(int from, int to)
{
    char buffer[16384];
    ssize_t got;

    do
        got = read(from, buffer, sizeof buffer);
    while (got < 0 && errno == EINTR);
    return got > 0 && write_all(to, buffer, (size_t)got);
}

/* Counted: the thread may still read, or just have ended, when the process ends. */
typedef struct {
    int fd;
    int ended; /* atomic: the caller said all that it had to say */
} Input;

static void *
copy_input(void *data)
{
    Input *input = data;

    while (copy_some(STDIN_FILENO, input->fd))
        ;
    g_atomic_int_set(&input->ended, TRUE);
    shutdown(input->fd, SHUT_WR);
    g_atomic_rc_box_release(input);
    return NULL;
}

/* Until the daemon hangs up (TRUE) or nobody reads the output any more. */
static gboolean
copy_output(int fd)
{
    struct pollfd ends[] = { { .fd = fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };

    for (;;) {
        if (poll(ends, G_N_ELEMENTS(ends), -1) < 0 && errno != EINTR)
            return FALSE;
        if (ends[1].revents)
            return FALSE;
        if (ends[0].revents && !copy_some(fd, STDOUT_FILENO))
            return TRUE;
    }
}

static int
connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

static int
join(Service service, const char *socket_path)
{
    const char *path = socket_path ? socket_path : service_socket(service);
    int fd = connect_to(path);

    if (fd < 0) {
        int reason = errno;
        fprintf(stderr, "migprep: %s: cannot connect to %s: %s%s\n", service_daemon(service), path,
                g_strerror(reason),
                reason == EACCES ? " (only root and the group migprep may)" : "");
        return VARLINK_PROXY_NO_DAEMON;
    }
    Input *input = g_atomic_rc_box_new0(Input);
    input->fd = fd;
    g_thread_unref(g_thread_new("input", copy_input, g_atomic_rc_box_acquire(input)));
    gboolean hung_up = copy_output(fd) && !g_atomic_int_get(&input->ended);
    g_atomic_rc_box_release(input);
    if (!hung_up)
        return EXIT_STATUS_OK;
    fprintf(stderr, "migprep: %s: it closed the connection before it answered\n",
            service_daemon(service));
    return VARLINK_PROXY_HUNG_UP;
}

static const char statuses[] = "Exit status:\n"
                               "  0 the caller has said all\n"
                               "  2 wrong usage\n"
                               "  69 there is no daemon\n"
                               "  70 the daemon hung up\n";

static int
run(int argc, char **argv)
{
    g_autofree char *socket_path = NULL;
    const GOptionEntry entries[] = {
        { "socket", 0, 0, G_OPTION_ARG_FILENAME, &socket_path, "the daemon's socket", "PATH" },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "network|storage",
        .summary = "Joins standard input and output to netprepd's or storprepd's socket. Other\n"
                   "hosts run this through ssh.",
        .examples = "Example:\n  ssh host2 migprep proxy network\n",
        .entries = entries,
        .statuses = statuses,
    };
    Service service;

    if (!verb_parse(&options, argc, &argv, 1))
        return EXIT_STATUS_USAGE;
    if (!service_from_name(argv[1], &service)) {
        fprintf(stderr, "migprep: '%s': no such service; say network or storage\n", argv[1]);
        return EXIT_STATUS_USAGE;
    }
    return join(service, socket_path);
}

const Verb verb_proxy = { "proxy", "join standard input and output to a daemon (for ssh)", run };
