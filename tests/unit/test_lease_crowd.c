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

#define HANGING 64 /* as many as are freed at once */

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

/* The settings of their VFs have to be reset. */
static void
configure_some(const LeaseCrowd *crowd, unsigned count)
{
    g_autoptr(GPtrArray) leases = lease_store_list(crowd->host->leases, NULL);

    for (unsigned i = 0; i < count; i++) {
        const Lease *lease = leases->pdata[i];

        g_assert_true(network_lease_mark(crowd->host->leases, lease, lease->assets->pdata[0],
                                         ASSET_CONFIGURED, NULL));
    }
}

/* A daemon whose first @count leases hang in a driver. */
static FakeFunctionControl *
start_hanging(LeaseCrowd *crowd, unsigned count, Hang *hang)
{
    FakeFunctionControl *control = fake_function_control_new();

    lease_crowd_start(crowd);
    function_control_free(crowd->host->control);
    crowd->host->control = fake_function_control_open(control, hang_pass, hang);
    configure_some(crowd, count);
    return control;
}

static void
end_hanging(LeaseCrowd *crowd, FakeFunctionControl *control, Hang *hang)
{
    hang_end(hang);
    lease_crowd_await(crowd, 0);
    lease_crowd_stop(crowd);
    function_control_free(fake_function_control_get(control));
}

static void
test_driver_that_hangs_keeps_no_other_lease(void)
{
    g_autoptr(Hang) hang = hang_new(1);
    g_autoptr(LeaseCrowd) crowd = lease_crowd_new(0);
    FakeFunctionControl *control = start_hanging(crowd, 1, hang);
    g_autoptr(Reconciler) reconciler = reconciler_new(crowd->host);

    reconcile_now(reconciler, NULL);
    hang_await(hang);
    lease_crowd_await(crowd, 1);
    reconcile_now(reconciler, NULL);
    g_assert_cmpuint(lease_crowd_count(crowd), ==, 1);
    end_hanging(crowd, control, hang);
}

/* Those who wait for a place are not waited for, and one guest's lease needs no other's. */
static void
test_too_many_that_hang_are_left_to_themselves(void)
{
    g_autoptr(Hang) hang = hang_new(HANGING);
    g_autoptr(LeaseCrowd) crowd = lease_crowd_new(0);
    FakeFunctionControl *control = start_hanging(crowd, HANGING, hang);
    g_autoptr(Reconciler) reconciler = reconciler_new(crowd->host);

    reconcile_now(reconciler, NULL);
    hang_await(hang);
    g_assert_cmpuint(lease_crowd_count(crowd), ==, CROWD_LEASES);
    hang_end(hang);
    lease_crowd_await(crowd, CROWD_LEASES - HANGING);
    reconcile_now(reconciler, "7c8a1f9e-6f0e-4d5b-9c39-0000000003e7");
    lease_crowd_await(crowd, CROWD_LEASES - HANGING - 1);
    reconcile_now(reconciler, NULL);
    end_hanging(crowd, control, hang);
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
    g_test_add_func("/lease-crowd/too-many-that-hang-are-left-to-themselves",
                    test_too_many_that_hang_are_left_to_themselves);
    return g_test_run();
}
