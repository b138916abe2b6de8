/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cutting, decoding and encoding Varlink messages. */
#include "common/varlink_message.h"

#include <string.h>

#include "common/limits.h"

void
varlink_reader_append(VarlinkReader *reader, const void *bytes, gsize length)
{
    if (!reader->bytes)
        reader->bytes = g_byte_array_new();
    g_byte_array_append(reader->bytes, bytes, (guint)length);
}

/* Where the first NUL is; TRUE if there is one. */
static gboolean
find_end(VarlinkReader *reader, gsize *ret_length)
{
    if (!reader->bytes || reader->scanned == reader->bytes->len)
        return FALSE;
    const guint8 *end =
        memchr(reader->bytes->data + reader->scanned, 0, reader->bytes->len - reader->scanned);
    reader->scanned = end ? (guint)(end - reader->bytes->data) : reader->bytes->len;
    *ret_length = reader->scanned;
    return end != NULL;
}

gboolean
varlink_reader_overflown(VarlinkReader *reader)
{
    gsize length;

    if (!find_end(reader, &length))
        length = reader->bytes ? reader->bytes->len : 0;
    return length > LIMIT_MESSAGE_BYTES;
}

char *
varlink_reader_take(VarlinkReader *reader, gsize *ret_length)
{
    gsize length;

    if (!find_end(reader, &length))
        return NULL;
    char *message = g_malloc(length + 1);
    memcpy(message, reader->bytes->data, length + 1);
    g_byte_array_remove_range(reader->bytes, 0, (guint)length + 1);
    reader->scanned = 0;
    *ret_length = length;
    return message;
}

void
varlink_reader_clear(VarlinkReader *reader)
{
    g_clear_pointer(&reader->bytes, g_byte_array_unref);
    reader->scanned = 0;
}

void
varlink_request_clear(VarlinkRequest *request)
{
    g_clear_pointer(&request->interface, g_free);
    g_clear_pointer(&request->method, g_free);
    g_clear_pointer(&request->parameters, json_decref);
}

static gboolean
depth_is_bounded(const char *text, gsize length)
{
    gboolean quoted = FALSE;
    unsigned depth = 0;

    for (gsize i = 0; i < length; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '{' || text[i] == '['))
            depth++;
        else if (!quoted && (text[i] == '}' || text[i] == ']') && depth > 0)
            depth--;
        if (depth > LIMIT_JSON_DEPTH)
            return FALSE;
    }
    return TRUE;
}

static gboolean
unpack(json_t *message, VarlinkRequest *ret_request)
{
    const char *name;
    json_t *parameters = NULL;
    int more = FALSE, oneway = FALSE;

    if (json_unpack(message, "{s:s, s?o, s?b, s?b !}", "method", &name, "parameters", &parameters,
                    "more", &more, "oneway", &oneway) < 0)
        return FALSE;
    const char *dot = strrchr(name, '.');
    gboolean absent = !parameters || json_typeof(parameters) == JSON_NULL;
    if (!dot || (more && oneway) || (!absent && json_typeof(parameters) != JSON_OBJECT))
        return FALSE;
    ret_request->interface = g_strndup(name, (gsize)(dot - name));
    ret_request->method = g_strdup(dot + 1);
    ret_request->parameters = absent ? json_object() : json_incref(parameters);
    ret_request->more = more;
    ret_request->oneway = oneway;
    return TRUE;
}

gboolean
varlink_request_decode(const char *text, gsize length, VarlinkRequest *ret_request)
{
    if (!depth_is_bounded(text, length))
        return FALSE;
    json_auto_t *message = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    return message && unpack(message, ret_request);
}

char *
varlink_reply_encode(const char *error, const json_t *parameters, gboolean continues)
{
    json_auto_t *message = json_object();

    if (error)
        json_object_set_new(message, "error", json_string(error));
    if (parameters)
        json_object_set(message, "parameters", (json_t *)parameters);
    else
        json_object_set_new(message, "parameters", json_object());
    if (continues)
        json_object_set_new(message, "continues", json_true());
    return json_dumps(message, JSON_COMPACT);
}
