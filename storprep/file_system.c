/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Alone in its file, so that storprep-nfs, which is started often, need not load what disks need.
 */
#include "storprep/file_system.h"

const char *
file_system_shared_name(guint64 type)
{
    static const struct {
        guint64 type;
        const char *name;
    } shared[] = {
        { 0x6969, "NFS" },        { 0x01161970, "GFS2" },   { 0x7461636f, "OCFS2" },
        { 0x00c36400, "CephFS" }, { 0xff534d42, "CIFS" },   { 0xfe534d42, "SMB2" },
        { 0x5346414f, "AFS" },    { 0x47504653, "GPFS" },   { 0x61636673, "ACFS" },
        { 0x19830326, "BeeGFS" }, { 0x0bd00bd0, "Lustre" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(shared); i++) {
        if (shared[i].type == type)
            return shared[i].name;
    }
    return NULL;
}
