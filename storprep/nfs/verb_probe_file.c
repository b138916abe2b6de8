/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns placing, finding and dropping probe files in a directory that may be an NFS server's. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storprep/image_place.h"
#include "storprep/nfs/verbs.h"

#define NONCE_BYTES_MAX 255

/* What all three verbs take. */
typedef struct {
    const char *root, *directory, *name, *nonce;
} Probe;

static Probe
read_arguments(char **arguments)
{
    return (Probe) { arguments[0], arguments[1], arguments[2], arguments[3] };
}

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

static gboolean
write_file(int directory_fd, const Probe *probe)
{
    g_auto(FileDescriptor) fd = openat(directory_fd, probe->name,
                                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    ssize_t length = (ssize_t)strlen(probe->nonce);

    return fd >= 0 && write(fd, probe->nonce, (size_t)length) == length && fsync(fd) == 0 &&
           fsync(directory_fd) == 0;
}

int
verb_place(char **arguments)
{
    const Probe probe = read_arguments(arguments);
    g_auto(FileDescriptor) directory_fd = -1;
    g_autoptr(GError) error = NULL;

    if (!open_directory(&probe, &directory_fd, &error))
        return verb_fail("%s", error->message);
    if (!write_file(directory_fd, &probe))
        return verb_fail("cannot place a probe file in '%s': %s", probe.directory,
                         g_strerror(errno));
    return verb_reply(json_object());
}

int
verb_find(char **arguments)
{
    const Probe probe = read_arguments(arguments);
    g_auto(FileDescriptor) directory_fd = -1;
    g_autoptr(GError) error = NULL;
    const char *mistake;

    if (!open_directory(&probe, &directory_fd, &error))
        return verb_reply(json_pack("{s:b, s:s}", "found", FALSE, "reason", error->message));
    mistake = find_mistake(directory_fd, &probe);
    if (mistake)
        return verb_reply(json_pack("{s:b, s:s}", "found", FALSE, "reason", mistake));
    return verb_reply(json_pack("{s:b}", "found", TRUE));
}

/* A file that was cut short by a crash while being placed is ours by its name, which is random. */
int
verb_drop(char **arguments)
{
    const Probe probe = read_arguments(arguments);
    g_auto(FileDescriptor) directory_fd = -1;
    g_autoptr(GError) error = NULL;

    if (!open_directory(&probe, &directory_fd, &error))
        return verb_fail("%s", error->message);
    if (unlinkat(directory_fd, probe.name, 0) < 0 && errno != ENOENT)
        return verb_fail("cannot remove the probe file from '%s': %s", probe.directory,
                         g_strerror(errno));
    return verb_reply(json_object());
}
