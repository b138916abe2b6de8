/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the reading of optional members. */
#include "common/cli/reply.h"

const char *
reply_text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}
