/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads XML that others wrote, within bounds, and walks it. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

/*
 * Parses @xml, at most LIMIT_DOMAIN_XML_BYTES and libxml2's 256 levels. No network; a document type
 * declaration, the only way to bring entities in, ends the parsing where it starts. @object names
 * the document in errors: FAULT_LIMIT_EXCEEDED, FAULT_HYPERVISOR_FAILED.
 */
xmlDoc *xml_tree_parse(const char *xml, const char *object, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* The first child element called @name, and the next sibling element called @name; NULL if none or
 * if the node is NULL. @name NULL: any element. */
xmlNode *xml_tree_child(const xmlNode *node, const char *name);
xmlNode *xml_tree_next(const xmlNode *node, const char *name);
/* A copy of the attribute; NULL if absent or if @node is NULL. */
char *xml_tree_attribute(const xmlNode *node, const char *name);
gboolean xml_tree_attribute_is(const xmlNode *node, const char *name, const char *value);
/* A copy of the text of child element @name; NULL if there is no such child. */
char *xml_tree_child_text(const xmlNode *node, const char *name);
/* The element serialised, without an XML declaration. Owned by the caller. */
char *xml_tree_print(xmlNode *node);
/* Sets an attribute, and adds an element: for documents under construction. */
void xml_tree_set(xmlNode *node, const char *name, const char *value);
xmlNode *xml_tree_add(xmlNode *parent, const char *name);
