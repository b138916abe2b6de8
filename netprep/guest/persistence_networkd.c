/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd-networkd: a .netdev for the bond, a .network for it and for each port. */
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netprep/guest/config_file.h"
#include "netprep/guest/ini.h"
#include "netprep/guest/persistence_system.h"

/*
 * Theory of operation. The first .network file whose [Match] fits a device counts, by the order of
 * names over all directories. Ours begin with 00-, so an older file for a port (netplan's begin
 * with 10-) loses without being touched; only one that sorts before ours has to go.
 */
#define DIRECTORY "/etc/systemd/network"
#define PREFIX    "00-migprep-"

/* The file that networkd configures @link by, PATH_MAX bytes. */
static bool
find_network_file(const char *root, const Link *link, char *path)
{
    char state[64];

    snprintf(state, sizeof(state), "/run/systemd/netif/links/%d", link->index);
    return config_file_value(root, state, "NETWORK_FILE", path, PATH_MAX) && path[0] == '/';
}

static bool
manages(const char *root, const Link *link)
{
    char path[PATH_MAX];

    return find_network_file(root, link, path);
}

static bool
is_enabled(const char *root)
{
    return config_file_exists(root, "/run/systemd/netif/state") ||
           config_file_exists(
               root, "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service");
}

typedef struct {
    const char *root;
    const char *name;
    char *path;
} Search;

static bool
makes_bond(const char *path, void *data)
{
    const Search *search = data;
    Ini ini = ini_parse(config_file_read(search->root, path));
    const char *name = ini_get(&ini, "NetDev", "Name"), *kind = ini_get(&ini, "NetDev", "Kind");
    bool found = name && kind && strcmp(name, search->name) == 0 && strcmp(kind, "bond") == 0;

    if (found)
        snprintf(search->path, PATH_MAX, "%s", path);
    ini_clear(&ini);
    return found;
}

/* netplan writes what it is told into /run at each boot. */
static bool
find_bond(const char *root, const char *name, char *ret_path)
{
    static const char *const directories[] = { DIRECTORY, "/run/systemd/network",
                                               "/usr/lib/systemd/network", NULL };
    Search search = { .root = root, .name = name, .path = ret_path };

    for (size_t i = 0; directories[i]; i++) {
        if (config_file_visit(root, directories[i], ".netdev", makes_bond, &search))
            return true;
    }
    return false;
}

static bool
create(PersistenceWork *work, const BondPlan *plan, const char *suffix, FILE *out, char **text,
       Failure *failure)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), DIRECTORY "/" PREFIX "%s%s", plan->name, suffix);
    return persistence_work_create(work, path, 0644, out, text, failure);
}

static bool
plan_netdev(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    const uint32_t *options = plan->options;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out) {
        fprintf(out, PERSISTENCE_HEADER, plan->name);
        fprintf(out, "[NetDev]\nName=%s\nKind=bond\n", plan->name);
        if (options[BOND_OPTION_FAIL_OVER_MAC] == BOND_FAIL_OVER_MAC_NONE)
            fprintf(out, "MACAddress=%s\n", plan->mac);
        fprintf(out, "MTUBytes=%u\n\n[Bond]\nMode=%s\n", plan->mtu,
                bond_option_word(BOND_OPTION_MODE, options[BOND_OPTION_MODE]));
        fprintf(out, "MIIMonitorSec=%ums\nUpDelaySec=%ums\nGratuitousARP=%u\n",
                options[BOND_OPTION_MONITOR_INTERVAL], options[BOND_OPTION_UP_DELAY],
                options[BOND_OPTION_GRATUITOUS_ARP]);
        fprintf(
            out, "FailOverMACPolicy=%s\nPrimaryReselectPolicy=%s\n",
            bond_option_word(BOND_OPTION_FAIL_OVER_MAC, options[BOND_OPTION_FAIL_OVER_MAC]),
            bond_option_word(BOND_OPTION_PRIMARY_RESELECT, options[BOND_OPTION_PRIMARY_RESELECT]));
    }
    return create(work, plan, ".netdev", out, &text, failure);
}

/* The function may be away at boot: nobody waits for it. */
static bool
plan_primary(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out)
        fprintf(out,
                PERSISTENCE_HEADER "[Match]\nPath=%s\n\n[Link]\nRequiredForOnline=no\n\n"
                                   "[Network]\nBond=%s\nPrimarySlave=yes\n",
                plan->name, plan->primary.place, plan->name);
    return create(work, plan, "-primary.network", out, &text, failure);
}

static bool
plan_backup(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out)
        fprintf(out,
                PERSISTENCE_HEADER "[Match]\nPermanentMACAddress=%s\nDriver=%s\n\n"
                                   "[Network]\nBond=%s\n",
                plan->name, plan->backup.mac, plan->backup.link->driver, plan->name);
    return create(work, plan, "-backup.network", out, &text, failure);
}

static void
write_settings(FILE *out, const Layer3Settings *settings)
{
    fprintf(out, "\n[Network]\nDHCP=%s\n", settings->dynamic4 ? "ipv4" : "no");
    for (size_t i = 0; i < settings->address_count; i++)
        fprintf(out, "Address=%s\n", settings->addresses[i].prefix);
    for (size_t i = 0; i < settings->route_count; i++) {
        const Layer3Route *route = &settings->routes[i];

        fprintf(out, "\n[Route]\nDestination=%s\n", route->to);
        if (route->via[0])
            fprintf(out, "Gateway=%s\n", route->via);
        else
            fputs("Scope=link\n", out);
        if (route->metric)
            fprintf(out, "Metric=%u\n", route->metric);
        if (route->table != RT_TABLE_MAIN)
            fprintf(out, "Table=%u\n", route->table);
    }
}

/* A lease belongs to a client identifier, which networkd makes of the device's name unless it is
 * told: "ff", four bytes of it, then the machine's own. */
static void
write_lease_owner(FILE *out, const BondPlan *plan, const Ini *old)
{
    char path[64], identifier[256];
    uint32_t association = 0;

    if (!plan->owner || ini_get(old, "DHCPv4", "ClientIdentifier") ||
        ini_get(old, "DHCPv4", "IAID") || ini_get(old, "DHCP", "ClientIdentifier"))
        return;
    snprintf(path, sizeof(path), "/run/systemd/netif/leases/%d", plan->owner->index);
    if (config_file_value(plan->root, path, "CLIENTID", identifier, sizeof(identifier)) &&
        sscanf(identifier, "ff%8" SCNx32, &association) == 1)
        fprintf(out, "\n[DHCPv4]\nIAID=%" PRIu32 "\n", association);
}

static bool
plan_network(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    static const char *const of_device[] = { "Match", "Link", NULL };
    char *text = NULL, path[PATH_MAX];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    Ini old = { 0 };

    if (plan->owner && find_network_file(plan->root, plan->owner, path))
        old = ini_parse(config_file_read(plan->root, path));
    if (out) {
        fprintf(out, PERSISTENCE_HEADER "[Match]\nName=%s\n", plan->name, plan->name);
        if (old.count)
            ini_write(&old, out, of_device, true);
        else
            write_settings(out, &plan->settings);
        write_lease_owner(out, plan, &old);
    }
    ini_clear(&old);
    return create(work, plan, ".network", out, &text, failure);
}

/* Whether [Match] names one device and no pattern. */
static bool
is_for_one_device(const Ini *ini)
{
    const char *name = ini_get(ini, "Match", "Name");
    const char *mac = ini_get(ini, "Match", "MACAddress");

    return (name || mac) && (!name || !strpbrk(name, " *?[!")) && (!mac || !strchr(mac, ' '));
}

static bool
displace(const BondPlan *plan, const Link *link, PersistenceWork *work, Failure *failure)
{
    char path[PATH_MAX], copy[PATH_MAX];

    if (!find_network_file(plan->root, link, path))
        return true;
    snprintf(copy, sizeof(copy), "%s", path);
    if (strcmp(basename(copy), PREFIX) > 0 || !config_file_exists(plan->root, path))
        return true;
    Ini ini = ini_parse(config_file_read(plan->root, path));
    const bool alone =
        is_for_one_device(&ini) && strncmp(path, DIRECTORY "/", strlen(DIRECTORY "/")) == 0;
    ini_clear(&ini);
    if (alone)
        return config_changes_replace(&work->changes, path, NULL, failure);
    persistence_work_instruct(work,
                              "let %s, which counts before " DIRECTORY "/" PREFIX
                              "%s-*.network, not match %s any more",
                              path, plan->name, link->name);
    return true;
}

static bool
plan_all(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    static const char *const reload[] = { "networkctl", "reload", NULL };

    persistence_work_command(work, reload);
    return displace(plan, plan->backup.link, work, failure) &&
           displace(plan, plan->primary.link, work, failure) && plan_netdev(plan, work, failure) &&
           plan_primary(plan, work, failure) && plan_backup(plan, work, failure) &&
           plan_network(plan, work, failure);
}

const PersistenceSystem persistence_networkd = {
    .name = "networkd",
    .manages = manages,
    .is_enabled = is_enabled,
    .find_bond = find_bond,
    .plan = plan_all,
};
