/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns reading a whole image for its digest. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storprep/image_place.h"
#include "storprep/nfs/verbs.h"

#define CHUNK_BYTES (1 << 20)
#define TELL_BYTES  (64 << 20) /* a fast disk's twentieth of a second */

static void
tell(json_int_t done, json_int_t size)
{
    (void)verb_reply(json_pack("{s:I, s:I}", "doneBytes", done, "sizeBytes", size));
}

/* NULL with errno if the file cannot be read. */
static char *
digest_file(int fd, json_int_t size, json_int_t *ret_bytes)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree guint8 *chunk = g_malloc(CHUNK_BYTES);
    json_int_t bytes = 0;
    ssize_t got;

    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    tell(0, size);
    while ((got = read(fd, chunk, CHUNK_BYTES)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return NULL;
        g_checksum_update(checksum, chunk, got);
        if (bytes / TELL_BYTES != (bytes + got) / TELL_BYTES)
            tell(bytes + got, size);
        bytes += got;
    }
    *ret_bytes = bytes;
    return g_strdup(g_checksum_get_string(checksum));
}

int
verb_digest(char **arguments)
{
    const char *directories[] = { arguments[0], NULL };
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;
    g_autoptr(GError) error = NULL;
    g_autofree char *digest = NULL;
    json_int_t bytes = 0;
    struct stat status;

    if (!image_place_open(arguments[1], directories, &place, &error))
        return verb_fail("%s", error->message);
    fd = openat(place.directory_fd, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return verb_fail("cannot open '%s': %s", arguments[1], g_strerror(errno));
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return verb_fail("'%s' is not a regular file", arguments[1]);
    digest = digest_file(fd, status.st_size, &bytes);
    if (!digest)
        return verb_fail("cannot read '%s': %s", arguments[1], g_strerror(errno));
    return verb_reply(json_pack("{s:I, s:s}", "sizeBytes", bytes, "digest", digest));
}
