/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files in which a guest's kernel describes its network devices and bonds, one access each. */
#pragma once

#include "netprep/bond.h"

typedef struct {
    const BondAccess *access;
    gint64 deadline_usec; /* g_get_monotonic_time(): nothing is begun after it */
} GuestLinkFiles;

/* With five times access->agent_seconds from now on. @access must outlive it. */
GuestLinkFiles guest_link_files(const BondAccess *access);

/* All of them block and fail like guest_file_read(), or with FAULT_TIMED_OUT after the deadline. */

/* Adds the guest's network devices, with MAC, driver and PCI path, to @report. */
gboolean guest_link_files_list_links(const GuestLinkFiles *files, GuestReport *report,
                                     GError **error);

/* Names of its bonds; none if it has no bonding driver. Owned by the caller. */
gboolean guest_link_files_list_bonds(const GuestLinkFiles *files, char ***ret_names,
                                     GError **error);
/* *ret_ports_up as in bonding_text_parse(). */
GuestBond *guest_link_files_read_bond(const GuestLinkFiles *files, const char *name,
                                      char ***ret_ports_up, GError **error);

/* Writes @value to an option in /sys/class/net/@bond/bonding; the kernel's refusal is an error. */
gboolean guest_link_files_set_option(const GuestLinkFiles *files, const char *bond,
                                     const char *option, const char *value, GError **error);
/* Writes /sys/class/net/@link/flags. */
gboolean guest_link_files_set_flags(const GuestLinkFiles *files, const char *link,
                                    const char *flags, GError **error);
