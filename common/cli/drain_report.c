/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/drain_report.h"

#include "common/cli/output.h"

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
    note(report, event);
    drain_news_event(report->news, event);
}

void
drain_report_result(const DrainReport *report, const DrainResult *result)
{
    drain_view_result(report->view, result);
    if (!report->returning)
        drain_news_result(report->news, result->kind);
}
