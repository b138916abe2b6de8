/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns handing a new image over to QEMU's user. */
#include "storprep/image_owner.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/fault.h"

#define LABEL_ATTRIBUTE "security.selinux"
#define LABEL           "system_u:object_r:virt_image_t:s0"

void
image_owner_read(const QemuConf *conf, const char *root, ImageOwner *ret_owner)
{
    g_autofree char *selinux = g_strconcat(root, "/sys/fs/selinux/enforce", NULL);
    ImageOwner owner = { 0 };

    owner.known = geteuid() == 0 && qemu_conf_ids(conf, &owner.uid, &owner.gid, NULL);
    owner.label = access(selinux, F_OK) == 0 ? LABEL : NULL;
    *ret_owner = owner;
}

static gboolean
refuse(const ImagePlace *place, const char *action, GError **error)
{
    g_autofree char *object = g_strdup_printf("target '%s'", place->path);

    fault_set(error, FAULT_TARGET_REFUSED, object,
              "where its directory is on NFS, export that with no_root_squash, or with all_squash "
              "to QEMU's user",
              "cannot %s: %s", action, g_strerror(errno));
    return FALSE;
}

static gboolean
give_label(const ImageOwner *owner, const ImagePlace *place, int fd, GError **error)
{
    if (!owner->label ||
        fsetxattr(fd, LABEL_ATTRIBUTE, owner->label, strlen(owner->label) + 1, 0) == 0)
        return TRUE;
    /* There the mount has the label, for all its files. */
    return errno == ENOTSUP || refuse(place, "label it for SELinux", error);
}

gboolean
image_owner_give(const ImageOwner *owner, const ImagePlace *place, int fd, GError **error)
{
    struct stat status;

    if (!give_label(owner, place, fd, error))
        return FALSE;
    if (!owner->known ||
        (fstat(fd, &status) == 0 && status.st_uid == owner->uid && status.st_gid == owner->gid))
        return TRUE;
    return fchown(fd, owner->uid, owner->gid) == 0 ||
           refuse(place, "give it to QEMU's user", error);
}
