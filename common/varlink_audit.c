/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/varlink_audit.h"

#include "common/printable.h"

#define WORDS_MAX 300

/* What calls are about, in the order in which it is told; field NULL: only in the message. */
static const struct {
    const char *member, *field;
} subjects[] = {
    { "guest", "MIGPREP_GUEST" },
    { "lease", "MIGPREP_LEASE" },
    { "owner", "MIGPREP_OWNER" },
    { "job", NULL },
    { "path", NULL },
    { "directory", NULL },
    { "name", NULL },
    { "value", NULL },
    { "how", NULL },
    { "phase", NULL },
    { "destinationUri", NULL },
};

static const char *const unmoving[] = { "Describe", "List",        "Get",    "Check",
                                        "Find",     "Identify",    "Digest", "Baseline",
                                        "Watch",    "ProbeExport", "Renew",  "Announce" };

gboolean
varlink_audit_wants(const char *method)
{
    for (size_t i = 0; i < G_N_ELEMENTS(unmoving); i++) {
        if (g_str_has_prefix(method, unmoving[i]))
            return FALSE;
    }
    return TRUE;
}

/* A text, or the name of a Guest; NULL: it names none. */
static const char *
text_of(const json_t *parameters, const char *member)
{
    const json_t *value = json_object_get(parameters, member);

    return json_string_value(json_is_object(value) ? json_object_get(value, "name") : value);
}

static void
add(GPtrArray *fields, const char *name, const char *value)
{
    g_autofree char *words = printable_line(value, WORDS_MAX);

    g_ptr_array_add(fields, g_strdup(name));
    g_ptr_array_add(fields, g_steal_pointer(&words));
}

static void
add_subjects(GPtrArray *fields, GString *message, const json_t *parameters)
{
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
        const char *text = text_of(parameters, subjects[i].member);

        if (!text)
            continue;
        g_autofree char *words = printable_line(text, WORDS_MAX);
        g_string_append_printf(message, ", %s '%s'", subjects[i].member, words);
        if (subjects[i].field)
            add(fields, subjects[i].field, words);
    }
}

/* @fields has names and values by turns. */
static void
write_entry(const GPtrArray *fields)
{
    g_autofree GLogField *entries = g_new0(GLogField, fields->len / 2);

    for (guint i = 0; i < fields->len / 2; i++)
        entries[i] = (GLogField) { fields->pdata[2 * i], fields->pdata[2 * i + 1], -1 };
    g_log_structured_array(G_LOG_LEVEL_MESSAGE, entries, fields->len / 2);
}

void
varlink_audit_tell(const VarlinkAudit *audit, const json_t *parameters)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) message = g_string_new(NULL);
    g_autofree char *uid = g_strdup_printf("%u", audit->uid);
    g_autofree char *process = g_strdup_printf("%d", audit->process);
    g_autofree char *method = g_strdup_printf("%s.%s", audit->interface, audit->method);

    g_string_append_printf(message, "%s by uid %s, process %s", method, uid, process);
    add_subjects(fields, message, parameters);
    add(fields, "PRIORITY", "5"); /* notice, as GLib has it for messages */
    add(fields, "GLIB_DOMAIN", G_LOG_DOMAIN);
    add(fields, "MESSAGE_ID", VARLINK_AUDIT_MESSAGE_ID);
    add(fields, "CALLER_UID", uid);
    add(fields, "CALLER_PID", process);
    add(fields, "MIGPREP_METHOD", method);
    g_ptr_array_add(fields, g_strdup("MESSAGE"));
    g_ptr_array_add(fields, g_strdup(message->str));
    write_entry(fields);
}
