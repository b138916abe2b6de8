/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An update of the daemons loses no lease: databases of earlier releases, as killed daemons left
 * them, replayed from tests/golden/leases. */
#include <glib/gstdio.h>
#include <sqlite3.h>

#include "common/lease_store.h"
#include "netprep/network_lease.h"

#define LEASES          5
#define LAST_GENERATION 7
#define RESERVATION     "0b6c1c5e-9d4b-4c0e-8a37-1d6f2f5a9b01"
#define DETACHMENT      "0b6c1c5e-9d4b-4c0e-8a37-1d6f2f5a9b02"
#define FUNCTION        "0000:01:10.2"

typedef struct {
    char *directory;
    LeaseStore *store;
} Fixture;

static char *
file_in(const char *directory, const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static char *
read_old(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "golden", "leases", NULL);
    g_autofree char *file = g_build_filename(path, "format-1.sql", NULL);
    g_autofree char *boot_id = NULL, *text = NULL;

    g_assert_true(g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot_id, NULL, NULL));
    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(text, "BOOT", -1);
    return g_strjoinv(g_strchomp(boot_id), parts);
}

static void
copy(const char *from, const char *to)
{
    g_autofree char *content = NULL;
    gsize length = 0;

    g_assert_true(g_file_get_contents(from, &content, &length, NULL));
    g_assert_true(g_file_set_contents(to, content, (gssize)length, NULL));
}

/* A killed daemon leaves its last transactions in the log beside the file. */
static void
write_as_killed(const char *directory)
{
    g_autofree char *sql = read_old();
    g_autofree char *old = file_in(directory, "old.db"),
                    *old_log = file_in(directory, "old.db-wal");
    g_autofree char *path = file_in(directory, "leases.db");
    g_autofree char *log = file_in(directory, "leases.db-wal");
    sqlite3 *connection = NULL;

    g_assert_cmpint(sqlite3_open(old, &connection), ==, SQLITE_OK);
    sqlite3_exec(connection, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    g_assert_cmpint(sqlite3_exec(connection, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    copy(old, path);
    copy(old_log, log);
    sqlite3_close(connection);
    g_unlink(old);
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    fixture->directory = g_dir_make_tmp("upgrade-XXXXXX", &error);
    g_assert_no_error(error);
    write_as_killed(fixture->directory);
    g_autofree char *path = file_in(fixture->directory, "leases.db");
    fixture->store = lease_store_open(path, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GDir) directory = g_dir_open(fixture->directory, 0, NULL);

    lease_store_free(fixture->store);
    for (const char *name = g_dir_read_name(directory); name; name = g_dir_read_name(directory)) {
        g_autofree char *path = file_in(fixture->directory, name);
        g_unlink(path);
    }
    g_rmdir(fixture->directory);
    g_free(fixture->directory);
}

static Lease *
find(const Fixture *fixture, const char *id)
{
    g_autoptr(GError) error = NULL;
    Lease *lease = lease_store_get(fixture->store, id, 0, &error);

    g_assert_no_error(error);
    return lease;
}

static void
test_every_lease_is_there_with_its_time(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(fixture->store, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(leases->len, ==, LEASES);
    for (guint i = 0; i < leases->len; i++)
        g_assert_cmpint(((Lease *)leases->pdata[i])->remaining_usec, >, 0);
    g_autoptr(Lease) degraded = find(fixture, DETACHMENT);
    g_assert_cmpstr(degraded->state, ==, STATE_DEGRADED);
    g_assert_cmpstr(degraded->reason, ==, "no free function");
    g_assert_cmpstr(degraded->guest_name, ==, "web2");
}

static void
test_held_functions_are_understood(Fixture *fixture, gconstpointer unused)
{
    static const char *const ids[] = { RESERVATION, DETACHMENT };

    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Lease) lease = find(fixture, ids[i]);
        g_assert_cmpuint(lease->assets->len, ==, 1);
        g_autoptr(Vnic) vnic = network_lease_vnic(lease->assets->pdata[0], &error);
        g_assert_no_error(error);
        g_assert_cmpstr(vnic->physical_network, ==, "blue");
        g_assert_cmpint(network_lease_had(lease->assets->pdata[0]), ==, i == 1);
    }
}

static void
test_what_is_held_stays_held(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) wanted =
        network_lease_draft(LEASE_RESERVATION, "other", "t", "web9",
                            "4dea22b3-1d52-d8f3-2516-782e98ab3fa9", STATE_RESERVED, json_object());

    g_ptr_array_add(wanted->assets, lease_asset_new(ASSET_FUNCTION, FUNCTION, "reserved", NULL));
    g_autoptr(Lease) refused =
        lease_store_create(fixture->store, wanted, 60, FAULT_FUNCTION_BUSY, NULL, &error);
    g_assert_null(refused);
    g_assert_cmpint(fault_code(error), ==, FAULT_FUNCTION_BUSY);
    g_ptr_array_set_size(wanted->assets, 0);
    g_clear_error(&error);
    g_autoptr(Lease) next =
        lease_store_create(fixture->store, wanted, 60, FAULT_FUNCTION_BUSY, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(next->generation, >, LAST_GENERATION);
}

static void
test_lease_goes_on_and_ends(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = find(fixture, RESERVATION);

    g_assert_true(lease_store_renew(fixture->store, lease->id, lease->generation, 60, &error));
    g_assert_true(network_lease_mark(fixture->store, lease, lease->assets->pdata[0],
                                     ASSET_CONFIGURED, &error));
    g_assert_true(lease_store_remove(fixture->store, lease->id, &error));
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, function)                                                                       \
    g_test_add("/lease-upgrade/" path, Fixture, NULL, set_up, function, tear_down)
    TEST("every lease is there with its time", test_every_lease_is_there_with_its_time);
    TEST("held functions are understood", test_held_functions_are_understood);
    TEST("what is held stays held", test_what_is_held_stays_held);
    TEST("lease goes on and ends", test_lease_goes_on_and_ends);
#undef TEST
    return g_test_run();
}
