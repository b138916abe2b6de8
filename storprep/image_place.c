/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the walk from an image directory to a file name, and the proof before a removal. */
#include "storprep/image_place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"

void
file_descriptor_close(FileDescriptor fd)
{
    if (fd >= 0)
        close(fd);
}

gboolean
file_identity_equal(const FileIdentity *a, const FileIdentity *b)
{
    if (a->inode != b->inode || a->born_nsec != b->born_nsec)
        return FALSE;
    return a->born_nsec != 0 || a->device == b->device;
}

gboolean
file_stamp_equal(const FileStamp *a, const FileStamp *b)
{
    return a->size_bytes == b->size_bytes && a->modified_nsec == b->modified_nsec;
}

static gint64
to_nsec(const struct statx_timestamp *time)
{
    return time->tv_sec * G_GINT64_CONSTANT(1000000000) + time->tv_nsec;
}

typedef struct {
    FileIdentity identity;
    FileStamp stamp;
    mode_t mode;
} Found;

/* @name "" with AT_EMPTY_PATH: @fd itself. Returns 0 or -1 with errno, as statx does. */
static int
examine(int fd, const char *name, int flags, Found *ret_found)
{
    struct statx status;

    if (statx(fd, name, flags | AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC,
              STATX_TYPE | STATX_INO | STATX_SIZE | STATX_MTIME | STATX_BTIME, &status) < 0)
        return -1;
    *ret_found = (Found) {
        .identity = { .device = makedev(status.stx_dev_major, status.stx_dev_minor),
                      .inode = status.stx_ino },
        .stamp = { .size_bytes = status.stx_size, .modified_nsec = to_nsec(&status.stx_mtime) },
        .mode = status.stx_mode,
    };
    if (status.stx_mask & STATX_BTIME)
        ret_found->identity.born_nsec = to_nsec(&status.stx_btime);
    return 0;
}

gboolean
file_identity_read(int fd, const char *path, FileIdentity *ret_identity, GError **error)
{
    Found found;

    if (examine(fd, "", AT_EMPTY_PATH, &found) < 0)
        return image_place_fault(error, errno, path, "cannot examine it");
    *ret_identity = found.identity;
    return TRUE;
}

gboolean
file_stamp_read(int fd, const char *path, FileStamp *ret_stamp, GError **error)
{
    Found found;

    if (examine(fd, "", AT_EMPTY_PATH, &found) < 0)
        return image_place_fault(error, errno, path, "cannot examine it");
    *ret_stamp = found.stamp;
    return TRUE;
}

gboolean
image_place_fault(GError **error, int number, const char *path, const char *action)
{
    g_autofree char *object = g_strdup_printf("target '%s'", path);

    if (number == ENOSPC || number == EDQUOT)
        fault_set(error, FAULT_NO_SPACE, object, "free space in its directory and try again",
                  "%s: %s", action, g_strerror(number));
    else if (number == EEXIST)
        fault_set(error, FAULT_TARGET_EXISTS, object,
                  "move the existing file away, or remove it if nothing needs it; it is never "
                  "overwritten",
                  "%s: something with this name is already there", action);
    else
        fault_set(error, FAULT_INTERNAL, object,
                  "check the directory's permissions and that its file system is writable",
                  "%s: %s", action, g_strerror(number));
    return FALSE;
}

static gboolean
refuse(GError **error, const char *path, const char *remedy, const char *cause)
{
    g_autofree char *object = g_strdup_printf("target '%s'", path);

    fault_set(error, FAULT_TARGET_REFUSED, object, remedy, "%s", cause);
    return FALSE;
}

/* Paths go into XML, arguments of programs and the journal. */
static gboolean
is_printable(const char *path)
{
    for (const char *at = path; *at; at++) {
        if (g_ascii_iscntrl(*at))
            return FALSE;
    }
    return g_utf8_validate(path, -1, NULL);
}

static gboolean
is_plain_path(const char *path)
{
    g_auto(GStrv) parts = NULL;

    if (path[0] != '/' || strlen(path) > LIMIT_PATH_BYTES || !is_printable(path))
        return FALSE;
    parts = g_strsplit(path + 1, "/", -1);
    for (char **part = parts; *part; part++) {
        if (!**part || g_str_equal(*part, ".") || g_str_equal(*part, "..") ||
            strlen(*part) > LIMIT_NAME_BYTES)
            return FALSE;
    }
    return TRUE;
}

static size_t
length_without_slashes(const char *directory)
{
    size_t length = strlen(directory);

    while (length > 1 && directory[length - 1] == '/')
        length--;
    return length;
}

/* What of @path lies below @directory, or NULL. */
static const char *
path_below(const char *path, const char *directory)
{
    size_t length = length_without_slashes(directory);

    if (strncmp(path, directory, length) != 0 || path[length] != '/' || !path[length + 1])
        return NULL;
    return path + length + 1;
}

static gboolean
is_itself(const char *path, const char *directory)
{
    size_t length = length_without_slashes(directory);

    return strlen(path) == length && strncmp(path, directory, length) == 0;
}

static const char *
find_root(const char *path, const char *const *directories, gboolean or_itself, GError **error)
{
    g_autofree char *list = NULL;
    g_autofree char *cause = NULL;

    if (!is_plain_path(path)) {
        refuse(error, path, "give the absolute path as it is, without '.', '..' and doubled '/'",
               "it is not a plain absolute path of printable characters");
        return NULL;
    }
    for (const char *const *directory = directories; *directory; directory++) {
        if (path_below(path, *directory) || (or_itself && is_itself(path, *directory)))
            return *directory;
    }
    list = g_strjoinv(", ", (char **)directories);
    cause = g_strdup_printf("it is not below an image directory (%s)", list);
    refuse(error, path, "add its directory to image-directories in migprep.conf on this host",
           cause);
    return NULL;
}

const char *
image_place_root(const char *path, const char *const *directories, GError **error)
{
    return find_root(path, directories, FALSE, error);
}

const char *
image_place_root_of_directory(const char *path, const char *const *directories, GError **error)
{
    return find_root(path, directories, TRUE, error);
}

/* Opens @below (which may be "") under @root_fd without following any link. */
static int
open_directory(int root_fd, const char *below)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, root_fd, *below ? below : ".", &how, sizeof how);
}

void
image_place_clear(ImagePlace *place)
{
    g_clear_pointer(&place->path, g_free);
    g_clear_pointer(&place->root, g_free);
    g_clear_pointer(&place->directory, g_free);
    g_clear_pointer(&place->name, g_free);
    file_descriptor_close(place->directory_fd);
    place->directory_fd = -1;
}

gboolean
image_place_open(const char *path, const char *const *directories, ImagePlace *ret_place,
                 GError **error)
{
    const char *root = image_place_root(path, directories, error);
    g_auto(FileDescriptor) root_fd = -1;
    g_autofree char *below = NULL;
    g_autofree char *cause = NULL;
    char *slash;
    int fd = -1;

    if (!root)
        return FALSE;
    below = g_strdup(path_below(path, root));
    slash = strrchr(below, '/');
    *(slash ? slash : below) = '\0';
    root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd >= 0)
        fd = open_directory(root_fd, below);
    if (fd < 0) {
        cause = g_strdup_printf("its directory cannot be opened below '%s' without following "
                                "links: %s",
                                root, g_strerror(errno));
        return refuse(error, path, "create the directory on this host, or replace the link in it",
                      cause);
    }
    *ret_place = (ImagePlace) {
        .path = g_strdup(path),
        .root = g_strdup(root),
        .directory = g_path_get_dirname(path),
        .name = g_path_get_basename(path),
        .directory_fd = fd,
    };
    return TRUE;
}

static gboolean
is_root(const char *path, const char *const *directories)
{
    for (const char *const *directory = directories; *directory; directory++) {
        if (is_itself(path, *directory))
            return TRUE;
    }
    return FALSE;
}

gboolean
image_place_open_directory(const char *path, const char *const *directories, FileDescriptor *ret_fd,
                           GError **error)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_autofree char *cause = NULL;
    int fd;

    if (is_plain_path(path) && is_root(path, directories)) {
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } else {
        if (!image_place_open(path, directories, &place, error))
            return FALSE;
        fd = open_directory(place.directory_fd, place.name);
    }
    if (fd < 0) {
        cause = g_strdup_printf("cannot open it without following links: %s", g_strerror(errno));
        return refuse(error, path, "create the directory on this host", cause);
    }
    *ret_fd = fd;
    return TRUE;
}

gboolean
image_place_check_writable(const ImagePlace *place, GError **error)
{
    struct statvfs system;

    if (fstatvfs(place->directory_fd, &system) < 0)
        return image_place_fault(error, errno, place->path, "cannot examine its file system");
    if (system.f_flag & ST_RDONLY)
        return refuse(error, place->path, "mount it for writing, as this host's services see it",
                      "its file system is mounted read-only");
    return TRUE;
}

gboolean
image_place_check_free(const ImagePlace *place, GError **error)
{
    Found found;

    if (examine(place->directory_fd, place->name, 0, &found) == 0)
        return image_place_fault(error, EEXIST, place->path, "cannot create it");
    if (errno != ENOENT)
        return image_place_fault(error, errno, place->path, "cannot look for it");
    return TRUE;
}

static Find
judge(const Found *found, const FileIdentity *identity, const FileStamp *stamp)
{
    if (!S_ISREG(found->mode) || (identity && !file_identity_equal(identity, &found->identity)))
        return FIND_FOREIGN;
    return stamp && !file_stamp_equal(stamp, &found->stamp) ? FIND_WRITTEN : FIND_OURS;
}

static gboolean
find(const ImagePlace *place, const char *name, Found *ret_found, Find *ret_find, GError **error)
{
    *ret_find = FIND_NOTHING;
    if (examine(place->directory_fd, name, 0, ret_found) < 0)
        return errno == ENOENT || image_place_fault(error, errno, place->path, "cannot examine it");
    *ret_find = FIND_OURS;
    return TRUE;
}

gboolean
image_place_find(const ImagePlace *place, const FileIdentity *identity, FileStamp *ret_stamp,
                 Find *ret_find, GError **error)
{
    Found found;

    if (!find(place, place->name, &found, ret_find, error))
        return FALSE;
    if (*ret_find == FIND_OURS)
        *ret_find = judge(&found, identity, NULL);
    if (*ret_find == FIND_OURS)
        *ret_stamp = found.stamp;
    return TRUE;
}

/* Removes what @name has if it is as it must be, by the name alone. */
static gboolean
remove_name(const ImagePlace *place, const char *name, const FileIdentity *identity,
            const FileStamp *stamp, Find *ret_find, GError **error)
{
    Found found;

    if (!find(place, name, &found, ret_find, error))
        return FALSE;
    if (*ret_find == FIND_OURS)
        *ret_find = judge(&found, identity, stamp);
    if (*ret_find != FIND_OURS)
        return TRUE;
    if (unlinkat(place->directory_fd, name, 0) < 0 && errno != ENOENT)
        return image_place_fault(error, errno, place->path, "cannot remove it");
    *ret_find = FIND_NOTHING;
    return TRUE;
}

gboolean
image_place_drop(const ImagePlace *place, const char *aside, const FileIdentity *identity,
                 Find *ret_find, GError **error)
{
    return remove_name(place, aside, identity, NULL, ret_find, error);
}

/* As renameat2() with RENAME_NOREPLACE, also where the file system does not know that, as NFS does
 * not: there somebody may be faster. */
static int
rename_to_free(int fd, const char *from, const char *to)
{
    Found found;

    if (renameat2(fd, from, fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if ((errno != EINVAL && errno != ENOSYS) || examine(fd, from, 0, &found) < 0)
        return -1;
    if (examine(fd, to, 0, &found) == 0)
        errno = EEXIST;
    return errno == ENOENT ? renameat2(fd, from, fd, to, 0) : -1;
}

gboolean
image_place_put_back(const ImagePlace *place, const char *aside, GError **error)
{
    g_autofree char *object = NULL;

    if (rename_to_free(place->directory_fd, aside, place->name) == 0 || errno == ENOENT)
        return TRUE;
    if (errno != EEXIST)
        return image_place_fault(error, errno, place->path, "cannot give it its name back");
    object = g_strdup_printf("file '%s/%s'", place->directory, aside);
    fault_set(error, FAULT_TARGET_REFUSED, object, "see whose they are, and move one of them away",
              "it was called '%s', as another file is by now", place->name);
    return FALSE;
}

gboolean
image_place_remove(const ImagePlace *place, const char *aside, const FileIdentity *identity,
                   const FileStamp *stamp, Find *ret_find, GError **error)
{
    Found found;

    if (!aside)
        return remove_name(place, place->name, identity, stamp, ret_find, error);
    if (!find(place, place->name, &found, ret_find, error))
        return FALSE;
    if (*ret_find == FIND_OURS)
        *ret_find = judge(&found, identity, stamp);
    if (*ret_find != FIND_OURS)
        return TRUE;
    if (rename_to_free(place->directory_fd, place->name, aside) < 0 && errno != ENOENT)
        return image_place_fault(error, errno, place->path, "cannot remove it");
    return remove_name(place, aside, identity, stamp, ret_find, error) &&
           (*ret_find == FIND_NOTHING || image_place_put_back(place, aside, error));
}

gboolean
image_place_sync(const ImagePlace *place, GError **error)
{
    if (fsync(place->directory_fd) < 0)
        return image_place_fault(error, errno, place->path, "cannot make its directory durable");
    return TRUE;
}
