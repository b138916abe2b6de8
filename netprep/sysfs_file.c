/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads sysfs. Inventories of a thousand devices go through here, so nothing is allocated and no
 * path is put together beyond what the kernel has to look up anyway. */
#include "netprep/sysfs_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* EINVAL: an attribute that a device has but that means nothing now, like the carrier of one that
 * is down. */
gboolean
sysfs_is_absent(int status)
{
    return status == -ENOENT || status == -ENODEV || status == -ENXIO || status == -ENOTDIR ||
           status == -EINVAL || status == -EOPNOTSUPP;
}

int
sysfs_open(int directory, const char *path)
{
    int fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int
sysfs_read_text(int directory, const char *path, char ret_text[SYSFS_TEXT_BYTES])
{
    char text[SYSFS_TEXT_BYTES];
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    int status = length < 0 ? -errno : 0;
    close(fd);
    if (status < 0)
        return status;
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    g_strlcpy(ret_text, g_strstrip(text), SYSFS_TEXT_BYTES);
    return 0;
}

int
sysfs_read_number(int directory, const char *path, gint64 *ret_number)
{
    char text[SYSFS_TEXT_BYTES], *end = NULL;
    int status = sysfs_read_text(directory, path, text);

    if (status < 0)
        return status;
    gint64 number = g_ascii_strtoll(text, &end, 0);
    if (end == text)
        return -EINVAL;
    *ret_number = number;
    return 0;
}

int
sysfs_read_link(int directory, const char *path, char ret_name[SYSFS_TEXT_BYTES])
{
    char target[4096];
    ssize_t length = readlinkat(directory, path, target, sizeof(target) - 1);

    if (length < 0)
        return -errno;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    return g_strlcpy(ret_name, slash ? slash + 1 : target, SYSFS_TEXT_BYTES) < SYSFS_TEXT_BYTES
               ? 0
               : -ENAMETOOLONG;
}

int
sysfs_each(int directory, const char *path, SysfsVisit visit, void *data)
{
    int fd = sysfs_open(directory, path);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry = NULL;
    int status = 0;

    if (fd < 0)
        return fd;
    if (!listing) {
        status = -errno;
        close(fd);
        return status;
    }
    while (status == 0 && (errno = 0, entry = readdir(listing))) {
        if (entry->d_name[0] != '.')
            status = visit(dirfd(listing), entry->d_name, data);
    }
    if (status == 0 && !entry)
        status = -errno;
    closedir(listing);
    return status;
}
