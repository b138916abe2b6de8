/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/guest_agent.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"

/* How often the end of a command is asked for: the agent has no event for it, and most of ours take
 * some milliseconds. It doubles. */
#define STATUS_INTERVAL_USEC     (10 * G_TIME_SPAN_MILLISECOND)
#define STATUS_INTERVAL_MAX_USEC (500 * G_TIME_SPAN_MILLISECOND)
/* One round trip; a command's own time is the caller's. */
#define ROUND_TRIP_SECONDS 10

void
guest_agent_result_clear(GuestAgentResult *result)
{
    g_clear_pointer(&result->output, g_free);
    g_clear_pointer(&result->error_text, g_free);
}

static void
set_malformed(const char *uuid, const char *what, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest agent of guest %s", uuid);
    fault_set(error, FAULT_AGENT_FAILED, object, "update qemu-guest-agent in the guest",
              "its answer to %s is malformed", what);
}

json_t *
guest_agent_call(Hypervisor *hypervisor, const char *uuid, const char *name, json_t *arguments,
                 unsigned timeout_seconds, GError **error)
{
    json_auto_t *command = json_pack("{s:s, s:o*}", "execute", name, "arguments", arguments);
    char *text = json_dumps(command, JSON_COMPACT);
    g_autofree char *reply =
        hypervisor_agent_command(hypervisor, uuid, text, timeout_seconds, error);
    free(text);
    if (!reply)
        return NULL;

    json_auto_t *root = NULL;
    if (strlen(reply) <= LIMIT_AGENT_REPLY_BYTES)
        root = json_loads(reply, JSON_REJECT_DUPLICATES, NULL);
    json_t *value = json_incref(json_object_get(root, "return"));
    if (!value)
        set_malformed(uuid, name, error);
    return value;
}

static gboolean
is_enabled(const json_t *commands, const char *name)
{
    for (gsize i = 0; i < json_array_size(commands); i++) {
        const json_t *command = json_array_get(commands, i);

        if (g_strcmp0(json_string_value(json_object_get(command, "name")), name) == 0)
            return json_is_true(json_object_get(command, "enabled"));
    }
    return FALSE;
}

gboolean
guest_agent_abilities(Hypervisor *hypervisor, const char *uuid, unsigned timeout_seconds,
                      GuestAbilities *ret_abilities, GError **error)
{
    static const struct {
        GuestAbilities ability;
        const char *commands[4];
    } abilities[] = {
        { GUEST_ABILITY_EXEC, { "guest-exec", "guest-exec-status" } },
        { GUEST_ABILITY_FILES,
          { "guest-file-open", "guest-file-read", "guest-file-write", "guest-file-close" } },
        { GUEST_ABILITY_INTERFACES, { "guest-network-get-interfaces" } },
    };
    json_auto_t *info =
        guest_agent_call(hypervisor, uuid, "guest-info", NULL, timeout_seconds, error);
    const json_t *commands = json_object_get(info, "supported_commands");
    GuestAbilities found = 0;

    if (!info)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(abilities); i++) {
        gboolean all = TRUE;

        for (gsize k = 0; k < G_N_ELEMENTS(abilities[i].commands); k++)
            all = all &&
                  (!abilities[i].commands[k] || is_enabled(commands, abilities[i].commands[k]));
        if (all)
            found |= abilities[i].ability;
    }
    *ret_abilities = found;
    return TRUE;
}

/* Starts @argv in the guest; its process id there, or -1. */
static json_int_t
start(Hypervisor *hypervisor, const char *uuid, const char *const *argv, GError **error)
{
    json_t *arguments = json_array();
    for (gsize i = 1; argv[i]; i++)
        json_array_append_new(arguments, json_string(argv[i]));
    json_auto_t *reply = guest_agent_call(
        hypervisor, uuid, "guest-exec",
        json_pack("{s:s, s:o, s:b}", "path", argv[0], "arg", arguments, "capture-output", TRUE),
        ROUND_TRIP_SECONDS, error);
    if (!reply)
        return -1;
    const json_t *pid = json_object_get(reply, "pid");
    json_int_t value = json_is_integer(pid) ? json_integer_value(pid) : -1;
    if (value < 0)
        set_malformed(uuid, "guest-exec", error);
    return value;
}

/* Base64 as the guest sent it; NULL stays empty. Bytes after a NUL are dropped. */
static char *
decode(const json_t *value)
{
    gsize length = 0;
    g_autofree guchar *bytes = NULL;

    if (json_is_string(value) && json_string_length(value) > 0)
        bytes = g_base64_decode(json_string_value(value), &length);
    return g_strndup(bytes ? (const char *)bytes : "", length);
}

/* Takes the result out of a guest-exec-status reply; FALSE while the command still runs. */
static gboolean
take_result(const json_t *status, GuestAgentResult *ret_result)
{
    const json_t *exit_code = json_object_get(status, "exitcode");
    const json_t *signal = json_object_get(status, "signal");

    if (!json_is_true(json_object_get(status, "exited")))
        return FALSE;
    ret_result->exit_status =
        json_is_integer(exit_code) ? (int)CLAMP(json_integer_value(exit_code), 0, 255)
        : json_is_integer(signal)  ? 128 + (int)CLAMP(json_integer_value(signal), 0, 127)
                                   : 255;
    ret_result->output = decode(json_object_get(status, "out-data"));
    ret_result->error_text = decode(json_object_get(status, "err-data"));
    return TRUE;
}

gboolean
guest_agent_pause(const char *uuid, gint64 interval_usec, GCancellable *cancellable, GError **error)
{
    GPollFD poll = { .fd = -1 };

    if (g_cancellable_make_pollfd(cancellable, &poll)) {
        g_poll(&poll, 1, (int)(interval_usec / 1000));
        g_cancellable_release_fd(cancellable);
    } else {
        g_usleep((gulong)interval_usec);
    }
    if (!g_cancellable_is_cancelled(cancellable))
        return TRUE;
    g_autofree char *object = g_strdup_printf("command in guest %s", uuid);
    fault_set(error, FAULT_CANCELLED, object, NULL, "cancelled; it may still run in the guest");
    return FALSE;
}

gboolean
guest_agent_run(Hypervisor *hypervisor, const char *uuid, const char *const *argv,
                unsigned timeout_seconds, GCancellable *cancellable, GuestAgentResult *ret_result,
                GError **error)
{
    gint64 deadline_usec = g_get_monotonic_time() + timeout_seconds * G_TIME_SPAN_SECOND;
    gint64 interval_usec = STATUS_INTERVAL_USEC;
    json_int_t pid = start(hypervisor, uuid, argv, error);

    ret_result->exit_status = pid < 0 ? GUEST_AGENT_NOT_STARTED : GUEST_AGENT_UNFINISHED;
    while (pid >= 0) {
        json_auto_t *status =
            guest_agent_call(hypervisor, uuid, "guest-exec-status", json_pack("{s:I}", "pid", pid),
                             ROUND_TRIP_SECONDS, error);
        if (!status)
            return FALSE;
        if (take_result(status, ret_result))
            return TRUE;
        if (g_get_monotonic_time() >= deadline_usec) {
            g_autofree char *object = g_strdup_printf("%s in guest %s", argv[0], uuid);
            fault_set(error, FAULT_TIMED_OUT, object, "look at the guest's load and console",
                      "it did not end within %u s", timeout_seconds);
            return FALSE;
        }
        if (!guest_agent_pause(uuid, interval_usec, cancellable, error))
            return FALSE;
        interval_usec = MIN(interval_usec * 2, STATUS_INTERVAL_MAX_USEC);
    }
    return FALSE;
}
