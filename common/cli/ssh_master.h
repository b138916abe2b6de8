/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ssh that keeps a connection open in the background (ControlMaster). */
#pragma once

#include <glib.h>

/* Ends the one that listens on @socket, if there is any: what `ssh -O exit` does, without starting
 * a program for it. Waits for its end, at most SSH_MASTER_END_MSEC. */
void ssh_master_end(const char *socket);

#define SSH_MASTER_END_MSEC 2000

/* Whether one listens on @socket. */
gboolean ssh_master_listens(const char *socket);
