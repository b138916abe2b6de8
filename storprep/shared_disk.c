/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the case of the source that is the NFS server itself. */
#include "storprep/shared_disk.h"

#include <sys/vfs.h>

#include "common/fault.h"
#include "storprep/file_system.h"
#include "storprep/network_path.h"

static gboolean
is_on_shared_file_system(const char *path)
{
    struct statfs system;

    return network_path_is(path, NULL) ||
           (statfs(path, &system) == 0 &&
            file_system_shared_name((guint64)system.f_type & G_MAXUINT32));
}

SharedDiskSight
shared_disk_look(const QemuConf *conf, const Disk *disk)
{
    if (is_on_shared_file_system(disk->path) || qemu_conf_is_shared(conf, disk->path))
        return SHARED_DISK_SEEN;
    return conf->owner_kept || disk->owner_kept ? SHARED_DISK_UNSEEN : SHARED_DISK_LOST;
}

gboolean
shared_disk_check(const QemuConf *conf, const Disk *disk, SharedDiskSight *ret_sight,
                  GError **error)
{
    SharedDiskSight sight = shared_disk_look(conf, disk);
    g_autofree char *directory = g_path_get_dirname(disk->path);
    g_autofree char *object = g_strdup_printf("disk '%s'", disk->target);
    g_autofree char *remedy = NULL;

    if (sight != SHARED_DISK_LOST) {
        *ret_sight = sight;
        return TRUE;
    }
    remedy = g_strdup_printf(
        "tell libvirt with: echo 'shared_filesystems = [ \"%s\" ]' >> " QEMU_CONF_PATH
        " && systemctl try-restart libvirtd virtqemud (needs libvirt 10.10 or later); or keep it "
        "from changing owners: dynamic_ownership = 0 there, or <seclabel model='dac' "
        "relabel='no'/> in the disk's <source>, with the image owned by QEMU's user; or, with the "
        "guest off, move the images to another directory, export that one, and mount it at '%s' on "
        "both hosts, this one included",
        directory, directory);
    fault_set(error, FAULT_DISK_UNSUPPORTED, object, remedy,
              "it is shared with the destination, but on this host, which is its server, '%s' "
              "looks local to libvirt: after the move libvirt would give the image back to root, "
              "and the guest could not write any more",
              directory);
    return FALSE;
}

gboolean
shared_disk_is_uncached(const Disk *disk)
{
    return g_strcmp0(disk->cache, "none") == 0 || g_strcmp0(disk->cache, "directsync") == 0;
}
