/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of which migration a guest's disks allow together. */
#include <string.h>

#include "storprep/disk_set.h"

static Disk local = {
    .target = (char *)"vda", .storage = DISK_ON_FILE, .provable = TRUE, .migration = DISK_COPY
};
static Disk other = {
    .target = (char *)"vdb", .storage = DISK_ON_FILE, .provable = TRUE, .migration = DISK_COPY
};
static Disk rbd = { .target = (char *)"vdc",
                    .storage = DISK_ON_NETWORK,
                    .protocol = (char *)"rbd",
                    .migration = DISK_NONE,
                    .reason = (char *)"it is network storage" };
static Disk cdrom = { .target = (char *)"sda",
                      .storage = DISK_ON_FILE,
                      .read_only = TRUE,
                      .migration = DISK_NONE,
                      .reason = (char *)"it is read-only" };
static Disk block = { .target = (char *)"vdd",
                      .storage = DISK_ON_BLOCK,
                      .migration = DISK_IMPOSSIBLE,
                      .reason = (char *)"it is a block device" };
static Disk chained = { .target = (char *)"vde",
                        .storage = DISK_ON_FILE,
                        .provable = TRUE,
                        .migration = DISK_IMPOSSIBLE,
                        .reason = (char *)"its definition names a backing file" };
static Disk shareable = { .target = (char *)"vdf",
                          .storage = DISK_ON_FILE,
                          .shareable = TRUE,
                          .migration = DISK_IMPOSSIBLE,
                          .reason = (char *)"it is shared with other guests" };

/* @shared and @copy: targets with blanks between; NULL: not given. */
static DiskSetVerdict
judge(Disk *first, Disk *second, const char *shared, const char *copy)
{
    g_autoptr(GPtrArray) disks = g_ptr_array_new();
    g_auto(GStrv) shared_list = shared ? g_strsplit(shared, " ", -1) : NULL;
    g_auto(GStrv) copy_list = copy ? g_strsplit(copy, " ", -1) : NULL;
    DiskSetVerdict verdict;

    if (first)
        g_ptr_array_add(disks, first);
    if (second)
        g_ptr_array_add(disks, second);
    disk_set_judge(disks, (const char *const *)shared_list, (const char *const *)copy_list,
                   &verdict);
    return verdict;
}

static void
assert_possible(Disk *first, Disk *second, const char *shared, const char *copy,
                DiskSetMigration migration)
{
    g_auto(DiskSetVerdict) verdict = judge(first, second, shared, copy);

    g_assert_cmpstr(verdict.reason, ==, NULL);
    g_assert_cmpint(verdict.migration, ==, migration);
}

static void
assert_none(Disk *first, Disk *second, const char *shared, const char *copy, const char *target,
            const char *reason)
{
    g_auto(DiskSetVerdict) verdict = judge(first, second, shared, copy);
    g_autofree char *named = g_strdup_printf("disk '%s': ", target);

    g_assert_cmpint(verdict.migration, ==, DISK_SET_NONE);
    g_assert_true(g_str_has_prefix(verdict.reason, named));
    g_assert_nonnull(strstr(verdict.reason, reason));
}

static void
test_kinds(void)
{
    assert_possible(NULL, NULL, NULL, NULL, DISK_SET_SHARED);
    assert_possible(&local, &other, NULL, NULL, DISK_SET_COPY);
    assert_possible(&local, &other, "vda vdb", NULL, DISK_SET_SHARED);
    assert_possible(&local, &other, "vdb", NULL, DISK_SET_MIXED);
    assert_possible(&local, &rbd, NULL, NULL, DISK_SET_MIXED);
    assert_possible(&rbd, NULL, NULL, NULL, DISK_SET_SHARED);
    assert_possible(&local, &cdrom, NULL, NULL, DISK_SET_COPY);
    assert_possible(&local, &chained, "vde", "vda", DISK_SET_MIXED);
}

static void
test_obstacles(void)
{
    assert_none(&local, &block, NULL, NULL, "vdd", "block device");
    assert_none(&shareable, NULL, NULL, NULL, "vdf", "other guests");
    assert_none(&chained, NULL, NULL, NULL, "vde", "backing file");
    assert_none(&local, &other, NULL, "vda", "vdb", "neither proven");
    assert_none(&local, &cdrom, NULL, "vda sda", "sda", "read-only");
    assert_none(&rbd, NULL, NULL, "vdc", "vdc", "network storage");
    assert_none(&rbd, NULL, "vdc", NULL, "vdc", "plain file");
    assert_none(&local, NULL, NULL, "vda vdz", "vdz", "none of that name");
    assert_none(&local, NULL, "vdz", NULL, "vdz", "none of that name");
}

static void
test_one_file_on_both_sides_is_not_copied(void)
{
    assert_none(&local, NULL, "vda", "vda", "vda", "overwrite itself");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk-set/kinds", test_kinds);
    g_test_add_func("/disk-set/obstacles", test_obstacles);
    g_test_add_func("/disk-set/one-file-on-both-sides", test_one_file_on_both_sides_is_not_copied);
    return g_test_run();
}
