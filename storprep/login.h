/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether this host's libvirt can log in on another host as qemu+ssh:// does: root, without being
 * asked anything. */
#pragma once

#include <glib.h>

#define LOGIN_SECONDS 4 /* within CHECK_TIMEOUT_MSEC */

/* Logs in by ssh, and out again; leaves nothing here, and there what sshd logs. @host passed
 * host_name_check(). FAULT_PEER_UNREACHABLE if ssh did not get there, FAULT_PROGRAM_FAILED if it
 * was not let in, with what it said. Blocks for LOGIN_SECONDS at most. */
gboolean login_try(const char *host, GError **error);
