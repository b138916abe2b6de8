/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/guest_file.h"

#include <string.h>

#include "common/fault.h"
#include "common/guest_agent.h"

typedef struct {
    Hypervisor *hypervisor;
    const char *uuid;
    const char *path;
    unsigned timeout_seconds;
    json_int_t handle;
} GuestFile;

static void
set_malformed(const GuestFile *file, GError **error)
{
    g_autofree char *object = g_strdup_printf("file %s in guest %s", file->path, file->uuid);

    fault_set(error, FAULT_AGENT_FAILED, object, "update qemu-guest-agent in the guest",
              "the agent's answer about it is malformed");
}

static json_t *
call(const GuestFile *file, const char *name, json_t *arguments, GError **error)
{
    return guest_agent_call(file->hypervisor, file->uuid, name, arguments, file->timeout_seconds,
                            error);
}

static gboolean
open_file(GuestFile *file, const char *mode, GError **error)
{
    json_auto_t *reply = call(file, "guest-file-open",
                              json_pack("{s:s, s:s}", "path", file->path, "mode", mode), error);

    if (!reply)
        return FALSE;
    if (!json_is_integer(reply)) {
        set_malformed(file, error);
        return FALSE;
    }
    file->handle = json_integer_value(reply);
    return TRUE;
}

static gboolean
close_file(const GuestFile *file, GError **error)
{
    json_auto_t *reply =
        call(file, "guest-file-close", json_pack("{s:I}", "handle", file->handle), error);

    return reply != NULL;
}

static char *
read_text(const GuestFile *file, GError **error)
{
    json_auto_t *reply =
        call(file, "guest-file-read",
             json_pack("{s:I, s:i}", "handle", file->handle, "count", GUEST_FILE_BYTES), error);
    const char *data = json_string_value(json_object_get(reply, "buf-b64"));
    gsize length = 0;

    if (!reply)
        return NULL;
    if (!data) {
        set_malformed(file, error);
        return NULL;
    }
    g_autofree guchar *bytes = *data ? g_base64_decode(data, &length) : NULL;
    return g_strndup(bytes ? (const char *)bytes : "", MIN(length, GUEST_FILE_BYTES));
}

char *
guest_file_read(Hypervisor *hypervisor, const char *uuid, const char *path,
                unsigned timeout_seconds, GError **error)
{
    GuestFile file = { hypervisor, uuid, path, timeout_seconds, 0 };

    if (!open_file(&file, "r", error))
        return NULL;
    char *text = read_text(&file, error);
    (void)close_file(&file, NULL);
    return text;
}

static gboolean
write_text(const GuestFile *file, const char *text, GError **error)
{
    g_autofree char *data = g_base64_encode((const guchar *)text, strlen(text));
    json_auto_t *reply =
        call(file, "guest-file-write",
             json_pack("{s:I, s:s}", "handle", file->handle, "buf-b64", data), error);

    return reply != NULL;
}

gboolean
guest_file_write(Hypervisor *hypervisor, const char *uuid, const char *path, const char *text,
                 unsigned timeout_seconds, GError **error)
{
    GuestFile file = { hypervisor, uuid, path, timeout_seconds, 0 };

    if (!open_file(&file, "w", error))
        return FALSE;
    if (!write_text(&file, text, error)) {
        (void)close_file(&file, NULL);
        return FALSE;
    }
    return close_file(&file, error);
}
