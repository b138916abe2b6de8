/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest without netprep-guest: read and steered through its agent's files. */
#include <string.h>

#include "fake/hypervisor_gate.h"
#include "fake/network_fixture.h"
#include "netprep/bond.h"
#include "netprep/bonding_text.h"
#include "netprep/guest_view.h"

typedef struct {
    NetworkFixture *network;
    GuestView *view;
    BondAccess access;
    unsigned lost_handles; /* of open files, at the most: nobody knows whose answer was lost */
} Fixture;

static void
set_up(Fixture *fixture, const void *unused)
{
    fixture->network = network_fixture_new();
    network_fixture_add_guest(fixture->network, GUEST_STATE_RUNNING, TRUE);
    fixture->view = guest_view_read(fixture->network->host->hypervisor, FIXTURE_UUID, NULL);
    fixture->access = bond_access(fixture->network->host, fixture->view, NULL);
    fake_guest_set_program(fixture->network->guest, FALSE);
}

static void
tear_down(Fixture *fixture, const void *unused)
{
    g_assert_cmpuint(fake_guest_open_files(fixture->network->guest), <=, fixture->lost_handles);
    guest_view_free(fixture->view);
    network_fixture_free(fixture->network);
}

static void
test_report_is_the_same_as_the_programs(Fixture *fixture, const void *unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GuestReport) report = bond_report(&fixture->access, &error);

    g_assert_no_error(error);
    g_assert_cmpint(report->steering, ==, GUEST_STEERING_FILES);
    const GuestInterface *vf = guest_report_find_path(report, "04.0");
    const GuestInterface *virtio = guest_report_find_path(report, "03.0");
    g_assert_cmpstr(vf->name, ==, "vf");
    g_assert_cmpstr(vf->driver, ==, "igbvf");
    g_assert_cmpstr(vf->master, ==, "bond0");
    g_assert_true(vf->carrier);
    g_assert_cmpstr(virtio->name, ==, "virtio");
    g_assert_cmpstr(virtio->driver, ==, "virtio_net");
    const GuestBond *bond = guest_report_find_bond(report, "bond0");
    g_assert_cmpstr(bond->mode, ==, "active-backup");
    g_assert_cmpstr(bond->active, ==, "vf");
    g_assert_cmpuint(bond->monitor_interval_msec, ==, 100);
    g_assert_cmpint(bond->announcements, ==, 3);
    g_assert_cmpint(bond->up_delay_msec, ==, 200);

    g_autoptr(Vnic) vnic = g_new0(Vnic, 1);
    vnic->guest_path = g_strdup("04.0");
    g_assert_true(bond_pair(report, fixture->view->live, vnic, &error));
    g_assert_cmpstr(vnic->backup, ==, "virtio");
}

static void
test_traffic_is_moved_and_proven(Fixture *fixture, const void *unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(bond_use(&fixture->access, "bond0", "virtio", &error));
    g_assert_cmpstr(fake_guest_active(fixture->network->guest), ==, "virtio");
    g_assert_true(fake_guest_hears_all(fixture->network->guest));

    fake_guest_set_stubborn(fixture->network->guest, TRUE);
    g_assert_false(bond_use(&fixture->access, "bond0", "vf", &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
}

static void
test_new_device_joins_the_bond(Fixture *fixture, const void *unused)
{
    g_autoptr(GError) error = NULL;

    fake_guest_take_vf_out(fixture->network->guest);
    g_assert_true(bond_join(&fixture->access, "bond0", "04.0", 20, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(fake_guest_active(fixture->network->guest), ==, "vf");
    g_assert_false(fake_guest_hears_all(fixture->network->guest));
}

static void
test_device_that_never_comes_is_an_error(Fixture *fixture, const void *unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(bond_join(&fixture->access, "bond0", "09.0", 0, &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
}

/* Else its NIC would keep the bond's MAC from the port that carries the traffic. */
static void
test_device_that_is_not_used_in_time_is_taken_out_again(Fixture *fixture, const void *unused)
{
    g_autoptr(GError) error = NULL;

    fake_guest_take_vf_out(fixture->network->guest);
    g_assert_false(bond_join(&fixture->access, "bond0", "04.0", 0, &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
    g_autoptr(GuestReport) report = bond_report(&fixture->access, NULL);
    g_assert_null(guest_report_find_path(report, "04.0")->master);
    g_assert_cmpstr(fake_guest_active(fixture->network->guest), ==, "virtio");
}

typedef struct {
    unsigned calls, lost_at;
} Agent;

/* One command is carried out, but its answer does not come. */
static FakeGateState
lose_one(void *data)
{
    Agent *agent = data;

    return ++agent->calls == agent->lost_at ? FAKE_GATE_MUTE : FAKE_GATE_OPEN;
}

static void
test_device_is_taken_out_whichever_answer_is_lost(Fixture *fixture, const void *unused)
{
    Agent agent = { 0 };
    HypervisorDoor door = { lose_one, &agent, NULL, NULL };
    g_autoptr(Hypervisor) gate = hypervisor_gate_new(fixture->access.hypervisor, &door);
    BondAccess access = fixture->access;
    gboolean joined = FALSE;

    access.hypervisor = gate;
    for (unsigned call = 1; !joined; call++) {
        fake_guest_take_vf_out(fixture->network->guest);
        agent = (Agent) { 0, call };
        fixture->lost_handles = call / 2; /* a file is opened, read or written, and closed */
        joined = bond_join(&access, "bond0", "04.0", 20, NULL) && agent.calls < call;
        g_autoptr(GuestReport) report = bond_report(&fixture->access, NULL);
        const char *master = guest_report_find_path(report, "04.0")->master;
        const char *active = fake_guest_active(fixture->network->guest);
        g_test_message("call %u: %s, %s", call, master ? master : "-", active);
        g_assert_true(!master == g_str_equal(active, "virtio"));
    }
}

static void
test_forbidden_files_are_named(Fixture *fixture, const void *unused)
{
    g_autoptr(GError) error = NULL;

    fake_guest_set_files(fixture->network->guest, FALSE);
    g_assert_null(bond_report(&fixture->access, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    g_assert_nonnull(strstr(error->message, "guest-file-open"));
    g_assert_nonnull(strstr(fault_remedy(error), "netprep-guest"));
}

static void
test_only_the_program_creates_a_bond(Fixture *fixture, const void *unused)
{
    BondPlan plan = { "04.0", "52:54:00:aa:00:01", FALSE };
    g_autoptr(GError) error = NULL;

    g_assert_null(bond_create(&fixture->access, "bond1", &plan, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    g_assert_nonnull(strstr(fault_remedy(error), "install netprep-guest"));
}

static void
test_bonding_text_that_cannot_be_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "Bonding Mode: something new\n",
        "Bonding Mode: fault-tolerance (active-backup)\nSlave Interface: ../../etc\n",
        "Bonding Mode: fault-tolerance (active-backup)\nCurrently Active Slave: a/b\n",
        "Bonding Mode: fault-tolerance (active-backup)\nSlave Interface: None\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(GStrv) ports_up = NULL;

        g_assert_null(bonding_text_parse("bond0", texts[i], &ports_up));
        g_assert_null(ports_up);
    }
}

static void
test_bonding_text_with_fail_over_mac_is_read(void)
{
    static const char text[] =
        "Bonding Mode: fault-tolerance (active-backup) (fail_over_mac active)\n"
        "Primary Slave: None\nCurrently Active Slave: None\nMII Polling Interval (ms): 0\n"
        "Slave Interface: eth0\nMII Status: down\nSlave Interface: eth1\nMII Status: up\n";
    g_auto(GStrv) ports_up = NULL;
    g_autoptr(GuestBond) bond = bonding_text_parse("bond7", text, &ports_up);

    g_assert_cmpstr(bond->fail_over_mac, ==, "active");
    g_assert_null(bond->active);
    g_assert_cmpuint(g_strv_length(bond->ports), ==, 2);
    g_assert_cmpuint(g_strv_length(ports_up), ==, 1);
    g_assert_cmpstr(ports_up[0], ==, "eth1");
}

#define ADD(name, function)                                                                        \
    g_test_add("/guest-files/" name, Fixture, NULL, set_up, function, tear_down)

#define MODE "Bonding Mode: fault-tolerance (active-backup)"

static void
test_bonding_text_says_little_or_too_much(void)
{
    g_autoptr(GString) many = g_string_new(MODE "\n");
    g_auto(GStrv) up = NULL, none_up = NULL;
    g_autoptr(GuestBond) odd =
        bonding_text_parse("bond0",
                           MODE " (fail_over_mac follow)\nPrimary Slave\nPrimary SlaveX: eth1\n"
                                "Currently Active Slave: None\n"
                                "MII Polling Interval (ms): 99999999999\n"
                                "Slave Interface: eth1\nMII Status: down\nSpeed: 1000 Mbps\n"
                                "Slave Interface: eth2\nMII Status: up\n",
                           &up);

    g_assert_cmpstr(odd->fail_over_mac, ==, "follow");
    g_assert_null(odd->primary);
    g_assert_null(odd->active);
    g_assert_cmpuint(odd->monitor_interval_msec, ==, G_MAXINT);
    g_assert_cmpuint(g_strv_length(up), ==, 1);
    g_assert_null(bonding_text_parse("bond0", MODE "\nSlave Interface: None\n", &none_up));
    for (unsigned i = 0; i < 65; i++)
        g_string_append_printf(many, "Slave Interface: eth%u\n", i);
    g_assert_null(bonding_text_parse("bond0", many->str, &none_up));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("report-is-the-same-as-the-programs", test_report_is_the_same_as_the_programs);
    ADD("traffic-is-moved-and-proven", test_traffic_is_moved_and_proven);
    ADD("new-device-joins-the-bond", test_new_device_joins_the_bond);
    ADD("device-that-never-comes-is-an-error", test_device_that_never_comes_is_an_error);
    ADD("lost-answers-leave-no-port", test_device_is_taken_out_whichever_answer_is_lost);
    ADD("unused-device-is-taken-out-again",
        test_device_that_is_not_used_in_time_is_taken_out_again);
    ADD("forbidden-files-are-named", test_forbidden_files_are_named);
    ADD("only-the-program-creates-a-bond", test_only_the_program_creates_a_bond);
    g_test_add_func("/guest-files/bonding-text-that-cannot-be-is-refused",
                    test_bonding_text_that_cannot_be_is_refused);
    g_test_add_func("/guest-files/bonding-text-with-fail-over-mac-is-read",
                    test_bonding_text_with_fail_over_mac_is_read);
    g_test_add_func("/guest-files/bonding-text-little-or-much",
                    test_bonding_text_says_little_or_too_much);
    return g_test_run();
}
