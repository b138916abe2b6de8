/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of files that were written to: whose writes they are decides whether they go. */
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

#include "fake/target_fixture.h"

static gint64
modified_nsec(const char *path)
{
    GStatBuf status;

    g_assert_cmpint(g_stat(path, &status), ==, 0);
    return status.st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + status.st_mtim.tv_nsec;
}

/* The clock of files goes by steps. */
static void
write_to(const char *path)
{
    gint64 before_nsec = modified_nsec(path);

    do {
        FILE *file = fopen(path, "r+");

        g_assert_nonnull(file);
        g_assert_cmpuint(fwrite("data", 1, 4, file), ==, 4);
        g_assert_cmpint(fclose(file), ==, 0);
    } while (modified_nsec(path) == before_nsec);
}

static void
restart(TargetFixture *fixture)
{
    fixture_stop_daemon(fixture);
    fixture_start_daemon(fixture);
}

static void
expire(const TargetFixture *fixture, const Lease *lease)
{
    g_assert_true(lease_store_renew(fixture->store, lease->id, lease->generation, 0, NULL));
}

static void
assert_goes(TargetFixture *fixture, const Lease *lease)
{
    expire(fixture, lease);
    fixture_reconcile_until(fixture, 0);
    fixture_assert_nothing_left(fixture);
}

/* Past its deadline the lease waits and says so; its end leaves the files, all of them. */
static void
assert_stays(TargetFixture *fixture, const Lease *lease)
{
    g_autoptr(GError) error = NULL;
    gint64 until = fixture_deadline();

    expire(fixture, lease);
    for (gboolean told = FALSE; !told;) {
        g_autoptr(GPtrArray) all = target_leases_list(fixture->leases, NULL);

        g_assert_cmpuint(all->len, ==, 1);
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
        told = strstr(((const Lease *)all->pdata[0])->reason, "written to") != NULL;
        target_leases_reconcile(fixture->leases);
    }
    g_assert_true(fixture_release(fixture, lease, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 0);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

/* A copy that does not come to its end. */
static void
begin_copy(TargetFixture *fixture)
{
    fixture_add_guest(fixture, GUEST_STATE_PAUSED);
    write_to(fixture->second);
}

/* Until the lease accounts for what was written so far. */
static void
await_account(TargetFixture *fixture, const Lease *lease)
{
    const json_int_t untouched = json_integer_value(
        json_object_get(((LeaseAsset *)lease->assets->pdata[1])->detail, "modified"));
    gint64 until = fixture_deadline();

    for (gboolean known = FALSE; !known;) {
        g_autoptr(Lease) now = lease_store_get(fixture->store, lease->id, 0, NULL);
        const LeaseAsset *asset = now->assets->pdata[1];

        g_assert_cmpint(g_get_monotonic_time(), <, until);
        target_leases_reconcile(fixture->leases);
        known = json_integer_value(json_object_get(asset->detail, "modified")) != untouched;
    }
}

static void
break_copy(TargetFixture *fixture)
{
    fake_hypervisor_remove_guest(fixture->fake, GUEST_UUID);
}

/* Until what libvirt told has been heard. */
static void
release_broken(TargetFixture *fixture, const Lease *lease)
{
    gint64 until = fixture_deadline();
    g_autoptr(GError) error = NULL;

    while (!fixture_release(fixture, lease, &error) && error) {
        g_assert_cmpint(fault_code(error), ==, FAULT_LEASE_BUSY);
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_clear_error(&error);
    }
    fixture_assert_nothing_left(fixture);
}

static void
test_guest_that_ran_while_the_daemon_was_down(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    fixture_stop_daemon(fixture);
    fixture_add_guest(fixture, GUEST_STATE_RUNNING);
    write_to(fixture->first);
    fake_hypervisor_remove_guest(fixture->fake, GUEST_UUID);
    fixture_start_daemon(fixture);
    assert_stays(fixture, lease);
}

static void
test_guest_that_ran_while_libvirt_was_silent(TargetFixture *fixture, const void *data)
{
    const HypervisorEvent back = { HYPERVISOR_EVENT_RECONNECTED, (char *)"", (char *)"" };
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    write_to(fixture->second);
    hypervisor_emit(fixture->hypervisor, &back);
    assert_stays(fixture, lease);
}

static void
tell(TargetFixture *fixture, HypervisorEventType type)
{
    const HypervisorEvent event = { type, (char *)"", (char *)"" };

    hypervisor_emit(fixture->hypervisor, &event);
}

/* It ended what was coming in, and while it was away nothing could arrive. */
static void
test_copy_that_libvirt_did_not_survive(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    begin_copy(fixture);
    fake_hypervisor_lose_guest(fixture->fake, GUEST_UUID);
    tell(fixture, HYPERVISOR_EVENT_RESTARTED);
    tell(fixture, HYPERVISOR_EVENT_RECONNECTED);
    assert_goes(fixture, lease);
}

/* Then it may have arrived meanwhile, run and ended. */
static void
test_copy_that_went_on_while_libvirt_was_silent(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    begin_copy(fixture);
    fake_hypervisor_lose_guest(fixture->fake, GUEST_UUID);
    tell(fixture, HYPERVISOR_EVENT_RECONNECTED);
    assert_stays(fixture, lease);
}

/* Gone already, but whether it ran first is yet to be told. */
static void
test_visit_whose_end_is_not_told_is_waited_for(TargetFixture *fixture, const void *data)
{
    const HypervisorEvent end = { HYPERVISOR_EVENT_STOPPED, (char *)GUEST_UUID, (char *)"" };
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);
    g_autoptr(GError) error = NULL;

    begin_copy(fixture);
    fake_hypervisor_lose_guest(fixture->fake, GUEST_UUID);
    g_assert_false(fixture_release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_BUSY);
    hypervisor_emit(fixture->hypervisor, &end);
    assert_goes(fixture, lease);
}

/* What it does not know it takes for nothing that it might remove. */
static void
test_daemon_that_cannot_read_its_leases(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);
    sqlite3 *database;

    fixture_stop_daemon(fixture);
    g_assert_cmpint(sqlite3_open(fixture->database, &database), ==, SQLITE_OK);
    g_assert_cmpint(
        sqlite3_exec(database, "ALTER TABLE asset RENAME COLUMN detail TO other", NULL, NULL, NULL),
        ==, SQLITE_OK);
    sqlite3_close(database);
    fixture_start_daemon(fixture);
    g_assert_null(target_leases_list(fixture->leases, NULL));
    target_leases_reconcile(fixture->leases);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

/* "virsh migrate --paused": it is here with all its data, and was ended before it went on. */
static void
test_guest_that_arrived_paused(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    begin_copy(fixture);
    fake_hypervisor_set_state(fixture->fake, GUEST_UUID, GUEST_STATE_PAUSED);
    break_copy(fixture);
    assert_stays(fixture, lease);
}

/* Another guest, or an administrator. */
static void
test_write_that_no_move_accounts_for(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    write_to(fixture->first);
    assert_stays(fixture, lease);
}

static void
test_copy_that_broke_goes(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    begin_copy(fixture);
    break_copy(fixture);
    assert_goes(fixture, lease);
}

static void
test_copy_that_broke_is_released(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    begin_copy(fixture);
    break_copy(fixture);
    release_broken(fixture, lease);
}

static void
test_copy_that_broke_is_known_after_a_restart(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    begin_copy(fixture);
    break_copy(fixture);
    await_account(fixture, lease);
    restart(fixture);
    assert_goes(fixture, lease);
}

static void
test_copy_outlives_the_daemon(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    begin_copy(fixture);
    restart(fixture);
    target_leases_reconcile(fixture->leases);
    break_copy(fixture);
    assert_goes(fixture, lease);
}

/* What came after it is not the copy's. */
static void
test_write_after_a_broken_copy(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    begin_copy(fixture);
    break_copy(fixture);
    await_account(fixture, lease);
    write_to(fixture->second);
    assert_stays(fixture, lease);
}

static void
test_untouched_files_go_after_a_restart(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    restart(fixture);
    assert_goes(fixture, lease);
}

/* Filled over NBD by us: what is in them is a part of a disk. */
static void
test_files_that_were_being_filled_go(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    json_decref(target_leases_open(fixture->leases, lease->id, lease->generation, NULL));
    write_to(fixture->second);
    restart(fixture);
    assert_goes(fixture, lease);
}

static void
test_files_that_were_filled_go_unless_used(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);
    gboolean used = data != NULL;

    json_decref(target_leases_open(fixture->leases, lease->id, lease->generation, NULL));
    write_to(fixture->second);
    g_assert_true(target_leases_close(fixture->leases, lease->id, lease->generation, NULL));
    restart(fixture);
    if (used)
        write_to(fixture->second);
    used ? assert_stays(fixture, lease) : assert_goes(fixture, lease);
}

static void
add(const char *name, void (*test)(TargetFixture *, const void *), const void *data)
{
    g_autofree char *path = g_strconcat("/target-written/", name, NULL);

    g_test_add(path, TargetFixture, data, fixture_set_up, test, fixture_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are part of what is tested. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    add("guest-that-ran-while-the-daemon-was-down", test_guest_that_ran_while_the_daemon_was_down,
        NULL);
    add("guest-that-ran-while-libvirt-was-silent", test_guest_that_ran_while_libvirt_was_silent,
        NULL);
    add("guest-that-arrived-paused", test_guest_that_arrived_paused, NULL);
    add("write-that-no-move-accounts-for", test_write_that_no_move_accounts_for, NULL);
    add("copy-that-broke-goes", test_copy_that_broke_goes, NULL);
    add("copy-that-libvirt-did-not-survive", test_copy_that_libvirt_did_not_survive, NULL);
    add("copy-that-went-on-while-libvirt-was-silent",
        test_copy_that_went_on_while_libvirt_was_silent, NULL);
    add("visit-whose-end-is-not-told-is-waited-for", test_visit_whose_end_is_not_told_is_waited_for,
        NULL);
    add("daemon-that-cannot-read-its-leases", test_daemon_that_cannot_read_its_leases, NULL);
    add("copy-that-broke-is-released", test_copy_that_broke_is_released, NULL);
    add("copy-that-broke-is-known-after-a-restart", test_copy_that_broke_is_known_after_a_restart,
        NULL);
    add("copy-outlives-the-daemon", test_copy_outlives_the_daemon, NULL);
    add("write-after-a-broken-copy", test_write_after_a_broken_copy, NULL);
    add("untouched-files-go-after-a-restart", test_untouched_files_go_after_a_restart, NULL);
    add("files-that-were-being-filled-go", test_files_that_were_being_filled_go, NULL);
    add("files-that-were-filled-go", test_files_that_were_filled_go_unless_used, NULL);
    add("files-that-were-filled-and-used-stay", test_files_that_were_filled_go_unless_used, "used");
    return g_test_run();
}
