/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SetUpBond: what is missing is added, what is in the way is removed on request, and a failure
 * leaves the guest as it was. */
#include <string.h>

#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/bond_setup.h"
#include "netprep/guest_view.h"

static const char filtered_text[] =
    "<interface type='bridge'><mac address='52:54:00:bb:00:01'/><source bridge='br0'/>"
    "<model type='virtio'/><filterref filter='clean-traffic'/><alias name='net0'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0'/></interface>";

static json_t *
set_up(NetworkFixture *fixture, const BondSetupRequest *request, GError **error)
{
    g_autoptr(Job) job = bond_setup_start(fixture->host, "web1", request, error);

    return job ? job_wait(job, error) : NULL;
}

static NetworkFixture *
unbonded_fixture(void)
{
    NetworkFixture *fixture = network_fixture_new();

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    fake_guest_set_bonded(fixture->guest, FALSE);
    return fixture;
}

static const DomainVirtioNic *
first_nic(const DomainXml *domain)
{
    return domain->virtio_nics->len ? domain->virtio_nics->pdata[0] : NULL;
}

static GuestView *
view(NetworkFixture *fixture)
{
    GuestView *found = guest_view_read(fixture->host->hypervisor, FIXTURE_UUID, NULL);

    g_assert_nonnull(found);
    return found;
}

/* The guest's only VirtIO vNIC goes, so that SetUpBond has to bring one. */
static void
take_virtio(NetworkFixture *fixture)
{
    g_autoptr(GuestView) before = view(fixture);

    g_assert_true(hypervisor_detach_device(fixture->host->hypervisor, FIXTURE_UUID,
                                           first_nic(before->live)->xml,
                                           DEVICE_LIVE | DEVICE_CONFIG, NULL));
    g_autoptr(GuestView) after = view(fixture);
    g_assert_null(first_nic(after->live));
}

static void
test_missing_backup_is_added_on_the_same_network(void)
{
    g_autoptr(NetworkFixture) fixture = unbonded_fixture();
    g_autoptr(GError) error = NULL;

    fake_sysfs_add_virtual(fixture->sysfs, "br0", "bridge", "npf0");
    take_virtio(fixture);
    json_auto_t *bond = set_up(fixture, &(BondSetupRequest) { 0 }, &error);
    g_assert_no_error(error);
    g_autoptr(GuestView) after = view(fixture);
    g_assert_cmpstr(first_nic(after->live)->bridge, ==, "br0");
    g_assert_cmpstr(first_nic(after->live)->mac, ==, first_nic(after->config)->mac);
}

static void
test_added_backup_goes_again_when_the_bond_fails(void)
{
    g_autoptr(NetworkFixture) fixture = unbonded_fixture();
    g_autoptr(GError) error = NULL;

    fake_sysfs_add_virtual(fixture->sysfs, "br0", "bridge", "npf0");
    take_virtio(fixture);
    fake_guest_fail(fixture->guest, "create-bond", 1);
    g_assert_null(set_up(fixture, &(BondSetupRequest) { 0 }, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    g_autoptr(GuestView) after = view(fixture);
    g_assert_null(first_nic(after->live));
    g_assert_null(first_nic(after->config));
}

static void
test_added_backup_that_the_guest_does_not_see_goes_again(void)
{
    g_autoptr(NetworkFixture) fixture = unbonded_fixture();
    g_autoptr(GError) error = NULL;

    fake_sysfs_add_virtual(fixture->sysfs, "br0", "bridge", "npf0");
    take_virtio(fixture);
    fake_guest_set_report(fixture->guest, "{\"interfaces\":[{\"name\":\"vf\",\"pciPath\":\"04.0\","
                                          "\"carrier\":true}],\"bonds\":[]}");
    g_assert_null(set_up(fixture, &(BondSetupRequest) { 0 }, &error));
    g_assert_error(error, FAULT, FAULT_TIMED_OUT);
    g_autoptr(GuestView) after = view(fixture);
    g_assert_null(first_nic(after->live));
    g_assert_null(first_nic(after->config));
}

static void
test_network_without_a_bridge_gets_no_backup(void)
{
    g_autoptr(NetworkFixture) fixture = unbonded_fixture();
    g_autoptr(GError) error = NULL;

    take_virtio(fixture);
    g_assert_null(set_up(fixture, &(BondSetupRequest) { 0 }, &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
    g_assert_nonnull(strstr(error->message, "no bridge"));
}

static void
give_filter(NetworkFixture *fixture)
{
    take_virtio(fixture);
    g_assert_true(hypervisor_attach_device(fixture->host->hypervisor, FIXTURE_UUID, filtered_text,
                                           DEVICE_LIVE | DEVICE_CONFIG, NULL));
}

static gboolean
is_filtered(NetworkFixture *fixture)
{
    g_autoptr(GuestView) now = view(fixture);
    const DomainVirtioNic *live = first_nic(now->live), *config = first_nic(now->config);

    g_assert_cmpint(live->filtered, ==, config->filtered);
    return live->filtered;
}

static void
test_filter_is_kept_unless_removal_is_asked_for(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    give_filter(fixture);
    g_assert_null(set_up(fixture, &(BondSetupRequest) { 0 }, &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
    g_assert_nonnull(strstr(fault_remedy(error), "removeFilter"));
    g_assert_true(is_filtered(fixture));

    g_clear_error(&error);
    json_auto_t *bond = set_up(fixture, &(BondSetupRequest) { .remove_filter = TRUE }, &error);
    g_assert_no_error(error);
    g_assert_false(is_filtered(fixture));
}

static void
test_filter_returns_when_the_bond_fails(void)
{
    g_autoptr(NetworkFixture) fixture = unbonded_fixture();
    g_autoptr(GError) error = NULL;

    give_filter(fixture);
    fake_guest_fail(fixture->guest, "create-bond", 1);
    g_assert_null(set_up(fixture, &(BondSetupRequest) { .remove_filter = TRUE }, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    g_assert_true(is_filtered(fixture));
}

static void
test_filter_stays_where_libvirt_refuses(void)
{
    for (unsigned call = 1; call <= 2; call++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();
        g_autoptr(GError) error = NULL;

        network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
        give_filter(fixture);
        fake_hypervisor_fail(fixture->hypervisor, "update_device", call, FAULT_HYPERVISOR_FAILED);
        g_assert_null(set_up(fixture, &(BondSetupRequest) { .remove_filter = TRUE }, &error));
        g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
        g_assert_true(is_filtered(fixture));
    }
}

static void
test_repair_is_done_only_on_request(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    fake_guest_set_announcements(fixture->guest, 1);
    json_auto_t *asis = set_up(fixture, &(BondSetupRequest) { 0 }, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(json_object_get(asis, "advice")), ==, 1);
    g_assert_cmpuint(fake_guest_count(fixture->guest, "repair"), ==, 0);

    json_auto_t *repaired = set_up(fixture, &(BondSetupRequest) { .repair = TRUE }, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(json_object_get(repaired, "advice")), ==, 0);
    g_assert_cmpuint(fake_guest_count(fixture->guest, "repair"), ==, 1);

    json_auto_t *again = set_up(fixture, &(BondSetupRequest) { .repair = TRUE }, &error);
    g_assert_cmpuint(fake_guest_count(fixture->guest, "repair"), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bond-setup/missing-backup-is-added-on-the-same-network",
                    test_missing_backup_is_added_on_the_same_network);
    g_test_add_func("/bond-setup/added-backup-goes-again-when-the-bond-fails",
                    test_added_backup_goes_again_when_the_bond_fails);
    g_test_add_func("/bond-setup/added-backup-that-the-guest-does-not-see-goes-again",
                    test_added_backup_that_the_guest_does_not_see_goes_again);
    g_test_add_func("/bond-setup/network-without-a-bridge-gets-no-backup",
                    test_network_without_a_bridge_gets_no_backup);
    g_test_add_func("/bond-setup/filter-is-kept-unless-removal-is-asked-for",
                    test_filter_is_kept_unless_removal_is_asked_for);
    g_test_add_func("/bond-setup/filter-returns-when-the-bond-fails",
                    test_filter_returns_when_the_bond_fails);
    g_test_add_func("/bond-setup/filter-stays-where-libvirt-refuses",
                    test_filter_stays_where_libvirt_refuses);
    g_test_add_func("/bond-setup/repair-is-done-only-on-request",
                    test_repair_is_done_only_on_request);
    return g_test_run();
}
