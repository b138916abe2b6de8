/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Target leases where libvirt, the host or a client does not do what is expected: what they then
 * say, and that nothing is made, opened or taken away which should not be. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fake/target_fixture.h"
#include "storprep/image_place.h"

#define NO_DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

/* On its way in, as far as anybody can tell. */
static const GuestState coming[] = { GUEST_STATE_PAUSED, GUEST_STATE_CRASHED, GUEST_STATE_OTHER };

static void
expire(TargetFixture *fixture, const Lease *lease)
{
    g_assert_true(lease_store_renew(fixture->store, lease->id, lease->generation, 0, NULL));
}

/* The daemon's own thread may be at the lease just now. */
static void
reconcile_until_it_says(TargetFixture *fixture, const char *words, gboolean libvirt_is_silent)
{
    gint64 until = fixture_deadline();

    for (;;) {
        if (libvirt_is_silent)
            fake_hypervisor_fail(fixture->fake, "get_guest", 1, FAULT_HYPERVISOR_UNAVAILABLE);
        target_leases_reconcile(fixture->leases);
        g_autoptr(GPtrArray) all = target_leases_list(fixture->leases, NULL);
        const Lease *found = all->pdata[0];

        if (strstr(found->reason, words))
            return;
        g_assert_cmpint(g_get_monotonic_time(), <, until);
    }
}

static void
assert_busy(TargetFixture *fixture, const Lease *lease, const char *cause)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fixture_release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_BUSY);
    g_assert_nonnull(strstr(fault_cause(error), cause));
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

static void
test_a_guest_that_does_not_run_yet_is_waited_for(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);

    fixture_add_guest(fixture, GUEST_STATE_SHUT_OFF);
    for (gsize i = 0; i < G_N_ELEMENTS(coming); i++) {
        fake_hypervisor_set_state(fixture->fake, GUEST_UUID, coming[i]);
        assert_busy(fixture, lease, "coming in");
        fixture_assert_create_fails(fixture, fixture_one_raw(fixture, "u", "/x", 4096),
                                    FAULT_TARGET_REFUSED, "/x");
    }
}

static void
test_what_is_waited_for_is_said(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);

    fixture_add_guest(fixture, GUEST_STATE_SHUT_OFF);
    expire(fixture, lease);
    reconcile_until_it_says(fixture, "release the lease to keep the files", FALSE);
    fake_hypervisor_set_state(fixture->fake, GUEST_UUID, GUEST_STATE_CRASHED);
    reconcile_until_it_says(fixture, "does not run yet", FALSE);
    reconcile_until_it_says(fixture, "libvirt does not say", TRUE);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

/* Of another daemon's part, or of another kind. */
static Lease *
put_foreign_lease(TargetFixture *fixture)
{
    json_auto_t *request = json_object();
    g_autoptr(GPtrArray) assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    Lease draft = { .kind = (char *)"export",
                    .owner = (char *)"test",
                    .token = (char *)"foreign",
                    .guest_name = (char *)"",
                    .guest_uuid = (char *)"",
                    .state = (char *)"ready",
                    .reason = (char *)"",
                    .request = request,
                    .assets = assets };
    gboolean existing;

    return lease_store_create(fixture->store, &draft, 60, FAULT_TARGET_EXISTS, &existing, NULL);
}

static void
assert_not_opened(TargetFixture *fixture, const Lease *lease, FaultCode code)
{
    g_autoptr(GError) opening = NULL, closing = NULL;

    g_assert_null(target_leases_open(fixture->leases, lease->id, lease->generation, &opening));
    g_assert_cmpint(fault_code(opening), ==, code);
    g_assert_false(target_leases_close(fixture->leases, lease->id, lease->generation, &closing));
    g_assert_cmpint(fault_code(closing), ==, code);
}

static void
test_only_leases_of_targets_have_files(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) targets = fixture_create(fixture, "t", 60);
    g_autoptr(Lease) foreign = put_foreign_lease(fixture);

    g_assert_nonnull(foreign);
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 1);
    assert_not_opened(fixture, foreign, FAULT_INVALID_ARGUMENT);
}

static void
test_files_that_are_going_are_not_opened(TargetFixture *fixture, const void *data)
{
    g_autofree char *aside = g_strconcat(fixture->images, ".aside", NULL);
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);

    g_assert_cmpint(g_rename(fixture->images, aside), ==, 0);
    fixture_release(fixture, lease, NULL);
    assert_not_opened(fixture, lease, FAULT_LEASE_BUSY);
    g_assert_cmpint(g_rename(aside, fixture->images), ==, 0);
    fixture_reconcile_until(fixture, 0);
    assert_not_opened(fixture, lease, FAULT_LEASE_NOT_FOUND);
}

static void
test_files_of_a_guest_that_is_here_are_not_served(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);
    g_autoptr(GError) error = NULL;

    fixture_add_guest(fixture, GUEST_STATE_PAUSED);
    g_assert_null(target_leases_open(fixture->leases, lease->id, lease->generation, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
}

static unsigned
count_sockets(TargetFixture *fixture)
{
    g_autoptr(GDir) directory = g_dir_open(fixture->sockets, 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(directory))
        count++;
    return count;
}

/* The other file's server was started, or would have been. */
static void
test_file_that_qemu_cannot_read_serves_none(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);
    g_autoptr(GError) error = NULL;
    g_auto(FileDescriptor) file = open(fixture->first, O_WRONLY | O_CLOEXEC);

    g_assert_cmpint(pwrite(file, "none", 4, 0), ==, 4); /* where its magic number was */
    g_assert_null(target_leases_open(fixture->leases, lease->id, lease->generation, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_nonnull(strstr(fault_object(error), fixture->first));
    g_assert_nonnull(strstr(fault_cause(error), "qcow2"));
    g_assert_cmpuint(count_sockets(fixture), ==, 0);
    g_assert_false(fixture_release(fixture, lease, NULL));
    fixture_assert_nothing_left(fixture);
}

static void
test_sockets_of_a_killed_daemon_are_removed(TargetFixture *fixture, const void *data)
{
    g_autofree char *old = g_build_filename(fixture->sockets, "0123.nbd", NULL);
    g_autofree char *other = g_build_filename(fixture->sockets, "0123", NULL);

    fixture_stop_daemon(fixture);
    g_assert_true(g_file_set_contents(old, "", 0, NULL));
    g_assert_true(g_file_set_contents(other, "", 0, NULL));
    fixture_start_daemon(fixture);
    g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(other, G_FILE_TEST_EXISTS));
    g_unlink(other);
}

/* Volumes of a pool. */

static json_t *
volume(TargetFixture *fixture)
{
    json_t *asked = fixture_one_raw(fixture, "t", fixture->second, 65536);
    json_t *target = json_array_get(json_object_get(asked, "targets"), 0);

    json_object_set_new(target, "pool", json_string("images"));
    return asked;
}

static void
test_pool_that_is_not_there_gets_no_file(TargetFixture *fixture, const void *data)
{
    fixture_assert_create_fails(fixture, volume(fixture), FAULT_TARGET_REFUSED, "images");
    fixture_assert_nothing_left(fixture);
}

/* Else libvirt would not find the disk when the guest comes. */
static void
test_file_that_its_pool_does_not_show_is_not_made(TargetFixture *fixture, const void *data)
{
    FakeHost *host = fake_hypervisor_host(fixture->fake);

    host->pool = "images";
    host->pool_path = fixture->images;
    fake_hypervisor_fail(fixture->fake, "refresh_pool", 1, FAULT_HYPERVISOR_FAILED);
    fixture_assert_create_fails(fixture, volume(fixture), FAULT_HYPERVISOR_FAILED, "");
    fixture_assert_nothing_left(fixture);
}

/* That libvirt lists it still does no harm. */
static void
test_pool_that_does_not_look_keeps_no_file(TargetFixture *fixture, const void *data)
{
    FakeHost *host = fake_hypervisor_host(fixture->fake);
    g_autoptr(GError) error = NULL;

    host->pool = "images";
    host->pool_path = fixture->images;
    g_autoptr(Lease) lease = fixture_create_from(fixture, volume(fixture), &error);
    g_assert_no_error(error);
    fake_hypervisor_fail(fixture->fake, "refresh_pool", 1, FAULT_HYPERVISOR_FAILED);
    fixture_release(fixture, lease, &error);
    g_assert_no_error(error);
    fixture_assert_nothing_left(fixture);
}

/* What a target lies on. */

static void
test_base_that_is_another_one_gets_nothing_on_top(TargetFixture *fixture, const void *data)
{
    g_autofree char *base = g_build_filename(fixture->images, "base.raw", NULL);
    json_t *asked = fixture_parameters(fixture, "t", 60);
    json_t *targets = json_object_get(asked, "targets");

    g_assert_true(g_file_set_contents(base, "another one", -1, NULL));
    json_array_remove(targets, 1);
    json_object_set_new(json_array_get(targets, 0), "backing",
                        json_pack("[{s:s, s:s, s:i, s:s}]", "path", base, "format", "raw",
                                  "sizeBytes", 11, "digest", NO_DIGEST));
    fixture_assert_create_fails(fixture, asked, FAULT_IMAGE_INVALID, base);
    g_assert_cmpint(g_unlink(base), ==, 0);
    fixture_assert_nothing_left(fixture);
}

/* Events. */

static void
emit(TargetFixture *fixture, HypervisorEventType type)
{
    const HypervisorEvent event = { .type = type, .uuid = (char *)"", .alias = (char *)"" };

    hypervisor_emit(fixture->hypervisor, &event);
}

static void
test_leases_are_looked_at_when_libvirt_is_back(TargetFixture *fixture, const void *data)
{
    static const HypervisorEventType idle[] = { HYPERVISOR_EVENT_SUSPENDED,
                                                HYPERVISOR_EVENT_DEVICE_REMOVED,
                                                HYPERVISOR_EVENT_DEVICE_REFUSED,
                                                HYPERVISOR_EVENT_AGENT_CONNECTED };
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);
    gint64 until = fixture_deadline();

    for (gsize i = 0; i < G_N_ELEMENTS(idle); i++)
        emit(fixture, idle[i]);
    expire(fixture, lease);
    emit(fixture, HYPERVISOR_EVENT_RECONNECTED);
    while (fixture_count_leases(fixture) != 0) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_thread_yield();
    }
    fixture_assert_nothing_left(fixture);
    target_leases_free(NULL);
}

static void
add(const char *name, void (*test)(TargetFixture *, const void *))
{
    g_autofree char *path = g_strconcat("/target-faults/", name, NULL);

    g_test_add(path, TargetFixture, NULL, fixture_set_up, test, fixture_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are part of what is tested. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    add("coming-guest-is-waited-for", test_a_guest_that_does_not_run_yet_is_waited_for);
    add("what-is-waited-for-is-said", test_what_is_waited_for_is_said);
    add("only-targets-have-files", test_only_leases_of_targets_have_files);
    add("going-files-are-not-opened", test_files_that_are_going_are_not_opened);
    add("guest-here-is-not-served", test_files_of_a_guest_that_is_here_are_not_served);
    add("unreadable-file-is-not-served", test_file_that_qemu_cannot_read_serves_none);
    add("old-sockets-are-removed", test_sockets_of_a_killed_daemon_are_removed);
    add("no-pool-no-file", test_pool_that_is_not_there_gets_no_file);
    add("not-shown-is-not-made", test_file_that_its_pool_does_not_show_is_not_made);
    add("not-looked-at-is-not-kept", test_pool_that_does_not_look_keeps_no_file);
    add("another-base", test_base_that_is_another_one_gets_nothing_on_top);
    add("libvirt-is-back", test_leases_are_looked_at_when_libvirt_is_back);
    return g_test_run();
}
