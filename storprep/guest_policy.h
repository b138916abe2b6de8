/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's own migration policy: <migprep:policy> in the metadata of its definition, which goes
 * with it from host to host. */
#pragma once

#include "common/hypervisor.h"
#include "common/policy.h"
#include "storprep/guest_place.h"

#define GUEST_POLICY_NAMESPACE "https://migprep.io/policy/1"

/* What @xml, a domain, says. Elements that are no keys are passed over. FAULT_INVALID_ARGUMENT
 * naming guest and key for a value that is none. Pure. */
gboolean guest_policy_read(const char *xml, PolicySettings *ret_settings, GError **error);
/* Where @xml, a domain, says that it may be. FAULT_INVALID_ARGUMENT likewise. Pure. */
gboolean guest_policy_read_place(const char *xml, GuestPlace *ret_place, GError **error);
/* The element for @xml's metadata with @name, of a policy or a place, as @value (NULL: taken out)
 * and whatever else it had; *ret_element (owned) is NULL if nothing is left. FAULT_INVALID_ARGUMENT
 * if there is no such name or @value is none of its. Pure. */
gboolean guest_policy_change(const char *xml, const char *name, const char *value,
                             char **ret_element, GError **error);
/* Makes @guest's policy so, where it is running and where it is defined. FAULT_INVALID_ARGUMENT if
 * @value is none; those of libvirt. Blocks. */
gboolean guest_policy_set(Hypervisor *hypervisor, const Guest *guest, const char *name,
                          const char *value, GError **error);
