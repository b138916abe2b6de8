/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What matters here of libvirt's /etc/libvirt/qemu.conf: who QEMU runs as, and which local
 * directories libvirt takes for shared,
 * on which ports guests come in. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* libvirt's migration_port_min and _max. */
#define QEMU_CONF_FIRST_PORT 49152
#define QEMU_CONF_LAST_PORT  49215

#define QEMU_CONF_PATH "/etc/libvirt/qemu.conf"

typedef struct {
    char *user;                    /* NULL: libvirt's default */
    char *group;                   /* likewise */
    char **shared_filesystems;     /* NULL-terminated */
    gboolean owner_kept;           /* dynamic_ownership = 0: libvirt changes no image's owner */
    guint16 first_port, last_port; /* for memory and disks that come in */
} QemuConf;

void qemu_conf_clear(QemuConf *conf);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(QemuConf, qemu_conf_clear)

/* Reads @path; what is not there or not understood is as by default. Never fails. */
void qemu_conf_read(const char *path, QemuConf *ret_conf);

/* The ids that QEMU runs as: as configured, else those of libvirt-qemu (Debian) or qemu (others).
 * FAULT_SHARE_REFUSED if this host knows no such user or group. */
gboolean qemu_conf_ids(const QemuConf *conf, uid_t *ret_uid, gid_t *ret_gid, GError **error);

/* Whether @path lies below one of the directories that libvirt is told to take for shared. */
gboolean qemu_conf_is_shared(const QemuConf *conf, const char *path);
