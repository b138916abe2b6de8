/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what the kernel's bonding driver says of a bond in /proc/net/bonding (kernel documentation:
 * networking/bonding.rst, "Bonding Proc Info"). The text comes from a guest: bounded and checked.
 */
#pragma once

#include "netprep/guest_report.h"

/*
 * The bond @name as @text shows it; *ret_ports_up: the names of its ports whose link it sees, to be
 * freed with g_strfreev(). NULL if @text is none, or names ports that cannot be. Pure.
 */
GuestBond *bonding_text_parse(const char *name, const char *text, char ***ret_ports_up);
