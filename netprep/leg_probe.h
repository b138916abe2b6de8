/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sees whether frames really pass a network device of this host, in both directions. */
#pragma once

#include <gio/gio.h>

/* Host access: the real one uses packet sockets; tests have a fake. All block, until the answer,
 * @timeout_msec or @cancellable (which is no error here: nobody answered). FAULT_INTERNAL naming
 * the device if it cannot be used at all. */
typedef struct {
    /*
     * Asks by ARP, out of @device, for each of @addresses (dotted IPv4, at most LEG_PROBE_ADDRESSES
     * are asked for): a probe as of RFC 5227, whose sender address of zero leaves no trace in
     * anybody's ARP table. *ret_answered is whether any of them answered into @device.
     */
    gboolean (*ask)(void *self, const char *device, const char *const *addresses,
                    unsigned timeout_msec, GCancellable *cancellable, gboolean *ret_answered,
                    GError **error);
    /* *ret_heard: whether any frame with source address @mac ("52:54:00:aa:00:01") came into
     * @device. */
    gboolean (*hear)(void *self, const char *device, const char *mac, unsigned timeout_msec,
                     GCancellable *cancellable, gboolean *ret_heard, GError **error);
    void (*free)(void *self);
} LegProbeOps;

#define LEG_PROBE_ADDRESSES 16

typedef struct LegProbe LegProbe;

/* Takes @self over. */
LegProbe *leg_probe_new(const LegProbeOps *ops, void *self);
/* The real one. Needs CAP_NET_RAW. Keeps nothing open. */
LegProbe *leg_probe_new_packet(void);
void leg_probe_free(LegProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LegProbe, leg_probe_free)

/* The operations, as in LegProbeOps. Thread-safe. */
gboolean leg_probe_ask(LegProbe *probe, const char *device, const char *const *addresses,
                       unsigned timeout_msec, GCancellable *cancellable, gboolean *ret_answered,
                       GError **error);
gboolean leg_probe_hear(LegProbe *probe, const char *device, const char *mac, unsigned timeout_msec,
                        GCancellable *cancellable, gboolean *ret_heard, GError **error);
