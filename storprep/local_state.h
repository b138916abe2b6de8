/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What else of a guest lies on its host, besides its disks, and what becomes of it when it moves.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

/*
 * Array of LocalState records of io.migprep.Storage for a domain's @xml: NVRAM, TPM state, kernel
 * and its like, and media in drives, such as a cloud-init ISO. NVRAM and an emulated TPM's state
 * are part of what QEMU migrates (pflash is memory; docs/specs/tpm.rst), so they only matter when
 * the guest does not run. New reference; NULL: FAULT_HYPERVISOR_FAILED, FAULT_LIMIT_EXCEEDED.
 */
json_t *local_state_list(const char *xml, GError **error);
