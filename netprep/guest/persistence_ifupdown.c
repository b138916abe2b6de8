/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ifupdown with ifenslave: stanzas for the bond and its ports in a file of their own. */
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "netprep/guest/config_file.h"
#include "netprep/guest/persistence_system.h"
#include "netprep/guest/stanza.h"

/*
 * Theory of operation. All stanzas of one device count together, so those of the ports have to go
 * wherever they are: a file that only has them is set aside, another one is rewritten without them.
 * ifupdown knows devices by name alone. Both come with the bond, the function if it is there by
 * then; one that is plugged in later is brought in by the host (verb join), not by its hot-plug
 * event: at boot that runs beside the bond's own stanza, and a bond with a port cannot change its
 * mode any more.
 */
#define MAIN_FILE "/etc/network/interfaces"
#define DIRECTORY "/etc/network/interfaces.d"

typedef struct {
    const BondPlan *plan;
    PersistenceWork *work;
    Failure *failure;
    FILE *taken; /* the bond's stanzas */
    unsigned count;
    bool failed;
} Taking;

static bool
manages(const char *root, const Link *link)
{
    char value[64];

    return config_file_value(root, "/run/network/ifstate", link->name, value, sizeof(value));
}

static bool
is_enabled(const char *root)
{
    return config_file_exists(root, MAIN_FILE) &&
           (config_file_exists(root, "/usr/sbin/ifup") || config_file_exists(root, "/sbin/ifup"));
}

typedef struct {
    const char *root;
    const char *name;
    char *path;
} Search;

static bool
has_stanza(const char *path, void *data)
{
    const Search *search = data;
    char *text = config_file_read(search->root, path);
    bool found = text && stanzas_have(text, search->name);

    if (found)
        snprintf(search->path, PATH_MAX, "%s", path);
    free(text);
    return found;
}

static bool
find_bond(const char *root, const char *name, char *ret_path)
{
    Search search = { .root = root, .name = name, .path = ret_path };

    return has_stanza(MAIN_FILE, &search) ||
           config_file_visit(root, DIRECTORY, "", has_stanza, &search);
}

static void
write_options(FILE *out, const BondPlan *plan)
{
    const uint32_t *options = plan->options;

    if (options[BOND_OPTION_FAIL_OVER_MAC] == BOND_FAIL_OVER_MAC_NONE)
        fprintf(out, "    hwaddress ether %s\n", plan->mac);
    fprintf(out, "    bond-slaves %s %s\n    bond-mode %s\n    bond-miimon %u\n",
            plan->backup.link->name, plan->primary.link->name,
            bond_option_word(BOND_OPTION_MODE, options[BOND_OPTION_MODE]),
            options[BOND_OPTION_MONITOR_INTERVAL]);
    fprintf(out, "    bond-updelay %u\n    bond-num-grat-arp %u\n    bond-fail-over-mac %s\n",
            options[BOND_OPTION_UP_DELAY], options[BOND_OPTION_GRATUITOUS_ARP],
            bond_option_word(BOND_OPTION_FAIL_OVER_MAC, options[BOND_OPTION_FAIL_OVER_MAC]));
    fprintf(out, "    bond-primary %s\n    bond-primary-reselect %s\n    mtu %u\n",
            plan->primary.link->name,
            bond_option_word(BOND_OPTION_PRIMARY_RESELECT, options[BOND_OPTION_PRIMARY_RESELECT]),
            plan->mtu);
}

/* The bond's options are in its first stanza; every family of addresses has one of its own. */
static void
begin_bond(Taking *taking, const char *method)
{
    fprintf(taking->taken, "\niface %s %s\n", taking->plan->name, method);
    if (taking->count++ == 0)
        write_options(taking->taken, taking->plan);
}

static void
take_options(Taking *taking, const Stanza *stanza)
{
    char *copy = strdup(stanza->options), *rest = NULL;

    for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *option = line + strspn(line, " \t");

        /* The bond has these of its own. */
        if (strncmp(option, "hwaddress", 9) == 0 || strncmp(option, "mtu", 3) == 0)
            continue;
        if (strstr(option, stanza->device))
            persistence_work_instruct(
                taking->work, "look at '%.100s' of %s: it names %s, whose addresses %s has", option,
                taking->plan->name, stanza->device, taking->plan->name);
        fprintf(taking->taken, "%s\n", line);
    }
    free(copy);
}

static void
take_stanzas(Taking *taking, const Stanzas *stanzas)
{
    for (size_t i = 0; i < stanzas->count; i++) {
        const Stanza *stanza = &stanzas->items[i];
        const Link *owner = taking->plan->owner;

        if (!owner || strcmp(stanza->device, owner->name) != 0)
            continue;
        begin_bond(taking, stanza->method);
        take_options(taking, stanza);
    }
}

static bool
take_file(const char *path, void *data)
{
    Taking *taking = data;
    const char *const ports[] = { taking->plan->backup.link->name, taking->plan->primary.link->name,
                                  NULL };
    char *text = config_file_read(taking->plan->root, path);
    Stanzas stanzas = { 0 };

    if (!text)
        return false;
    if (!stanzas_take(text, ports, &stanzas)) {
        failure_set(taking->failure, "%s cannot be understood", path);
        taking->failed = true;
    } else if (stanzas.named) {
        char *rest = stanzas.rest_counts || strcmp(path, MAIN_FILE) == 0 ? stanzas.rest : NULL;

        take_stanzas(taking, &stanzas);
        if (rest)
            stanzas.rest = NULL;
        taking->failed =
            !config_changes_replace(&taking->work->changes, path, rest, taking->failure);
    }
    stanzas_clear(&stanzas);
    free(text);
    return taking->failed;
}

static void
write_route(FILE *out, const Layer3Route *route)
{
    fprintf(out, "    up ip %sroute add %s", route->family == AF_INET ? "" : "-6 ", route->to);
    if (route->via[0])
        fprintf(out, " via %s", route->via);
    fputs(" dev $IFACE", out);
    if (route->metric)
        fprintf(out, " metric %u", route->metric);
    if (route->table != RT_TABLE_MAIN)
        fprintf(out, " table %u", route->table);
    fputc('\n', out);
}

static void
write_family(Taking *taking, int family, bool dynamic)
{
    const Layer3Settings *settings = &taking->plan->settings;
    const char *word = family == AF_INET ? "inet" : "inet6";
    const unsigned before = taking->count;
    char method[16];

    snprintf(method, sizeof(method), "%s static", word);
    if (dynamic)
        begin_bond(taking, family == AF_INET ? "inet dhcp" : "inet6 auto");
    for (size_t i = 0; i < settings->address_count; i++) {
        if (settings->addresses[i].family != family)
            continue;
        begin_bond(taking, method);
        fprintf(taking->taken, "    address %s\n", settings->addresses[i].prefix);
    }
    snprintf(method, sizeof(method), "%s manual", word);
    if (taking->count == before && family == AF_INET)
        begin_bond(taking, method);
    for (size_t i = 0; i < settings->route_count; i++) {
        if (settings->routes[i].family == family)
            write_route(taking->taken, &settings->routes[i]);
    }
}

/* No stanza said where the addresses come from: what the devices have now does. */
static void
write_settings(Taking *taking)
{
    write_family(taking, AF_INET, taking->plan->settings.dynamic4);
    write_family(taking, AF_INET6, taking->plan->settings.dynamic6);
}

/* Named, so that nothing else that reads the file takes them for free. */
static void
write_ports(FILE *out, const BondPlan *plan)
{
    fprintf(out, "\niface %s inet manual\n\niface %s inet manual\n", plan->backup.link->name,
            plan->primary.link->name);
}

static void
instruct(const BondPlan *plan, PersistenceWork *work)
{
    char *text = config_file_read(plan->root, MAIN_FILE);

    if (!text || !strstr(text, "interfaces.d"))
        persistence_work_instruct(work, "add 'source " DIRECTORY "/*' to " MAIN_FILE);
    if (!config_file_exists(plan->root, "/etc/network/if-pre-up.d/ifenslave"))
        persistence_work_instruct(work, "install the package ifenslave");
    free(text);
}

/* A DHCP client renews the lease on the device it was started for, by now a port. */
static void
plan_commands(const BondPlan *plan, PersistenceWork *work)
{
    char old_file[64], new_file[64], leases[64];
    const char *name = plan->owner ? plan->owner->name : "";
    const char *const stop[] = { "dhclient", "-x", "-pf", old_file, name, NULL };
    const char *const start[] = { "dhclient", "-nw",  "-pf",      new_file,
                                  "-lf",      leases, plan->name, NULL };

    snprintf(old_file, sizeof(old_file), "/run/dhclient.%s.pid", name);
    snprintf(new_file, sizeof(new_file), "/run/dhclient.%s.pid", plan->name);
    snprintf(leases, sizeof(leases), "/var/lib/dhcp/dhclient.%s.leases", plan->name);
    if (!name[0] || !config_file_exists(plan->root, old_file))
        return;
    persistence_work_command(work, stop);
    persistence_work_command(work, start);
}

static bool
plan_all(const BondPlan *plan, PersistenceWork *work, Failure *failure)
{
    char *text = NULL, path[PATH_MAX];
    size_t size = 0;
    Taking taking = { .plan = plan, .work = work, .failure = failure };

    taking.taken = open_memstream(&text, &size);
    if (taking.taken) {
        fprintf(taking.taken, PERSISTENCE_HEADER "auto %s\n", plan->name, plan->name);
        take_file(MAIN_FILE, &taking);
        if (!taking.failed)
            config_file_visit(plan->root, DIRECTORY, "", take_file, &taking);
        if (!taking.count)
            write_settings(&taking);
        write_ports(taking.taken, plan);
    }
    instruct(plan, work);
    plan_commands(plan, work);
    snprintf(path, sizeof(path), DIRECTORY "/migprep-%s", plan->name);
    return persistence_work_create(work, path, 0644, taking.taken, &text, failure) &&
           !taking.failed;
}

const PersistenceSystem persistence_ifupdown = {
    .name = "ifupdown",
    .manages = manages,
    .is_enabled = is_enabled,
    .find_bond = find_bond,
    .plan = plan_all,
};
