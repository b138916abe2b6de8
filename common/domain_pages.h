/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which pages a guest takes its memory from, read from its domain XML. Pure. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

#define HUGE_PAGES_DEFAULT_SIZE G_MAXUINT64 /* "the host's default size" */

typedef struct {
    guint64 page_bytes; /* HUGE_PAGES_DEFAULT_SIZE if none is named */
    guint64 bytes;      /* that are needed in pages of that size */
} DomainPages;

/* The memory of @root, a <domain>, in bytes; 0 if it does not tell. */
guint64 domain_memory_bytes(const xmlNode *root);
/*
 * How much of it has to be in huge pages, by their size: GArray of DomainPages, empty if none has.
 * Nodes of the guest may have pages of sizes of their own (<page size= nodeset=>), and so may its
 * memory devices. Owned by the caller.
 */
GArray *domain_pages_read(const xmlNode *root);
