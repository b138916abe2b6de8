/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the facts about one image by which another host recognises it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "storprep/file_system.h"
#include "storprep/image_place.h"
#include "storprep/nfs/verbs.h"

#define DIGEST_BYTES 4096

static int
reply_absent(const char *reason)
{
    return verb_reply(json_pack("{s:b, s:s}", "found", FALSE, "reason", reason));
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

int
verb_identify(char **arguments)
{
    const char *directories[] = { arguments[0], NULL };
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;
    g_autoptr(GError) error = NULL;
    g_autofree char *digest = NULL;
    struct stat status;

    if (!image_place_open(arguments[1], directories, &place, &error))
        return reply_absent(error->message);
    fd = openat(place.directory_fd, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return reply_absent(g_strerror(errno));
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return reply_absent("it is not a regular file");
    digest = digest_head(fd);
    return verb_reply(json_pack(
        "{s:b, s:I, s:I, s:I, s:s, s:s}", "found", TRUE, "inode", (json_int_t)status.st_ino,
        "sizeBytes", (json_int_t)status.st_size, "modifiedNanoseconds",
        (json_int_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec, "headDigest",
        digest, "fileSystem", file_system_name(fd)));
}
