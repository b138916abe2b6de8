/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members that several requests have, checked alike. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* The string member @name of @object, 1-LIMIT_NAME_BYTES long; owned. FAULT_INVALID_ARGUMENT. */
char *request_unpack_name(json_t *object, const char *name, GError **error);
/* The member timeoutSeconds of a lease. FAULT_INVALID_ARGUMENT. */
gboolean request_unpack_timeout(json_t *parameters, unsigned *ret_seconds, GError **error);
/* The member generation of a call on a lease. FAULT_INVALID_ARGUMENT for what no lease ever had. */
gboolean request_unpack_generation(json_t *parameters, guint64 *ret_generation, GError **error);
