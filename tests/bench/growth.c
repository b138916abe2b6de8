/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a host with 1, 10, 100 and 1,000 virtual functions and as many leases costs: growth
 * DIRECTORY prints one JSON object. Leases are on disk in DIRECTORY; libvirt, guests and sysfs are
 * fake.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/description.h"
#include "netprep/function_inventory.h"
#include "netprep/reservation.h"

#define SECONDS 3 /* for each rate */
#define READS   20
#define HELD    1000000 /* the numbers of leases that stay */

static double
milliseconds_since(gint64 start)
{
    return (double)(g_get_monotonic_time() - start) / 1000;
}

static Lease *
hold(LeaseStore *store, unsigned number)
{
    g_autofree char *token = g_strdup_printf("t%u", number);
    g_autofree char *key = g_strdup_printf("other:%u", number);
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) draft = network_lease_draft(LEASE_RESERVATION, "bench", token, "guest",
                                                 FIXTURE_UUID, STATE_RESERVED, json_object());

    g_ptr_array_add(draft->assets, lease_asset_new("bench", key, "reserved", NULL));
    Lease *lease = lease_store_create(store, draft, 86400, FAULT_FUNCTION_BUSY, NULL, &error);
    g_assert_no_error(error);
    return lease;
}

typedef struct {
    LeaseStore *store;
    gint made; /* atomic */
    gint64 end_usec;
} Rush;

static gpointer
create_and_remove(gpointer data)
{
    Rush *rush = data;

    while (g_get_monotonic_time() < rush->end_usec) {
        g_autoptr(Lease) lease = hold(rush->store, (unsigned)g_atomic_int_add(&rush->made, 1));
        g_assert_true(lease_store_remove(rush->store, lease->id, NULL));
    }
    return NULL;
}

/* Of the process, all threads together. */
static double
processor_milliseconds(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

/* Leases made and ended a second by @count callers at once, each on disk when the call returns.
 * *ret_processor (may be NULL) is what one of them costs, in milliseconds. */
static double
durable_per_second(LeaseStore *store, unsigned count, double *ret_processor)
{
    double used = processor_milliseconds();
    gint64 start = g_get_monotonic_time();
    Rush rush = { store, 0, start + SECONDS * G_USEC_PER_SEC };
    g_autofree GThread **threads = g_new(GThread *, count);

    for (unsigned i = 0; i < count; i++)
        threads[i] = g_thread_new("caller", create_and_remove, &rush);
    for (unsigned i = 0; i < count; i++)
        g_thread_join(threads[i]);
    if (ret_processor)
        *ret_processor = (processor_milliseconds() - used) / rush.made;
    return rush.made / (milliseconds_since(start) / 1000);
}

/* What the disk allows: so many small appends a second, each of them synced. */
static double
syncs_per_second(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "append", NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char record[256] = { 0 };
    gint64 start = g_get_monotonic_time();
    int count = 0;

    for (; milliseconds_since(start) < SECONDS * 1000; count++)
        g_assert_true(write(fd, record, sizeof record) == sizeof record && fdatasync(fd) == 0);
    close(fd);
    g_unlink(path);
    return count / (milliseconds_since(start) / 1000);
}

static double
list_milliseconds(LeaseStore *store)
{
    gint64 start = g_get_monotonic_time();

    for (int i = 0; i < READS; i++) {
        g_autoptr(GPtrArray) leases = lease_store_list(store, NULL);
        g_assert_nonnull(leases);
    }
    return milliseconds_since(start) / READS;
}

static double
functions_milliseconds(const NetworkFixture *fixture)
{
    gint64 start = g_get_monotonic_time();

    for (int i = 0; i < READS; i++) {
        json_auto_t *functions = description_of_functions(fixture->host, NULL);
        g_assert_nonnull(functions);
    }
    return milliseconds_since(start) / READS;
}

/* Reserve as its handler does it: inventory, choice, record. */
static double
reserve_milliseconds(const NetworkFixture *fixture)
{
    Vnic vnic = { .alias = "hostdev0",
                  .function = "0000:09:10.0",
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .physical_network = (char *)"blue" };
    json_auto_t *vnics = json_pack("[o]", vnic_to_json(&vnic));
    gint64 start = g_get_monotonic_time();

    for (int i = 0; i < READS; i++) {
        g_autofree char *token = g_strdup_printf("reserve%d", i);
        ReservationRequest request = { "bench", token, "web9", FIXTURE_UUID, vnics, 3600 };
        g_autoptr(GError) error = NULL;
        g_autoptr(Lease) lease = reservation_create(fixture->host, &request, &error);

        g_assert_no_error(error);
        g_assert_true(lease_store_remove(fixture->host->leases, lease->id, NULL));
    }
    return milliseconds_since(start) / READS;
}

static json_t *
measure(const char *directory, unsigned count)
{
    NetworkFixture *fixture = network_fixture_new();
    g_autofree char *name = g_strdup_printf("growth-%u.db", count);
    g_autofree char *path = g_build_filename(directory, name, NULL);

    fake_sysfs_add_large_card(fixture->sysfs, "big0", 2, count);
    lease_store_free(fixture->host->leases);
    fixture->host->leases = lease_store_open(path, NULL);
    g_assert_nonnull(fixture->host->leases);
    for (unsigned i = 0; i < count; i++)
        lease_free(hold(fixture->host->leases, HELD + i));
    LeaseStore *store = fixture->host->leases;
    json_t *figures = json_pack("{s:i, s:f, s:f, s:f, s:f}", "count", (int)count,
                                "listLeasesMilliseconds", list_milliseconds(store),
                                "listFunctionsMilliseconds", functions_milliseconds(fixture),
                                "reserveMilliseconds", reserve_milliseconds(fixture),
                                "durablePerSecond", durable_per_second(store, 1, NULL));
    network_fixture_free(fixture);
    g_unlink(path);
    return figures;
}

/* By many callers and by few, each beside what the disk allows just then. */
static json_t *
measure_rush(LeaseStore *store, const char *directory)
{
    static const unsigned callers[] = { 1, 4, 16, 64 };
    json_t *rushes = json_array();

    for (gsize i = 0; i < G_N_ELEMENTS(callers); i++) {
        double processor = 0, durable = durable_per_second(store, callers[i], &processor);

        json_array_append_new(rushes, json_pack("{s:i, s:f, s:f, s:f}", "callers", (int)callers[i],
                                                "durablePerSecond", durable, "syncsPerSecond",
                                                syncs_per_second(directory),
                                                "processorMilliseconds", processor));
    }
    return rushes;
}

int
main(int argc, char **argv)
{
    static const unsigned counts[] = { 1, 10, 100, 1000 };
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_build_filename(argc > 1 ? argv[1] : ".", "growth-XXXXXX", NULL);
    json_t *growth = json_array();

    g_assert_nonnull(g_mkdtemp(directory));
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++)
        json_array_append_new(growth, measure(directory, counts[i]));
    g_autofree char *path = g_build_filename(directory, "many.db", NULL);
    g_autoptr(LeaseStore) store = lease_store_open(path, &error);
    g_assert_no_error(error);
    json_t *figures =
        json_pack("{s:o, s:o}", "growth", growth, "rush", measure_rush(store, directory));
    json_dumpf(figures, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(figures);
    g_unlink(path);
    g_rmdir(directory);
    return 0;
}
