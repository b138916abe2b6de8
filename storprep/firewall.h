/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The link to this host's firewall: whether NFS may come in, and letting it. */
#pragma once

#include <glib.h>

/*
 * Theory of operation. Host access is the table FirewallOps; firewall.c has the real one, for
 * firewalld, tests/fake one in memory. Only the running rules change, never the permanent ones. All
 * operations block.
 */
typedef struct Firewall Firewall;

typedef struct {
    /* Whether a firewall that we know runs: without one there is nothing to open. */
    gboolean (*is_active)(void *self);
    /* Whether NFS may come in through the default zone. FAULT_PROGRAM_FAILED, FAULT_TIMED_OUT. */
    gboolean (*is_open)(void *self, gboolean *ret_open, GError **error);
    /* Whether it may by the permanent rules, which say what the administrator wants for good. */
    gboolean (*is_permanent)(void *self, gboolean *ret_permanent, GError **error);
    gboolean (*set_open)(void *self, gboolean open, GError **error);
    void (*free)(void *self);
} FirewallOps;

/* Takes @self over (freed by ops->free). */
Firewall *firewall_new(const FirewallOps *ops, void *self);
/* The real one; @program is "firewall-cmd" or, for tests, what stands for it. Borrowed. */
Firewall *firewall_new_firewalld(const char *program);
void firewall_free(Firewall *firewall);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Firewall, firewall_free)

/* The operations, as in FirewallOps. */
gboolean firewall_is_active(Firewall *firewall);
gboolean firewall_is_open(Firewall *firewall, gboolean *ret_open, GError **error);
gboolean firewall_is_permanent(Firewall *firewall, gboolean *ret_permanent, GError **error);
gboolean firewall_set_open(Firewall *firewall, gboolean open, GError **error);
