/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether netprepd grows with what it does: load LEASES MIGRATIONS prints one JSON object, whose
 * members README.md beside this file explains. Fails only for growth, which no machine is too slow
 * for.
 */
#include <glib/gstdio.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/resident.h"
#include "fake/migration_world.h"
#include "netprep/description.h"
#include "netprep/release.h"
#include "netprep/reservation.h"

#define WARM_UP 2 /* after the first half, all bounded memories are full */
/* More than threads keep at hand; less than one block forgotten in each lease of half a run. */
#define ALLOCATED_MAX_KIB 256
/* Free memory between what is in use, which the daemons' own trims give back in whole pages only.
 */
#define RESIDENT_MAX_KIB 1024

typedef struct {
    long memory_kib;    /* resident, not shared */
    long allocated_kib; /* in use, of all heaps */
    unsigned descriptors;
    gint64 database_bytes; /* of both hosts, logs included */
} Footprint;

static void
quiet(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
}

static GLogWriterOutput
silent(GLogLevelFlags level, const GLogField *fields, gsize count, void *data)
{
    return G_LOG_WRITER_HANDLED;
}

static long
read_memory(void)
{
    g_autofree char *text = NULL;
    long size = 0, resident = 0, shared = 0;

    g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    g_assert_cmpint(sscanf(text, "%ld %ld %ld", &size, &resident, &shared), ==, 3);
    return (resident - shared) * (sysconf(_SC_PAGESIZE) / 1024);
}

static long
read_allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return (long)((info.uordblks + info.hblkhd) / 1024);
}

static unsigned
count_descriptors(void)
{
    g_autoptr(GDir) directory = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(directory))
        count++;
    return count;
}

static gint64
measure_directory(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;
    gint64 bytes = 0;

    while ((name = g_dir_read_name(directory))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        GStatBuf status;

        if (g_stat(file, &status) == 0)
            bytes += status.st_size;
    }
    return bytes;
}

/* The fakes write down all that they are asked. */
static void
forget_calls(const MigrationWorld *world)
{
    fake_hypervisor_forget_calls(world->source->hypervisor);
    fake_hypervisor_forget_calls(world->destination->hypervisor);
}

/* As it is after a daemon's own trim. */
static Footprint
measure(const MigrationWorld *world)
{
    resident_trim();
    return (Footprint) { read_memory(), read_allocated(), count_descriptors(),
                         measure_directory(world->directory) };
}

/* A coordinator that reserves and thinks better of it. */
static void
cycle_lease(MigrationWorld *world)
{
    const NetworkHost *host = daemon_process_host(world->destination->daemon);
    json_auto_t *guest =
        description_of_guest(daemon_process_host(world->source->daemon), "web1", NULL);
    ReservationRequest request = {
        "load", "load", "web1", WORLD_UUID, json_object_get(guest, "vnics"), 60
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = reservation_create(host, &request, &error);

    g_assert_no_error(error);
    g_autoptr(Job) job = release_start(host, lease->id, lease->generation, &error);
    json_auto_t *result = job ? job_wait(job, &error) : NULL;
    g_assert_no_error(error);
    forget_calls(world);
}

/* There, and next time back. */
static void
migrate(MigrationWorld *world)
{
    MigrationHost *left = world->source;

    g_assert_true(migration_world_reserve(world));
    g_assert_true(migration_world_detach(world, "load"));
    g_assert_true(migration_world_depart(world));
    g_assert_true(migration_world_arrive(world, TRUE));
    g_assert_true(migration_world_attach(world));
    migration_world_settle(world);
    migration_world_expire(world);
    migration_world_settle(world);
    world->source = world->destination;
    world->destination = left;
    forget_calls(world);
}

static json_t *
compare(const Footprint *before, const Footprint *after, gint64 started_usec, unsigned count)
{
    double seconds = (double)(g_get_monotonic_time() - started_usec) / G_USEC_PER_SEC;

    return json_pack("{s:i, s:f, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I}", "count", (int)count,
                     "seconds", seconds, "memoryKibibytesBefore", (int)before->memory_kib,
                     "memoryKibibytesAfter", (int)after->memory_kib, "allocatedKibibytesBefore",
                     (int)before->allocated_kib, "allocatedKibibytesAfter",
                     (int)after->allocated_kib, "descriptorsBefore", (int)before->descriptors,
                     "descriptorsAfter", (int)after->descriptors, "databaseBytesBefore",
                     (json_int_t)before->database_bytes, "databaseBytesAfter",
                     (json_int_t)after->database_bytes);
}

static json_t *
run(MigrationWorld *world, unsigned count, void (*work)(MigrationWorld *), gboolean *ret_grown)
{
    gint64 started = g_get_monotonic_time();

    for (unsigned i = 0; i < count / WARM_UP; i++)
        work(world);
    Footprint before = measure(world);
    for (unsigned i = count / WARM_UP; i < count; i++)
        work(world);
    Footprint after = measure(world);
    *ret_grown = after.memory_kib > before.memory_kib + RESIDENT_MAX_KIB ||
                 after.allocated_kib > before.allocated_kib + ALLOCATED_MAX_KIB ||
                 after.descriptors > before.descriptors ||
                 after.database_bytes > 2 * before.database_bytes;
    return compare(&before, &after, started, count);
}

int
main(int argc, char **argv)
{
    unsigned leases = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
    unsigned migrations = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2000;
    gboolean leases_grow, migrations_grow;

    resident_bound_heaps();
    g_log_set_writer_func(silent, NULL, NULL);
    g_log_set_default_handler(quiet, NULL);
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_autoptr(MigrationWorld) world = migration_world_new();
    json_auto_t *figures = json_object();
    json_object_set_new(figures, "leases", run(world, leases, cycle_lease, &leases_grow));
    json_object_set_new(figures, "migrations", run(world, migrations, migrate, &migrations_grow));
    g_autofree char *text = json_dumps(figures, JSON_INDENT(2));
    puts(text);
    return leases_grow || migrations_grow;
}
