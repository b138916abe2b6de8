/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of storage pools over NFS mounts: made after them, gone before, told from them. */
#include <string.h>

#include "fake/share_fixture.h"
#include "storprep/nfs_mount.h"

static json_t *
asked_with_pool(ShareFixture *fixture, const char *token)
{
    json_t *parameters = share_fixture_ask_mount(fixture, token);

    json_object_set_new(parameters, "pool", json_string("images"));
    return parameters;
}

static FakeHost *
libvirt(ShareFixture *fixture)
{
    return fake_hypervisor_host(fixture->fake_hypervisor);
}

static void
test_pool_comes_and_goes_with_its_lease(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = share_fixture_mount(fixture, asked_with_pool(fixture, "t"), NULL);
    g_autofree char *path = share_fixture_point(fixture);

    g_assert_cmpstr(libvirt(fixture)->pool, ==, "images");
    g_assert_cmpstr(libvirt(fixture)->pool_host, ==, "host1");
    g_assert_cmpstr(libvirt(fixture)->pool_directory, ==, "/srv/images");
    g_assert_cmpstr(libvirt(fixture)->pool_path, ==, path);
    libvirt(fixture)->pool = NULL; /* a reboot */
    share_leases_reconcile(fixture->leases);
    g_assert_cmpstr(libvirt(fixture)->pool, ==, "images");
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_null(libvirt(fixture)->pool);
    share_fixture_assert_nothing_left(fixture);
}

/* In what order a lease's assets are read is left to chance. */
static void
test_pool_is_made_after_its_mount(ShareFixture *fixture, const void *data)
{
    for (unsigned i = 1; i <= 16; i++) {
        fake_hypervisor_fail(fixture->fake_hypervisor, "create_pool", 1, FAULT_HYPERVISOR_FAILED);
        share_fixture_assert_mount_refused(fixture, asked_with_pool(fixture, "t"),
                                           FAULT_HYPERVISOR_FAILED);
        g_assert_cmpuint(fake_mount_table_mounted(fixture->fake_mounts), ==, i);
    }
    share_fixture_assert_nothing_left(fixture);
}

/* The same chance. */
static void
test_options_are_those_of_the_mount(ShareFixture *fixture, const void *data)
{
    for (unsigned i = 0; i < 16; i++) {
        g_autoptr(Lease) lease = share_fixture_mount(fixture, asked_with_pool(fixture, "t"), NULL);

        g_assert_nonnull(strstr(nfs_mount_options(lease), "vers=4.2"));
        g_assert_true(share_fixture_release(fixture, lease, NULL));
    }
}

static void
test_pool_that_fails_leaves_nothing(ShareFixture *fixture, const void *data)
{
    fake_hypervisor_fail(fixture->fake_hypervisor, "create_pool", 1, FAULT_HYPERVISOR_FAILED);
    share_fixture_assert_mount_refused(fixture, asked_with_pool(fixture, "t"),
                                       FAULT_HYPERVISOR_FAILED);
    g_assert_null(libvirt(fixture)->pool);
    share_fixture_assert_nothing_left(fixture);
}

static void
test_pool_of_others_is_refused(ShareFixture *fixture, const void *data)
{
    json_t *bad = share_fixture_ask_mount(fixture, "t");

    libvirt(fixture)->pool = "images";
    libvirt(fixture)->pool_path = "/elsewhere";
    share_fixture_assert_mount_refused(fixture, asked_with_pool(fixture, "t"), FAULT_SHARE_UNFIT);
    g_assert_cmpstr(libvirt(fixture)->pool_path, ==, "/elsewhere");
    json_object_set_new(bad, "pool", json_string("../images"));
    share_fixture_assert_mount_refused(fixture, bad, FAULT_INVALID_ARGUMENT);
}

/* Somebody ended ours, and has made another one since. */
static void
test_pool_that_took_the_place_of_ours_is_left_alone(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = share_fixture_mount(fixture, asked_with_pool(fixture, "t"), NULL);

    libvirt(fixture)->pool_path = "/elsewhere";
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_cmpstr(libvirt(fixture)->pool, ==, "images");
    g_assert_cmpstr(libvirt(fixture)->pool_path, ==, "/elsewhere");
    share_fixture_assert_nothing_left(fixture);
}

/* libvirt unmounts when a pool ends. */
static void
test_pool_stays_while_another_lease_needs_the_mount(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) with = share_fixture_mount(fixture, asked_with_pool(fixture, "t"), NULL);
    g_autoptr(Lease) without =
        share_fixture_mount(fixture, share_fixture_ask_mount(fixture, "u"), NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(share_fixture_release(fixture, with, &error));
    g_assert_error(error, FAULT, FAULT_SHARE_BUSY);
    g_assert_cmpstr(libvirt(fixture)->pool, ==, "images");
    g_assert_true(share_fixture_release(fixture, without, NULL));
    g_assert_true(share_fixture_release(fixture, with, NULL));
    share_fixture_assert_nothing_left(fixture);
}

/* What a pool comes from has a path, too, but on the server. */
static void
test_unmount_is_of_a_place_on_this_host(ShareFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    gboolean kept;

    lease_free(share_fixture_mount(fixture, asked_with_pool(fixture, "t"), NULL));
    g_assert_false(
        share_leases_end(fixture->leases, "mount", "test", "/srv/images", &kept, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 1);
    g_autofree char *path = share_fixture_point(fixture);
    g_assert_true(share_leases_end(fixture->leases, "mount", "test", path, &kept, NULL));
    share_fixture_assert_nothing_left(fixture);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(ShareFixture *, const void *);
    } tests[] = {
        { "/nfs-pool/comes-and-goes", test_pool_comes_and_goes_with_its_lease },
        { "/nfs-pool/order", test_pool_is_made_after_its_mount },
        { "/nfs-pool/options", test_options_are_those_of_the_mount },
        { "/nfs-pool/fails", test_pool_that_fails_leaves_nothing },
        { "/nfs-pool/of-others", test_pool_of_others_is_refused },
        { "/nfs-pool/exchanged", test_pool_that_took_the_place_of_ours_is_left_alone },
        { "/nfs-pool/and-mount", test_pool_stays_while_another_lease_needs_the_mount },
        { "/nfs-pool/unmount-place", test_unmount_is_of_a_place_on_this_host },
    };

    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK |
                           G_LOG_LEVEL_CRITICAL); /* failures are provoked here */
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, ShareFixture, NULL, share_fixture_set_up, tests[i].test,
                   share_fixture_tear_down);
    return g_test_run();
}
