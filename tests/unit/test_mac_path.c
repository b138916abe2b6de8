/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* While a guest is on VirtIO its MAC is the card's, afterwards not; what others set stays theirs.
 */
#include "netprep/mac_path.h"

#include <errno.h>
#include <string.h>

#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/guest_view.h"

#define MAC "52:54:00:aa:00:01" /* of the fixture's VirtIO vNIC */
#define PF  "npf0"

typedef struct {
    NetworkFixture *network;
    GuestView *view;
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

/* The guest's VF has the MAC of its VirtIO vNIC unless @data names another; br0 is above the PF. */
static void
set_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    NetworkFixture *network = network_fixture_new();
    FunctionSettings *settings = fake_function_control_settings(network->control, 0);

    fixture->network = network;
    network_fixture_add_guest(network, GUEST_STATE_RUNNING, TRUE);
    g_assert_true(function_mac_from_text(data ? data : MAC, settings->mac));
    fake_sysfs_stack(network->sysfs, "br0", PF);
    fixture->view = guest_view_read(network->host->hypervisor, FIXTURE_UUID, &error);
    g_assert_no_error(error);
    fixture->lease = make_lease(network->host, fixture->view);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    lease_free(fixture->lease);
    guest_view_free(fixture->view);
    network_fixture_free(fixture->network);
}

static void
to_virtio(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    mac_path_to_virtio(fixture->network->host, fixture->lease, fixture->view->live, &error);
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
    const char *sysfs = fixture->network->sysfs;

    fake_sysfs_add_virtual(sysfs, "br1", "bridge", NULL);
    fake_sysfs_add_virtual(sysfs, "uplink", "bond", PF);
    fake_sysfs_stack(sysfs, "br1", "uplink");
    ((DomainVirtioNic *)fixture->view->live->virtio_nics->pdata[0])->bridge[2] = '1';
    put(fixture, "uplink", FALSE, TRUE);
    to_virtio(fixture);
    g_assert_cmpuint(bridge_entries(fixture, "uplink"), ==, 0);
    g_assert_cmpuint(own_entries(fixture), ==, 1);
}

static void
test_bridge_beside_the_card_needs_nothing(Fixture *fixture, gconstpointer unused)
{
    fake_sysfs_add_virtual(fixture->network->sysfs, "br1", "bridge", NULL);
    ((DomainVirtioNic *)fixture->view->live->virtio_nics->pdata[0])->bridge[2] = '1';
    to_virtio(fixture);
    g_assert_cmpuint(own_entries(fixture), ==, 0);
}

static void
test_mac_that_only_the_guest_chose_gets_no_path(Fixture *fixture, gconstpointer mac)
{
    put(fixture, PF, FALSE, TRUE);
    to_virtio(fixture);
    g_assert_cmpuint(fake_bridge_fdb_count(fixture->network->fdb, PF, mac, TRUE), ==, 0);
    g_assert_cmpuint(bridge_entries(fixture, PF), ==, 1);
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

static void
add(const char *name, const char *mac, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/mac-path/%s", name);

    g_test_add(path, Fixture, mac, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("card-takes-the-mac-until-the-function-does", NULL,
        test_card_takes_the_mac_until_the_function_does);
    add("a-restart-knows-what-is-ours", NULL, test_a_restart_knows_what_is_ours);
    add("states-on-disk-are-kept", NULL, test_states_on_disk_are_kept);
    add("entry-of-others-stays", NULL, test_entry_of_others_stays);
    add("bridge-forgets-what-it-learned-each-time", NULL,
        test_bridge_forgets_what_it_learned_each_time);
    add("bridge-above-a-bond-of-the-card-counts", NULL,
        test_bridge_above_a_bond_of_the_card_counts);
    add("bridge-beside-the-card-needs-nothing", NULL, test_bridge_beside_the_card_needs_nothing);
    add("mac-that-only-the-guest-chose-gets-no-path", "52:54:00:00:00:fe",
        test_mac_that_only_the_guest_chose_gets_no_path);
    add("card-that-refuses-is-no-failure", NULL, test_card_that_refuses_is_no_failure);
    add("card-that-keeps-its-entry-is-one", NULL, test_card_that_keeps_its_entry_is_one);
    return g_test_run();
}
