/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How `migprep migrate` is told to migrate: options called as `virsh migrate` calls them, where it
 * has them. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct {
    gboolean offline, verify, non_live;
    gboolean persistent, undefine_source, transient, keep_definition;
    gboolean incremental, tunnelled, unsafe, remove_source_disks, tls, auto_converge;
    gboolean suspend, postcopy, abort;
    char *disks;                /* "vda,vdb" */
    char *xml, *persistent_xml; /* files */
    char *bandwidth, *downtime, *connections, *compression, *timeout;
    char **disk_paths; /* "vda=/path" */
    char **networks;   /* "old=new" */
    char **policy;     /* "name=value" */
} MoveOptions;

void move_options_clear(MoveOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MoveOptions, move_options_clear)

/* The entries for GOption that fill @options, after @first (ends with an empty one). Owned: freed
 * with g_free(). */
GOptionEntry *move_options_entries(MoveOptions *options, const GOptionEntry *first);

/* The members for Storage.Migrate: new reference. FAULT_INVALID_ARGUMENT naming the option. Blocks
 * on the files that it names. */
json_t *move_options_to_request(const MoveOptions *options, GError **error);
/* The disks that alone are to be copied; NULL: all that need it. Owned. */
char **move_options_disks(const MoveOptions *options);
