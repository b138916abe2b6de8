/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of target leases: all or nothing, idempotent, and ended by where the guest is. */
#include <glib/gstdio.h>
#include <string.h>

#include "common/maintenance.h"
#include "fake/target_fixture.h"
#include "storprep/image_header.h"

static void
test_decisions(void)
{
    static const struct {
        Presence presence;
        gboolean due, released;
        TargetsDecision decision;
    } table[] = {
        { PRESENCE_ABSENT, FALSE, FALSE, TARGETS_WAIT },
        { PRESENCE_ABSENT, TRUE, FALSE, TARGETS_REMOVE },
        { PRESENCE_ABSENT, FALSE, TRUE, TARGETS_REMOVE },
        { PRESENCE_RUNNING, FALSE, FALSE, TARGETS_KEEP },
        { PRESENCE_RUNNING, TRUE, FALSE, TARGETS_KEEP },
        { PRESENCE_RUNNING, TRUE, TRUE, TARGETS_KEEP },
        { PRESENCE_COMING, FALSE, FALSE, TARGETS_WAIT },
        { PRESENCE_COMING, TRUE, FALSE, TARGETS_WAIT },
        { PRESENCE_COMING, TRUE, TRUE, TARGETS_WAIT },
        { PRESENCE_SHUT_OFF, FALSE, FALSE, TARGETS_WAIT },
        { PRESENCE_SHUT_OFF, TRUE, FALSE, TARGETS_WAIT },
        { PRESENCE_SHUT_OFF, TRUE, TRUE, TARGETS_KEEP },
        { PRESENCE_GONE, FALSE, FALSE, TARGETS_WAIT },
        { PRESENCE_GONE, TRUE, FALSE, TARGETS_WAIT },
        { PRESENCE_GONE, TRUE, TRUE, TARGETS_KEEP },
        { PRESENCE_UNKNOWN, TRUE, FALSE, TARGETS_WAIT },
        { PRESENCE_UNKNOWN, TRUE, TRUE, TARGETS_WAIT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        g_assert_cmpint(target_lease_decide(table[i].presence, table[i].due, table[i].released), ==,
                        table[i].decision);
}

static void
test_created_and_released(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);
    g_autoptr(GError) error = NULL;
    ImageHeader header;

    g_assert_cmpstr(lease->state, ==, "ready");
    g_assert_cmpuint(lease->assets->len, ==, 2);
    g_assert_true(image_header_read(fixture->first, IMAGE_FORMAT_QCOW2, &header, NULL));
    g_assert_cmpuint(header.shape.cluster_size_bytes, ==, 65536);
    g_assert_cmpstr(image_shape_compat(&header.shape), ==, "1.1");
    g_assert_true(image_header_read(fixture->second, IMAGE_FORMAT_RAW, &header, NULL));
    g_assert_cmpuint(header.shape.virtual_size_bytes, ==, 1 << 20);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
    g_assert_false(fixture_release(fixture, lease, &error));
    g_assert_no_error(error);
    fixture_assert_nothing_left(fixture);
    g_assert_false(fixture_release(fixture, lease, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_LEASE_NOT_FOUND);
}

static void
test_same_request_again_is_the_same_lease(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) first = fixture_create(fixture, "t", 60);
    g_autoptr(Lease) again = fixture_create(fixture, "t", 60);
    json_t *other = fixture_parameters(fixture, "t", 60);

    g_assert_cmpstr(first->id, ==, again->id);
    g_assert_cmpuint(first->generation, ==, again->generation);
    json_array_remove(json_object_get(other, "targets"), 1);
    fixture_assert_create_fails(fixture, other, FAULT_LEASE_CONFLICT, "");
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

static void
test_host_in_maintenance_takes_no_new_guest(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);

    g_assert_true(maintenance_begin(fixture->directory, "new memory", FALSE, NULL));
    g_autoptr(Lease) again = fixture_create(fixture, "t", 60);
    g_assert_cmpstr(lease->id, ==, again->id);
    fixture_release(fixture, lease, NULL);
    fixture_assert_create_fails(fixture, fixture_parameters(fixture, "u", 60),
                                FAULT_HOST_IN_MAINTENANCE, "");
    fixture_assert_nothing_left(fixture);
}

static void
test_path_of_another_lease_is_taken(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);

    fixture_assert_create_fails(fixture, fixture_parameters(fixture, "u", 60), FAULT_TARGET_EXISTS,
                                "");
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 1);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

static void
test_all_or_nothing(TargetFixture *fixture, const void *data)
{
    g_autofree char *content = NULL;

    g_assert_true(g_file_set_contents(fixture->second, "precious", -1, NULL));
    fixture_assert_create_fails(fixture, fixture_parameters(fixture, "t", 60), FAULT_TARGET_EXISTS,
                                fixture->second);
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 0);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 1);
    g_assert_true(g_file_get_contents(fixture->second, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "precious");
    /* The same request works once the obstacle is gone. */
    g_unlink(fixture->second);
    lease_free(fixture_create(fixture, "t", 60));
}

static void
test_guest_must_not_be_here_already(TargetFixture *fixture, const void *data)
{
    fixture_add_guest(fixture, GUEST_STATE_RUNNING);
    fixture_assert_create_fails(fixture, fixture_parameters(fixture, "t", 60), FAULT_GUEST_BUSY,
                                "web1");
    fake_hypervisor_set_state(fixture->fake, GUEST_UUID, GUEST_STATE_PAUSED);
    fixture_assert_create_fails(fixture, fixture_parameters(fixture, "t", 60), FAULT_GUEST_BUSY,
                                "web1");
    fixture_assert_nothing_left(fixture);
}

static void
test_silent_libvirt_creates_nothing(TargetFixture *fixture, const void *data)
{
    fake_hypervisor_fail(fixture->fake, "get_guest", 1, FAULT_HYPERVISOR_UNAVAILABLE);
    fixture_assert_create_fails(fixture, fixture_parameters(fixture, "t", 60),
                                FAULT_HYPERVISOR_UNAVAILABLE, "");
    fixture_assert_nothing_left(fixture);
}

static void
test_expired_lease_takes_its_files_along(TargetFixture *fixture, const void *data)
{
    lease_free(fixture_create(fixture, "t", 1));
    target_leases_reconcile(fixture->leases);
    fixture_reconcile_until(fixture, 0);
    fixture_assert_nothing_left(fixture);
}

static void
test_renewed_lease_lives(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) renewed =
        target_leases_renew(fixture->leases, lease->id, lease->generation, 600, &error);
    g_autoptr(Lease) stale = NULL;

    g_assert_no_error(error);
    g_assert_cmpint(renewed->remaining_usec, >, 500 * G_USEC_PER_SEC);
    target_leases_reconcile(fixture->leases);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
    stale = target_leases_renew(fixture->leases, lease->id, lease->generation + 1, 600, &error);
    g_assert_null(stale);
    g_assert_cmpint(fault_code(error), ==, FAULT_STALE_GENERATION);
}

/* Past its deadline, a lease still waits for a guest that is on its way. */
static void
test_nothing_is_removed_under_an_incoming_guest(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 1);
    g_autoptr(GError) error = NULL;
    gint64 until = fixture_deadline();

    fixture_add_guest(fixture, GUEST_STATE_PAUSED);
    g_assert_false(fixture_release(fixture, lease, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_LEASE_BUSY);
    for (gboolean waiting = FALSE; !waiting;) {
        g_autoptr(GPtrArray) all = target_leases_list(fixture->leases, NULL);
        const Lease *found = all->pdata[0];

        g_assert_cmpint(g_get_monotonic_time(), <, until);
        target_leases_reconcile(fixture->leases);
        waiting = strstr(found->reason, "does not run yet") != NULL;
    }
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
    fake_hypervisor_set_state(fixture->fake, GUEST_UUID, GUEST_STATE_RUNNING);
    fixture_reconcile_until(fixture, 0);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

static void
test_resumed_guest_takes_the_files_over(TargetFixture *fixture, const void *data)
{
    gint64 until = fixture_deadline();

    lease_free(fixture_create(fixture, "t", 60));
    fixture_add_guest(fixture, GUEST_STATE_PAUSED);
    fake_hypervisor_set_state(fixture->fake, GUEST_UUID, GUEST_STATE_RUNNING);
    while (fixture_count_leases(fixture) != 0) { /* the daemon's own thread sees the event */
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_thread_yield();
    }
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

/* It ran here, and that it left again changes nothing: the files hold its data. */
static void
test_guest_that_ran_and_left_keeps_its_files(TargetFixture *fixture, const void *data)
{
    gint64 until = fixture_deadline();

    lease_free(fixture_create(fixture, "t", 60));
    fixture_add_guest(fixture, GUEST_STATE_PAUSED);
    fake_hypervisor_set_state(fixture->fake, GUEST_UUID, GUEST_STATE_RUNNING);
    fake_hypervisor_remove_guest(fixture->fake, GUEST_UUID);
    while (fixture_count_leases(fixture) != 0) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_thread_yield();
    }
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

static void
test_release_leaves_files_of_a_defined_guest(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);
    g_autoptr(GError) error = NULL;

    fixture_add_guest(fixture, GUEST_STATE_SHUT_OFF);
    g_assert_true(fixture_release(fixture, lease, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 0);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

static void
test_release_needs_libvirts_word(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);
    g_autoptr(GError) error = NULL;

    /* More than one: the daemon's own thread may be asking, too. */
    for (unsigned i = 0; i < 3; i++)
        fake_hypervisor_fail(fixture->fake, "get_guest", 1, FAULT_HYPERVISOR_UNAVAILABLE);
    g_assert_false(fixture_release(fixture, lease, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_HYPERVISOR_UNAVAILABLE);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

static void
test_foreign_file_is_never_removed(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;

    g_unlink(fixture->first);
    g_assert_true(g_file_set_contents(fixture->first, "theirs", -1, NULL));
    fixture_release(fixture, lease, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 0);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 1);
    g_assert_true(g_file_get_contents(fixture->first, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "theirs");
}

static void
test_path_outside_creates_nothing(TargetFixture *fixture, const void *data)
{
    fixture_assert_create_fails(fixture, fixture_one_raw(fixture, "t", "/etc/passwd", 4096),
                                FAULT_TARGET_REFUSED, "/etc/passwd");
    fixture_assert_nothing_left(fixture);
}

static void
add(const char *name, void (*test)(TargetFixture *, const void *))
{
    g_autofree char *path = g_strconcat("/target-lease/", name, NULL);

    g_test_add(path, TargetFixture, NULL, fixture_set_up, test, fixture_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are part of what is tested. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    g_test_add_func("/target-lease/decisions", test_decisions);
    add("created-and-released", test_created_and_released);
    add("same-request-again-is-the-same-lease", test_same_request_again_is_the_same_lease);
    add("host-in-maintenance-takes-no-new-guest", test_host_in_maintenance_takes_no_new_guest);
    add("path-of-another-lease-is-taken", test_path_of_another_lease_is_taken);
    add("all-or-nothing", test_all_or_nothing);
    add("guest-must-not-be-here-already", test_guest_must_not_be_here_already);
    add("silent-libvirt-creates-nothing", test_silent_libvirt_creates_nothing);
    add("expired-lease-takes-its-files-along", test_expired_lease_takes_its_files_along);
    add("renewed-lease-lives", test_renewed_lease_lives);
    add("nothing-is-removed-under-an-incoming-guest",
        test_nothing_is_removed_under_an_incoming_guest);
    add("resumed-guest-takes-the-files-over", test_resumed_guest_takes_the_files_over);
    add("guest-that-ran-and-left-keeps-its-files", test_guest_that_ran_and_left_keeps_its_files);
    add("release-leaves-files-of-a-defined-guest", test_release_leaves_files_of_a_defined_guest);
    add("release-needs-libvirts-word", test_release_needs_libvirts_word);
    add("foreign-file-is-never-removed", test_foreign_file_is_never_removed);
    add("path-outside-creates-nothing", test_path_outside_creates_nothing);
    return g_test_run();
}
