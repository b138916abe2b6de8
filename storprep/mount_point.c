/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns mount points: made under a name of their own first, so that a crash leaves nothing that
 * could be taken for somebody else's. */
#include "storprep/mount_point.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"

#define MODE 0711

char *
mount_point_part_new(void)
{
    g_autofree char *unique = g_uuid_string_random();

    return g_strdup_printf(".migprep-%s", unique);
}

static gboolean
refuse(GError **error, FaultCode code, const char *path, const char *remedy, const char *cause)
{
    g_autofree char *object = g_strdup_printf("mount point '%s'", path);

    fault_set(error, code, object, remedy, "%s", cause);
    return FALSE;
}

/* @fd is taken over. */
static gboolean
is_empty(int fd)
{
    DIR *dir = fdopendir(fd);
    gboolean empty = TRUE;
    const struct dirent *entry;

    if (!dir) {
        close(fd);
        return FALSE;
    }
    while (empty && (entry = readdir(dir)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(dir);
    return empty;
}

/* Whether there is anything called so; its parent must be there. */
static gboolean
check_exists(const char *path, const char *const *directories, gboolean *ret_exists, GError **error)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;
    struct stat status;

    if (image_place_open_directory(path, directories, &fd, NULL)) {
        *ret_exists = TRUE;
        return TRUE;
    }
    if (!image_place_open(path, directories, &place, error))
        return FALSE;
    if (fstatat(place.directory_fd, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return refuse(error, FAULT_TARGET_REFUSED, path, "name a directory, or a free name",
                      "it is not a directory");
    *ret_exists = FALSE;
    return TRUE;
}

gboolean
mount_point_check(const char *path, const char *const *directories, gboolean hide,
                  gboolean *ret_exists, GError **error)
{
    FileDescriptor fd = -1;
    gboolean exists;

    if (!check_exists(path, directories, &exists, error))
        return FALSE;
    if (exists && !hide) {
        if (!image_place_open_directory(path, directories, &fd, error))
            return FALSE;
        if (!is_empty(fd))
            return refuse(error, FAULT_SHARE_REFUSED, path,
                          "move its content away, or ask with hideContent if nothing needs it",
                          "it is not empty, and the mount would hide what it holds");
    }
    *ret_exists = exists;
    return TRUE;
}

gboolean
mount_point_make(const char *path, const char *const *directories, const char *part,
                 FileIdentity *ret_identity, GError **error)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;

    if (!image_place_open(path, directories, &place, error))
        return FALSE;
    /* That name nobody else can have chosen: it is there since a try that was interrupted. */
    if (mkdirat(place.directory_fd, part, MODE) < 0 && errno != EEXIST)
        return image_place_fault(error, errno, path, "cannot create its directory");
    fd = openat(place.directory_fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, MODE) < 0)
        return image_place_fault(error, errno, path, "cannot open its directory");
    return file_identity_read(fd, path, ret_identity, error);
}

gboolean
mount_point_publish(const char *path, const char *const *directories, const char *part,
                    GError **error)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };

    if (!image_place_open(path, directories, &place, error))
        return FALSE;
    if (renameat2(place.directory_fd, part, place.directory_fd, place.name, RENAME_NOREPLACE) < 0)
        return image_place_fault(error, errno, path, "cannot name its directory");
    return TRUE;
}

/* rmdir() itself refuses what is not empty or mounted on. */
static gboolean
remove_directory(const ImagePlace *place, const char *name, GError **error)
{
    if (unlinkat(place->directory_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
        errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        return TRUE;
    return image_place_fault(error, errno, place->path, "cannot remove its directory");
}

static gboolean
is_ours(const ImagePlace *place, const FileIdentity *identity)
{
    g_auto(FileDescriptor) fd =
        openat(place->directory_fd, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    FileIdentity found;

    return fd >= 0 && file_identity_read(fd, place->path, &found, NULL) &&
           file_identity_equal(identity, &found);
}

gboolean
mount_point_remove(const char *path, const char *const *directories, const char *part,
                   const FileIdentity *identity, GError **error)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };

    if (!image_place_open(path, directories, &place, error) ||
        !remove_directory(&place, part, error))
        return FALSE;
    if (identity && is_ours(&place, identity))
        return remove_directory(&place, place.name, error);
    return TRUE;
}
