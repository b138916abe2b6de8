/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the dealings with the kernel's NFS server: exportfs, its table, and its list of clients. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/fault.h"
#include "common/limits.h"
#include "common/program.h"
#include "storprep/nfs_server.h"

#define EXPORTFS_SECONDS 10
#define TREE_DEPTH_MAX   8

typedef struct {
    char *root; /* "" or what stands for "/" */
} Kernel;

static void
set_unavailable(GError **error, const char *remedy, const char *cause)
{
    fault_set(error, FAULT_SHARE_UNAVAILABLE, "NFS server of this host", remedy, "%s", cause);
}

static gboolean
set_unreadable(GError **error, const char *path, const char *cause)
{
    g_autofree char *remedy = g_strdup_printf("see why with: cat %s", path);
    g_autofree char *text = g_strdup_printf("'%s' cannot be read: %s", path, cause);

    set_unavailable(error, remedy, text);
    return FALSE;
}

/* The text of a file below the root; "" if there is none. NULL with @error if there is one that
 * cannot be read: what it has would count as not there. */
static char *
read_text(const Kernel *kernel, const char *path, GError **error)
{
    g_autofree char *name = g_strconcat(kernel->root, path, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) failure = NULL;

    if (g_file_get_contents(name, &text, NULL, &failure))
        return g_steal_pointer(&text);
    /* The kernel's word for a client that has gone meanwhile is the second. */
    if (g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
        g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NXIO))
        return g_strdup("");
    set_unreadable(error, path, failure->message);
    return NULL;
}

static gboolean
check(void *self, GError **error)
{
    g_autofree char *threads = read_text(self, "/proc/fs/nfsd/threads", error);
    g_autofree char *ports = threads ? read_text(self, "/proc/fs/nfsd/portlist", error) : NULL;

    if (!ports)
        return FALSE;
    gboolean listens = strstr(ports, "tcp 2049") || strstr(ports, "tcp6 2049");
    if (g_ascii_strtoull(threads, NULL, 10) == 0)
        set_unavailable(error, "start it with: systemctl enable --now nfs-server",
                        "it does not run");
    else if (!listens)
        set_unavailable(error,
                        "remove port= and tcp= from [nfsd] in /etc/nfs.conf, then: "
                        "systemctl restart nfs-server",
                        "it does not listen on TCP port 2049");
    else
        return TRUE;
    return FALSE;
}

/* exportfs(8) resolves the name and lists what it resolved to. */
static char *
canonical_client(void *self, const char *client, GError **error)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME };
    g_autofree char *object = g_strdup_printf("host '%s'", client);
    struct addrinfo *found = NULL;
    char *name;
    int result;

    if (strchr(client, '/'))
        return g_strdup(client);
    result = getaddrinfo(client, NULL, &hints, &found);
    if (result != 0) {
        fault_set(error, FAULT_SHARE_REFUSED, object,
                  "add it to the name service or to /etc/hosts of this host, or name its address",
                  "this host cannot resolve it: %s", gai_strerror(result));
        return NULL;
    }
    name = g_strdup(found->ai_canonname ? found->ai_canonname : client);
    freeaddrinfo(found);
    return name;
}

/* Paths in the table have blanks and the like as \NNN, octal. */
static NfsExport *
parse_line(const char *line)
{
    const char *tab = strchr(line, '\t');
    const char *open = tab ? strrchr(tab, '(') : NULL;
    g_autofree char *path = NULL;
    NfsExport *share;

    if (!open || !g_str_has_suffix(line, ")"))
        return NULL;
    path = g_strndup(line, (gsize)(tab - line));
    share = g_new0(NfsExport, 1);
    share->path = g_strcompress(path);
    share->client = g_strndup(tab + 1, (gsize)(open - tab - 1));
    share->options = g_strndup(open + 1, strlen(open) - 2);
    return share;
}

static GPtrArray *
list(void *self, GError **error)
{
    g_autofree char *text = read_text(self, "/var/lib/nfs/etab", error);
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

    if (!lines)
        return NULL;
    GPtrArray *exports = g_ptr_array_new_with_free_func((GDestroyNotify)nfs_export_free);
    for (char **line = lines; *line; line++) {
        NfsExport *share = parse_line(*line);

        if (share)
            g_ptr_array_add(exports, share);
    }
    return exports;
}

/* "host:path", an IPv6 address in brackets. */
static char *
export_name(const char *client, const char *path)
{
    gboolean bare = strchr(client, ':') && !strchr(client, '/');

    return g_strdup_printf(bare ? "[%s]:%s" : "%s:%s", client, path);
}

static gboolean
run_exportfs(const char *const *argv, const char *path, GError **error)
{
    g_autofree char *object = g_strdup_printf("directory '%s'", path);
    g_autofree char *command = g_strjoinv(" ", (char **)argv);
    g_auto(ProgramResult) result = { 0 };

    if (!program_run(argv, NULL, EXPORTFS_SECONDS, NULL, &result, error))
        return FALSE;
    /* It tells some failures by its messages alone. */
    if (result.exit_status == 0 && !strstr(result.error_text, "does not support NFS export"))
        return TRUE;
    fault_set(error, FAULT_PROGRAM_FAILED, object, command, "exportfs failed (status %d): %s",
              result.exit_status, g_strstrip(result.error_text));
    return FALSE;
}

static gboolean
add(void *self, const char *client, const char *path, const char *options, GError **error)
{
    g_autofree char *name = export_name(client, path);
    const char *argv[] = { "exportfs", "-i", "-o", options, "--", name, NULL };

    return run_exportfs(argv, path, error);
}

static gboolean
remove_export(void *self, const char *client, const char *path, GError **error)
{
    g_autofree char *name = export_name(client, path);
    const char *argv[] = { "exportfs", "-u", "--", name, NULL };

    return run_exportfs(argv, path, error);
}

/* Who has files open. */

/* Adds the inode numbers of the files below @directory, on its file system only; FALSE if there are
 * more than are looked at, or can be. */
static gboolean
collect_inodes(const char *directory, dev_t device, unsigned depth, GHashTable *inodes)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;

    if (!dir)
        return FALSE;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        struct stat status;

        if (lstat(path, &status) < 0 || status.st_dev != device)
            continue;
        if (g_hash_table_size(inodes) >= LIMIT_SHARED_FILES)
            return FALSE;
        g_hash_table_add(inodes, g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)status.st_ino));
        if (S_ISDIR(status.st_mode) &&
            (depth == 0 || !collect_inodes(path, device, depth - 1, inodes)))
            return FALSE;
    }
    return TRUE;
}

/* One open file of a client: superblock: "MAJOR:MINOR:INODE", the device numbers in hexadecimal. */
static gboolean
is_open_here(const char *line, dev_t device, GHashTable *inodes)
{
    const char *text = strstr(line, "superblock: \"");
    unsigned device_major, device_minor;
    g_autofree char *inode = NULL;
    guint64 number;

    if (!text || sscanf(text, "superblock: \"%x:%x:%" G_GUINT64_FORMAT "\"", &device_major,
                        &device_minor, &number) != 3)
        return FALSE;
    if (device_major != major(device) || device_minor != minor(device))
        return FALSE;
    inode = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    return !inodes || g_hash_table_contains(inodes, inode);
}

static char *
client_address(const Kernel *kernel, const char *id)
{
    g_autofree char *path = g_strdup_printf("/proc/fs/nfsd/clients/%s/info", id);
    g_autofree char *info = read_text(kernel, path, NULL);
    const char *address = info ? strstr(info, "address: \"") : NULL;
    const char *end;

    if (!address)
        return g_strdup_printf("client %s", id);
    address += strlen("address: \"");
    end = strchr(address, '"');
    return g_strndup(address, end ? (gsize)(end - address) : 0);
}

static gboolean
find_open(const Kernel *kernel, const char *id, dev_t device, GHashTable *inodes,
          gboolean *ret_open, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/fs/nfsd/clients/%s/states", id);
    g_autofree char *states = read_text(kernel, path, error);
    g_auto(GStrv) lines = states ? g_strsplit(states, "\n", -1) : NULL;

    *ret_open = FALSE;
    for (char **line = lines; line && *line && !*ret_open; line++)
        *ret_open = is_open_here(*line, device, inodes);
    return states != NULL;
}

static gboolean
find_client(const Kernel *kernel, GDir *clients, dev_t device, GHashTable *inodes, char **ret_user,
            GError **error)
{
    gboolean open = FALSE;
    const char *id;

    while (!open && (id = g_dir_read_name(clients))) {
        if (!find_open(kernel, id, device, inodes, &open, error))
            return FALSE;
        if (open)
            *ret_user = client_address(kernel, id);
    }
    return TRUE;
}

static gboolean
find_user(void *self, const char *path, char **ret_user, GError **error)
{
    const Kernel *kernel = self;
    g_autofree char *directory = g_strconcat(kernel->root, "/proc/fs/nfsd/clients", NULL);
    g_autoptr(GHashTable) inodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GDir) clients = g_dir_open(directory, 0, &failure);
    struct stat status;

    *ret_user = NULL;
    if (!clients)
        return g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
               set_unreadable(error, "/proc/fs/nfsd/clients", failure->message);
    if (stat(path, &status) < 0)
        return errno == ENOENT || set_unreadable(error, path, g_strerror(errno));
    /* What is too large to look through counts as a whole. */
    if (!collect_inodes(path, status.st_dev, TREE_DEPTH_MAX, inodes))
        g_clear_pointer(&inodes, g_hash_table_unref);
    return find_client(kernel, clients, status.st_dev, inodes, ret_user, error);
}

static void
free_kernel(void *self)
{
    Kernel *kernel = self;

    g_free(kernel->root);
    g_free(kernel);
}

NfsServer *
nfs_server_new_kernel(const char *root)
{
    static const NfsServerOps ops = {
        .check = check,
        .canonical_client = canonical_client,
        .list = list,
        .add = add,
        .remove = remove_export,
        .find_user = find_user,
        .free = free_kernel,
    };
    Kernel *kernel = g_new0(Kernel, 1);

    kernel->root = g_strdup(root);
    return nfs_server_new(&ops, kernel);
}
