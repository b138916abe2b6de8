/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what daemons answer, which may lack what an older or newer one does not say. */
#pragma once

#include <jansson.h>

/* The string at @key, "" if there is none. Borrowed. */
const char *reply_text(const json_t *object, const char *key);
