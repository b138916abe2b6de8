/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the search of the page size that each part of a guest's memory has. */
#include "common/domain_pages.h"

#include "common/number_set.h"
#include "common/xml_tree.h"

/* libvirt's units of memory; it prints KiB itself. 0 for what it does not know. */
static guint64
unit_bytes(const char *unit)
{
    static const struct {
        const char *name;
        guint64 bytes;
    } units[] = {
        { "b", 1 },          { "bytes", 1 },        { "KB", 1000 },
        { "k", 1ULL << 10 }, { "KiB", 1ULL << 10 }, { "MB", 1000 * 1000 },
        { "M", 1ULL << 20 }, { "MiB", 1ULL << 20 }, { "GB", 1000 * 1000 * 1000 },
        { "G", 1ULL << 30 }, { "GiB", 1ULL << 30 }, { "TB", 1000ULL * 1000 * 1000 * 1000 },
        { "T", 1ULL << 40 }, { "TiB", 1ULL << 40 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (!unit || g_str_equal(units[i].name, unit))
            return unit ? units[i].bytes : 1ULL << 10;
    }
    return 0;
}

static guint64
scale(const char *number, const char *unit)
{
    guint64 value = number ? g_ascii_strtoull(number, NULL, 10) : 0;
    guint64 bytes = unit_bytes(unit);

    return bytes > 0 && value <= G_MAXUINT64 / bytes ? value * bytes : 0;
}

/* Attribute @name of @node, whose unit is in another attribute. */
static guint64
read_attribute(const xmlNode *node, const char *name)
{
    g_autofree char *number = xml_tree_attribute(node, name);
    g_autofree char *unit = xml_tree_attribute(node, "unit");

    return scale(number, unit);
}

/* The text of child @name of @node. */
static guint64
read_child(const xmlNode *node, const char *name)
{
    g_autofree char *number = xml_tree_child_text(node, name);
    g_autofree char *unit = xml_tree_attribute(xml_tree_child(node, name), "unit");

    return scale(number, unit);
}

guint64
domain_memory_bytes(const xmlNode *root)
{
    return read_child(root, "memory");
}

static void
add(GArray *found, guint64 page_bytes, guint64 bytes)
{
    DomainPages pages = { page_bytes, bytes };

    for (guint i = 0; i < found->len; i++) {
        DomainPages *known = &g_array_index(found, DomainPages, i);

        if (known->page_bytes == page_bytes) {
            known->bytes += bytes;
            return;
        }
    }
    if (page_bytes > 0 && bytes > 0)
        g_array_append_val(found, pages);
}

/* The size that @pages, a <hugepages>, gives node @number of the guest; 0: none. One without a
 * nodeset is for all that no other one is for. */
static guint64
find_size(const xmlNode *pages, unsigned number)
{
    guint64 usual = 0;

    if (!xml_tree_child(pages, "page"))
        return HUGE_PAGES_DEFAULT_SIZE;
    for (xmlNode *page = xml_tree_child(pages, "page"); page; page = xml_tree_next(page, "page")) {
        g_autofree char *nodes = xml_tree_attribute(page, "nodeset");

        if (!nodes)
            usual = read_attribute(page, "size");
        else if (number_set_contains(nodes, number))
            return read_attribute(page, "size");
    }
    return usual;
}

static unsigned
read_number(const char *text)
{
    return text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : 0;
}

/* Of the guest's nodes; a guest without any has one. */
static void
add_nodes(const xmlNode *root, const xmlNode *pages, GArray *found)
{
    const xmlNode *numa = xml_tree_child(xml_tree_child(root, "cpu"), "numa");

    for (xmlNode *cell = xml_tree_child(numa, "cell"); cell; cell = xml_tree_next(cell, "cell")) {
        g_autofree char *id = xml_tree_attribute(cell, "id");

        add(found, find_size(pages, read_number(id)), read_attribute(cell, "memory"));
    }
    if (!xml_tree_child(numa, "cell"))
        add(found, find_size(pages, 0), domain_memory_bytes(root));
}

/* <memory model='dimm'>: with pages of their own, or those of the node that they are put into. */
static void
add_devices(const xmlNode *root, const xmlNode *pages, GArray *found)
{
    for (xmlNode *device = xml_tree_child(xml_tree_child(root, "devices"), "memory"); device;
         device = xml_tree_next(device, "memory")) {
        const xmlNode *target = xml_tree_child(device, "target");
        guint64 own = read_child(xml_tree_child(device, "source"), "pagesize");
        g_autofree char *node = xml_tree_child_text(target, "node");

        if (own == 0 && pages)
            own = find_size(pages, read_number(node));
        add(found, own, read_child(target, "size"));
    }
}

GArray *
domain_pages_read(const xmlNode *root)
{
    const xmlNode *pages = xml_tree_child(xml_tree_child(root, "memoryBacking"), "hugepages");
    GArray *found = g_array_new(FALSE, FALSE, sizeof(DomainPages));

    if (pages)
        add_nodes(root, pages, found);
    add_devices(root, pages, found);
    return found;
}
