/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the checks of members that requests have in common. */
#include "storprep/request_field.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"

char *
request_unpack_name(json_t *object, const char *name, GError **error)
{
    const char *value = json_string_value(json_object_get(object, name));

    if (*value && strlen(value) <= LIMIT_NAME_BYTES)
        return g_strdup(value);
    fault_set(error, FAULT_INVALID_ARGUMENT, name, "give a short name",
              "it is empty or longer than %d bytes", LIMIT_NAME_BYTES);
    return NULL;
}

gboolean
request_unpack_timeout(json_t *parameters, unsigned *ret_seconds, GError **error)
{
    json_int_t seconds = json_integer_value(json_object_get(parameters, "timeoutSeconds"));

    if (seconds < LIMIT_LEASE_SECONDS_MIN || seconds > LIMIT_LEASE_SECONDS_MAX) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "timeoutSeconds",
                  "60 seconds, renewed every 20, do well", "it is not within %d-%d seconds",
                  LIMIT_LEASE_SECONDS_MIN, LIMIT_LEASE_SECONDS_MAX);
        return FALSE;
    }
    *ret_seconds = (unsigned)seconds;
    return TRUE;
}

gboolean
request_unpack_generation(json_t *parameters, guint64 *ret_generation, GError **error)
{
    json_int_t value = json_integer_value(json_object_get(parameters, "generation"));

    if (value < 1) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "generation",
                  "give the generation that came with the lease", "it is not above zero");
        return FALSE;
    }
    *ret_generation = (guint64)value;
    return TRUE;
}
