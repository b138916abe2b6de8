/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom a drain tells what happens: the terminal, those who are not there, and the record of who
 * went where. */
#pragma once

#include "common/cli/drain_news.h"
#include "common/cli/drain_record.h"
#include "common/cli/drain_view.h"

/* All borrowed. */
typedef struct {
    DrainView *view;
    DrainRecord *record;
    DrainNews *news;
    gboolean returning; /* guests come back: they are forgotten instead of noted */
} DrainReport;

/* For DrainTask; @data is a DrainReport. What cannot be noted is said on standard error. */
void drain_report_event(const DrainEvent *event, void *data);
/* The end. */
void drain_report_result(const DrainReport *report, const DrainResult *result);
