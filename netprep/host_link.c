/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads class/net of sysfs into a graph. */
#include "netprep/host_link.h"

#include <net/if.h>
#include <string.h>

#include "netprep/sysfs_file.h"

/* A VLAN over a bond over a device; more is nothing that leads to a bridge. */
#define LAYERS_MAX 4
#define LOWER      "lower_"

/* "upper lies above lower", by name while not all devices are known. */
typedef struct {
    HostLink *upper;
    char *lower;
} Edge;

typedef struct {
    HostLinks *links;
    GHashTable *addressed;
    GPtrArray *edges; /* of Edge * */
    HostLink *current;
} Reader;

static void
edge_free(Edge *edge)
{
    g_free(edge->lower);
    g_free(edge);
}

static void
host_link_free(HostLink *link)
{
    g_free(link->name);
    g_free(link->device);
    g_clear_pointer(&link->uppers, g_ptr_array_unref);
    g_free(link);
}

void
host_links_free(HostLinks *links)
{
    if (!links)
        return;
    g_hash_table_unref(links->by_device);
    g_hash_table_unref(links->by_name);
    g_free(links);
}

/* What a virtual device's directory says about it: whom it lies above, and what it is. */
static int
on_virtual_entry(int inside, const char *name, void *data)
{
    Reader *reader = data;

    if (g_str_has_prefix(name, LOWER)) {
        Edge *edge = g_new0(Edge, 1);
        edge->upper = reader->current;
        edge->lower = g_strdup(name + strlen(LOWER));
        g_ptr_array_add(reader->edges, edge);
    } else if (strcmp(name, "bridge") == 0) {
        reader->current->kind = HOST_LINK_BRIDGE;
    } else if (strcmp(name, "bonding") == 0) {
        reader->current->kind = HOST_LINK_BOND;
    } else if (strcmp(name, "macvtap") == 0) {
        reader->current->kind = HOST_LINK_MACVTAP;
    }
    return 0;
}

/* A VLAN says what it is in this file only. */
static int
read_kind(int inside, HostLink *link)
{
    char path[SYSFS_TEXT_BYTES], text[SYSFS_TEXT_BYTES] = "";

    if (link->kind != HOST_LINK_OTHER)
        return 0;
    g_snprintf(path, sizeof(path), "%s/uevent", link->name);
    int status = sysfs_read_text(inside, path, text);
    if (strcmp(text, "DEVTYPE=vlan") == 0)
        link->kind = HOST_LINK_VLAN;
    return sysfs_is_absent(status) ? 0 : status;
}

static int
read_virtual(int inside, Reader *reader, HostLink *link)
{
    reader->current = link;
    int status = sysfs_each(inside, link->name, on_virtual_entry, reader);

    if (status == 0)
        status = read_kind(inside, link);
    return sysfs_is_absent(status) ? 0 : status;
}

static int
read_use_by_address(int inside, const Reader *reader, HostLink *link)
{
    char path[SYSFS_TEXT_BYTES];
    gint64 flags = 0;

    if (!reader->addressed || !g_hash_table_contains(reader->addressed, link->name))
        return 0;
    g_snprintf(path, sizeof(path), "%s/flags", link->name);
    int status = sysfs_read_number(inside, path, &flags);
    link->in_use_by_address = (flags & IFF_UP) != 0;
    return sysfs_is_absent(status) ? 0 : status;
}

static void
add_to_device(HostLinks *links, HostLink *link)
{
    HostLink *first = g_hash_table_lookup(links->by_device, link->device);

    if (first) {
        link->sibling = first->sibling;
        first->sibling = link;
    } else {
        g_hash_table_insert(links->by_device, link->device, link);
    }
}

static int
on_link(int inside, const char *name, void *data)
{
    Reader *reader = data;
    char path[SYSFS_TEXT_BYTES], device[SYSFS_TEXT_BYTES] = "";

    if (strlen(name) >= IFNAMSIZ) /* class/net/bonding_masters is a file and no device */
        return 0;
    g_snprintf(path, sizeof(path), "%s/device", name);
    int status = sysfs_read_link(inside, path, device);
    if (status < 0 && !sysfs_is_absent(status))
        return status;
    HostLink *link = g_new0(HostLink, 1);
    link->name = g_strdup(name);
    g_hash_table_insert(reader->links->by_name, link->name, link);
    if (status < 0) {
        status = read_virtual(inside, reader, link);
    } else {
        link->device = g_strdup(device);
        add_to_device(reader->links, link);
        status = 0;
    }
    return status < 0 ? status : read_use_by_address(inside, reader, link);
}

static void
join(HostLinks *links, const GPtrArray *edges)
{
    for (guint i = 0; i < edges->len; i++) {
        const Edge *edge = edges->pdata[i];
        HostLink *lower = g_hash_table_lookup(links->by_name, edge->lower);

        if (!lower)
            continue;
        if (!lower->uppers)
            lower->uppers = g_ptr_array_new();
        g_ptr_array_add(lower->uppers, edge->upper);
    }
}

int
host_links_read(int sysfs, GHashTable *addressed, HostLinks **ret_links)
{
    g_autoptr(HostLinks) links = g_new0(HostLinks, 1);
    g_autoptr(GPtrArray) edges = g_ptr_array_new_with_free_func((GDestroyNotify)edge_free);
    Reader reader = { .links = links, .addressed = addressed, .edges = edges };

    links->by_name =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)host_link_free);
    links->by_device = g_hash_table_new(g_str_hash, g_str_equal);
    int status = sysfs_each(sysfs, "class/net", on_link, &reader);
    if (status < 0 && !sysfs_is_absent(status))
        return status;
    join(links, edges);
    *ret_links = g_steal_pointer(&links);
    return 0;
}

const HostLink *
host_links_find(const HostLinks *links, const char *name)
{
    return g_hash_table_lookup(links->by_name, name);
}

const HostLink *
host_links_of_device(const HostLinks *links, const char *device)
{
    return g_hash_table_lookup(links->by_device, device);
}

static char *
describe_upper(const HostLink *upper)
{
    switch (upper->kind) {
    case HOST_LINK_BRIDGE:
        return g_strdup_printf("is a port of bridge %s", upper->name);
    case HOST_LINK_BOND:
        return g_strdup_printf("is a port of bond %s", upper->name);
    case HOST_LINK_VLAN:
        return g_strdup_printf("carries VLAN %s", upper->name);
    case HOST_LINK_MACVTAP:
        return g_strdup_printf("carries macvtap %s", upper->name);
    case HOST_LINK_OTHER:
        return g_strdup_printf("carries network device %s", upper->name);
    }
    g_return_val_if_reached(NULL);
}

char *
host_link_use(const HostLink *link)
{
    if (link->uppers)
        return describe_upper(link->uppers->pdata[0]);
    return link->in_use_by_address ? g_strdup("has an address of this host") : NULL;
}

static const char *
find_bridge(const HostLink *link, unsigned layers)
{
    for (guint i = 0; link->uppers && i < link->uppers->len; i++) {
        const HostLink *upper = link->uppers->pdata[i];

        if (upper->kind == HOST_LINK_BRIDGE)
            return upper->name;
        const char *above = layers > 1 ? find_bridge(upper, layers - 1) : NULL;
        if (above)
            return above;
    }
    return NULL;
}

const char *
host_link_bridge(const HostLink *link)
{
    return find_bridge(link, LAYERS_MAX);
}
