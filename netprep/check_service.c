/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts the groups of checks together that a role needs. */
#include "netprep/check_service.h"

#include <string.h>

#include "common/check_method.h"
#include "common/limits.h"
#include "netprep/arrival_check.h"
#include "netprep/bond_check.h"
#include "netprep/hotplug_check.h"
#include "netprep/likeness_check.h"
#include "netprep/mac_check.h"
#include "netprep/passthrough_check.h"
#include "netprep/text_check.h"

#define NETWORKS_MAX (2 * LIMIT_VNICS)

void
network_facts_clear(NetworkFacts *facts)
{
    g_clear_pointer(&facts->networks, g_strfreev);
    g_clear_pointer(&facts->bridges, g_strfreev);
    g_clear_pointer(&facts->devices, g_strfreev);
    g_clear_pointer(&facts->sockets, g_strfreev);
    g_clear_pointer(&facts->memory_nodes, g_free);
    g_clear_pointer(&facts->macs, g_strfreev);
    g_clear_pointer(&facts->vnics, g_ptr_array_unref);
    g_clear_pointer(&facts->links, json_decref);
    g_clear_pointer(&facts->cards, json_decref);
}

/* An absent list stays NULL: nobody told. */
static gboolean
read_names(const json_t *facts, const char *member, gboolean (*valid)(const char *text),
           char ***ret_names, GError **error)
{
    const json_t *list = json_object_get(facts, member);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();

    *ret_names = NULL;
    if (!json_is_array(list))
        return TRUE;
    for (gsize i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (i >= NETWORKS_MAX || !valid(name)) {
            g_autofree char *field = g_strdup_printf("facts.%s", member);
            fault_set(error, FAULT_INVALID_ARGUMENT, field,
                      "pass the facts as Check of the source returned them",
                      "has more than %d entries, or one that is no name", NETWORKS_MAX);
            return FALSE;
        }
        g_strv_builder_add(names, name);
    }
    *ret_names = g_strv_builder_end(names);
    return TRUE;
}

static gboolean
is_path(const char *text)
{
    return text && *text == '/' && strlen(text) <= LIMIT_PATH_BYTES;
}

static gboolean
read_nodes(const json_t *facts, char **ret_nodes, GError **error)
{
    const char *text = json_string_value(json_object_get(facts, "memoryNodes"));

    if (text && (!*text || strlen(text) > LIMIT_TEXT_BYTES)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "facts.memoryNodes",
                  "pass the facts as Check of the source returned them", "is empty or too long");
        return FALSE;
    }
    *ret_nodes = g_strdup(text);
    return TRUE;
}

static gboolean
read_vnics(const json_t *facts, GPtrArray **ret_vnics, GError **error)
{
    const json_t *list = json_object_get(facts, "vnics");

    *ret_vnics = NULL;
    if (!json_is_array(list))
        return TRUE;
    *ret_vnics = json_array_size(list) > 0 ? vnics_from_json(list, error) : g_ptr_array_new();
    return *ret_vnics != NULL;
}

/* Objects whose @name, if they have it, is one of a network device; nothing else of them is used in
 * a path. */
static gboolean
read_objects(const json_t *facts, const char *member, json_t **ret_objects, GError **error)
{
    const json_t *list = json_object_get(facts, member);

    *ret_objects = NULL;
    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *name = json_object_get(json_array_get(list, i), "name");

        if (i < NETWORKS_MAX && (!name || text_is_link_name(json_string_value(name))))
            continue;
        fault_set(error, FAULT_INVALID_ARGUMENT, member,
                  "pass the facts as Check of the source returned them",
                  "has more than %d entries, or one that is no name", NETWORKS_MAX);
        return FALSE;
    }
    *ret_objects = json_is_array(list) ? json_deep_copy(list) : NULL;
    return TRUE;
}

gboolean
network_facts_read(const json_t *object, NetworkFacts *ret_facts, GError **error)
{
    g_auto(NetworkFacts) facts = { 0 };

    if (!read_names(object, "networks", text_is_name, &facts.networks, error) ||
        !read_names(object, "bridges", text_is_link_name, &facts.bridges, error) ||
        !read_names(object, "devices", text_is_link_name, &facts.devices, error) ||
        !read_names(object, "sockets", is_path, &facts.sockets, error) ||
        !read_nodes(object, &facts.memory_nodes, error) ||
        !read_names(object, "macAddresses", text_is_mac, &facts.macs, error) ||
        !read_vnics(object, &facts.vnics, error) ||
        !read_objects(object, "links", &facts.links, error) ||
        !read_objects(object, "cards", &facts.cards, error))
        return FALSE;
    *ret_facts = facts;
    facts = (NetworkFacts) { 0 };
    return TRUE;
}

CheckReport *
network_check_source(const NetworkHost *host, const char *guest)
{
    g_autoptr(GuestSubject) subject = guest_subject_new(host, guest);
    const CheckGroup groups[] = { passthrough_check_guest(subject), bond_check_guest(subject),
                                  hotplug_check(subject) };

    return check_runner_run(host->checks, groups, G_N_ELEMENTS(groups), guest, CHECK_TIMEOUT_MSEC);
}

CheckReport *
network_check_destination(const NetworkHost *host, const json_t *facts, GError **error)
{
    NetworkFacts networks = { 0 }, functions = { 0 }, links = { 0 }, macs = { 0 };

    /* Each group has its own copy, since it may outlive this call; what is read once can be read
     * again. */
    if (!network_facts_read(facts, &networks, error) ||
        !network_facts_read(facts, &functions, NULL) || !network_facts_read(facts, &links, NULL) ||
        !network_facts_read(facts, &macs, NULL))
        return NULL;
    CheckGroup groups[5] = { arrival_check_networks(host, &networks), likeness_check(host, &links),
                             mac_check(host, &macs) };
    gsize count = 3;

    if (!functions.vnics || functions.vnics->len > 0) {
        groups[count++] = arrival_check_functions(host, &functions);
        groups[count++] = passthrough_check_host(host);
    }
    network_facts_clear(&functions);
    return check_runner_run(host->checks, groups, count, NULL, CHECK_TIMEOUT_MSEC);
}

CheckReport *
network_check_host(const NetworkHost *host)
{
    const CheckGroup group = passthrough_check_host(host);

    return check_runner_run(host->checks, &group, 1, NULL, CHECK_TIMEOUT_MSEC);
}

static CheckReport *
check_source(const void *host, const char *guest)
{
    return network_check_source(host, guest);
}

static CheckReport *
check_destination(const void *host, const json_t *facts, GError **error)
{
    return network_check_destination(host, facts, error);
}

static CheckReport *
check_host(const void *host)
{
    return network_check_host(host);
}

void
network_check_method(VarlinkCall *call, json_t *parameters, void *context)
{
    static const CheckRoles roles = { .source = check_source,
                                      .destination = check_destination,
                                      .host = check_host };

    check_method_serve(&roles, context, call, parameters);
}
