/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of who keeps an NFS mount from being taken: processes, guests, and leases of files
 * in it. */
#include <string.h>

#include "fake/share_fixture.h"
#include "storprep/nfs_mount.h"
#include "storprep/probe_file.h"
#include "storprep/target_files.h"

static Lease *
mount_it(ShareFixture *fixture)
{
    Lease *lease = share_fixture_mount(fixture, share_fixture_ask_mount(fixture, "t"), NULL);

    g_assert_nonnull(lease);
    return lease;
}

static void
assert_taken(ShareFixture *fixture, const Lease *lease)
{
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    share_fixture_assert_nothing_left(fixture);
}

static void
test_process_and_guest(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = mount_it(fixture);
    g_autofree char *path = share_fixture_point(fixture);

    fake_mount_table_set_user(fixture->fake_mounts, "process 12 (qemu-img)");
    share_fixture_assert_busy(fixture, lease, "process 12 (qemu-img)");
    fake_mount_table_set_user(fixture->fake_mounts, NULL);
    share_fixture_add_guest(fixture, path);
    share_fixture_assert_busy(fixture, lease, "web1");
    fake_hypervisor_set_state(fixture->fake_hypervisor, SHARE_GUEST_UUID, GUEST_STATE_SHUT_OFF);
    assert_taken(fixture, lease);
}

static void
test_guest_on_a_volume(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = mount_it(fixture);
    g_autofree char *path = share_fixture_point(fixture);
    g_autofree char *below = g_build_filename(path, "web", NULL);
    FakeHost *host = fake_hypervisor_host(fixture->fake_hypervisor);
    g_autoptr(GError) error = NULL;

    share_fixture_add_guest_of_pool(fixture, below);
    share_fixture_assert_busy(fixture, lease, "guest 'web1'");
    fake_hypervisor_fail(fixture->fake_hypervisor, "list_pools", 1, FAULT_HYPERVISOR_FAILED);
    g_assert_false(share_fixture_release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
    host->pool_type = "logical"; /* whose volumes are no files anywhere */
    assert_taken(fixture, lease);
}

/* Nobody has them open, but they could not be removed any more. */
static void
test_files_of_other_leases(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = mount_it(fixture);
    g_autofree char *path = share_fixture_point(fixture);
    json_auto_t *wanted = json_pack("{s:s, s:s, s:s, s:i}", "owner", "test", "token", "p",
                                    "directory", path, "timeoutSeconds", 600);
    g_autoptr(Lease) probe =
        share_fixture_create(fixture, probe_file_request_new(wanted, &fixture->host, NULL), NULL);

    g_assert_nonnull(probe);
    share_fixture_assert_busy(fixture, lease, probe->id);
    g_assert_true(share_fixture_release(fixture, probe, NULL));
    assert_taken(fixture, lease);
}

static void
test_targets(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = mount_it(fixture);
    g_autofree char *path = share_fixture_point(fixture);
    g_autofree char *file = g_build_filename(path, "web1.qcow2", NULL);
    g_autoptr(LeaseAsset) target = lease_asset_new(TARGET_ASSET, file, "made", NULL);
    json_auto_t *request = json_object();
    void *assets[] = { target };
    const Lease draft = {
        .kind = (char *)"targets",
        .owner = (char *)"test",
        .token = (char *)"u",
        .guest_name = (char *)"web1",
        .guest_uuid = (char *)SHARE_GUEST_UUID,
        .state = (char *)"ready",
        .request = request,
        .assets = &(GPtrArray) { .pdata = assets, .len = 1 },
    };
    g_autoptr(Lease) targets =
        lease_store_create(fixture->store, &draft, 600, FAULT_TARGET_EXISTS, NULL, NULL);

    g_assert_nonnull(targets);
    share_fixture_assert_busy(fixture, lease, targets->id);
    g_assert_true(lease_store_remove(fixture->store, targets->id, NULL));
    assert_taken(fixture, lease);
}

static void
add(const char *name, void (*test)(ShareFixture *, const void *))
{
    g_autofree char *path = g_strconcat("/nfs-mount-users/", name, NULL);

    g_test_add(path, ShareFixture, NULL, share_fixture_set_up, test, share_fixture_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK |
                           G_LOG_LEVEL_CRITICAL); /* failures are provoked here */
    add("process-and-guest", test_process_and_guest);
    add("guest-on-a-volume", test_guest_on_a_volume);
    add("files-of-leases", test_files_of_other_leases);
    add("targets", test_targets);
    return g_test_run();
}
