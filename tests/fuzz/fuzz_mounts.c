/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel and its NFS server list of mounts, exports and clients, of which mount points,
 * paths and names of clients are others' choice. The parts of the input, separated by '%', are
 * these files. */
#include <glib/gstdio.h>
#include <string.h>

#include "fuzz.h"
#include "storprep/mount_table.h"
#include "storprep/nfs_server.h"

static const char *const files[] = {
    "proc/self/mountinfo",           "proc/1/mountinfo",       "var/lib/nfs/etab",
    "proc/fs/nfsd/threads",          "proc/fs/nfsd/portlist",  "proc/fs/nfsd/clients/1/info",
    "proc/fs/nfsd/clients/1/states", "sys/fs/selinux/enforce", "proc/7/comm",
};

static void
look_at_mounts(const char *root)
{
    static const char *const targets[] = { "/", "/srv/images", "/srv/my images", "" };
    MountTable *table = mount_table_new_linux(root);
    g_autofree char *user = NULL;

    mount_table_check(table, NULL);
    mount_table_find_user(table, "/srv", &user, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
        MountEntry *entry = NULL;

        if (!mount_table_find(table, targets[i], &entry, NULL) || !entry)
            continue;
        FUZZ_ASSERT(strcmp(entry->target, targets[i]) == 0);
        FUZZ_ASSERT(entry->source && entry->type && entry->options);
        mount_entry_is_nfs_of(entry, "host1:/srv/images/");
        mount_entry_free(entry);
    }
    mount_table_free(table);
}

static void
look_at_server(const char *root)
{
    NfsServer *server = nfs_server_new_kernel(root);
    g_autoptr(GPtrArray) exports = nfs_server_list(server, NULL);
    g_autofree char *user = NULL;

    FUZZ_ASSERT(exports);
    for (guint i = 0; i < exports->len; i++) {
        const NfsExport *share = exports->pdata[i];

        FUZZ_ASSERT(nfs_export_find(exports, share->client, share->path));
        nfs_export_has_option(share->options, "rw");
    }
    nfs_server_check(server, NULL);
    nfs_server_find_user(server, root, &user, NULL);
    nfs_server_free(server);
}

static char *
build(const uint8_t *data, size_t size)
{
    FuzzInput input = { data, size };
    char *root = g_dir_make_tmp("fuzz-XXXXXX", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(root, files[i], NULL);
        g_autofree char *directory = g_path_get_dirname(path);
        g_autofree char *text = fuzz_take_text(&input, '%');

        g_mkdir_with_parents(directory, 0700);
        if (text)
            g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
    }
    return root;
}

/* All below the root that build() made. */
static void
clear(char *root)
{
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(root, files[i], NULL);

        g_unlink(path);
        for (char *end; (end = strrchr(path, '/')) && strlen(path) > strlen(root);) {
            *end = '\0';
            if (strlen(path) >= strlen(root))
                g_rmdir(path);
        }
    }
    g_rmdir(root);
    g_free(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *root = build(data, size);

    look_at_mounts(root);
    look_at_server(root);
    clear(root);
    return 0;
}
