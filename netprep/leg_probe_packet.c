/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends and hears frames by packet sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/if_ether.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"
#include "netprep/leg_probe.h"

#define REPEAT_MSEC 200

typedef struct {
    struct ether_header ethernet;
    struct ether_arp arp;
} __attribute__((packed)) ArpFrame;

/* Which frame ends the waiting. */
typedef struct {
    const struct in_addr *addresses; /* an ARP answer from one of these, or */
    gsize address_count;
    const guint8 *mac; /* any frame from this */
} Wanted;

static gboolean
fail(const char *device, const char *what, int errsv, GError **error)
{
    g_autofree char *object = g_strdup_printf("network device %s", device);

    fault_set(error, FAULT_INTERNAL, object, "see that it exists and that netprepd has CAP_NET_RAW",
              "%s: %s", what, g_strerror(errsv));
    return FALSE;
}

/* A socket that hears only @device. It asks for all protocols, since what a bridge takes from its
 * port reaches no other socket. -1 on failure. */
static int
open_device(const char *device, GError **error)
{
    struct sockaddr_ll address = { .sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ALL),
                                   .sll_ifindex = (int)if_nametoindex(device) };
    /* Protocol 0: nothing is heard before it is bound. */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && address.sll_ifindex > 0 &&
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    fail(device, "cannot be listened on", errno, error);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* A guest's whole traffic need not come up here. */
static gboolean
hear_only_arp(int fd, const char *device, GError **error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct ether_header, ether_type)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, sizeof(ArpFrame)),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = { .len = G_N_ELEMENTS(filter), .filter = filter };

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0 ||
           fail(device, "cannot be listened on", errno, error);
}

static gboolean
read_mac(int fd, const char *device, guint8 *ret_mac, GError **error)
{
    struct ifreq request = { 0 };

    g_strlcpy(request.ifr_name, device, sizeof(request.ifr_name));
    if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
        return fail(device, "has no MAC address", errno, error);
    memcpy(ret_mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
    return TRUE;
}

static gboolean
send_probes(int fd, const char *device, const guint8 *mac, const Wanted *wanted, GError **error)
{
    ArpFrame frame = { .ethernet.ether_type = htons(ETHERTYPE_ARP),
                       .arp.ea_hdr = { .ar_hrd = htons(ARPHRD_ETHER),
                                       .ar_pro = htons(ETHERTYPE_IP),
                                       .ar_hln = ETH_ALEN,
                                       .ar_pln = sizeof(struct in_addr),
                                       .ar_op = htons(ARPOP_REQUEST) } };

    memset(frame.ethernet.ether_dhost, 0xff, ETH_ALEN);
    memcpy(frame.ethernet.ether_shost, mac, ETH_ALEN);
    memcpy(frame.arp.arp_sha, mac, ETH_ALEN);
    for (gsize i = 0; i < wanted->address_count; i++) {
        memcpy(frame.arp.arp_tpa, &wanted->addresses[i], sizeof(frame.arp.arp_tpa));
        if (send(fd, &frame, sizeof(frame), 0) < 0 && errno != EAGAIN && errno != ENOBUFS)
            return fail(device, "cannot be sent on", errno, error);
    }
    return TRUE;
}

static gboolean
is_answer(const Wanted *wanted, const ArpFrame *frame)
{
    for (gsize i = 0; i < wanted->address_count; i++) {
        if (frame->arp.ea_hdr.ar_op == htons(ARPOP_REPLY) &&
            memcmp(frame->arp.arp_spa, &wanted->addresses[i], sizeof(frame->arp.arp_spa)) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Reads what has come so far: whether the wanted frame is among it. Own frames do not count. */
static gboolean
take_frames(int fd, const Wanted *wanted)
{
    ArpFrame frame;
    struct sockaddr_ll from = { 0 };
    socklen_t from_length = sizeof(from);
    ssize_t length;

    while ((length = recvfrom(fd, &frame, sizeof(frame), 0, (struct sockaddr *)&from,
                              &from_length)) > 0) {
        gboolean fits = wanted->mac
                            ? length >= (ssize_t)sizeof(frame.ethernet) &&
                                  memcmp(frame.ethernet.ether_shost, wanted->mac, ETH_ALEN) == 0
                            : length == sizeof(frame) && is_answer(wanted, &frame);
        if (from.sll_pkttype != PACKET_OUTGOING && fits)
            return TRUE;
        from_length = sizeof(from);
    }
    return FALSE;
}

/* FALSE when cancelled. */
static gboolean
wait_readable(int fd, gint64 until_usec, GCancellable *cancellable)
{
    GPollFD polls[2] = { { .fd = fd, .events = G_IO_IN }, { .fd = -1 } };
    gint64 left_msec = (until_usec - g_get_monotonic_time() + 999) / 1000;
    gboolean watched = g_cancellable_make_pollfd(cancellable, &polls[1]);

    g_poll(polls, watched ? 2 : 1, (int)MAX(left_msec, 0));
    if (watched)
        g_cancellable_release_fd(cancellable);
    return !g_cancellable_is_cancelled(cancellable);
}

static gboolean
wait_for_frame(int fd, const Wanted *wanted, gint64 until_usec, GCancellable *cancellable)
{
    while (!take_frames(fd, wanted)) {
        if (g_get_monotonic_time() >= until_usec || !wait_readable(fd, until_usec, cancellable))
            return FALSE;
    }
    return TRUE;
}

static gboolean
ask_on(int fd, const char *device, const Wanted *wanted, gint64 deadline_usec,
       GCancellable *cancellable, gboolean *ret_answered, GError **error)
{
    guint8 mac[ETH_ALEN];
    gboolean answered = FALSE;

    if (!read_mac(fd, device, mac, error))
        return FALSE;
    do {
        gint64 again_usec = g_get_monotonic_time() + REPEAT_MSEC * G_TIME_SPAN_MILLISECOND;

        if (!send_probes(fd, device, mac, wanted, error))
            return FALSE;
        answered = wait_for_frame(fd, wanted, MIN(again_usec, deadline_usec), cancellable);
    } while (!answered && g_get_monotonic_time() < deadline_usec &&
             !g_cancellable_is_cancelled(cancellable));
    *ret_answered = answered;
    return TRUE;
}

static gboolean
packet_ask(void *self, const char *device, const char *const *addresses, unsigned timeout_msec,
           GCancellable *cancellable, gboolean *ret_answered, GError **error)
{
    gint64 deadline_usec = g_get_monotonic_time() + timeout_msec * G_TIME_SPAN_MILLISECOND;
    struct in_addr wanted_addresses[LEG_PROBE_ADDRESSES];
    Wanted wanted = { .addresses = wanted_addresses };
    int fd = open_device(device, error);

    if (fd < 0)
        return FALSE;
    for (gsize i = 0; addresses[i] && wanted.address_count < LEG_PROBE_ADDRESSES; i++) {
        if (inet_pton(AF_INET, addresses[i], &wanted_addresses[wanted.address_count]) == 1)
            wanted.address_count++;
    }
    gboolean asked = hear_only_arp(fd, device, error) &&
                     ask_on(fd, device, &wanted, deadline_usec, cancellable, ret_answered, error);
    close(fd);
    return asked;
}

static gboolean
packet_hear(void *self, const char *device, const char *mac, unsigned timeout_msec,
            GCancellable *cancellable, gboolean *ret_heard, GError **error)
{
    gint64 deadline_usec = g_get_monotonic_time() + timeout_msec * G_TIME_SPAN_MILLISECOND;
    struct ether_addr address;
    int fd = open_device(device, error);

    if (fd < 0)
        return FALSE;
    gboolean valid = ether_aton_r(mac, &address) != NULL;
    Wanted wanted = { .mac = address.ether_addr_octet };
    *ret_heard = valid && wait_for_frame(fd, &wanted, deadline_usec, cancellable);
    close(fd);
    return TRUE;
}

static void
packet_free(void *self)
{
}

LegProbe *
leg_probe_new_packet(void)
{
    static const LegProbeOps ops = { packet_ask, packet_hear, packet_free };

    return leg_probe_new(&ops, NULL);
}
