/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the dealings with the kernel's mounts, as far as storprep-nfs is not needed for them. */
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
#define FIND_SECONDS    20

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

/* Of whoever mounts: this process may have a namespace of its own, where mounts have other ids. */
static char *
mount_info_path(const Linux *host)
{
    return g_strdup_printf("%s/proc/%s/mountinfo", host->root, nfs_program_process());
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

static gboolean
is_set(const Linux *host, const char *path)
{
    g_autofree char *name = g_strconcat(host->root, path, NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(name, &text, NULL, NULL) && *text == '1';
}

static gboolean
check(void *self, GError **error)
{
    const Linux *host = self;

    if (!is_set(host, "/sys/fs/selinux/enforce") ||
        is_set(host, "/sys/fs/selinux/booleans/virt_use_nfs"))
        return TRUE;
    fault_set(error, FAULT_SHARE_UNAVAILABLE, "SELinux boolean 'virt_use_nfs'",
              "allow it with: setsebool -P virt_use_nfs on",
              "SELinux keeps guests of this host from using NFS");
    return FALSE;
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
    g_autofree char *path = mount_info_path(self);
    g_autoptr(MountInfo) info = mnt_new_table_from_file(path);
    struct libmnt_fs *fs = info ? find_last(info, target) : NULL;

    if (!info) {
        fault_set(error, FAULT_INTERNAL, "mounts of this host",
                  "see whether /proc is mounted, and without hidepid=", "cannot read %s", path);
        return FALSE;
    }
    *ret_entry = fs ? g_new0(MountEntry, 1) : NULL;
    if (fs) {
        (*ret_entry)->id = (guint64)mnt_fs_get_id(fs);
        (*ret_entry)->source = known(mnt_fs_get_source(fs));
        (*ret_entry)->target = g_strdup(target);
        (*ret_entry)->type = known(mnt_fs_get_fstype(fs));
        (*ret_entry)->options = known(mnt_fs_get_fs_options(fs));
        (*ret_entry)->read_only = mnt_fs_match_options(fs, "ro");
    }
    return TRUE;
}

static gboolean
refuse_namespace(GError **error)
{
    fault_set(
        error, FAULT_SHARE_UNAVAILABLE, "mounts of this host",
        "remove what gives it one (see 'systemctl cat storprepd-nfs': ProtectSystem=, "
        "PrivateTmp=, ReadOnlyPaths= and the like), then: systemctl daemon-reload && systemctl "
        "restart storprepd",
        "storprep-nfs runs in a private mount namespace: libvirt would not see its mounts");
    return FALSE;
}

static gboolean
mount_source(void *self, const char *source, const char *target, const char *options,
             GError **error)
{
    const char *arguments[] = { "mount", source, target, options, NULL };
    g_autofree char *object = g_strdup_printf("mount of '%s' at '%s'", source, target);
    json_auto_t *reply = NULL;
    int status;

    if (!nfs_program_run(arguments, MOUNT_SECONDS, object, &status, &reply, error))
        return FALSE;
    if (status == NFS_STATUS_PRIVATE)
        return refuse_namespace(error);
    return TRUE;
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

static gboolean
find_user(void *self, const char *target, char **ret_user, GError **error)
{
    const Linux *host = self;
    g_autofree char *proc = g_strconcat(host->root, "/proc", NULL);
    const char *arguments[] = { "find-user", proc, target, NULL };
    g_autofree char *object = g_strdup_printf("mount at '%s'", target);
    json_auto_t *reply = NULL;
    int status;

    if (!nfs_program_run(arguments, FIND_SECONDS, object, &status, &reply, error))
        return FALSE;
    *ret_user = g_strdup(json_string_value(json_object_get(reply, "user")));
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
