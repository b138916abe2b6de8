/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A definition that a caller gives for the guest on the destination. */
#pragma once

#include "common/hypervisor.h"

/* Pure. FAULT_INVALID_ARGUMENT naming @member unless @xml is a domain with the name and UUID of
 * @guest: another one would be another guest. What may differ besides, libvirt compares itself,
 * before it touches anything (virDomainDefCheckABIStability()). */
gboolean destination_xml_check(const char *member, const char *xml, const Guest *guest,
                               GError **error);
