/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/migration_verdict.h"

#include <string.h>

static const MigrationHost *
find_guest(const MigrationWorld *world)
{
    gboolean here = migration_host_runs_guest(world->source);

    g_assert_cmpint(here + migration_host_runs_guest(world->destination), ==, 1);
    return here ? world->source : world->destination;
}

static gboolean
uses_function(const MigrationHost *host)
{
    return host->plugged[0] >= 0 && strcmp(fake_guest_active(host->guest), "vf") == 0;
}

/* Past their deadlines, leases only stay for what cannot be done yet. */
static void
check_leases(const MigrationHost *host, const GPtrArray *leases)
{
    for (guint i = 0; i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        g_test_message("%s: %s is %s: %s", host->name, lease->kind, lease->state, lease->reason);
        g_assert_cmpstr(lease->state, ==, STATE_DEGRADED);
        g_assert_cmpstr(lease->reason, !=, "");
    }
}

static gboolean
is_held(const GPtrArray *leases, const char *address)
{
    for (guint i = 0; i < leases->len; i++) {
        if (lease_find_asset(leases->pdata[i], ASSET_FUNCTION, address))
            return TRUE;
    }
    return FALSE;
}

static void
check_as_new(const MigrationHost *host, unsigned index)
{
    static const guint8 no_mac[FUNCTION_MAC_BYTES] = { 0 };
    const FunctionSettings *settings = fake_function_control_settings(host->control, index);

    g_test_message("%s: VF %s must be as new", host->name, host->functions[index]);
    g_assert_cmpmem(settings->mac, sizeof(no_mac), no_mac, sizeof(no_mac));
    g_assert_cmpuint(settings->vlan, ==, 0);
    g_assert_false(settings->trust);
}

/* Of one that somebody else took, the settings are that one's affair. */
static void
check_functions(const MigrationHost *host, const GPtrArray *leases)
{
    for (gint i = 0; i < WORLD_FUNCTIONS; i++) {
        if (i != host->plugged[0] && i != host->stolen && !is_held(leases, host->functions[i]))
            check_as_new(host, (unsigned)i);
    }
}

/* The guest's VF, as its source had it or as its destination should. */
static void
check_settings(const MigrationHost *host)
{
    const FunctionSettings *settings =
        fake_function_control_settings(host->control, (unsigned)host->plugged[0]);

    g_assert_cmpuint(settings->vlan, ==, 12);
    g_assert_true(settings->trust);
    g_assert_true(settings->spoof_check);
}

static void
check_macs(const MigrationHost *host)
{
    static const guint8 no_mac[FUNCTION_MAC_BYTES] = { 0 };
    g_autoptr(GArray) entries =
        function_settings_list(fake_function_control_get(host->control), "npf0", NULL);

    for (guint i = 0; i < entries->len; i++) {
        const guint8 *mac = g_array_index(entries, FunctionEntry, i).settings.mac;

        for (guint k = 0; k < i && memcmp(mac, no_mac, sizeof(no_mac)) != 0; k++)
            g_assert_cmpint(
                memcmp(mac, g_array_index(entries, FunctionEntry, k).settings.mac, sizeof(no_mac)),
                !=, 0);
    }
}

/* While the guest is on VirtIO a lease holds the PF's entry for its MAC; else there is none. */
static void
check_mac_path(const MigrationHost *host, const GPtrArray *leases)
{
    if (leases->len == 0 || uses_function(host))
        g_assert_cmpuint(fake_bridge_fdb_count(host->fdb, "npf0", WORLD_MAC, TRUE), ==, 0);
}

static void
check_configuration(const MigrationHost *host)
{
    g_autoptr(Guest) guest = migration_host_guest(host);
    g_autoptr(DomainXml) domain =
        guest && guest->inactive_xml ? domain_xml_parse(guest->inactive_xml, NULL) : NULL;

    for (guint i = 0; domain && i < domain->passthrough->len; i++) {
        const DomainPassthrough *device = domain->passthrough->pdata[i];
        g_assert_true(g_strv_contains((const char *const *)host->functions, device->function));
    }
    if (domain && uses_function(host))
        g_assert_cmpuint(domain->passthrough->len, ==, 1);
}

/* A VF that was lost before the guest got it has given its place to another one. */
static void
check_replaced(const MigrationHost *host)
{
    if (uses_function(host) ||
        (host->plugged[0] >= 0 && !migration_host_is_sound(host, host->plugged[0])))
        return;
    for (gint i = 0; i < WORLD_FUNCTIONS; i++)
        g_assert_false(migration_host_is_sound(host, i));
}

static void
check_host(const MigrationHost *host, gboolean has_guest, gboolean whole)
{
    g_autoptr(GPtrArray) leases = migration_host_leases(host);

    check_leases(host, leases);
    check_functions(host, leases);
    check_macs(host);
    check_mac_path(host, leases);
    check_configuration(host);
    g_assert_true(!host->seized || host->seizable);
    if (whole)
        g_assert_cmpuint(leases->len, ==, 0);
    if (!has_guest)
        return;
    g_assert_true(uses_function(host) || (leases->len > 0 && !whole));
    if (host->plugged[0] >= 0)
        check_settings(host);
}

void
migration_verdict_check(const MigrationWorld *world, gboolean whole, gboolean willing)
{
    const MigrationHost *home = find_guest(world);

    g_test_message("the guest is on the %s", home->name);
    check_host(world->source, home == world->source, whole);
    check_host(world->destination, home == world->destination, whole);
    if (willing)
        check_replaced(home);
}
