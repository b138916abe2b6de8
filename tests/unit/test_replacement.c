/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest whose VF is lost gets another one, if there is one, and never two. */
#include <errno.h>
#include <glib/gstdio.h>

#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/attach_job.h"
#include "netprep/guest_view.h"
#include "netprep/release.h"
#include "netprep/replacement.h"
#include "netprep/reservation.h"
#include "netprep/unplug.h"

#define OTHER_CARD  "0000:02:00.0"
#define OTHER_VF    "0000:02:10.0"
#define OTHER_INDEX 8 /* apart from those of the first card, as the fake driver knows no cards */

/* Announced exchanges. */
static int announced;

static GLogWriterOutput
count_announced(GLogLevelFlags level, const GLogField *fields, gsize count, void *data)
{
    for (gsize i = 0; i < count; i++) {
        if (g_str_equal(fields[i].key, "MIGPREP_EVENT") && g_str_equal(fields[i].value, "replaced"))
            g_atomic_int_inc(&announced);
    }
    return g_log_writer_default(level, fields, count, data);
}

static Lease *
reserve(NetworkFixture *fixture, VnicForm form)
{
    VnicShape shape = { .form = form,
                        .mac = form == VNIC_FORM_HOSTDEV ? NULL : (char *)FIXTURE_MAC,
                        .network = form == VNIC_FORM_NETWORK ? (char *)"blue" : NULL };
    Vnic vnic = { .alias = "hostdev0",
                  .function = "0000:09:10.0",
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .physical_network = (char *)"blue",
                  .settings = { .vlan = 12, .spoof_check = TRUE },
                  .bond = "bond0",
                  .backup = "virtio",
                  .configuration = &shape };
    json_auto_t *vnics = json_pack("[o]", vnic_to_json(&vnic));
    ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, vnics, 60 };
    g_autoptr(GError) error = NULL;
    Lease *lease = reservation_create(fixture->host, &request, &error);

    g_assert_no_error(error);
    return lease;
}

/* Whether the guest has all its VFs afterwards. */
static gboolean
attach(NetworkFixture *fixture, const Lease *lease)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Job) job = attach_start(fixture->host, lease->id, lease->generation, 0, &error);
    json_auto_t *result = job ? job_wait(job, &error) : NULL;

    g_assert_no_error(error);
    return json_is_false(json_object_get(result, "degraded"));
}

static Lease *
detach(NetworkFixture *fixture)
{
    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    g_autoptr(Job) job = unplug_start(fixture->host, "tester", "a", "web1", 60, NULL);
    json_auto_t *result = job_wait(job, NULL);

    g_assert_nonnull(result);
    return network_fixture_lease(fixture);
}

static char *
release(NetworkFixture *fixture, const Lease *lease)
{
    g_autoptr(Job) job = release_start(fixture->host, lease->id, lease->generation, NULL);
    json_auto_t *result = job_wait(job, NULL);

    return g_strdup(json_string_value(json_object_get(result, "outcome")));
}

static void
give_to_process(NetworkFixture *fixture, const char *function)
{
    fake_sysfs_bind(fixture->sysfs, function, "vfio-pci");
}

static void
give_to_host(NetworkFixture *fixture, const char *function)
{
    g_autofree char *name = g_strdup_printf("taken%c", function[strlen(function) - 1]);

    fake_sysfs_add_link(fixture->sysfs, function, name, 0, "br0");
}

static void
give_to_guest(NetworkFixture *fixture, const char *function)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>thief</name><uuid>11111111-2222-4333-8444-555555555555</uuid>"
        "<devices><hostdev mode='subsystem' type='pci' managed='yes'><source><address "
        "domain='0x0000' bus='0x01' slot='0x10' function='0x%c'/></source></hostdev></devices>"
        "</domain>",
        function[strlen(function) - 1]);

    fake_hypervisor_add_guest(fixture->hypervisor, xml, GUEST_STATE_RUNNING, FALSE);
}

static void
take_away(NetworkFixture *fixture, const char *function)
{
    g_autofree char *path =
        g_build_filename(fixture->sysfs, "bus", "pci", "devices", function, NULL);

    fake_sysfs_drop_function(fixture->sysfs, "0000:01:00.0",
                             (unsigned)(function[strlen(function) - 1] - '0') / 2);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
share_group(NetworkFixture *fixture, const char *function)
{
    fake_sysfs_set_group(fixture->sysfs, function, 4711);
    fake_sysfs_add_device(fixture->sysfs, "0000:0a:00.0", "0x020000\n", 4711);
}

typedef void (*Loss)(NetworkFixture *fixture, const char *function);

static const Loss losses[] = { give_to_process, give_to_host, give_to_guest, take_away,
                               share_group };

static void
cut_link(NetworkFixture *fixture)
{
    fake_sysfs_set_link(fixture->sysfs, "npf0", "carrier", "0\n");
}

/* Another card on the same physical network. */
static void
add_card(NetworkFixture *fixture)
{
    static const char *const none[] = { NULL };

    fake_sysfs_add_card(fixture->sysfs, "npf1", OTHER_CARD, none);
    fake_sysfs_set_device(fixture->sysfs, OTHER_CARD, "sriov_numvfs", "16\n");
    fake_sysfs_add_device(fixture->sysfs, OTHER_VF, "0x020000\n", 4712);
    fake_sysfs_put_function(fixture->sysfs, OTHER_CARD, OTHER_INDEX, OTHER_VF);
    fake_hypervisor_add_network(fixture->hypervisor, "blue", "npf1");
}

static void
assert_settings(NetworkFixture *fixture, unsigned index, gboolean set)
{
    const FunctionSettings *settings = fake_function_control_settings(fixture->control, index);

    g_assert_cmpuint(settings->vlan, ==, set ? 12 : 0);
    g_assert_cmpint(settings->trust, ==, set);
}

static void
test_guest_gets_another_one_however_its_own_is_lost(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(losses); i++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();
        g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);
        int before = g_atomic_int_get(&announced);

        network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
        losses[i](fixture, FIXTURE_VF);
        g_assert_true(attach(fixture, lease));
        g_assert_false(network_fixture_has_live(fixture, FIXTURE_VF));
        g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF_2));
        g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF_2));
        g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "vf");
        assert_settings(fixture, 0, FALSE);
        assert_settings(fixture, 1, TRUE);
        g_assert_cmpint(g_atomic_int_get(&announced), ==, before + 1);
    }
}

/* libvirt does not follow at first: what is held by then is what was chosen. */
static void
test_exchange_is_on_record_before_the_new_one_is_used(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    give_to_process(fixture, FIXTURE_VF);
    fake_function_control_refuse(fixture->control, FUNCTION_OPTION_VLAN, -EINVAL);
    g_assert_false(attach(fixture, lease));
    g_autoptr(Lease) held = network_fixture_lease(fixture);
    g_assert_cmpuint(held->assets->len, ==, 1);
    const LeaseAsset *asset = held->assets->pdata[0];
    g_auto(GStrv) replaced = network_lease_replaced(asset);
    g_assert_cmpstr(asset->key, ==, FIXTURE_VF_2);
    g_assert_cmpstr(asset->state, ==, ASSET_CONFIGURED);
    g_assert_cmpstr(replaced[0], ==, FIXTURE_VF);
    g_assert_null(replaced[1]);

    fake_function_control_refuse(fixture->control, FUNCTION_OPTION_VLAN, 0);
    g_assert_true(attach(fixture, lease));
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF_2));
}

static void
test_without_a_free_one_the_lease_says_what_happened_to_its_own(void)
{
    static const char *const others[] = { FIXTURE_VF_2, "0000:01:10.4", "0000:01:10.6" };
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        give_to_process(fixture, others[i]);
    give_to_guest(fixture, FIXTURE_VF);
    g_assert_false(attach(fixture, lease));
    g_autoptr(Lease) degraded = network_fixture_lease(fixture);
    g_assert_cmpstr(degraded->state, ==, STATE_DEGRADED);
    g_assert_nonnull(strstr(degraded->reason, "in use by guest 'thief'"));
    g_assert_nonnull(lease_find_asset(degraded, ASSET_FUNCTION, FIXTURE_VF));

    fake_sysfs_bind(fixture->sysfs, others[1], NULL);
    g_assert_true(attach(fixture, lease));
    g_assert_true(network_fixture_has_live(fixture, others[1]));
}

static void
test_lost_link_frees_the_old_one_as_new(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    fake_hypervisor_fail(fixture->hypervisor, "attach_device", 1, FAULT_INTERNAL);
    g_assert_false(attach(fixture, lease));
    assert_settings(fixture, 0, TRUE);
    add_card(fixture);
    cut_link(fixture);
    g_assert_true(attach(fixture, lease));
    g_assert_true(network_fixture_has_live(fixture, OTHER_VF));
    assert_settings(fixture, 0, FALSE);
    assert_settings(fixture, OTHER_INDEX, TRUE);
}

static void
test_function_that_cannot_be_reset_is_kept(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    fake_hypervisor_fail(fixture->hypervisor, "attach_device", 1, FAULT_INTERNAL);
    g_assert_false(attach(fixture, lease));
    add_card(fixture);
    cut_link(fixture);
    fake_function_control_fail_from(fixture->control, 1);
    g_assert_false(attach(fixture, lease));
    g_autoptr(Lease) degraded = network_fixture_lease(fixture);
    g_assert_nonnull(lease_find_asset(degraded, ASSET_FUNCTION, FIXTURE_VF));
}

static void
test_detached_one_that_is_lost_is_replaced_on_the_way_back(void)
{
    static const Loss ways[] = { give_to_host, give_to_guest, take_away };

    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();

        fake_function_control_settings(fixture->control, 0)->vlan = 12;
        g_autoptr(Lease) lease = detach(fixture);
        ways[i](fixture, FIXTURE_VF);
        g_autofree char *outcome = release(fixture, lease);
        g_autoptr(Lease) left = network_fixture_lease(fixture);
        g_assert_cmpstr(outcome, ==, "returned");
        g_assert_null(left);
        g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF_2));
        g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF_2));
        g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "vf");
        assert_settings(fixture, 1, TRUE);
    }
}

/* libvirt may be about to give it back. */
static void
test_detached_one_on_vfio_is_not_given_up(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    g_autofree char *outcome = release(fixture, lease);
    g_assert_cmpstr(outcome, ==, "returned");
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
}

/* The guest is shut off before it got another one: it is to find that at its next start. */
static void
test_configuration_of_a_guest_that_is_shut_off_names_the_new_one(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);

    take_away(fixture, FIXTURE_VF);
    fake_function_control_refuse(fixture->control, FUNCTION_OPTION_TRUST, -EIO);
    fake_function_control_refuse(fixture->control, FUNCTION_OPTION_MAC, -EIO);
    g_autofree char *refused = release(fixture, lease);
    g_assert_null(refused);
    fake_function_control_refuse(fixture->control, FUNCTION_OPTION_TRUST, 0);
    fake_function_control_refuse(fixture->control, FUNCTION_OPTION_MAC, 0);
    fake_hypervisor_set_state(fixture->hypervisor, FIXTURE_UUID, GUEST_STATE_SHUT_OFF);
    g_autofree char *outcome = release(fixture, lease);
    g_assert_cmpstr(outcome, ==, "freed");
    g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF_2));
    g_assert_false(network_fixture_has_config(fixture, FIXTURE_VF));
}

static void
let_go(NetworkFixture *fixture, const char *function)
{
    g_autoptr(GuestView) view = guest_view_read(fixture->host->hypervisor, FIXTURE_UUID, NULL);
    const DomainPassthrough *device = guest_view_find(view->live, function);

    g_assert_nonnull(device);
    fake_hypervisor_finish_unplug(fixture->hypervisor, FIXTURE_UUID, device->alias);
}

/* It was plugged, and is lost before the guest's bond took it. */
static void
test_configuration_keeps_its_form_and_not_the_old_one(void)
{
    static const VnicForm forms[] = { VNIC_FORM_HOSTDEV, VNIC_FORM_INTERFACE, VNIC_FORM_NETWORK };

    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();
        g_autoptr(Lease) lease = reserve(fixture, forms[i]);

        network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
        fake_guest_fail(fixture->guest, "join", 1);
        g_assert_false(attach(fixture, lease));
        let_go(fixture, FIXTURE_VF);
        give_to_guest(fixture, FIXTURE_VF);
        g_assert_true(attach(fixture, lease));
        g_autoptr(GuestView) view = guest_view_read(fixture->host->hypervisor, "web1", NULL);
        g_assert_nonnull(guest_view_find(view->live, FIXTURE_VF_2));
        g_assert_cmpuint(view->config->passthrough->len, ==, 1);
        const DomainPassthrough *device = view->config->passthrough->pdata[0];
        g_assert_cmpint(device->form, ==, forms[i]);
        g_assert_cmpstr(device->function, ==, forms[i] == VNIC_FORM_NETWORK ? NULL : FIXTURE_VF_2);
    }
}

/* As libvirt does for another guest that starts: between our look at its ports and our own. */
static void
give_away(NetworkFixture *fixture, const char *function)
{
    NetworkPort port = { "blue",
                         "3c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a11",
                         "web9",
                         "9c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a99",
                         "52:54:00:00:00:09",
                         (char *)function };

    g_assert_true(
        fake_networks_create_port(fake_hypervisor_networks(fixture->hypervisor), &port, NULL));
}

static void
test_new_one_is_held_in_libvirts_pools(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);
    gboolean held = FALSE;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    give_to_process(fixture, FIXTURE_VF);
    give_away(fixture, FIXTURE_VF_2);
    g_assert_true(attach(fixture, lease));
    g_assert_true(network_fixture_has_live(fixture, "0000:01:10.4"));
    g_autoptr(GPtrArray) ports =
        fake_networks_list_ports(fake_hypervisor_networks(fixture->hypervisor));
    for (guint i = 0; i < ports->len; i++) {
        const NetworkPort *port = ports->pdata[i];
        held = held || g_str_equal(port->function, "0000:01:10.4");
    }
    g_assert_true(held);
}

static void
test_who_is_quicker_a_few_times_is_left_behind(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    give_to_process(fixture, FIXTURE_VF);
    fake_networks_be_quicker(fake_hypervisor_networks(fixture->hypervisor), 3);
    g_assert_true(attach(fixture, lease));
    g_assert_false(network_fixture_has_live(fixture, FIXTURE_VF));
}

/* In the end it gets what is on record, unless somebody has that by then. */
static void
test_who_is_quicker_each_time_is_not_raced_for_ever(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);
    int before = g_atomic_int_get(&announced);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    give_to_process(fixture, FIXTURE_VF);
    fake_networks_be_quicker(fake_hypervisor_networks(fixture->hypervisor), G_MAXUINT);
    g_assert_true(attach(fixture, lease));
    g_assert_false(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_cmpint(g_atomic_int_get(&announced), ==, before + 16);
}

/* Nothing was done to it yet. */
static void
test_reserved_one_without_a_link_is_left_as_it_is(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);
    FunctionSettings *settings = fake_function_control_settings(fixture->control, 0);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    add_card(fixture);
    cut_link(fixture);
    settings->vlan = 7; /* somebody else's affair */
    g_assert_true(attach(fixture, lease));
    g_assert_true(network_fixture_has_live(fixture, OTHER_VF));
    g_assert_cmpuint(settings->vlan, ==, 7);
}

/* The guest had it like that. */
static void
test_detached_one_that_shares_its_group_by_now_goes_back(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);

    share_group(fixture, FIXTURE_VF);
    g_autofree char *outcome = release(fixture, lease);
    g_assert_cmpstr(outcome, ==, "returned");
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
}

/* An entry that the old card keeps would draw frames to a PF that does not lead to the guest. */
static void
test_entry_that_stays_on_the_old_card_keeps_the_old_one(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    network_fixture_share_card(fixture);
    g_autoptr(Lease) lease = detach(fixture);
    add_card(fixture);
    cut_link(fixture);
    fake_bridge_fdb_fail_from(fixture->fdb, 1, -EIO);
    g_autofree char *refused = release(fixture, lease);
    g_autoptr(Lease) held = network_fixture_lease(fixture);
    g_assert_nonnull(lease_find_asset(held, ASSET_FUNCTION, FIXTURE_VF));
    g_assert_false(network_fixture_has_live(fixture, OTHER_VF));
    fake_bridge_fdb_fail_from(fixture->fdb, 1, 0);
    g_autofree char *outcome = release(fixture, lease);
    g_assert_cmpstr(outcome, ==, "returned");
    g_assert_false(network_fixture_card_takes_mac(fixture));
}

static void
test_without_its_guest_nothing_is_replaced(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);

    give_to_process(fixture, FIXTURE_VF);
    g_autoptr(Lease) same = replacement_make(fixture->host, lease);
    g_assert_nonnull(lease_find_asset(same, ASSET_FUNCTION, FIXTURE_VF));
    network_fixture_add_guest(fixture, GUEST_STATE_PAUSED, FALSE); /* it is coming */
    g_autoptr(Lease) still = replacement_make(fixture->host, lease);
    g_assert_nonnull(lease_find_asset(still, ASSET_FUNCTION, FIXTURE_VF));
}

/* A record that somebody has damaged. */
static void
test_without_its_vnic_nothing_is_replaced(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_FORM_HOSTDEV);
    LeaseAsset *asset = lease->assets->pdata[0];

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    give_to_process(fixture, FIXTURE_VF);
    json_object_del(asset->detail, "vnic");
    g_autoptr(Lease) same = replacement_make(fixture->host, lease);
    g_assert_nonnull(lease_find_asset(same, ASSET_FUNCTION, FIXTURE_VF));
}

/* What the record does not know of the configuration is left to the administrator. */
static void
test_configuration_without_a_form_is_not_guessed(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);
    LeaseAsset *asset = lease->assets->pdata[0];

    json_object_del(json_object_get(asset->detail, "vnic"), "configuration");
    g_assert_true(
        lease_store_put_asset(fixture->host->leases, lease->id, asset, FAULT_FUNCTION_BUSY, NULL));
    give_to_guest(fixture, FIXTURE_VF);
    g_autofree char *outcome = release(fixture, lease);
    g_assert_cmpstr(outcome, ==, "returned");
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF_2));
    g_assert_false(network_fixture_has_config(fixture, FIXTURE_VF_2));
}

/* The PF's entry for the guest's MAC is still known as ours, and goes in the end. */
static void
test_entry_of_the_pf_is_handed_down_or_taken_away(void)
{
    for (unsigned other = 0; other < 2; other++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();

        network_fixture_share_card(fixture);
        g_autoptr(Lease) lease = detach(fixture);
        g_assert_true(network_fixture_card_takes_mac(fixture));
        if (other) {
            add_card(fixture);
            cut_link(fixture);
        } else {
            give_to_guest(fixture, FIXTURE_VF);
        }
        fake_hypervisor_fail(fixture->hypervisor, "attach_device", 1, FAULT_INTERNAL);
        g_autofree char *refused = release(fixture, lease);
        g_assert_null(refused);
        g_assert_cmpint(network_fixture_card_takes_mac(fixture), ==, !other);
        g_autofree char *outcome = release(fixture, lease);
        g_assert_cmpstr(outcome, ==, "returned");
        g_assert_true(network_fixture_has_live(fixture, other ? OTHER_VF : FIXTURE_VF_2));
        g_assert_false(network_fixture_card_takes_mac(fixture));
    }
}

int
main(int argc, char **argv)
{
    g_log_set_writer_func(count_announced, NULL, NULL);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replacement/guest-gets-another-one-however-its-own-is-lost",
                    test_guest_gets_another_one_however_its_own_is_lost);
    g_test_add_func("/replacement/is-on-record-before-the-new-one-is-used",
                    test_exchange_is_on_record_before_the_new_one_is_used);
    g_test_add_func("/replacement/without-a-free-one-the-lease-says-what-happened",
                    test_without_a_free_one_the_lease_says_what_happened_to_its_own);
    g_test_add_func("/replacement/lost-link-frees-the-old-one-as-new",
                    test_lost_link_frees_the_old_one_as_new);
    g_test_add_func("/replacement/function-that-cannot-be-reset-is-kept",
                    test_function_that_cannot_be_reset_is_kept);
    g_test_add_func("/replacement/detached-one-that-is-lost-is-replaced-on-the-way-back",
                    test_detached_one_that_is_lost_is_replaced_on_the_way_back);
    g_test_add_func("/replacement/detached-one-on-vfio-is-not-given-up",
                    test_detached_one_on_vfio_is_not_given_up);
    g_test_add_func("/replacement/configuration-of-a-guest-that-is-shut-off-names-the-new-one",
                    test_configuration_of_a_guest_that_is_shut_off_names_the_new_one);
    g_test_add_func("/replacement/configuration-keeps-its-form-and-not-the-old-one",
                    test_configuration_keeps_its_form_and_not_the_old_one);
    g_test_add_func("/replacement/new-one-is-held-in-libvirts-pools",
                    test_new_one_is_held_in_libvirts_pools);
    g_test_add_func("/replacement/entry-of-the-pf-is-handed-down-or-taken-away",
                    test_entry_of_the_pf_is_handed_down_or_taken_away);
    g_test_add_func("/replacement/who-is-quicker-a-few-times-is-left-behind",
                    test_who_is_quicker_a_few_times_is_left_behind);
    g_test_add_func("/replacement/who-is-quicker-each-time-is-not-raced-for-ever",
                    test_who_is_quicker_each_time_is_not_raced_for_ever);
    g_test_add_func("/replacement/entry-that-stays-on-the-old-card-keeps-the-old-one",
                    test_entry_that_stays_on_the_old_card_keeps_the_old_one);
    g_test_add_func("/replacement/without-its-guest", test_without_its_guest_nothing_is_replaced);
    g_test_add_func("/replacement/without-its-vnic", test_without_its_vnic_nothing_is_replaced);
    g_test_add_func("/replacement/reserved-one-without-a-link-is-left-as-it-is",
                    test_reserved_one_without_a_link_is_left_as_it_is);
    g_test_add_func("/replacement/detached-one-that-shares-its-group-goes-back",
                    test_detached_one_that_shares_its_group_by_now_goes_back);
    g_test_add_func("/replacement/configuration-without-a-form-is-not-guessed",
                    test_configuration_without_a_form_is_not_guessed);
    return g_test_run();
}
