/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the question what a user may do with files, which only their server can answer; changes
 * nothing. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storprep/image_place.h"
#include "storprep/nfs/verbs.h"

/* As root: what libvirt can do, and whose the file is. */
static json_t *
look_as_root(const char *path)
{
    json_t *entry = json_pack("{s:s}", "path", path);
    struct stat status;

    if (stat(path, &status) < 0) {
        json_object_set_new(entry, "reason", json_string(g_strerror(errno)));
        json_object_set_new(entry, "absent", json_boolean(errno == ENOENT));
        return entry;
    }
    json_object_set_new(entry, "owner", json_integer(status.st_uid));
    json_object_set_new(entry, "root",
                        json_boolean(faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0));
    return entry;
}

/* Asks for the lock that QEMU takes, without taking it. */
static gboolean
can_lock(int fd)
{
    struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &lock) == 0;
}

/* As QEMU's user. */
static void
look_as_user(json_t *entry)
{
    const char *path = json_string_value(json_object_get(entry, "path"));
    g_auto(FileDescriptor) fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    json_object_set_new(entry, "readable", json_boolean(fd >= 0));
    json_object_set_new(entry, "writable",
                        json_boolean(faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0));
    if (fd >= 0)
        json_object_set_new(entry, "lockable", json_boolean(can_lock(fd)));
}

/* Without the rights of root, nor its groups. Root is kept as the saved user, which gives no right
 * but one to others: to be killed at the deadline by a daemon without CAP_KILL. */
static gboolean
become(const char *uid_text, const char *gid_text)
{
    uid_t uid = (uid_t)g_ascii_strtoull(uid_text, NULL, 10);
    gid_t gid = (gid_t)g_ascii_strtoull(gid_text, NULL, 10);

    if (uid == geteuid())
        return TRUE;
    return setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
           setresuid(uid, uid, geteuid()) == 0;
}

int
verb_access(char **arguments)
{
    json_auto_t *paths = json_loads(arguments[2], 0, NULL);
    json_t *found = json_array();
    uid_t ourselves = geteuid();
    size_t i;
    json_t *entry;

    json_array_foreach (paths, i, entry)
        json_array_append_new(found, look_as_root(json_string_value(entry)));
    if (!become(arguments[0], arguments[1])) {
        json_decref(found);
        return verb_fail("cannot become user %s: %s", arguments[0], g_strerror(errno));
    }
    json_array_foreach (found, i, entry) {
        if (!json_object_get(entry, "reason"))
            look_as_user(entry);
    }
    if (seteuid(ourselves) < 0) {
        json_decref(found);
        return verb_fail("cannot become user %u again: %s", ourselves, g_strerror(errno));
    }
    return verb_reply(json_pack("{s:o}", "files", found));
}
