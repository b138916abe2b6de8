/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory of this host exported to named hosts by its NFS server. */
#pragma once

#include "storprep/qemu_conf.h"
#include "storprep/share_request.h"

/*
 * For the parameters of io.migprep.Storage.Export, which passed the interface's check: one asset
 * for each host, about HOST:DIRECTORY with links resolved. FAULT_INVALID_ARGUMENT,
 * FAULT_LIMIT_EXCEEDED, FAULT_TARGET_REFUSED (the directory), FAULT_SHARE_REFUSED (a host, the file
 * system, or @conf names no user). Blocks on the name service.
 */
ShareRequest *export_request_new(json_t *parameters, const ShareHost *host, const QemuConf *conf,
                                 GError **error);

/* The directory as clients mount it. Borrowed from @lease. */
const char *export_path(const Lease *lease);
