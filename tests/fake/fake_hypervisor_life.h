/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of a hypervisor in memory that stops and starts guests. */
#pragma once

#include "common/hypervisor.h"

/* For fake_hypervisor.c. A guest that is asked to shut down goes at once, unless its XML holds the
 * word "stubborn". */
gboolean fake_life_save(void *self, const char *uuid, GError **error);
gboolean fake_life_shut_down(void *self, const char *uuid, GError **error);
gboolean fake_life_start(void *self, const char *uuid, GError **error);
