/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NetworkManager: a keyfile for the bond and one for each port. */
#include <limits.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netprep/guest/config_file.h"
#include "netprep/guest/ini.h"
#include "netprep/guest/persistence_system.h"

/*
 * Theory of operation. Of the profiles that fit a device the one with the highest priority is
 * activated, so ours win over one that fits any device, and over netplan's in /run. A profile that
 * is bound to a port alone is of no use any more; it is set aside, which also ends its activation
 * when NetworkManager reads the directory again.
 */
#define DIRECTORY "/etc/NetworkManager/system-connections"
#define PRIORITY  999 /* the highest there is */

static const char *const directories[] = { DIRECTORY, "/run/NetworkManager/system-connections",
                                           "/usr/lib/NetworkManager/system-connections", NULL };

static void
print_state_path(const Link *link, char *path, size_t size)
{
    snprintf(path, size, "/run/NetworkManager/devices/%d", link->index);
}

static bool
manages(const char *root, const Link *link)
{
    char path[64], managed[16];

    print_state_path(link, path, sizeof(path));
    return config_file_value(root, path, "managed", managed, sizeof(managed)) &&
           strcmp(managed, "true") == 0;
}

static bool
is_enabled(const char *root)
{
    return config_file_exists(root, "/run/NetworkManager/devices") ||
           config_file_exists(root,
                              "/etc/systemd/system/multi-user.target.wants/NetworkManager.service");
}

typedef struct {
    const char *root;
    const char *key; /* of section connection */
    const char *value;
    const char *type; /* NULL: any */
    char *path;
} Search;

static bool
is_searched(const char *path, void *data)
{
    const Search *search = data;
    Ini ini = ini_parse(config_file_read(search->root, path));
    const char *value = ini_get(&ini, "connection", search->key);
    const char *type = ini_get(&ini, "connection", "type");
    bool found = value && strcmp(value, search->value) == 0 &&
                 (!search->type || (type && strcmp(type, search->type) == 0));

    if (found)
        snprintf(search->path, PATH_MAX, "%s", path);
    ini_clear(&ini);
    return found;
}

static bool
search_profiles(Search *search)
{
    for (size_t i = 0; directories[i]; i++) {
        if (config_file_visit(search->root, directories[i], "", is_searched, search))
            return true;
    }
    return false;
}

static bool
find_bond(const char *root, const char *name, char *ret_path)
{
    Search search = { root, "interface-name", name, "bond", ret_path };
    char path[PATH_MAX];

    if (search_profiles(&search))
        return true;
    snprintf(path, sizeof(path), "/etc/sysconfig/network-scripts/ifcfg-%s", name);
    if (!is_enabled(root) || !config_file_exists(root, path))
        return false;
    snprintf(ret_path, PATH_MAX, "%s", path);
    return true;
}

/* The profile that is active on @link, or one that is bound to its name. */
static bool
find_profile(const char *root, const Link *link, char *path)
{
    char state[64], uuid[64];
    Search active = { root, "uuid", uuid, NULL, path };
    Search bound = { root, "interface-name", link->name, NULL, path };

    print_state_path(link, state, sizeof(state));
    if (config_file_value(root, state, "connection-uuid", uuid, sizeof(uuid)) &&
        search_profiles(&active))
        return true;
    return search_profiles(&bound);
}

static bool
create(PersistenceWork *work, const BondPlan *plan, const char *suffix, FILE *out, char **text,
       Failure *failure)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), DIRECTORY "/migprep-%s%s.nmconnection", plan->name, suffix);
    return persistence_work_create(work, path, 0600, out, text, failure);
}

static void
write_routes(FILE *out, const Layer3Settings *settings, int family)
{
    unsigned number = 1;

    for (size_t i = 0; i < settings->route_count; i++) {
        const Layer3Route *route = &settings->routes[i];
        const char *nowhere = family == AF_INET ? "0.0.0.0" : "::";

        if (route->family != family)
            continue;
        fprintf(out, "route%u=%s,%s", number, route->to, route->via[0] ? route->via : nowhere);
        if (route->metric)
            fprintf(out, ",%u", route->metric);
        if (route->table != RT_TABLE_MAIN)
            fprintf(out, "\nroute%u_options=table=%u", number, route->table);
        fputc('\n', out);
        number++;
    }
}

static void
write_family(FILE *out, const Layer3Settings *settings, int family)
{
    const bool dynamic = family == AF_INET ? settings->dynamic4 : settings->dynamic6;
    const char *without = family == AF_INET ? "disabled" : "link-local";
    unsigned number = 1;

    for (size_t i = 0; i < settings->address_count; i++)
        number += settings->addresses[i].family == family;
    fprintf(out, "\n[%s]\nmethod=%s\n", family == AF_INET ? "ipv4" : "ipv6",
            dynamic      ? "auto"
            : number > 1 ? "manual"
                         : without);
    number = 1;
    for (size_t i = 0; i < settings->address_count; i++) {
        if (settings->addresses[i].family == family)
            fprintf(out, "address%u=%s\n", number++, settings->addresses[i].prefix);
    }
    write_routes(out, settings, family);
}

static void
write_bond(FILE *out, const BondPlan *plan)
{
    const uint32_t *options = plan->options;

    fprintf(out, "\n[ethernet]\n");
    if (options[BOND_OPTION_FAIL_OVER_MAC] == BOND_FAIL_OVER_MAC_NONE)
        fprintf(out, "cloned-mac-address=%s\n", plan->mac);
    fprintf(out, "mtu=%u\n\n[bond]\nfail_over_mac=%s\n", plan->mtu,
            bond_option_word(BOND_OPTION_FAIL_OVER_MAC, options[BOND_OPTION_FAIL_OVER_MAC]));
    fprintf(out, "miimon=%u\nmode=%s\nnum_grat_arp=%u\nnum_unsol_na=%u\nprimary=%s\n",
            options[BOND_OPTION_MONITOR_INTERVAL],
            bond_option_word(BOND_OPTION_MODE, options[BOND_OPTION_MODE]),
            options[BOND_OPTION_GRATUITOUS_ARP], options[BOND_OPTION_GRATUITOUS_ARP],
            plan->primary.link->name);
    fprintf(out, "primary_reselect=%s\nupdelay=%u\n",
            bond_option_word(BOND_OPTION_PRIMARY_RESELECT, options[BOND_OPTION_PRIMARY_RESELECT]),
            options[BOND_OPTION_UP_DELAY]);
}

static bool
plan_bond(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    static const char *const layer3[] = { "ipv4", "ipv6", "proxy", NULL };
    char *text = NULL, path[PATH_MAX];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    Ini old = { 0 };

    if (plan->owner && find_profile(plan->root, plan->owner, path))
        old = ini_parse(config_file_read(plan->root, path));
    if (out) {
        const char *zone = ini_get(&old, "connection", "zone");

        fprintf(out, PERSISTENCE_HEADER "[connection]\nid=%s\ntype=bond\ninterface-name=%s\n",
                plan->name, plan->name, plan->name);
        fprintf(out, "autoconnect-priority=%d\nautoconnect-slaves=1\n", PRIORITY);
        if (zone)
            fprintf(out, "zone=%s\n", zone);
        write_bond(out, plan);
        if (old.count)
            ini_write(&old, out, layer3, false);
        for (int i = 0; !old.count && i < 2; i++)
            write_family(out, &plan->settings, i ? AF_INET6 : AF_INET);
    }
    ini_clear(&old);
    return create(work, plan, "", out, &text, failure);
}

static void
write_port(FILE *out, const BondPlan *plan, const char *role)
{
    fprintf(out,
            PERSISTENCE_HEADER "[connection]\nid=%s-%s\ntype=ethernet\nmaster=%s\n"
                               "slave-type=bond\nautoconnect-priority=%d\n",
            plan->name, plan->name, role, plan->name, PRIORITY);
}

static bool
plan_primary(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out) {
        write_port(out, plan, "primary");
        fprintf(out, "\n[ethernet]\n\n[match]\npath=%s;\n", plan->primary.place);
    }
    return create(work, plan, "-primary", out, &text, failure);
}

static bool
plan_backup(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out) {
        write_port(out, plan, "backup");
        fprintf(out, "\n[ethernet]\nmac-address=%s\n\n[match]\ndriver=%s;\n", plan->backup.mac,
                plan->backup.link->driver);
    }
    return create(work, plan, "-backup", out, &text, failure);
}

/* Profiles in the old format are not read here; what they set beyond addresses would be lost. */
static void
instruct(const BondPlan *plan, const Link *link, PersistenceWork *work)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "/etc/sysconfig/network-scripts/ifcfg-%s", link->name);
    if (config_file_exists(plan->root, path))
        persistence_work_instruct(work,
                                  "bring what else %s sets, such as name servers, into the profile "
                                  "%s, and remove it",
                                  path, plan->name);
}

static bool
displace(const BondPlan *plan, const Link *link, PersistenceWork *work, Failure *failure)
{
    char path[PATH_MAX];

    instruct(plan, link, work);
    if (!find_profile(plan->root, link, path) ||
        strncmp(path, DIRECTORY "/", strlen(DIRECTORY "/")) != 0)
        return true;
    Ini ini = ini_parse(config_file_read(plan->root, path));
    const bool alone = ini_get(&ini, "connection", "interface-name") ||
                       ini_get(&ini, "ethernet", "mac-address") ||
                       ini_get(&ini, "802-3-ethernet", "mac-address");
    ini_clear(&ini);
    return !alone || config_changes_replace(&work->changes, path, NULL, failure);
}

/* Once it has read the profiles, NetworkManager takes the ports as they are and leaves the bond to
 * whoever made it until the next boot. Told to bring the bond up, it takes all apart first: 2.3 s
 * without traffic on an emulated host. A leased address is worth that, for somebody must renew it.
 */
static void
plan_commands(const BondPlan *plan, PersistenceWork *work)
{
    static const char *const reload[] = { "nmcli", "connection", "reload", NULL };
    const char *const activate[] = { "nmcli", "--wait", "0",        "connection",
                                     "up",    "id",     plan->name, NULL };

    persistence_work_command(work, reload);
    if (plan->settings.dynamic4 || plan->settings.dynamic6)
        persistence_work_command(work, activate);
}

static bool
plan_all(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    plan_commands(plan, work);
    return displace(plan, plan->backup.link, work, failure) &&
           displace(plan, plan->primary.link, work, failure) && plan_bond(plan, work, failure) &&
           plan_primary(plan, work, failure) && plan_backup(plan, work, failure);
}

const PersistenceSystem persistence_networkmanager = {
    .name = "networkmanager",
    .manages = manages,
    .is_enabled = is_enabled,
    .find_bond = find_bond,
    .plan = plan_all,
};
