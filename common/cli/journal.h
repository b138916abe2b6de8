/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the command writes to this host's journal, whoever runs it. */
#pragma once

#include <glib.h>

/* Texts may be NULL: left out. */
typedef struct {
    const char *message_id; /* for `journalctl MESSAGE_ID=`: 32 hexadecimal digits */
    const char *event;      /* MIGPREP_EVENT */
    const char *guest;      /* MIGPREP_GUEST: its name */
    const char *hook;       /* MIGPREP_HOOK */
    gboolean warning;
} JournalEntry;

/* Writes one entry with a message; the journal adds who did it (_UID, _PID, _CMDLINE). Without a
 * journal nothing is written. Does not block for long. */
void journal_tell(const JournalEntry *entry, const char *format, ...) G_GNUC_PRINTF(2, 3);
