/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the calls that place, find and drop probe files. */
#include "storprep/probe_deed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storprep/image_place.h"

#define NONCE_BYTES_MAX 255

static gboolean
open_directory(const Probe *probe, FileDescriptor *ret_fd, GError **error)
{
    const char *directories[] = { probe->root, NULL };

    return image_place_open_directory(probe->directory, directories, ret_fd, error);
}

/* The file at hand, checked for its content; NULL if it is the one that is meant, else why not. */
static const char *
find_mistake(int directory_fd, const Probe *probe)
{
    g_auto(FileDescriptor) fd =
        openat(directory_fd, probe->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char content[NONCE_BYTES_MAX + 1] = "";
    struct stat status;

    if (fd < 0)
        return errno == ENOENT ? "it is not there" : g_strerror(errno);
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return "it is not a regular file";
    if (read(fd, content, NONCE_BYTES_MAX) < 0)
        return g_strerror(errno);
    return strcmp(content, probe->nonce) == 0 ? NULL : "it holds something else";
}

/* A probe need not outlive a power cut; closing an NFS client's file has its server see it. */
static gboolean
write_file(int directory_fd, const Probe *probe)
{
    int fd = openat(directory_fd, probe->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0644);
    ssize_t length = (ssize_t)strlen(probe->nonce);
    gboolean written = fd >= 0 && write(fd, probe->nonce, (size_t)length) == length;

    return fd >= 0 && close(fd) == 0 && written;
}

json_t *
probe_deed_place(const Probe *probe, GError **error)
{
    g_auto(FileDescriptor) directory_fd = -1;

    if (!open_directory(probe, &directory_fd, error))
        return NULL;
    if (write_file(directory_fd, probe))
        return json_object();
    image_place_fault(error, errno, probe->directory, "cannot place a probe file in it");
    return NULL;
}

json_t *
probe_deed_find(const Probe *probe, GError **error)
{
    g_auto(FileDescriptor) directory_fd = -1;
    g_autoptr(GError) failure = NULL;
    const char *mistake;

    if (!open_directory(probe, &directory_fd, &failure))
        return json_pack("{s:b, s:s}", "found", FALSE, "reason", failure->message);
    mistake = find_mistake(directory_fd, probe);
    return mistake ? json_pack("{s:b, s:s}", "found", FALSE, "reason", mistake)
                   : json_pack("{s:b}", "found", TRUE);
}

/* A file that was cut short by a crash while being placed is ours by its name, which is random. */
json_t *
probe_deed_drop(const Probe *probe, GError **error)
{
    g_auto(FileDescriptor) directory_fd = -1;

    if (!open_directory(probe, &directory_fd, error))
        return NULL;
    if (unlinkat(directory_fd, probe->name, 0) == 0 || errno == ENOENT)
        return json_object();
    image_place_fault(error, errno, probe->directory, "cannot remove the probe file from it");
    return NULL;
}
