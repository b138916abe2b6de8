/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the sockets that try ports. */
#include "storprep/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"

static gboolean
is_loopback(const struct sockaddr *address)
{
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;

    if (address->sa_family == AF_INET)
        return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static char *
resolve(const char *name, gboolean *ret_loopback, GError **error)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char text[NI_MAXHOST];
    int status = getaddrinfo(name, NULL, &hints, &found);

    if (status == 0) {
        *ret_loopback = is_loopback(found->ai_addr);
        status = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                             NI_NUMERICHOST);
        freeaddrinfo(found);
    }
    if (status == 0)
        return g_strdup(text);
    g_autofree char *object = g_strdup_printf("host name '%s'", name);
    fault_set(error, FAULT_PEER_UNREACHABLE, object, "make the name known: DNS or /etc/hosts", "%s",
              gai_strerror(status));
    return NULL;
}

/* A socket on its way to @port; -1 if it ended at once, with errno. */
static int
start(const struct addrinfo *address, guint16 port)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_storage place = { 0 };

    if (fd < 0)
        return -1;
    memcpy(&place, address->ai_addr, address->ai_addrlen);
    if (address->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)&place)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&place)->sin_port = htons(port);
    if (connect(fd, (struct sockaddr *)&place, address->ai_addrlen) == 0 || errno == EINPROGRESS)
        return fd;
    int number = errno;
    close(fd);
    errno = number;
    return -1;
}

static ReachResult
result_of(int number)
{
    return number == 0 ? REACH_OPEN : number == ECONNREFUSED ? REACH_CLOSED : REACH_BLOCKED;
}

/* Collects the results that have come; how many are still on their way. */
static gsize
collect(struct pollfd *polled, gsize count, ReachResult *results)
{
    gsize waiting = 0;

    for (gsize i = 0; i < count; i++) {
        int number = 0;
        socklen_t length = sizeof number;

        if (polled[i].fd < 0)
            continue;
        if (!polled[i].revents) {
            waiting++;
            continue;
        }
        if (getsockopt(polled[i].fd, SOL_SOCKET, SO_ERROR, &number, &length) == 0)
            results[i] = result_of(number);
        close(polled[i].fd);
        polled[i].fd = -1; /* poll(2) passes it over */
    }
    return waiting;
}

static void
wait_for_all(struct pollfd *polled, gsize count, unsigned timeout_msec, ReachResult *results)
{
    gint64 deadline = g_get_monotonic_time() + timeout_msec * G_TIME_SPAN_MILLISECOND;
    gint64 left = timeout_msec;

    while (left > 0) {
        poll(polled, count, (int)left);
        if (collect(polled, count, results) == 0)
            break;
        left = (deadline - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND;
    }
    for (gsize i = 0; i < count; i++) {
        if (polled[i].fd >= 0)
            close(polled[i].fd);
    }
}

static void
try_ports(const char *text, const guint16 *ports, gsize count, unsigned timeout_msec,
          ReachResult *ret_results)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
    struct addrinfo *address = NULL;
    struct pollfd polled[REACH_PORTS_MAX];

    count = MIN(count, REACH_PORTS_MAX);
    if (getaddrinfo(text, NULL, &hints, &address) != 0)
        address = NULL;
    for (gsize i = 0; i < count; i++) {
        errno = 0;
        polled[i] =
            (struct pollfd) { .fd = address ? start(address, ports[i]) : -1, .events = POLLOUT };
        ret_results[i] = errno == ECONNREFUSED ? REACH_CLOSED : REACH_BLOCKED;
    }
    if (address)
        freeaddrinfo(address);
    wait_for_all(polled, count, timeout_msec, ret_results);
}

const ReachOps reach_network = { resolve, try_ports };
