/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the processors of several hosts have in common. */
#pragma once

#include "common/varlink_server.h"

#define BASELINE_HOSTS_MAX 64

/* BaselineProcessor of io.migprep.Storage; @context is the StorageService. FAULT_INVALID_ARGUMENT
 * for what is no <cpu> element, FAULT_LIMIT_EXCEEDED, FAULT_HYPERVISOR_FAILED. Blocks on libvirt.
 */
void processor_baseline_method(VarlinkCall *call, json_t *parameters, void *context);
