/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/migration_host.h"

#include <glib/gstdio.h>
#include <net/if.h>

#include "common/domain_xml.h"
#include "fake/fake_sysfs.h"

#define BRIDGE      "br0"
#define SECOND_CARD 4 /* its first VF */
#define THIEF_LINK  "thief0"
#define THIEF_UUID  "11111111-2222-4333-8444-555555555555"

static const char thief_text[] = "<domain type='kvm'><name>thief</name><uuid>" THIEF_UUID
                                 "</uuid><devices>%s</devices></domain>";

static const char *const ports[WORLD_CARDS] = { "npf0", "npf1" };

/* Where the guest has its VFs, and the MACs of the bonds that they belong to. */
static const char *const places[WORLD_VNICS] = { "0000:00:04.0", "0000:00:06.0" };
static const char *const macs[WORLD_VNICS] = { WORLD_MAC, WORLD_MAC_2 };

static unsigned
card_of(gint index)
{
    return index < SECOND_CARD ? 0 : 1;
}

static gint
find_index(const MigrationHost *host, const char *address)
{
    for (gint i = 0; i < WORLD_FUNCTIONS; i++) {
        if (g_strcmp0(host->functions[i], address) == 0)
            return i;
    }
    return -1;
}

static gboolean
exists(const MigrationHost *host, gint index)
{
    g_autofree char *path =
        g_build_filename(host->sysfs, "bus", "pci", "devices", host->functions[index], NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

Guest *
migration_host_guest(const MigrationHost *host)
{
    return hypervisor_get_guest(fake_hypervisor_get(host->hypervisor), WORLD_UUID, NULL);
}

gboolean
migration_host_runs_guest(const MigrationHost *host)
{
    g_autoptr(Guest) guest = migration_host_guest(host);

    return guest && guest->state == GUEST_STATE_RUNNING;
}

static const DomainPassthrough *
device_at(const DomainXml *domain, const char *place)
{
    for (guint i = 0; domain && i < domain->passthrough->len; i++) {
        const DomainPassthrough *device = domain->passthrough->pdata[i];

        if (!place || g_strcmp0(device->guest_address, place) == 0)
            return device;
    }
    return NULL;
}

/* The VF that domain @xml has at @place (NULL: anywhere); -1: none. */
static gint
index_in(const MigrationHost *host, const char *xml, const char *place)
{
    g_autoptr(DomainXml) domain = domain_xml_parse(xml, NULL);
    const DomainPassthrough *device = device_at(domain, place);

    return device ? find_index(host, device->function) : -1;
}

static gint
thief_index(const MigrationHost *host)
{
    g_autoptr(Guest) thief =
        hypervisor_get_guest(fake_hypervisor_get(host->hypervisor), THIEF_UUID, NULL);

    return thief ? index_in(host, thief->xml, NULL) : -1;
}

static gboolean
is_in_guest(const MigrationHost *host, gint index)
{
    for (unsigned vnic = 0; vnic < WORLD_VNICS; vnic++) {
        if (g_atomic_int_get(&host->plugged[vnic]) == index)
            return TRUE;
    }
    return FALSE;
}

/* Only the first VF of a guest has what can go wrong inside of it. */
static void
give_to_guest(MigrationHost *host, unsigned vnic, gint index)
{
    g_atomic_int_set(&host->plugged[vnic], index);
    if (vnic > 0)
        return;
    fake_guest_set_function_carrier(host->guest, card_of(index) >= host->cut);
    fake_guest_set_function(host->guest, TRUE);
}

/* What libvirt and the kernel check before a guest gets a device. */
static gboolean
check_device(const char *xml, void *data, GError **error)
{
    MigrationHost *host = data;
    g_autofree char *domain = g_strdup_printf(thief_text, xml);
    gint index = index_in(host, domain, NULL);
    const char *cause = index < 0                    ? "no such device"
                        : !exists(host, index)       ? "device not found"
                        : thief_index(host) == index ? "in use by domain thief"
                                                     : NULL;

    if (cause) {
        fault_set(error, FAULT_HYPERVISOR_FAILED, "hostdev", NULL, "%s", cause);
        return FALSE;
    }
    if (host->bridged == index)
        g_atomic_int_set(&host->seized, TRUE);
    fake_sysfs_bind(host->sysfs, host->functions[index], "vfio-pci");
    give_to_guest(host, index_in(host, domain, places[1]) == index, index);
    return TRUE;
}

static void
vanish(const MigrationHost *host, gint index)
{
    g_autofree char *path =
        g_build_filename(host->sysfs, "bus", "pci", "devices", host->functions[index], NULL);

    if (!exists(host, index))
        return;
    fake_sysfs_bind(host->sysfs, host->functions[index], NULL);
    fake_sysfs_drop_function(host->sysfs, host->cards[card_of(index)], (unsigned)index);
    g_assert_cmpint(g_remove(path), ==, 0);
    fake_function_control_set_present(host->control, (unsigned)index, FALSE);
}

static void
look_after_place(MigrationHost *host, const Guest *guest, unsigned vnic)
{
    gint before = g_atomic_int_get(&host->plugged[vnic]);
    gint now = guest ? index_in(host, guest->xml, places[vnic]) : -1;

    if (before < 0 || now == before)
        return;
    g_atomic_int_set(&host->plugged[vnic], now);
    if (now < 0 && vnic == 0)
        fake_guest_set_function(host->guest, FALSE);
    if (exists(host, before))
        fake_sysfs_bind(host->sysfs, host->functions[before], NULL);
    if (card_of(before) < host->shrunk)
        vanish(host, before);
}

/* After any event: a VF that has left the guest is the host's again. */
static void
look_after_guest(const HypervisorEvent *event, void *data)
{
    MigrationHost *host = data;
    g_autoptr(Guest) guest = migration_host_guest(host);

    for (unsigned vnic = 0; vnic < WORLD_VNICS; vnic++)
        look_after_place(host, guest, vnic);
}

/* As long as it is not in a bond, a VF has a MAC of its own. */
static void
mac_of(unsigned index, guint8 *ret_mac, void *data)
{
    const MigrationHost *host = data;

    if (index >= WORLD_FUNCTIONS)
        return;
    for (unsigned vnic = 0; vnic < WORLD_VNICS; vnic++) {
        if ((gint)index == g_atomic_int_get(&host->plugged[vnic]) &&
            (vnic > 0 || fake_guest_has_joined(host->guest))) {
            g_assert_true(function_mac_from_text(macs[vnic], ret_mac));
            return;
        }
    }
    ret_mac[0] = 0x02;
    ret_mac[5] = (guint8)(index + 1);
}

/* A guest that is paused does not answer. */
static char *
answer(const char *uuid, const char *command, void *data)
{
    const MigrationHost *host = data;

    return migration_host_runs_guest(host) ? fake_guest_agent(uuid, command, host->guest) : NULL;
}

/* All VFs of a host have indices of their own, since the fake driver knows no cards. */
static void
add_cards(const MigrationHost *host)
{
    for (unsigned card = 0; card < WORLD_CARDS; card++) {
        fake_sysfs_add_card(host->sysfs, ports[card], host->cards[card],
                            (const char *const[]) { NULL });
        fake_sysfs_set_device(host->sysfs, host->cards[card], "sriov_numvfs",
                              G_STRINGIFY(WORLD_FUNCTIONS) "\n");
    }
    for (gint i = 0; i < WORLD_FUNCTIONS; i++) {
        fake_sysfs_add_device(host->sysfs, host->functions[i], "0x020000\n", 1000 + i);
        fake_sysfs_put_function(host->sysfs, host->cards[card_of(i)], (unsigned)i,
                                host->functions[i]);
        fake_function_control_set_present(host->control, (unsigned)i, TRUE);
    }
}

static DaemonProcess *
try_start(MigrationHost *host)
{
    if (injector_has_cut_power(host->injector))
        faulty_disk_cut(host->disk, host->random);
    injector_arm(host->injector, host->next, host->next_point);
    host->next = INJECT_NOTHING;
    return daemon_process_start(&(DaemonWorld) {
        .hypervisor = host->hypervisor,
        .control = host->control,
        .fdb = host->fdb,
        .config = &host->config,
        .sysfs = host->sysfs,
        .database = host->database,
        .guest = WORLD_UUID,
        .check = check_device,
        .check_data = host,
        .injector = host->injector,
    });
}

static void
start_daemon(MigrationHost *host)
{
    host->daemon = try_start(host);
    if (!host->daemon)
        host->daemon = try_start(host);
    g_assert_nonnull(host->daemon);
}

MigrationHost *
migration_host_new(const char *name, unsigned bus, const char *directory, FakeGuest *guest)
{
    MigrationHost *host = g_new0(MigrationHost, 1);

    host->name = g_strdup(name);
    for (unsigned card = 0; card < WORLD_CARDS; card++)
        host->cards[card] = g_strdup_printf("0000:%02x:00.%u", bus, card);
    for (gint i = 0; i < WORLD_FUNCTIONS; i++)
        host->functions[i] =
            g_strdup_printf("0000:%02x:1%u.%u", bus, card_of(i), 2 * (i % SECOND_CARD));
    host->plugged[0] = host->plugged[1] = host->bridged = host->stolen = -1;
    host->guest = guest;
    host->database = g_strdup_printf("%s/%s.db", directory, name);
    host->injector = injector_new();
    host->disk = faulty_disk_new(host->database, host->injector);
    host->random = g_rand_new_with_seed(bus);
    host->sysfs = fake_sysfs_new();
    host->control = fake_function_control_new();
    add_cards(host);
    fake_sysfs_add_virtual(host->sysfs, BRIDGE, "bridge", ports[0]);
    host->hypervisor = fake_hypervisor_new();
    host->fdb = fake_bridge_fdb_new();
    for (unsigned card = 0; card < WORLD_CARDS; card++)
        fake_hypervisor_add_network(host->hypervisor, "blue", ports[card]);
    fake_hypervisor_set_agent(host->hypervisor, answer, host);
    fake_event_source_add(fake_hypervisor_events(host->hypervisor), look_after_guest, host);
    fake_function_control_ask_mac(host->control, mac_of, host);
    start_daemon(host);
    return host;
}

void
migration_host_free(MigrationHost *host)
{
    daemon_process_stop(host->daemon);
    faulty_disk_free(host->disk);
    injector_free(host->injector);
    g_rand_free(host->random);
    hypervisor_free(fake_hypervisor_get(host->hypervisor));
    function_control_free(fake_function_control_get(host->control));
    bridge_fdb_free(fake_bridge_fdb_get(host->fdb));
    fake_sysfs_remove(host->sysfs);
    for (unsigned i = 0; i < WORLD_FUNCTIONS; i++)
        g_free(host->functions[i]);
    g_free(host->database);
    for (unsigned card = 0; card < WORLD_CARDS; card++)
        g_free(host->cards[card]);
    g_free(host->name);
    g_free(host);
}

void
migration_host_revive(MigrationHost *host)
{
    if (!host->daemon || !daemon_process_is_dead(host->daemon))
        return;
    daemon_process_stop(host->daemon);
    start_daemon(host);
}

void
migration_host_restart(MigrationHost *host)
{
    daemon_process_kill(host->daemon);
    migration_host_revive(host);
}

void
migration_host_crash(MigrationHost *host)
{
    g_autoptr(Guest) guest = migration_host_guest(host);

    daemon_process_kill(host->daemon);
    g_clear_pointer(&host->daemon, daemon_process_stop);
    if (!guest)
        return;
    /* A migration that was coming in has left no definition. */
    fake_hypervisor_remove_guest(host->hypervisor, WORLD_UUID);
    if (guest->state == GUEST_STATE_RUNNING && guest->inactive_xml)
        fake_hypervisor_add_guest(host->hypervisor, guest->inactive_xml, GUEST_STATE_SHUT_OFF,
                                  TRUE);
}

void
migration_host_boot(MigrationHost *host)
{
    for (unsigned i = 0; i < WORLD_FUNCTIONS; i++)
        *fake_function_control_settings(host->control, i) =
            (FunctionSettings) { .spoof_check = TRUE };
    bridge_fdb_free(fake_bridge_fdb_get(host->fdb));
    host->fdb = fake_bridge_fdb_new();
    start_daemon(host);
    migration_host_expire(host);
}

GPtrArray *
migration_host_leases(const MigrationHost *host)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *leases = lease_store_list(daemon_process_host(host->daemon)->leases, &error);

    g_assert_no_error(error);
    return leases;
}

void
migration_host_expire(MigrationHost *host)
{
    LeaseStore *store = daemon_process_host(host->daemon)->leases;
    g_autoptr(GPtrArray) leases = migration_host_leases(host);

    for (guint i = 0; i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];
        g_assert_true(lease_store_renew(store, lease->id, lease->generation, 0, NULL));
    }
}

void
migration_host_remove_function(MigrationHost *host)
{
    g_autoptr(Guest) guest = migration_host_guest(host);
    g_autoptr(DomainXml) domain = guest ? domain_xml_parse(guest->xml, NULL) : NULL;
    const DomainPassthrough *device = device_at(domain, places[0]);

    if (device)
        fake_hypervisor_finish_unplug(host->hypervisor, WORLD_UUID, device->alias);
}

/* @address: "0000:41:10.2". */
static char *
hostdev_xml(const char *address)
{
    return g_strdup_printf("<hostdev mode='subsystem' type='pci' managed='yes'><source><address "
                           "domain='0x%.4s' bus='0x%.2s' slot='0x%.2s' function='0x%.1s'/>"
                           "</source><alias name='hostdev0'/></hostdev>",
                           address, address + 5, address + 8, address + 11);
}

void
migration_host_steal(MigrationHost *host, unsigned index, gboolean by_guest)
{
    const char *address = host->functions[index];

    if (is_in_guest(host, (gint)index) || !exists(host, (gint)index))
        return;
    host->stolen = (gint)index;
    if (by_guest) {
        g_autofree char *device = hostdev_xml(address);
        g_autofree char *xml = g_strdup_printf(thief_text, device);

        fake_sysfs_bind(host->sysfs, address, "vfio-pci");
        fake_hypervisor_add_guest(host->hypervisor, xml, GUEST_STATE_RUNNING, FALSE);
    } else {
        fake_sysfs_bind(host->sysfs, address, "igbvf");
        fake_sysfs_add_link(host->sysfs, address, THIEF_LINK, IFF_UP, BRIDGE);
        host->bridged = (gint)index;
    }
}

void
migration_host_return_stolen(MigrationHost *host)
{
    gint index = thief_index(host);

    if (index >= 0) {
        fake_hypervisor_remove_guest(host->hypervisor, THIEF_UUID);
        fake_sysfs_bind(host->sysfs, host->functions[index], NULL);
    }
    if (host->bridged >= 0) {
        g_autofree char *lower =
            g_build_filename(host->sysfs, "class", "net", BRIDGE, "lower_" THIEF_LINK, NULL);
        g_autofree char *device = g_build_filename(
            host->sysfs, "devices", host->functions[host->bridged], "net", THIEF_LINK, NULL);
        g_assert_cmpint(g_remove(lower), ==, 0);
        g_assert_cmpint(g_rmdir(device), ==, 0);
        fake_sysfs_hide_link(host->sysfs, THIEF_LINK);
        fake_sysfs_bind(host->sysfs, host->functions[host->bridged], NULL);
        host->bridged = -1;
    }
}

void
migration_host_cut(MigrationHost *host, unsigned cards)
{
    gint plugged = g_atomic_int_get(&host->plugged[0]);

    host->cut = cards;
    for (unsigned card = 0; card < WORLD_CARDS; card++)
        fake_sysfs_set_link(host->sysfs, ports[card], "carrier", card < cards ? "0\n" : "1\n");
    if (plugged >= 0)
        fake_guest_set_function_carrier(host->guest, card_of(plugged) >= cards);
}

void
migration_host_shrink(MigrationHost *host, unsigned cards)
{
    host->shrunk = cards;
    for (unsigned card = 0; card < cards; card++)
        fake_sysfs_set_device(host->sysfs, host->cards[card], "sriov_numvfs", "0\n");
    for (gint i = 0; i < WORLD_FUNCTIONS; i++) {
        if (card_of(i) < cards && !is_in_guest(host, i))
            vanish(host, i);
    }
}

void
migration_host_grow(MigrationHost *host)
{
    if (host->shrunk > 0)
        add_cards(host);
    host->shrunk = 0;
}

gboolean
migration_host_is_sound(const MigrationHost *host, gint index)
{
    return exists(host, index) && card_of(index) >= host->cut && index != host->bridged &&
           index != thief_index(host);
}
