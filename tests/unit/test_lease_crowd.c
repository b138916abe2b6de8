/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A daemon that is restarted with a thousand leases has them all in hand after one look. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "fake/database_audit.h"
#include "fake/lease_crowd.h"
#include "netprep/reconcile.h"

static void
look_once(LeaseCrowd *crowd)
{
    lease_crowd_start(crowd);
    g_autoptr(Reconciler) reconciler = reconciler_new(crowd->host);
    reconcile_now(reconciler, NULL);
}

static unsigned
audited_leases(const LeaseCrowd *crowd)
{
    g_autoptr(DatabaseAudit) audit = database_audit_new(crowd->database);

    return database_audit_leases(audit);
}

static void
test_open_leases_are_kept(void)
{
    g_autoptr(LeaseCrowd) crowd = lease_crowd_new(3600);

    look_once(crowd);
    g_assert_cmpuint(audited_leases(crowd), ==, CROWD_LEASES);
}

static void
test_expired_leases_are_freed(void)
{
    g_autoptr(LeaseCrowd) crowd = lease_crowd_new(0);

    look_once(crowd);
    g_assert_cmpuint(audited_leases(crowd), ==, 0);
}

int
main(int argc, char **argv)
{
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lease-crowd/open-leases-are-kept", test_open_leases_are_kept);
    g_test_add_func("/lease-crowd/expired-leases-are-freed", test_expired_leases_are_freed);
    return g_test_run();
}
