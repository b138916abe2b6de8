/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/network_audit.h"

#include <string.h>

#include "fake/database_audit.h"

/* How often @xml names the VF at @address as a device of the host. */
static unsigned
count_devices(const char *xml, const char *address)
{
    g_autofree char *pattern =
        g_strdup_printf("bus=['\"]0x%.2s['\"] slot=['\"]0x%.2s['\"] function=['\"]0x%.1s['\"]",
                        address + 5, address + 8, address + 11);
    g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    unsigned count = 0;

    g_regex_match(regex, xml, 0, &match);
    for (; g_match_info_matches(match); g_match_info_next(match, NULL))
        count++;
    return count;
}

static gboolean
has_port(const MigrationHost *host, const char *address)
{
    g_autoptr(GPtrArray) ports =
        fake_networks_list_ports(fake_hypervisor_networks(host->hypervisor));

    for (guint i = 0; i < ports->len; i++) {
        const NetworkPort *port = ports->pdata[i];

        if (g_strcmp0(port->function, address) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_with_vfio(const MigrationHost *host, const char *address)
{
    g_autofree char *link =
        g_build_filename(host->sysfs, "bus", "pci", "devices", address, "driver", NULL);
    g_autofree char *driver = g_file_read_link(link, NULL);

    return driver && g_str_has_suffix(driver, "/vfio-pci");
}

static gboolean
is_touched(const MigrationHost *host, unsigned index)
{
    static const guint8 no_mac[FUNCTION_MAC_BYTES] = { 0 };
    const FunctionSettings *settings = fake_function_control_settings(host->control, index);

    return memcmp(settings->mac, no_mac, sizeof(no_mac)) != 0 || settings->vlan != 0 ||
           settings->trust || !settings->spoof_check ||
           is_with_vfio(host, host->functions[index]) || has_port(host, host->functions[index]);
}

static void
audit_function(const MigrationHost *host, const DatabaseAudit *audit, unsigned index)
{
    const char *address = host->functions[index];
    g_autoptr(Guest) guest = migration_host_guest(host);
    unsigned places =
        guest && guest->state != GUEST_STATE_SHUT_OFF ? count_devices(guest->xml, address) : 0;

    g_test_message("%s: VF %s is in %u places, held by lease %s", host->name, address, places,
                   database_audit_holder(audit, address));
    g_assert_cmpuint(places, <=, 1);
    if (is_touched(host, index))
        g_assert_true(places == 1 || *database_audit_holder(audit, address));
}

static void
audit(const MigrationHost *host, gboolean empty)
{
    static const char *const macs[] = { WORLD_MAC, WORLD_MAC_2 };
    g_autoptr(DatabaseAudit) audit = database_audit_new(host->database);

    for (unsigned i = 0; i < WORLD_FUNCTIONS; i++)
        audit_function(host, audit, i);
    for (gsize i = 0; database_audit_leases(audit) == 0 && i < G_N_ELEMENTS(macs); i++)
        g_assert_cmpuint(fake_bridge_fdb_count(host->fdb, "npf0", macs[i], TRUE), ==, 0);
    if (empty)
        g_assert_cmpuint(database_audit_leases(audit), ==, 0);
}

void
network_audit(const MigrationHost *host)
{
    audit(host, FALSE);
}

void
network_audit_empty(const MigrationHost *host)
{
    audit(host, TRUE);
}
