/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/drain_report.h"

#include "common/cli/journal.h"
#include "common/cli/output.h"

/* For `journalctl MESSAGE_ID=`. */
#define ID_STARTED   "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a30"
#define ID_MOVED     "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a31"
#define ID_FAILED    "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a32"
#define ID_DEGRADED  "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a33"
#define ID_STOPPED   "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a34"
#define ID_DRAINED   "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a35"
#define ID_BLOCKED   "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a36"
#define ID_CANCELLED "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a37"

/* How an end is told; NULL: it is not. */
static const char *
id_of(DrainOutcome outcome)
{
    switch (outcome) {
    case DRAIN_MOVED:
        return ID_MOVED;
    case DRAIN_DEGRADED:
        return ID_DEGRADED;
    case DRAIN_HIBERNATED:
    case DRAIN_SHUT_DOWN:
        return ID_STOPPED;
    case DRAIN_LEFT:
    case DRAIN_FAILED:
        return ID_FAILED;
    case DRAIN_CANCELLED:
        return ID_CANCELLED;
    case DRAIN_GONE:
    case DRAIN_PENDING:
        return NULL;
    }
    g_return_val_if_reached(NULL);
}

static void
tell_journal(const DrainEvent *event)
{
    const char *why = event->error ? event->error->message : NULL;

    if (event->kind == DRAIN_EVENT_STARTED) {
        const JournalEntry entry = { .message_id = ID_STARTED,
                                     .event = "started",
                                     .guest = event->guest->name };
        journal_tell(&entry, "guest '%s' %s %s", event->guest->name,
                     event->host ? "moves to" : "begins to",
                     event->host ? event->host : event->text);
    } else if (event->kind == DRAIN_EVENT_OVER && id_of(event->outcome)) {
        const JournalEntry entry = { .message_id = id_of(event->outcome),
                                     .event = drain_outcome_name(event->outcome),
                                     .guest = event->guest->name,
                                     .warning = event->error != NULL };
        journal_tell(&entry, "guest '%s' %s%s%s%s%s", event->guest->name,
                     drain_outcome_name(event->outcome), event->host ? " to " : "",
                     event->host ? event->host : "", why ? ": " : "", why ? why : "");
    }
}

static void
note(const DrainReport *report, const DrainEvent *event)
{
    DrainOutcome outcome = event->outcome;
    gboolean moved = outcome == DRAIN_MOVED || outcome == DRAIN_DEGRADED;
    gboolean stopped = outcome == DRAIN_HIBERNATED || outcome == DRAIN_SHUT_DOWN;
    g_autoptr(GError) error = NULL;

    if (event->kind != DRAIN_EVENT_OVER || !(moved || (stopped && !report->returning)))
        return;
    if (report->returning
            ? !drain_record_forget(report->record, event->guest->uuid, &error)
            : !drain_record_add(report->record, event->guest, event->host, outcome, &error))
        output_error(error);
}

void
drain_report_event(const DrainEvent *event, void *data)
{
    const DrainReport *report = data;

    drain_view_event(report->view, event);
    tell_journal(event);
    note(report, event);
}

static void
tell_end(const DrainResult *result)
{
    const char *id = result->kind == DRAIN_RESULT_DRAINED     ? ID_DRAINED
                     : result->kind == DRAIN_RESULT_CANCELLED ? ID_CANCELLED
                                                              : ID_BLOCKED;
    const JournalEntry entry = { .message_id = id,
                                 .event = drain_result_name(result->kind),
                                 .warning = result->kind != DRAIN_RESULT_DRAINED };

    switch (result->kind) {
    case DRAIN_RESULT_DRAINED:
        journal_tell(&entry, "no guest runs on this host any more");
        return;
    case DRAIN_RESULT_PARTLY:
        journal_tell(&entry, "not all guests could leave this host");
        return;
    case DRAIN_RESULT_BLOCKED:
        journal_tell(&entry, "no guest could leave this host");
        return;
    case DRAIN_RESULT_CANCELLED:
        journal_tell(&entry, "emptying this host was cancelled");
        return;
    }
}

void
drain_report_result(const DrainReport *report, const DrainResult *result)
{
    drain_view_result(report->view, result);
    if (!report->returning)
        tell_end(result);
}
