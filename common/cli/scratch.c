/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the locks that tell who is still there. */
#include "common/cli/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX   "migprep-run-"
#define ATTEMPTS 3 /* somebody who sweeps may take a new one for left over, before it is locked */

struct Scratch {
    char *path;
    int fd; /* has the lock */
};

static int
open_directory(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Whether @fd is what @path leads to, and this user's. */
static gboolean
is_ours(int fd, const char *path)
{
    struct stat here, there;

    return fstat(fd, &here) == 0 && lstat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino && here.st_uid == geteuid();
}

/* With its lock: nobody is in it any more. */
static void
remove_directory(int fd, const char *path)
{
    g_autoptr(GDir) listing = g_dir_open(path, 0, NULL);
    const char *name;

    while (listing && (name = g_dir_read_name(listing)))
        (void)unlinkat(fd, name, 0);
    if (g_rmdir(path) < 0)
        g_debug("%s stays: %s", path, g_strerror(errno));
}

static void
sweep_one(const char *path)
{
    int fd = open_directory(path);

    if (fd < 0)
        return;
    if (is_ours(fd, path) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        remove_directory(fd, path);
    close(fd);
}

static void
sweep(const char *parent)
{
    g_autoptr(GDir) listing = g_dir_open(parent, 0, NULL);
    const char *name;

    while (listing && (name = g_dir_read_name(listing))) {
        g_autofree char *path = g_build_filename(parent, name, NULL);

        if (g_str_has_prefix(name, PREFIX))
            sweep_one(path);
    }
}

/* FALSE if it was taken for left over meanwhile, or cannot be locked. */
static gboolean
claim(Scratch *scratch)
{
    scratch->fd = open_directory(scratch->path);
    if (scratch->fd >= 0 && flock(scratch->fd, LOCK_EX | LOCK_NB) == 0 &&
        is_ours(scratch->fd, scratch->path))
        return TRUE;
    if (scratch->fd >= 0)
        close(scratch->fd);
    (void)g_rmdir(scratch->path);
    return FALSE;
}

Scratch *
scratch_new(const char *parent)
{
    const char *place = parent ? parent : g_get_tmp_dir();
    g_autofree Scratch *scratch = g_new0(Scratch, 1);

    sweep(place);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        scratch->path = g_build_filename(place, PREFIX "XXXXXX", NULL);
        if (g_mkdtemp(scratch->path) && claim(scratch))
            return g_steal_pointer(&scratch);
        g_clear_pointer(&scratch->path, g_free);
    }
    return NULL;
}

void
scratch_free(Scratch *scratch)
{
    if (!scratch)
        return;
    remove_directory(scratch->fd, scratch->path);
    close(scratch->fd);
    g_free(scratch->path);
    g_free(scratch);
}

const char *
scratch_path(const Scratch *scratch)
{
    return scratch->path;
}
