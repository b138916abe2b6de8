/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What CreateTargets costs beside the qemu-img that it runs: targets prints one JSON object, whose
 * members README.md beside this file explains. The files are made in the temporary directory.
 * Figures only: whether they are good is not judged.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "common/limits.h"
#include "common/program.h"
#include "fake/target_fixture.h"

#define TARGET_BYTES (100LL << 30)
#define MANY         100
#define ONE_ROUNDS   30
#define MANY_ROUNDS  5

/* No disk has room for a hundred of these, fully written, and CreateTargets asks. */
int
fstatvfs(int fd, struct statvfs *status)
{
    *status = (struct statvfs) { .f_frsize = 4096, .f_bavail = 1ULL << 40 };
    return 0;
}

static double
milliseconds_since(gint64 start)
{
    return (double)(g_get_monotonic_time() - start) / 1000;
}

static int
compare_doubles(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static double
median_of(double *times, guint count)
{
    qsort(times, count, sizeof(*times), compare_doubles);
    return times[count / 2];
}

static char *
target_path(const TargetFixture *fixture, guint index)
{
    return g_strdup_printf("%s/%u.qcow2", fixture->images, index);
}

static json_t *
ask_for(TargetFixture *fixture, guint count)
{
    json_t *asked = fixture_parameters(fixture, "t", 600);
    json_t *targets = json_array();

    for (guint i = 0; i < count; i++) {
        g_autofree char *path = target_path(fixture, i);

        json_array_append_new(targets, json_pack("{s:s, s:s, s:I}", "path", path, "format", "qcow2",
                                                 "virtualSizeBytes", (json_int_t)TARGET_BYTES));
    }
    json_object_set_new(asked, "targets", targets);
    return asked;
}

static double
time_ours(TargetFixture *fixture, guint count)
{
    json_t *asked = ask_for(fixture, count);
    g_autoptr(GError) error = NULL;
    gint64 start = g_get_monotonic_time();
    g_autoptr(Lease) lease = fixture_create_from(fixture, asked, &error);
    double took = milliseconds_since(start);

    g_assert_no_error(error);
    fixture_release(fixture, lease, &error);
    g_assert_no_error(error);
    return took;
}

static void
run_qemu_img(const char *path)
{
    const char *argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", path, "100G", NULL };
    g_auto(ProgramResult) result = { 0 };
    g_autoptr(GError) error = NULL;

    program_run(argv, NULL, 60, NULL, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpint(result.exit_status, ==, 0);
}

/* As a script would: one after the other. */
static double
time_qemu_img(TargetFixture *fixture, guint count)
{
    gint64 start = g_get_monotonic_time();
    double took;

    for (guint i = 0; i < count; i++) {
        g_autofree char *path = target_path(fixture, i);

        run_qemu_img(path);
    }
    took = milliseconds_since(start);
    for (guint i = 0; i < count; i++) {
        g_autofree char *path = target_path(fixture, i);

        g_unlink(path);
    }
    return took;
}

/* In turns, so that whatever drifts hits both. The first round of each only warms up. */
static json_t *
measure(TargetFixture *fixture, guint count, guint rounds)
{
    g_autofree double *ours = g_new0(double, rounds);
    g_autofree double *theirs = g_new0(double, rounds);
    double median, plain;

    time_ours(fixture, count);
    time_qemu_img(fixture, count);
    for (guint i = 0; i < rounds; i++) {
        ours[i] = time_ours(fixture, count);
        theirs[i] = time_qemu_img(fixture, count);
    }
    median = median_of(ours, rounds);
    plain = median_of(theirs, rounds);
    return json_pack("{s:i, s:i, s:f, s:f, s:f, s:f}", "targets", (int)count, "rounds", (int)rounds,
                     "medianMilliseconds", median, "maximumMilliseconds", ours[rounds - 1],
                     "qemuImgMilliseconds", plain, "ratio", median / plain);
}

int
main(void)
{
    TargetFixture fixture = { 0 };
    json_auto_t *figures = NULL;

    G_STATIC_ASSERT(MANY <= LIMIT_DISKS);
    fixture_set_up(&fixture, NULL);
    figures = json_pack("{s:o, s:o}", "one", measure(&fixture, 1, ONE_ROUNDS), "hundred",
                        measure(&fixture, MANY, MANY_ROUNDS));
    fixture_tear_down(&fixture, NULL);
    json_dumpf(figures, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(4) | JSON_PRESERVE_ORDER);
    putchar('\n');
    return 0;
}
