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

char *
hypervisor_host_processor(const HypervisorHost *host)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(host->capabilities, DOCUMENT, NULL);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *cpu = xml_tree_child(xml_tree_child(root, "host"), "cpu");

    return xml_tree_child(cpu, "model") ? xml_tree_print(cpu) : NULL;
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
