/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* While a guest is on VirtIO its MAC is the card's, afterwards not; what others set stays theirs.
 */
#include "netprep/mac_path.h"

#include <errno.h>
#include <string.h>

#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/attach.h"
#include "netprep/guest_view.h"
#include "netprep/release.h"
#include "netprep/reservation.h"
#include "netprep/unplug.h"

#define MAC FIXTURE_MAC
#define PF  "npf0"

typedef struct {
    NetworkFixture *network;
    Lease *lease;
} Fixture;

static void
put(Fixture *fixture, const char *port, gboolean self, gboolean learned)
{
    FdbEntry entry = { .self = self, .learned = learned };

    g_assert_true(function_mac_from_text(MAC, entry.mac));
    fake_bridge_fdb_put(fixture->network->fdb, port, &entry);
}

static Lease *
make_lease(const NetworkHost *host, const GuestView *view)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) vnics = vnics_describe(host, view, &error);
    g_assert_no_error(error);
    g_autoptr(Lease) draft = network_lease_draft(LEASE_DETACHMENT, "test", "t", "web1",
                                                 FIXTURE_UUID, STATE_DETACHING, json_object());
    gboolean existing = FALSE;

    g_ptr_array_add(draft->assets,
                    lease_asset_new(ASSET_FUNCTION, FIXTURE_VF, ASSET_ATTACHED,
                                    json_pack("{s:o}", "vnic", vnic_to_json(vnics->pdata[0]))));
    Lease *lease =
        lease_store_create(host->leases, draft, 60, FAULT_FUNCTION_BUSY, &existing, &error);
    g_assert_no_error(error);
    return lease;
}

typedef struct {
    const char *mac;   /* of the guest's VF; its VirtIO vNIC has MAC */
    const char *lower; /* what is below the VirtIO vNIC's bridge; NULL: nothing */
} Layout;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    const Layout *layout = data;
    g_autoptr(GError) error = NULL;
    NetworkFixture *network = network_fixture_new();
    FunctionSettings *settings = fake_function_control_settings(network->control, 0);

    fixture->network = network;
    network_fixture_add_guest(network, GUEST_STATE_RUNNING, TRUE);
    g_assert_true(function_mac_from_text(layout->mac, settings->mac));
    fake_sysfs_add_virtual(network->sysfs, "uplink", "bond", PF);
    if (layout->lower)
        fake_sysfs_stack(network->sysfs, "br0", layout->lower);
    g_autoptr(GuestView) view = guest_view_read(network->host->hypervisor, FIXTURE_UUID, &error);
    g_assert_no_error(error);
    fixture->lease = make_lease(network->host, view);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    lease_free(fixture->lease);
    network_fixture_free(fixture->network);
}

static void
to_virtio(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    mac_path_to_virtio(fixture->network->host, fixture->lease, &error);
    g_assert_no_error(error);
}

static void
to_function(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    mac_path_to_function(fixture->network->host, fixture->lease, &error);
    g_assert_no_error(error);
}

static unsigned
own_entries(Fixture *fixture)
{
    return fake_bridge_fdb_count(fixture->network->fdb, PF, MAC, TRUE);
}

static unsigned
bridge_entries(Fixture *fixture, const char *port)
{
    return fake_bridge_fdb_count(fixture->network->fdb, port, MAC, FALSE);
}

/* As a daemon that starts anew would know it. */
static void
read_lease_anew(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Lease *lease = lease_store_get(fixture->network->host->leases, fixture->lease->id, 0, &error);

    g_assert_no_error(error);
    lease_free(fixture->lease);
    fixture->lease = lease;
}

static void
test_card_takes_the_mac_until_the_function_does(Fixture *fixture, gconstpointer unused)
{
    to_virtio(fixture);
    to_virtio(fixture);
    g_assert_cmpuint(own_entries(fixture), ==, 1);
    to_function(fixture);
    to_function(fixture);
    g_assert_cmpuint(own_entries(fixture), ==, 0);
}

static void
test_a_restart_knows_what_is_ours(Fixture *fixture, gconstpointer unused)
{
    to_virtio(fixture);
    read_lease_anew(fixture);
    to_function(fixture);
    g_assert_cmpuint(own_entries(fixture), ==, 0);
    read_lease_anew(fixture);
    put(fixture, PF, TRUE, FALSE); /* by somebody else, afterwards */
    to_function(fixture);
    g_assert_cmpuint(own_entries(fixture), ==, 1);
}

static void
test_states_on_disk_are_kept(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    const LeaseAsset *asset = fixture->lease->assets->pdata[0];

    g_assert_true(network_lease_mark(fixture->network->host->leases, fixture->lease, asset,
                                     ASSET_UNPLUGGED, &error));
    to_virtio(fixture);
    read_lease_anew(fixture);
    asset = fixture->lease->assets->pdata[0];
    g_assert_cmpstr(asset->state, ==, ASSET_UNPLUGGED);
}

static void
test_entry_of_others_stays(Fixture *fixture, gconstpointer unused)
{
    put(fixture, PF, TRUE, FALSE);
    to_virtio(fixture);
    to_function(fixture);
    g_assert_cmpuint(own_entries(fixture), ==, 1);
}

static void
test_bridge_forgets_what_it_learned_each_time(Fixture *fixture, gconstpointer unused)
{
    for (int i = 0; i < 2; i++) {
        put(fixture, PF, FALSE, TRUE);
        to_virtio(fixture);
        g_assert_cmpuint(bridge_entries(fixture, PF), ==, 0);
    }
    put(fixture, PF, FALSE, FALSE); /* set by the administrator */
    to_virtio(fixture);
    g_assert_cmpuint(bridge_entries(fixture, PF), ==, 1);
}

static void
test_bridge_above_a_bond_of_the_card_counts(Fixture *fixture, gconstpointer unused)
{
    put(fixture, "uplink", FALSE, TRUE);
    to_virtio(fixture);
    g_assert_cmpuint(bridge_entries(fixture, "uplink"), ==, 0);
    g_assert_cmpuint(own_entries(fixture), ==, 1);
}

static void
test_bridge_beside_the_card_needs_nothing(Fixture *fixture, gconstpointer unused)
{
    to_virtio(fixture);
    g_assert_cmpuint(own_entries(fixture), ==, 0);
}

static void
test_mac_that_only_the_guest_chose_gets_no_path(Fixture *fixture, gconstpointer data)
{
    const Layout *layout = data;

    put(fixture, PF, FALSE, TRUE);
    to_virtio(fixture);
    g_assert_cmpuint(fake_bridge_fdb_count(fixture->network->fdb, PF, layout->mac, TRUE), ==, 0);
    g_assert_cmpuint(bridge_entries(fixture, PF), ==, 1);
}

static void
test_function_in_the_guest_keeps_its_mac(Fixture *fixture, gconstpointer unused)
{
    mac_path_stay_on_virtio(fixture->network->host, fixture->lease);
    g_assert_cmpuint(own_entries(fixture), ==, 0);
}

/* Each call in turn: the guest keeps its way, and nothing is left behind when it gets its VF. */
static void
test_card_that_refuses_is_no_failure(Fixture *fixture, gconstpointer unused)
{
    for (unsigned call = 1; call <= 4; call++) {
        put(fixture, PF, FALSE, TRUE);
        fake_bridge_fdb_fail_from(fixture->network->fdb, call, -ENOMEM);
        to_virtio(fixture);
        fake_bridge_fdb_fail_from(fixture->network->fdb, 0, 0);
        to_virtio(fixture);
        g_assert_cmpuint(own_entries(fixture), ==, 1);
        to_function(fixture);
        g_assert_cmpuint(own_entries(fixture), ==, 0);
    }
}

static void
test_card_that_keeps_its_entry_is_one(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    to_virtio(fixture);
    fake_bridge_fdb_fail_from(fixture->network->fdb, 1, -EIO);
    g_assert_false(mac_path_to_function(fixture->network->host, fixture->lease, &error));
    g_assert_cmpstr(fault_object(error), ==, "network device " PF);
    fake_bridge_fdb_fail_from(fixture->network->fdb, 0, 0);
    to_function(fixture);
    g_assert_cmpuint(own_entries(fixture), ==, 0);
}

/* "web1" with VF and VirtIO vNIC on one card, Detach asked for. */
static NetworkFixture *
detached(GError **error)
{
    NetworkFixture *network = network_fixture_new();

    network_fixture_add_guest(network, GUEST_STATE_RUNNING, TRUE);
    network_fixture_share_card(network);
    g_autoptr(Job) job = unplug_start(network->host, "tester", "a", "web1", 60, NULL);
    json_decref(job_wait(job, error));
    return network;
}

static void
release_only_lease(NetworkFixture *network)
{
    g_autoptr(Lease) lease = network_fixture_lease(network);
    g_autoptr(Job) job = release_start(network->host, lease->id, lease->generation, NULL);
    g_autoptr(GError) error = NULL;

    json_decref(job_wait(job, &error));
    g_assert_no_error(error);
}

static void
test_detached_guest_has_its_path_until_it_is_gone(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NetworkFixture) network = detached(&error);

    g_assert_no_error(error);
    g_assert_true(network_fixture_card_takes_mac(network));
    fake_hypervisor_set_state(network->hypervisor, FIXTURE_UUID, GUEST_STATE_SHUT_OFF);
    release_only_lease(network);
    g_assert_false(network_fixture_card_takes_mac(network));
}

static void
test_guest_that_stays_gives_its_path_back(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NetworkFixture) network = detached(&error);

    release_only_lease(network);
    g_assert_true(network_fixture_has_live(network, FIXTURE_VF));
    g_assert_false(network_fixture_card_takes_mac(network));
}

static Lease *
reserve(NetworkFixture *network)
{
    Vnic vnic = { .alias = (char *)"hostdev0",
                  .function = (char *)"0000:09:10.0",
                  .guest_path = (char *)"04.0",
                  .guest_address = (char *)"0000:00:04.0",
                  .physical_network = (char *)"blue",
                  .settings = { .vlan = 12, .spoof_check = TRUE },
                  .bond = (char *)"bond0",
                  .backup = (char *)"virtio" };
    g_assert_true(function_mac_from_text(MAC, vnic.settings.mac));
    json_auto_t *vnics = json_pack("[o]", vnic_to_json(&vnic));
    ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, vnics, 60 };
    g_autoptr(GError) error = NULL;
    Lease *lease = reservation_create(network->host, &request, &error);

    g_assert_no_error(error);
    return lease;
}

static void
attach(NetworkFixture *network, const Lease *lease, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) fresh = lease_store_get(network->host->leases, lease->id, 0, &error);

    g_assert_no_error(error);
    g_assert_true(attach_reservation(network->host, NULL, fresh, &error));
    g_assert_no_error(error);
    g_autoptr(Lease) after = lease_store_get(network->host->leases, lease->id, 0, &error);
    g_assert_cmpstr(after->state, ==, state);
}

static void
test_degraded_guest_has_its_path_until_it_gets_its_function(void)
{
    g_autoptr(NetworkFixture) network = network_fixture_new();

    network_fixture_share_card(network);
    g_autoptr(Lease) lease = reserve(network);
    network_fixture_add_guest(network, GUEST_STATE_RUNNING, FALSE);
    fake_function_control_refuse(network->control, FUNCTION_OPTION_VLAN, -EINVAL);
    attach(network, lease, STATE_DEGRADED);
    g_assert_true(network_fixture_card_takes_mac(network));
    fake_function_control_refuse(network->control, FUNCTION_OPTION_VLAN, 0);
    attach(network, lease, STATE_ATTACHED);
    g_assert_false(network_fixture_card_takes_mac(network));
}

static void
test_card_that_keeps_its_entry_is_told_until_it_lets_go(void)
{
    g_autoptr(NetworkFixture) network = network_fixture_new();

    network_fixture_share_card(network);
    g_autoptr(Lease) lease = reserve(network);
    network_fixture_add_guest(network, GUEST_STATE_RUNNING, FALSE);
    fake_bridge_fdb_fail_from(network->fdb, 4, -EIO); /* list, list, add; remove */
    attach(network, lease, STATE_DEGRADED);
    g_assert_true(network_fixture_has_live(network, FIXTURE_VF));
    fake_bridge_fdb_fail_from(network->fdb, 0, 0);
    attach(network, lease, STATE_ATTACHED);
    g_assert_false(network_fixture_card_takes_mac(network));
}

/* Some cards have one owner for a MAC, so that the bond cannot give it to the VF. */
static void
test_path_stays_while_the_bond_takes_the_function_once(void)
{
    g_autoptr(NetworkFixture) network = network_fixture_new();

    network_fixture_share_card(network);
    g_autoptr(Lease) lease = reserve(network);
    network_fixture_add_guest(network, GUEST_STATE_RUNNING, FALSE);
    fake_guest_fail(network->guest, "join", -1);
    attach(network, lease, STATE_DEGRADED);
    g_assert_true(network_fixture_card_takes_mac(network));
    attach(network, lease, STATE_DEGRADED);
    g_assert_false(network_fixture_card_takes_mac(network));
}

static const Layout plain = { MAC, PF }, bonded = { MAC, "uplink" }, beside = { MAC, NULL },
                    chosen = { "52:54:00:00:00:fe", PF };

static void
add(const char *name, const Layout *layout, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/mac-path/%s", name);

    g_test_add(path, Fixture, layout, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("card-takes-the-mac-until-the-function-does", &plain,
        test_card_takes_the_mac_until_the_function_does);
    add("a-restart-knows-what-is-ours", &plain, test_a_restart_knows_what_is_ours);
    add("states-on-disk-are-kept", &plain, test_states_on_disk_are_kept);
    add("entry-of-others-stays", &plain, test_entry_of_others_stays);
    add("bridge-forgets-what-it-learned-each-time", &plain,
        test_bridge_forgets_what_it_learned_each_time);
    add("bridge-above-a-bond-of-the-card-counts", &bonded,
        test_bridge_above_a_bond_of_the_card_counts);
    add("bridge-beside-the-card-needs-nothing", &beside, test_bridge_beside_the_card_needs_nothing);
    add("mac-that-only-the-guest-chose-gets-no-path", &chosen,
        test_mac_that_only_the_guest_chose_gets_no_path);
    add("function-in-the-guest-keeps-its-mac", &plain, test_function_in_the_guest_keeps_its_mac);
    add("card-that-refuses-is-no-failure", &plain, test_card_that_refuses_is_no_failure);
    add("card-that-keeps-its-entry-is-one", &plain, test_card_that_keeps_its_entry_is_one);
    g_test_add_func("/mac-path/detached-guest-has-it-until-it-is-gone",
                    test_detached_guest_has_its_path_until_it_is_gone);
    g_test_add_func("/mac-path/guest-that-stays-gives-it-back",
                    test_guest_that_stays_gives_its_path_back);
    g_test_add_func("/mac-path/degraded-guest-has-it-until-it-gets-its-function",
                    test_degraded_guest_has_its_path_until_it_gets_its_function);
    g_test_add_func("/mac-path/card-that-keeps-its-entry-is-told-until-it-lets-go",
                    test_card_that_keeps_its_entry_is_told_until_it_lets_go);
    g_test_add_func("/mac-path/path-stays-while-the-bond-takes-the-function-once",
                    test_path_stays_while_the_bond_takes_the_function_once);
    return g_test_run();
}
