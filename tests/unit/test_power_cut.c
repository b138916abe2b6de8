/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lease database when the power is cut: what was ever visible stays, and no record is half. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "common/lease_store.h"
#include "fake/database_audit.h"
#include "fake/faulty_disk.h"

#define SEEDS      20
#define POINTS_MAX 100 /* more than a transaction has */

typedef struct {
    char *directory, *path;
    Injector *injector;
    FaultyDisk *disk;
    GRand *random;
    LeaseStore *store;
} Fixture;

static void
open_store(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->store = lease_store_open(fixture->path, &error);
    g_assert_no_error(error);
}

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->directory = g_dir_make_tmp("power-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->directory, "leases.db", NULL);
    fixture->injector = injector_new();
    fixture->disk = faulty_disk_new(fixture->path, fixture->injector);
    fixture->random = g_rand_new_with_seed(1);
    open_store(fixture);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    lease_store_free(fixture->store);
    faulty_disk_free(fixture->disk);
    injector_free(fixture->injector);
    g_rand_free(fixture->random);
    g_assert_cmpint(g_remove(fixture->path), ==, 0);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
    g_free(fixture->path);
}

/* Ends the process, with the power or without, and starts the next one. */
static void
restart(Fixture *fixture, gboolean with_power)
{
    injector_kill(fixture->injector);
    lease_store_free(fixture->store);
    if (!with_power)
        faulty_disk_cut(fixture->disk, fixture->random);
    injector_arm(fixture->injector, INJECT_NOTHING, 0);
    open_store(fixture);
}

/* A lease with two VFs; NULL if that failed. */
static Lease *
reserve(Fixture *fixture, const char *token)
{
    g_autoptr(GPtrArray) assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    json_auto_t *request = json_object();
    const Lease draft = {
        .kind = (char *)"reservation",
        .owner = (char *)"test",
        .token = (char *)token,
        .guest_name = (char *)"web1",
        .guest_uuid = (char *)"",
        .state = (char *)"reserved",
        .request = request,
        .assets = assets,
    };

    g_ptr_array_add(assets, lease_asset_new("function", "0000:01:10.0", "reserved", NULL));
    g_ptr_array_add(assets, lease_asset_new("function", "0000:01:10.2", "reserved", NULL));
    return lease_store_create(fixture->store, &draft, 60, FAULT_FUNCTION_BUSY, NULL, NULL);
}

/* Nothing, or all of it. */
static gboolean
has_lease(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(fixture->store, &error);

    g_assert_no_error(error);
    database_audit_free(database_audit_new(fixture->path));
    if (leases->len > 0)
        g_assert_cmpuint(((const Lease *)leases->pdata[0])->assets->len, ==, 2);
    return leases->len > 0;
}

static void
clear(Fixture *fixture)
{
    g_autoptr(GPtrArray) leases = lease_store_list(fixture->store, NULL);

    for (guint i = 0; i < leases->len; i++)
        g_assert_true(
            lease_store_remove(fixture->store, ((const Lease *)leases->pdata[i])->id, NULL));
}

/* FALSE: a transaction has no such point. */
static gboolean
strike(Fixture *fixture, Injection what, unsigned point)
{
    unsigned before = injector_strikes(fixture->injector);
    g_autofree char *token = g_strdup_printf("%d %u", (int)what, point);

    injector_arm(fixture->injector, what, point);
    g_autoptr(Lease) lease = reserve(fixture, token);
    gboolean struck = injector_strikes(fixture->injector) > before;
    g_assert_true(struck == (lease == NULL));
    if (!struck)
        injector_arm(fixture->injector, INJECT_NOTHING, 0);
    return struck;
}

static void
test_what_was_answered_survives(Fixture *fixture, const void *data)
{
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        g_autofree char *token = g_strdup_printf("%u", seed);

        g_rand_set_seed(fixture->random, seed);
        lease_free(reserve(fixture, token));
        restart(fixture, FALSE);
        g_assert_true(has_lease(fixture));
        clear(fixture);
        restart(fixture, FALSE);
        g_assert_false(has_lease(fixture));
    }
}

static void
test_no_record_is_half(Fixture *fixture, const void *data)
{
    unsigned point = 1;

    for (; point < POINTS_MAX; point++) {
        for (unsigned seed = 0; seed < SEEDS; seed++) {
            g_rand_set_seed(fixture->random, seed);
            gboolean struck = strike(fixture, INJECT_POWER_CUT, point);
            restart(fixture, !struck);
            gboolean there = has_lease(fixture);
            clear(fixture);
            if (struck)
                continue;
            g_assert_true(there);
            g_assert_cmpuint(point, >, 3);
            return;
        }
    }
    g_assert_not_reached();
}

/* The next process sees what a killed one wrote and did not sync, and acts on it. */
static void
test_what_the_next_process_sees_survives(Fixture *fixture, const void *data)
{
    unsigned seen = 0;

    for (unsigned point = 1; point < POINTS_MAX; point++) {
        if (!strike(fixture, INJECT_KILL_AFTER, point))
            break;
        restart(fixture, TRUE);
        gboolean there = has_lease(fixture);
        seen += there;
        restart(fixture, FALSE);
        g_assert_cmpint(has_lease(fixture), ==, there);
        clear(fixture);
    }
    g_assert_cmpuint(seen, >, 0);
}

static void
add(const char *name, void (*test)(Fixture *, const void *))
{
    g_autofree char *path = g_strconcat("/power-cut/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    add("what-was-answered-survives", test_what_was_answered_survives);
    add("no-record-is-half", test_no_record_is_half);
    add("what-the-next-process-sees-survives", test_what_the_next_process_sees_survives);
    return g_test_run();
}
