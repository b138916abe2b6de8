/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the facts about one image by which another host recognises it. */
#include "storprep/identity_deed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "storprep/file_system.h"
#include "storprep/image_place.h"

#define DIGEST_BYTES 4096

static json_t *
absent(const char *reason)
{
    return json_pack("{s:b, s:s}", "found", FALSE, "reason", reason);
}

/* Of the first bytes, which hold the header or the partition table and hardly ever change. */
static char *
digest_head(int fd)
{
    guint8 head[DIGEST_BYTES];
    ssize_t length = pread(fd, head, sizeof head, 0);

    if (length < 0)
        return g_strdup("");
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, head, (gsize)length);
}

static const char *
file_system_name(int fd)
{
    struct statfs system;
    const char *name = NULL;

    if (fstatfs(fd, &system) == 0)
        name = file_system_shared_name((guint64)system.f_type & G_MAXUINT32);
    return name ? name : "local";
}

json_t *
identity_deed(const char *root, const char *path)
{
    const char *directories[] = { root, NULL };
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;
    g_autoptr(GError) error = NULL;
    g_autofree char *digest = NULL;
    struct stat status;

    if (!image_place_open(path, directories, &place, &error))
        return absent(error->message);
    fd = openat(place.directory_fd, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return absent(g_strerror(errno));
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return absent("it is not a regular file");
    digest = digest_head(fd);
    return json_pack("{s:b, s:I, s:I, s:I, s:s, s:s}", "found", TRUE, "inode",
                     (json_int_t)status.st_ino, "sizeBytes", (json_int_t)status.st_size,
                     "modifiedNanoseconds",
                     (json_int_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                     "headDigest", digest, "fileSystem", file_system_name(fd));
}
