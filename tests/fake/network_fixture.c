/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Assembles a fake host. */
#include "fake/network_fixture.h"

#include "fake/fake_sysfs.h"
#include "netprep/guest_view.h"
#include "netprep/reservation.h"

#define PATIENCE_SECONDS 20

static const char domain_text[] =
    "<domain type='kvm' id='1'><name>web1</name><uuid>" FIXTURE_UUID "</uuid><devices>"
    "<interface type='bridge'><mac address='52:54:00:aa:00:01'/><source bridge='br0'/>"
    "<target dev='vnet0'/><model type='virtio'/><alias name='net0'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0'/></interface>"
    "%s"
    "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' state='connected'/>"
    "</channel></devices></domain>";

static const char device_text[] =
    "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/>"
    "<source><address domain='0x0000' bus='0x01' slot='0x10' function='0x0'/></source>"
    "<alias name='hostdev0'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x04' function='0x0'/></hostdev>";

static const char second_device_text[] =
    "<interface type='bridge'><mac address='52:54:00:aa:00:02'/><source bridge='br0'/>"
    "<target dev='vnet1'/><model type='virtio'/><alias name='net1'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/></interface>"
    "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/>"
    "<source><address domain='0x0000' bus='0x01' slot='0x10' function='0x2'/></source>"
    "<alias name='hostdev1'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x06' function='0x0'/></hostdev>";

NetworkFixture *
network_fixture_new(void)
{
    static const char *const functions[] = { FIXTURE_VF, FIXTURE_VF_2, "0000:01:10.4",
                                             "0000:01:10.6", NULL };
    NetworkFixture *fixture = g_new0(NetworkFixture, 1);

    /* A degraded guest is warned about, as it should be. */
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    fixture->sysfs = fake_sysfs_new();
    fake_sysfs_add_card(fixture->sysfs, "npf0", "0000:01:00.0", functions);
    g_autofree char *bridge =
        g_build_filename(fixture->sysfs, "class", "net", "br0", "bridge", NULL);
    g_assert_cmpint(g_mkdir_with_parents(bridge, 0755), ==, 0);
    fixture->config.unplug_seconds = fixture->config.attach_seconds =
        fixture->config.agent_seconds = network_fixture_slowness();
    fixture->hypervisor = fake_hypervisor_new();
    fixture->control = fake_function_control_new();
    fixture->guest = fake_guest_new();
    fixture->probe = fake_leg_probe_new();
    fixture->fdb = fake_bridge_fdb_new();
    fake_hypervisor_set_agent(fixture->hypervisor, fake_guest_agent, fixture->guest);
    fake_hypervisor_add_network(fixture->hypervisor, "blue", "npf0");
    fixture->host = network_host_new(
        fake_hypervisor_get(fixture->hypervisor), lease_store_open(":memory:", NULL),
        fake_function_control_get(fixture->control), fake_leg_probe_get(fixture->probe),
        fake_bridge_fdb_get(fixture->fdb), &fixture->config, fixture->sysfs);
    g_free(fixture->host->root);
    fixture->host->root = g_strdup(fixture->sysfs);
    return fixture;
}

void
network_fixture_free(NetworkFixture *fixture)
{
    network_host_free(fixture->host);
    fake_guest_free(fixture->guest);
    fake_sysfs_remove(fixture->sysfs);
    g_clear_pointer(&fixture->config.physical_networks, g_hash_table_unref);
    g_free(fixture);
}

void
network_fixture_add_guest_with(NetworkFixture *fixture, GuestState state, const char *devices)
{
    g_autofree char *xml = g_strdup_printf(domain_text, devices);

    fake_hypervisor_add_guest(fixture->hypervisor, xml, state, TRUE);
}

void
network_fixture_add_guest(NetworkFixture *fixture, GuestState state, gboolean with_vf)
{
    network_fixture_add_guest_with(fixture, state, with_vf ? device_text : "");
}

void
network_fixture_add_guest_with_two(NetworkFixture *fixture)
{
    g_autofree char *devices = g_strconcat(device_text, second_device_text, NULL);

    fake_guest_set_two_bonds(fixture->guest);
    network_fixture_add_guest_with(fixture, GUEST_STATE_RUNNING, devices);
}

void
network_fixture_share_card(NetworkFixture *fixture)
{
    FunctionSettings *settings = fake_function_control_settings(fixture->control, 0);

    g_assert_true(function_mac_from_text(FIXTURE_MAC, settings->mac));
    fake_sysfs_stack(fixture->sysfs, "br0", "npf0");
}

gboolean
network_fixture_card_takes_mac(NetworkFixture *fixture)
{
    return fake_bridge_fdb_count(fixture->fdb, "npf0", FIXTURE_MAC, TRUE) > 0;
}

gboolean
network_fixture_has_live(NetworkFixture *fixture, const char *function)
{
    g_autoptr(GuestView) view = guest_view_read(fixture->host->hypervisor, FIXTURE_UUID, NULL);

    return view && guest_view_find(view->live, function);
}

gboolean
network_fixture_has_config(NetworkFixture *fixture, const char *function)
{
    g_autoptr(GuestView) view = guest_view_read(fixture->host->hypervisor, FIXTURE_UUID, NULL);

    return view && guest_view_find(view->config, function);
}

Lease *
network_fixture_lease(NetworkFixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(fixture->host->leases, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(leases->len, <=, 1);
    return leases->len ? lease_copy(leases->pdata[0]) : NULL;
}

gboolean
network_fixture_reserve(NetworkFixture *fixture, unsigned seconds, GError **error)
{
    Vnic vnic = { .alias = "hostdev0",
                  .function = "0000:09:10.0",
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .physical_network = (char *)"blue",
                  .bond = "bond0",
                  .backup = "virtio" };
    json_auto_t *vnics = json_pack("[o]", vnic_to_json(&vnic));
    ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, vnics, seconds };
    g_autoptr(Lease) lease = reservation_create(fixture->host, &request, error);

    return lease != NULL;
}

void
network_fixture_wait_for_jobs(NetworkFixture *fixture)
{
    for (;;) {
        g_autoptr(Job) job = job_registry_find_subject(fixture->host->jobs, FIXTURE_UUID);

        if (!job)
            return;
        json_decref(job_wait(job, NULL));
    }
}

/* Whatever changes in the fake host tells nobody, so it is looked at in short intervals. */
void
network_fixture_wait(NetworkFixture *fixture, gboolean (*condition)(NetworkFixture *fixture))
{
    gint64 deadline =
        g_get_monotonic_time() + PATIENCE_SECONDS * network_fixture_slowness() * G_USEC_PER_SEC;

    while (!condition(fixture)) {
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        g_usleep(5000);
    }
}

unsigned
network_fixture_slowness(void)
{
    const char *slowness = g_getenv("TEST_SLOWNESS");

    return slowness ? (unsigned)CLAMP(g_ascii_strtoull(slowness, NULL, 10), 1, 100) : 1;
}
