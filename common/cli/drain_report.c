/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/drain_report.h"

#include "common/cli/output.h"

static gboolean
is_away(DrainOutcome outcome)
{
    return outcome == DRAIN_MOVED || outcome == DRAIN_DEGRADED || outcome == DRAIN_HIBERNATED ||
           outcome == DRAIN_SHUT_DOWN;
}

/* Guests are noted before they leave: what was begun ends, even if this command does not see it. */
static gboolean
note_leaving(const DrainReport *report, const DrainEvent *event, GError **error)
{
    if (event->kind == DRAIN_EVENT_STARTED)
        return drain_record_add(report->record, event->guest, event->host, event->outcome, error);
    /* One that is gone may be where an earlier command sent it. */
    if (event->kind != DRAIN_EVENT_OVER || event->outcome == DRAIN_GONE)
        return TRUE;
    return is_away(event->outcome)
               ? drain_record_add(report->record, event->guest, event->host, event->outcome, error)
               : drain_record_forget(report->record, event->guest->uuid, error);
}

static gboolean
note_returning(const DrainReport *report, const DrainEvent *event, GError **error)
{
    gboolean back = event->outcome == DRAIN_MOVED || event->outcome == DRAIN_DEGRADED;

    return event->kind != DRAIN_EVENT_OVER || !back ||
           drain_record_forget(report->record, event->guest->uuid, error);
}

static void
note(const DrainReport *report, const DrainEvent *event)
{
    g_autoptr(GError) error = NULL;

    if (report->returning ? !note_returning(report, event, &error)
                          : !note_leaving(report, event, &error))
        output_error(error);
}

void
drain_report_event(const DrainEvent *event, void *data)
{
    const DrainReport *report = data;

    note(report, event);
    drain_view_event(report->view, event);
    drain_news_event(report->news, event);
}

void
drain_report_result(const DrainReport *report, const DrainResult *result)
{
    drain_view_result(report->view, result);
    if (!report->returning)
        drain_news_result(report->news, result->kind);
}
