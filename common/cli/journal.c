/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/journal.h"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <syslog.h>
#include <systemd/sd-journal.h>

static void
add(GPtrArray *fields, const char *name, const char *value)
{
    if (value)
        g_ptr_array_add(fields, g_strconcat(name, "=", value, NULL));
}

void
journal_tell(const JournalEntry *entry, const char *format, ...)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *priority = g_strdup_printf("%d", entry->warning ? LOG_WARNING : LOG_NOTICE);
    g_autoptr(GArray) vectors = g_array_new(FALSE, FALSE, sizeof(struct iovec));
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    add(fields, "MESSAGE", message);
    add(fields, "PRIORITY", priority);
    add(fields, "SYSLOG_IDENTIFIER", "migprep");
    add(fields, "MESSAGE_ID", entry->message_id);
    add(fields, "MIGPREP_EVENT", entry->event);
    add(fields, "MIGPREP_GUEST", entry->guest);
    add(fields, "MIGPREP_HOOK", entry->hook);
    for (guint i = 0; i < fields->len; i++) {
        struct iovec vector = { .iov_base = fields->pdata[i], .iov_len = strlen(fields->pdata[i]) };
        g_array_append_val(vectors, vector);
    }
    sd_journal_sendv((const struct iovec *)vectors->data, (int)vectors->len);
}
