/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads libvirt's capabilities. */
#include "common/hypervisor_host.h"

#include "common/xml_tree.h"

#define DOCUMENT "libvirt's capabilities"

void
hypervisor_host_free(HypervisorHost *host)
{
    if (!host)
        return;
    g_free(host->type);
    g_free(host->uri);
    g_free(host->capabilities);
    g_clear_pointer(&host->huge_pages, g_array_unref);
    g_free(host);
}

/* Whether @node or a <domain type=...> in it lists @machine; canonical names count too. */
static gboolean
lists_machine(const xmlNode *node, const char *machine)
{
    for (xmlNode *entry = xml_tree_child(node, "machine"); entry;
         entry = xml_tree_next(entry, "machine")) {
        g_autofree char *name = (char *)xmlNodeGetContent(entry);

        if (g_strcmp0(name, machine) == 0 || xml_tree_attribute_is(entry, "canonical", machine))
            return TRUE;
    }
    for (xmlNode *domain = xml_tree_child(node, "domain"); domain;
         domain = xml_tree_next(domain, "domain")) {
        if (lists_machine(domain, machine))
            return TRUE;
    }
    return FALSE;
}

gboolean
hypervisor_host_knows_machine(const HypervisorHost *host, const char *architecture,
                              const char *machine, gboolean *ret_known, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(host->capabilities, DOCUMENT, error);

    if (!document)
        return FALSE;
    *ret_known = FALSE;
    for (xmlNode *guest = xml_tree_child(xmlDocGetRootElement(document), "guest"); guest;
         guest = xml_tree_next(guest, "guest")) {
        const xmlNode *arch = xml_tree_child(guest, "arch");

        if ((!architecture || xml_tree_attribute_is(arch, "name", architecture)) &&
            lists_machine(arch, machine))
            *ret_known = TRUE;
    }
    return TRUE;
}

/* <arch><domain type='kvm'/></arch> */
static gboolean
lists_type(const xmlNode *arch, const char *type)
{
    for (xmlNode *domain = xml_tree_child(arch, "domain"); domain;
         domain = xml_tree_next(domain, "domain")) {
        if (xml_tree_attribute_is(domain, "type", type))
            return TRUE;
    }
    return FALSE;
}

gboolean
hypervisor_host_offers(const HypervisorHost *host, const char *architecture, const char *type,
                       gboolean *ret_offered, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(host->capabilities, DOCUMENT, error);

    if (!document)
        return FALSE;
    *ret_offered = FALSE;
    for (xmlNode *guest = xml_tree_child(xmlDocGetRootElement(document), "guest"); guest;
         guest = xml_tree_next(guest, "guest")) {
        const xmlNode *arch = xml_tree_child(guest, "arch");

        if ((!architecture || xml_tree_attribute_is(arch, "name", architecture)) &&
            lists_type(arch, type))
            *ret_offered = TRUE;
    }
    return TRUE;
}

gboolean
hypervisor_host_tsc(const HypervisorHost *host, guint64 *ret_hertz, gboolean *ret_scaling)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(host->capabilities, DOCUMENT, NULL);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *cpu = xml_tree_child(xml_tree_child(root, "host"), "cpu");

    for (xmlNode *counter = xml_tree_child(cpu, "counter"); counter;
         counter = xml_tree_next(counter, "counter")) {
        g_autofree char *frequency = xml_tree_attribute(counter, "frequency");

        if (!frequency || !xml_tree_attribute_is(counter, "name", "tsc"))
            continue;
        *ret_hertz = g_ascii_strtoull(frequency, NULL, 10);
        *ret_scaling = xml_tree_attribute_is(counter, "scaling", "yes");
        return TRUE;
    }
    return FALSE;
}

char *
hypervisor_host_processor(const HypervisorHost *host)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(host->capabilities, DOCUMENT, NULL);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *cpu = xml_tree_child(xml_tree_child(root, "host"), "cpu");

    return xml_tree_child(cpu, "model") ? xml_tree_print(cpu) : NULL;
}

void
hypervisor_host_name_processor(const HypervisorHost *host, char **ret_vendor, char **ret_model)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(host->capabilities, DOCUMENT, NULL);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *cpu = xml_tree_child(xml_tree_child(root, "host"), "cpu");

    *ret_vendor = xml_tree_child_text(cpu, "vendor");
    *ret_model = xml_tree_child_text(cpu, "model");
}

static void
add_number(GHashTable *numbers, const xmlNode *node)
{
    g_autofree char *text = xml_tree_attribute(node, "id");

    if (text)
        g_hash_table_add(numbers, GUINT_TO_POINTER((guint)g_ascii_strtoull(text, NULL, 10)));
}

void
hypervisor_host_topology(const HypervisorHost *host, GHashTable **ret_processors,
                         GHashTable **ret_nodes)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(host->capabilities, DOCUMENT, NULL);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *topology = xml_tree_child(xml_tree_child(root, "host"), "topology");

    *ret_processors = g_hash_table_new(NULL, NULL);
    *ret_nodes = g_hash_table_new(NULL, NULL);
    for (xmlNode *cell = xml_tree_child(xml_tree_child(topology, "cells"), "cell"); cell;
         cell = xml_tree_next(cell, "cell")) {
        add_number(*ret_nodes, cell);
        for (xmlNode *cpu = xml_tree_child(xml_tree_child(cell, "cpus"), "cpu"); cpu;
             cpu = xml_tree_next(cpu, "cpu"))
            add_number(*ret_processors, cpu);
    }
    if (g_hash_table_size(*ret_nodes) == 0)
        g_hash_table_add(*ret_nodes, GUINT_TO_POINTER(0));
    if (g_hash_table_size(*ret_processors) > 0)
        return;
    for (guint i = 0; i < host->processors; i++)
        g_hash_table_add(*ret_processors, GUINT_TO_POINTER(i));
}

GArray *
hypervisor_host_page_sizes(const char *capabilities)
{
    GArray *sizes = g_array_new(FALSE, FALSE, sizeof(unsigned));
    g_autoptr(xmlDoc) document = xml_tree_parse(capabilities, DOCUMENT, NULL);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *cpu = xml_tree_child(xml_tree_child(root, "host"), "cpu");

    for (xmlNode *pages = xml_tree_child(cpu, "pages"); pages;
         pages = xml_tree_next(pages, "pages")) {
        g_autofree char *text = xml_tree_attribute(pages, "size");
        unsigned size = text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : 0;

        if (size > 0 && xml_tree_attribute_is(pages, "unit", "KiB"))
            g_array_append_val(sizes, size);
    }
    return sizes;
}

char *
hypervisor_version_to_text(guint64 version)
{
    return g_strdup_printf("%u.%u.%u", (unsigned)(version / 1000000),
                           (unsigned)(version / 1000 % 1000), (unsigned)(version % 1000));
}
