/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes libvirt's storage pools. */
#include "common/storage_pool.h"

#include "common/xml_tree.h"

void
storage_pool_free(StoragePool *pool)
{
    if (!pool)
        return;
    g_free(pool->name);
    g_free(pool->type);
    g_free(pool->source_host);
    g_free(pool->source_directory);
    g_free(pool->path);
    g_free(pool);
}

StoragePool *
storage_pool_parse(const char *xml)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "storage pool", NULL);
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    const xmlNode *source = xml_tree_child(root, "source");
    g_autoptr(StoragePool) pool = g_new0(StoragePool, 1);

    pool->name = xml_tree_child_text(root, "name");
    pool->type = xml_tree_attribute(root, "type");
    pool->source_host = xml_tree_attribute(xml_tree_child(source, "host"), "name");
    pool->source_directory = xml_tree_attribute(xml_tree_child(source, "dir"), "path");
    pool->path = xml_tree_child_text(xml_tree_child(root, "target"), "path");
    return pool->name && pool->type ? g_steal_pointer(&pool) : NULL;
}

static void
add_text(xmlNode *parent, const char *name, const char *text)
{
    xmlNewTextChild(parent, NULL, (const xmlChar *)name, (const xmlChar *)text);
}

char *
storage_pool_build_netfs(const StoragePool *pool)
{
    g_autoptr(xmlDoc) document = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *root = xmlNewDocNode(document, NULL, (const xmlChar *)"pool", NULL);
    xmlNode *source;

    xmlDocSetRootElement(document, root);
    xml_tree_set(root, "type", "netfs");
    add_text(root, "name", pool->name);
    source = xml_tree_add(root, "source");
    xml_tree_set(xml_tree_add(source, "host"), "name", pool->source_host);
    xml_tree_set(xml_tree_add(source, "dir"), "path", pool->source_directory);
    xml_tree_set(xml_tree_add(source, "format"), "type", "nfs");
    add_text(xml_tree_add(root, "target"), "path", pool->path);
    return xml_tree_print(root);
}
