/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the dealings with the kernel's mounts: mountinfo, namespaces, and processes that use one. */
#include <ifaddrs.h>
#include <libmount.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/mount_table.h"
#include "storprep/nfs_program.h"

#define MOUNT_SECONDS   60 /* the first one loads modules, too */
#define UNMOUNT_SECONDS 20

typedef struct {
    char *root; /* "" or what stands for "/" */
} Linux;

typedef struct libmnt_table MountInfo;

static void
mount_info_unref(MountInfo *info)
{
    mnt_unref_table(info);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MountInfo, mount_info_unref)

static MountInfo *
read_mount_info(const Linux *host, const char *process)
{
    g_autofree char *path = g_strdup_printf("%s/proc/%s/mountinfo", host->root, process);

    return mnt_new_table_from_file(path);
}

/* The topmost, which is the last one, at @target; NULL if nothing is mounted there. */
static struct libmnt_fs *
find_last(MountInfo *info, const char *target)
{
    struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_BACKWARD);
    struct libmnt_fs *fs = NULL;
    struct libmnt_fs *found = NULL;

    while (!found && mnt_table_next_fs(info, iterator, &fs) == 0) {
        const char *name = mnt_fs_get_target(fs);

        /* Unreachable: libmount takes no line without a mount point. */
        if (name && strcmp(name, target) == 0)
            found = fs;
    }
    mnt_free_iter(iterator);
    return found;
}

/* Checks. */

/* Mount ids are unique in the system: the same root mount means the same namespace. Comparing
 * /proc/PID/ns/mnt would take CAP_SYS_PTRACE. */
static gboolean
check_namespace(const Linux *host, GError **error)
{
    g_autoptr(MountInfo) ours = read_mount_info(host, "self");
    g_autoptr(MountInfo) theirs = read_mount_info(host, "1");
    struct libmnt_fs *our_root = ours ? find_last(ours, "/") : NULL;
    struct libmnt_fs *their_root = theirs ? find_last(theirs, "/") : NULL;

    if (our_root && their_root && mnt_fs_get_id(our_root) == mnt_fs_get_id(their_root))
        return TRUE;
    fault_set(
        error, FAULT_SHARE_UNAVAILABLE, "mounts of this host",
        "remove what gives storprepd.service a mount namespace of its own (see 'systemctl cat "
        "storprepd': ProtectSystem=, PrivateTmp=, ReadOnlyPaths= and the like), then: "
        "systemctl daemon-reload && systemctl restart storprepd",
        "storprepd runs in a private mount namespace: libvirt would not see its mounts");
    return FALSE;
}

static gboolean
is_set(const Linux *host, const char *path)
{
    g_autofree char *name = g_strconcat(host->root, path, NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(name, &text, NULL, NULL) && *text == '1';
}

static gboolean
check_selinux(const Linux *host, GError **error)
{
    if (!is_set(host, "/sys/fs/selinux/enforce") ||
        is_set(host, "/sys/fs/selinux/booleans/virt_use_nfs"))
        return TRUE;
    fault_set(error, FAULT_SHARE_UNAVAILABLE, "SELinux boolean 'virt_use_nfs'",
              "allow it with: setsebool -P virt_use_nfs on",
              "SELinux keeps guests of this host from using NFS");
    return FALSE;
}

static gboolean
check(void *self, GError **error)
{
    return check_namespace(self, error) && check_selinux(self, error);
}

static gboolean
has_address(const struct ifaddrs *interfaces, const struct sockaddr *address)
{
    for (const struct ifaddrs *entry = interfaces; entry; entry = entry->ifa_next) {
        const struct sockaddr *own = entry->ifa_addr;

        if (!own || own->sa_family != address->sa_family)
            continue;
        if (own->sa_family == AF_INET && ((const struct sockaddr_in *)own)->sin_addr.s_addr ==
                                             ((const struct sockaddr_in *)address)->sin_addr.s_addr)
            return TRUE;
        if (own->sa_family == AF_INET6 && memcmp(&((const struct sockaddr_in6 *)own)->sin6_addr,
                                                 &((const struct sockaddr_in6 *)address)->sin6_addr,
                                                 sizeof(struct in6_addr)) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_this_host(void *self, const char *name)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *addresses = NULL;
    struct ifaddrs *interfaces = NULL;
    gboolean found = FALSE;

    if (getaddrinfo(name, NULL, &hints, &addresses) != 0)
        return FALSE;
    if (getifaddrs(&interfaces) == 0) {
        for (const struct addrinfo *entry = addresses; entry && !found; entry = entry->ai_next)
            found = has_address(interfaces, entry->ai_addr);
        freeifaddrs(interfaces);
    }
    freeaddrinfo(addresses);
    return found;
}

/* The table. */

/* libmount has NULL for what a line leaves empty, as a mount of no source does. */
static char *
known(const char *text)
{
    return g_strdup(text ? text : "");
}

static gboolean
find(void *self, const char *target, MountEntry **ret_entry, GError **error)
{
    g_autoptr(MountInfo) info = read_mount_info(self, "self");
    struct libmnt_fs *fs = info ? find_last(info, target) : NULL;

    if (!info) {
        fault_set(error, FAULT_INTERNAL, "mounts of this host", "see whether /proc is mounted",
                  "cannot read /proc/self/mountinfo");
        return FALSE;
    }
    *ret_entry = fs ? g_new0(MountEntry, 1) : NULL;
    if (fs) {
        (*ret_entry)->id = (guint64)mnt_fs_get_id(fs);
        (*ret_entry)->source = known(mnt_fs_get_source(fs));
        (*ret_entry)->target = g_strdup(target);
        (*ret_entry)->type = known(mnt_fs_get_fstype(fs));
        (*ret_entry)->options = known(mnt_fs_get_fs_options(fs));
    }
    return TRUE;
}

static gboolean
mount_source(void *self, const char *source, const char *target, const char *options,
             GError **error)
{
    const char *arguments[] = { "mount", source, target, options, NULL };
    g_autofree char *object = g_strdup_printf("mount of '%s' at '%s'", source, target);
    json_auto_t *reply = NULL;
    int status;

    return nfs_program_run(arguments, MOUNT_SECONDS, object, &status, &reply, error);
}

static gboolean
unmount(void *self, const MountEntry *entry, GError **error)
{
    g_autofree char *id = g_strdup_printf("%" G_GUINT64_FORMAT, entry->id);
    const char *arguments[] = { "unmount", entry->target, id, NULL };
    g_autofree char *object = g_strdup_printf("mount at '%s'", entry->target);
    g_autofree char *remedy = g_strdup_printf("see who uses it with: fuser -vm %s", entry->target);
    json_auto_t *reply = NULL;
    int status;

    if (!nfs_program_run(arguments, UNMOUNT_SECONDS, object, &status, &reply, error))
        return FALSE;
    if (status == NFS_STATUS_BUSY) {
        fault_set(error, FAULT_SHARE_BUSY, object, remedy, "the kernel says that it is in use");
        return FALSE;
    }
    if (status == NFS_STATUS_FOREIGN)
        g_warning("what is mounted at '%s' is not what was there just now: it is left alone",
                  entry->target);
    return TRUE;
}

/* Who uses it. */

/* What one process has open below @target, of the first @left descriptors. */
static gboolean
has_open(const Linux *host, const char *process, const char *target, unsigned *left)
{
    g_autofree char *path = g_strdup_printf("%s/proc/%s/fd", host->root, process);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    size_t length = strlen(target);
    const char *name;

    while (dir && *left > 0 && (name = g_dir_read_name(dir))) {
        g_autofree char *link = g_build_filename(path, name, NULL);
        g_autofree char *file = g_file_read_link(link, NULL);

        --*left;
        if (file && strncmp(file, target, length) == 0 && (file[length] == '/' || !file[length]))
            return TRUE;
    }
    return FALSE;
}

static char *
describe_process(const Linux *host, const char *process)
{
    g_autofree char *path = g_strdup_printf("%s/proc/%s/comm", host->root, process);
    g_autofree char *name = NULL;

    if (!g_file_get_contents(path, &name, NULL, NULL))
        return g_strdup_printf("process %s", process);
    return g_strdup_printf("process %s (%s)", process, g_strstrip(name));
}

/* The kernel refuses to unmount what is in use, too; this is to say by whom. */
static gboolean
find_user(void *self, const char *target, char **ret_user, GError **error)
{
    const Linux *host = self;
    g_autofree char *path = g_strconcat(host->root, "/proc", NULL);
    g_autoptr(GDir) processes = g_dir_open(path, 0, NULL);
    unsigned left = LIMIT_OPEN_FILES;
    const char *name;

    *ret_user = NULL;
    while (processes && !*ret_user && (name = g_dir_read_name(processes))) {
        if (g_ascii_isdigit(*name) && has_open(host, name, target, &left))
            *ret_user = describe_process(host, name);
    }
    return TRUE;
}

static void
free_linux(void *self)
{
    Linux *host = self;

    g_free(host->root);
    g_free(host);
}

MountTable *
mount_table_new_linux(const char *root)
{
    static const MountTableOps ops = {
        .check = check,
        .find = find,
        .is_this_host = is_this_host,
        .mount = mount_source,
        .unmount = unmount,
        .find_user = find_user,
        .free = free_linux,
    };
    Linux *host = g_new0(Linux, 1);

    host->root = g_strdup(root);
    return mount_table_new(&ops, host);
}
