/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host is besides its libvirt: its name, system, security and clock. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* All read from files below @root ("" or, for tests, what stands for "/"). Owned by the caller. */
char *host_state_system(const char *root); /* "rhel 8.6" by os-release(5); NULL: it does not tell */
char *host_state_selinux(const char *root); /* enforcing | permissive | off */

/* What is below the system: "BIOS 1.16, microcode 0x2f", a dash for what is not told; NULL: neither
 * is. */
char *host_state_firmware(const char *root);

/* The members of Facts that tell the other host about this one. @cluster may be NULL. New
 * reference.
 */
json_t *host_state_facts(const char *root, const char *host_name, const char *cluster);
/* Milliseconds since 1970 by this host's clock. */
gint64 host_state_clock_msec(void);
