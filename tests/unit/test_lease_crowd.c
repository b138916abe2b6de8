/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A daemon that is restarted with a thousand leases has them all in hand after one look. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "fake/database_audit.h"
#include "fake/fake_function_control.h"
#include "fake/hang.h"
#include "fake/lease_crowd.h"
#include "netprep/network_lease.h"
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
    lease_crowd_await(crowd, 0);
    g_assert_cmpuint(audited_leases(crowd), ==, 0);
}

/* The settings of its VF have to be reset. */
static void
configure_first(const LeaseCrowd *crowd)
{
    g_autoptr(GPtrArray) leases = lease_store_list(crowd->host->leases, NULL);
    const Lease *first = leases->pdata[0];

    g_assert_true(network_lease_mark(crowd->host->leases, first, first->assets->pdata[0],
                                     ASSET_CONFIGURED, NULL));
}

static void
test_driver_that_hangs_keeps_no_other_lease(void)
{
    g_autoptr(Hang) hang = hang_new();
    FakeFunctionControl *control = fake_function_control_new();
    g_autoptr(LeaseCrowd) crowd = lease_crowd_new(0);

    lease_crowd_start(crowd);
    function_control_free(crowd->host->control);
    crowd->host->control = fake_function_control_open(control, hang_pass, hang);
    configure_first(crowd);
    g_autoptr(Reconciler) reconciler = reconciler_new(crowd->host);
    reconcile_now(reconciler, NULL);
    hang_await(hang);
    lease_crowd_await(crowd, 1);
    reconcile_now(reconciler, NULL);
    g_assert_cmpuint(lease_crowd_count(crowd), ==, 1);
    hang_end(hang);
    lease_crowd_await(crowd, 0);
    lease_crowd_stop(crowd);
    function_control_free(fake_function_control_get(control));
}

int
main(int argc, char **argv)
{
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lease-crowd/open-leases-are-kept", test_open_leases_are_kept);
    g_test_add_func("/lease-crowd/expired-leases-are-freed", test_expired_leases_are_freed);
    g_test_add_func("/lease-crowd/driver-that-hangs-keeps-no-other-lease",
                    test_driver_that_hangs_keeps_no_other_lease);
    return g_test_run();
}
