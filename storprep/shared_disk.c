/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the case of the source that is the NFS server itself. */
#include "storprep/shared_disk.h"

#include <sys/vfs.h>

#include "common/fault.h"
#include "storprep/disk.h"
#include "storprep/network_path.h"

static gboolean
is_on_shared_file_system(const char *path)
{
    struct statfs system;

    return network_path_is(path, NULL) ||
           (statfs(path, &system) == 0 &&
            disk_shared_file_system((guint64)system.f_type & G_MAXUINT32));
}

gboolean
shared_disk_check(const QemuConf *conf, const char *target, const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *object = g_strdup_printf("disk '%s'", target);
    g_autofree char *remedy = NULL;

    if (is_on_shared_file_system(path) || qemu_conf_is_shared(conf, path))
        return TRUE;
    remedy = g_strdup_printf(
        "tell libvirt with: echo 'shared_filesystems = [ \"%s\" ]' >> " QEMU_CONF_PATH
        " && systemctl try-restart libvirtd virtqemud (needs libvirt 10.10 or later); or, with the "
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
