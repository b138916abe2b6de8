/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the bounds under which foreign XML is parsed, and the little that is needed to walk it. */
#include "common/xml_tree.h"

#include <libxml/parser.h>
#include <string.h>

#include "common/fault.h"
#include "common/limits.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlParserCtxt, xmlFreeParserCtxt)

/* Entities can only be declared in a DTD: stopping here leaves nothing to expand or to fetch. */
static void
refuse_dtd(void *context, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
    xmlParserCtxt *parser = context;

    parser->_private = parser;
    xmlStopParser(parser);
}

static char *
first_mistake(const xmlParserCtxt *parser)
{
    if (parser->_private)
        return g_strdup("has a document type declaration");
    /* Unreachable: libxml2 says what it is that it does not like; if not, we do not ask further. */
    if (!parser->lastError.message)
        return g_strdup("is not well-formed");
    char *text = g_strdup_printf("line %d: %s", parser->lastError.line, parser->lastError.message);

    return g_strchomp(text);
}

xmlDoc *
xml_tree_parse(const char *xml, const char *object, GError **error)
{
    size_t size = strnlen(xml, LIMIT_DOMAIN_XML_BYTES + 1);

    if (size > LIMIT_DOMAIN_XML_BYTES) {
        fault_set(error, FAULT_LIMIT_EXCEEDED, object, NULL, "the XML is larger than %d bytes",
                  LIMIT_DOMAIN_XML_BYTES);
        return NULL;
    }
    g_autoptr(xmlParserCtxt) parser = xmlNewParserCtxt();

    parser->sax->internalSubset = refuse_dtd;
    g_autoptr(xmlDoc) document = xmlCtxtReadMemory(parser, xml, (int)size, NULL, NULL,
                                                   XML_PARSE_NONET | XML_PARSE_NOERROR |
                                                       XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    /* Unreachable: a parser that was stopped gives no document; not all of libxml2 promise that. */
    if (!document || parser->_private) {
        g_autofree char *mistake = first_mistake(parser);

        fault_set(error, FAULT_HYPERVISOR_FAILED, object, NULL, "cannot read the XML: %s", mistake);
        return NULL;
    }
    return g_steal_pointer(&document);
}

static xmlNode *
find_element(xmlNode *node, const char *name)
{
    while (node && (node->type != XML_ELEMENT_NODE ||
                    (name && !xmlStrEqual(node->name, (const xmlChar *)name))))
        node = node->next;
    return node;
}

xmlNode *
xml_tree_child(const xmlNode *node, const char *name)
{
    return node ? find_element(node->children, name) : NULL;
}

xmlNode *
xml_tree_next(const xmlNode *node, const char *name)
{
    return node ? find_element(node->next, name) : NULL;
}

/* libxml2's memory is its own; ours is GLib's. */
static char *
take_text(xmlChar *text)
{
    char *copy = g_strdup((const char *)text);

    xmlFree(text);
    return copy;
}

char *
xml_tree_attribute(const xmlNode *node, const char *name)
{
    xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;

    return value ? take_text(value) : NULL;
}

gboolean
xml_tree_attribute_is(const xmlNode *node, const char *name, const char *value)
{
    g_autofree char *present = xml_tree_attribute(node, name);

    return g_strcmp0(present, value) == 0;
}

char *
xml_tree_child_text(const xmlNode *node, const char *name)
{
    const xmlNode *child = xml_tree_child(node, name);
    xmlChar *text = child ? xmlNodeGetContent(child) : NULL;

    return text ? take_text(text) : NULL;
}

char *
xml_tree_print(xmlNode *node)
{
    xmlBuffer *buffer = xmlBufferCreate();

    xmlNodeDump(buffer, node->doc, node, 0, 0);
    char *text = g_strdup((const char *)xmlBufferContent(buffer));

    xmlBufferFree(buffer);
    return text;
}

void
xml_tree_set(xmlNode *node, const char *name, const char *value)
{
    xmlNewProp(node, (const xmlChar *)name, (const xmlChar *)value);
}

xmlNode *
xml_tree_add(xmlNode *parent, const char *name)
{
    return xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
}
