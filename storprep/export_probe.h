/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The trial of another host's export, without mounting it. */
#pragma once

#include "storprep/qemu_conf.h"
#include <jansson.h>

/*
 * For the parameters of io.migprep.Storage.ProbeExport, which passed the interface's check: the
 * reply. FAULT_SHARE_REFUSED (the server's name, or @conf names no user), FAULT_INVALID_ARGUMENT,
 * FAULT_TIMED_OUT (then the probe file, which the error names, may be left on the server),
 * FAULT_PROGRAM_FAILED. Blocks at most 20 seconds. New reference.
 */
json_t *export_probe_run(json_t *parameters, const QemuConf *conf, GError **error);
