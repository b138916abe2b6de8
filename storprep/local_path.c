/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the list of file systems that always answer. */
#include "storprep/local_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "storprep/image_place.h"
#include "storprep/network_path.h"

/* Those that images lie on. Whatever is not here, FUSE and automounters too, may wait for others.
 */
static gboolean
always_answers(const char *type)
{
    static const char *const types[] = { "ext2", "ext3", "ext4",  "xfs",     "btrfs",
                                         "f2fs", "zfs",  "tmpfs", "overlay", NULL };

    return type && g_strv_contains(types, type);
}

/* A link might lead elsewhere; without one the path is what the mount table was asked for. */
static gboolean
has_no_link(const char *directory)
{
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_NO_SYMLINKS,
    };
    g_auto(FileDescriptor) fd = (int)syscall(SYS_openat2, AT_FDCWD, directory, &how, sizeof how);

    return fd >= 0;
}

gboolean
local_path_is(const char *directory, const char *mount_info)
{
    g_autofree char *type = network_path_type(directory, mount_info);

    return always_answers(type) && has_no_link(directory);
}
