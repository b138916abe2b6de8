/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of disks that are volumes of storage pools, here and as targets. */
#include <glib/gstdio.h>
#include <string.h>

#include "fake/target_fixture.h"
#include "storprep/disk.h"

static void
set_pool(TargetFixture *fixture, const char *path)
{
    FakeHost *host = fake_hypervisor_host(fixture->fake);

    host->pool = "images";
    host->pool_path = g_intern_string(path);
    host->volume = "web1";
}

/* A raw disk of one sector. */
static Disk *
plan(TargetFixture *fixture, const char *pool, const char *volume)
{
    g_autofree char *file = g_build_filename(fixture->images, "web1", NULL);
    g_autofree char *source = g_strdup_printf("%s/%s", pool, volume);
    const DomainDisk definition = { .target = (char *)"vda",
                                    .device = (char *)"disk",
                                    .type = (char *)"volume",
                                    .source = source,
                                    .pool = (char *)pool,
                                    .volume = (char *)volume,
                                    .format = (char *)"raw" };
    char sector[512] = "";

    g_assert_true(g_file_set_contents(file, sector, sizeof sector, NULL));
    Disk *disk = disk_plan(&definition, fixture->hypervisor);
    g_assert_cmpint(g_unlink(file), ==, 0);
    return disk;
}

static void
test_volume_is_copied_as_the_file_that_it_is(TargetFixture *fixture, const void *data)
{
    g_autofree char *file = g_build_filename(fixture->images, "web1", NULL);

    set_pool(fixture, fixture->images);
    g_autoptr(Disk) disk = plan(fixture, "images", "web1");
    json_auto_t *record = disk_to_json(disk);
    g_assert_cmpint(disk->migration, ==, DISK_COPY);
    g_assert_true(disk->provable);
    g_assert_cmpstr(disk->path, ==, file);
    g_assert_cmpstr(json_string_value(json_object_get(record, "pool")), ==, "images");
    g_assert_cmpstr(json_string_value(json_object_get(record, "storage")), ==, "volume");
}

static void
test_volume_that_is_no_file_is_refused_with_what_helps(TargetFixture *fixture, const void *data)
{
    static const struct {
        const char *pool, *volume, *type, *reason;
    } cases[] = {
        { "images", "web1", "logical", "it is of type logical" },
        { "images", "web1", "rbd", "define the disk by its file" },
        { "other", "web1", NULL, "not active on this host; virsh pool-start 'other'" },
        { "images", "web2", NULL, "no storage vol with matching name 'web2'" },
    };

    set_pool(fixture, fixture->images);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        fake_hypervisor_host(fixture->fake)->pool_type = cases[i].type;
        g_autoptr(Disk) disk = plan(fixture, cases[i].pool, cases[i].volume);
        g_assert_cmpint(disk->migration, ==, DISK_IMPOSSIBLE);
        g_assert_false(disk->provable);
        g_assert_nonnull(strstr(disk->reason, cases[i].reason));
    }
}

/* Targets. */

static json_t *
ask_for_volume(TargetFixture *fixture)
{
    json_t *asked = fixture_one_raw(fixture, "t", fixture->first, 512);

    json_object_set_new(json_array_get(json_object_get(asked, "targets"), 0), "pool",
                        json_string("images"));
    return asked;
}

static unsigned
count_refreshes(TargetFixture *fixture)
{
    unsigned count = 0;

    for (const char *const *call = fake_hypervisor_calls(fixture->fake); *call; call++)
        count += g_str_equal(*call, "refresh_pool images");
    return count;
}

static void
test_libvirt_is_shown_targets_that_are_volumes(TargetFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    set_pool(fixture, fixture->images);
    g_autoptr(Lease) lease = fixture_create_from(fixture, ask_for_volume(fixture), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(count_refreshes(fixture), ==, 1);
    g_assert_false(fixture_release(fixture, lease, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(count_refreshes(fixture), ==, 2);
    fixture_assert_nothing_left(fixture);
}

static void
test_target_is_refused_where_its_pool_is_not(TargetFixture *fixture, const void *data)
{
    fixture_assert_create_fails(fixture, ask_for_volume(fixture), FAULT_TARGET_REFUSED, "images");
    set_pool(fixture, "/elsewhere");
    fixture_assert_create_fails(fixture, ask_for_volume(fixture), FAULT_TARGET_REFUSED, "images");
    set_pool(fixture, fixture->images);
    fake_hypervisor_host(fixture->fake)->pool_type = "logical";
    fixture_assert_create_fails(fixture, ask_for_volume(fixture), FAULT_TARGET_REFUSED, "images");
    fixture_assert_nothing_left(fixture);
}

/* It would refuse the guest, or make the volume anew. */
static void
test_target_that_libvirt_does_not_look_at_is_none(TargetFixture *fixture, const void *data)
{
    set_pool(fixture, fixture->images);
    fake_hypervisor_fail(fixture->fake, "refresh_pool", 1, FAULT_HYPERVISOR_FAILED);
    fixture_assert_create_fails(fixture, ask_for_volume(fixture), FAULT_HYPERVISOR_FAILED, "");
    fixture_assert_nothing_left(fixture);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(TargetFixture *, const void *);
    } tests[] = {
        { "/pool-volume/copied", test_volume_is_copied_as_the_file_that_it_is },
        { "/pool-volume/refused", test_volume_that_is_no_file_is_refused_with_what_helps },
        { "/pool-volume/shown", test_libvirt_is_shown_targets_that_are_volumes },
        { "/pool-volume/no-pool", test_target_is_refused_where_its_pool_is_not },
        { "/pool-volume/not-shown", test_target_that_libvirt_does_not_look_at_is_none },
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, TargetFixture, NULL, fixture_set_up, tests[i].test,
                   fixture_tear_down);
    return g_test_run();
}
