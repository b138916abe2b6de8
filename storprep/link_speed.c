/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the question which network device leads to a host, and how fast it is. */
#include "storprep/link_speed.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gio.h>

#define CLASS_DIRECTORY "/sys/class/net"
#define DISCARD_PORT    9

char *
link_speed_host(const char *uri)
{
    g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_NONE, NULL);

    return parsed ? g_strdup(g_uri_get_host(parsed)) : NULL;
}

unsigned
link_speed_of_device(const char *class_directory, const char *name)
{
    g_autofree char *path = g_build_filename(class_directory, name, "speed", NULL);
    g_autofree char *text = NULL;
    guint64 megabits;

    /* -1, or an error on reading, is how a device without a link or without a speed answers. */
    if (!g_file_get_contents(path, &text, NULL, NULL) ||
        !g_ascii_string_to_unsigned(g_strstrip(text), 10, 0, G_MAXINT32, &megabits, NULL))
        return 0;
    return (unsigned)megabits;
}

/* A datagram socket that is connected has an address of its own, and has sent nothing. */
static gboolean
find_own_address(const struct addrinfo *peer, struct sockaddr_storage *ret_own)
{
    int fd = socket(peer->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage own = { 0 };
    socklen_t size = sizeof own;
    gboolean found = fd >= 0 && connect(fd, peer->ai_addr, peer->ai_addrlen) == 0 &&
                     getsockname(fd, (struct sockaddr *)&own, &size) == 0;

    if (fd >= 0)
        close(fd);
    if (found)
        *ret_own = own;
    return found;
}

static gboolean
is_same_address(const struct sockaddr *left, const struct sockaddr *right)
{
    if (!left || left->sa_family != right->sa_family)
        return FALSE;
    if (left->sa_family == AF_INET)
        return memcmp(&((const struct sockaddr_in *)left)->sin_addr,
                      &((const struct sockaddr_in *)right)->sin_addr, sizeof(struct in_addr)) == 0;
    return left->sa_family == AF_INET6 &&
           memcmp(&((const struct sockaddr_in6 *)left)->sin6_addr,
                  &((const struct sockaddr_in6 *)right)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

static char *
find_device(const struct sockaddr_storage *own)
{
    struct ifaddrs *all = NULL;
    char *name = NULL;

    if (getifaddrs(&all) < 0)
        return NULL;
    for (const struct ifaddrs *one = all; one && !name; one = one->ifa_next) {
        if (is_same_address(one->ifa_addr, (const struct sockaddr *)own))
            name = g_strdup(one->ifa_name);
    }
    freeifaddrs(all);
    return name;
}

unsigned
link_speed_to(const char *host)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV };
    g_autofree char *port = g_strdup_printf("%d", DISCARD_PORT);
    g_autofree char *device = NULL;
    struct addrinfo *peers = NULL;
    struct sockaddr_storage own;

    if (getaddrinfo(host, port, &hints, &peers) != 0)
        return 0;
    if (find_own_address(peers, &own))
        device = find_device(&own);
    freeaddrinfo(peers);
    return device ? link_speed_of_device(CLASS_DIRECTORY, device) : 0;
}
