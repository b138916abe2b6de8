/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a host is being emptied, so that no guest should come to it. */
#pragma once

#include <glib.h>

/* There while the host is in maintenance; its first line says why. Gone after a restart of the
 * host, as everything below /run. */
#define MAINTENANCE_PATH "/run/migprep/maintenance"

/* NULL if the host takes guests, else the reason, which may be "". @root is "" or, for tests, a
 * directory that stands for "/". Owned by the caller. */
char *maintenance_reason(const char *root);
