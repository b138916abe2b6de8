/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the type of a file system tells. */
#pragma once

#include <glib.h>

/* Pure: "NFS" and the like if files on a file system with this statfs(2) f_type are seen by several
 * hosts, else NULL. Static. libvirt's virFileIsSharedFSType() has the same list. */
const char *file_system_shared_name(guint64 type);
