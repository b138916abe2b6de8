/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads <source protocol='...'><host .../></source> of disks. */
#include "common/domain_servers.h"

#include "common/limits.h"
#include "common/xml_tree.h"

static void
server_free(gpointer data)
{
    DomainServer *server = data;

    g_free(server->disk);
    g_free(server->protocol);
    g_free(server->host);
    g_free(server);
}

/* Where QEMU and its libraries go if they are not told; 0: nowhere that is known. */
static guint16
usual_port(const char *protocol)
{
    static const struct {
        const char *protocol;
        guint16 port;
    } usual[] = {
        { "rbd", 6789 },      { "iscsi", 3260 }, { "nbd", 10809 },
        { "ssh", 22 },        { "http", 80 },    { "https", 443 },
        { "gluster", 24007 }, { "nfs", 2049 },   { "sheepdog", 7000 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(usual); i++) {
        if (g_str_equal(usual[i].protocol, protocol))
            return usual[i].port;
    }
    return 0;
}

static guint16
read_port(const xmlNode *host, const char *protocol)
{
    g_autofree char *text = xml_tree_attribute(host, "port");
    guint64 port = text ? g_ascii_strtoull(text, NULL, 10) : usual_port(protocol);

    return port <= G_MAXUINT16 ? (guint16)port : 0;
}

static void
add_server(GPtrArray *servers, const char *disk, const char *protocol, const xmlNode *host)
{
    g_autofree char *transport = xml_tree_attribute(host, "transport");
    g_autofree char *name = xml_tree_attribute(host, "name");
    guint16 port = read_port(host, protocol);

    if (!name || !port || g_strcmp0(transport, "unix") == 0 || servers->len >= LIMIT_DISKS)
        return;
    DomainServer *server = g_new0(DomainServer, 1);
    *server = (DomainServer) { g_strdup(disk), g_strdup(protocol), g_steal_pointer(&name), port };
    g_ptr_array_add(servers, server);
}

static void
read_disk(GPtrArray *servers, const xmlNode *disk)
{
    const xmlNode *source = xml_tree_child(disk, "source");
    g_autofree char *protocol = xml_tree_attribute(source, "protocol");
    g_autofree char *target = xml_tree_attribute(xml_tree_child(disk, "target"), "dev");

    for (xmlNode *host = protocol && target ? xml_tree_child(source, "host") : NULL; host;
         host = xml_tree_next(host, "host"))
        add_server(servers, target, protocol, host);
}

GPtrArray *
domain_servers_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);
    GPtrArray *servers;

    if (!document)
        return NULL;
    const xmlNode *devices = xml_tree_child(xmlDocGetRootElement(document), "devices");
    servers = g_ptr_array_new_with_free_func(server_free);
    for (xmlNode *disk = xml_tree_child(devices, "disk"); disk; disk = xml_tree_next(disk, "disk"))
        read_disk(servers, disk);
    return servers;
}
