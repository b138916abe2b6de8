/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How jobs ended and how long they took, counted since the daemon started. */
#pragma once

#include "common/fault.h"
#include "common/open_metrics.h"

/* Thread-safe. */
typedef struct JobEndings JobEndings;
JobEndings *job_endings_new(void);
void job_endings_free(JobEndings *endings);

/* A job of @kind ended after @seconds, well (@error NULL) or not. */
void job_endings_note(JobEndings *endings, const char *kind, double seconds, const GError *error);

/* Families jobs (by kind and outcome: done, or the fault's name) and job_seconds (by kind). */
void job_endings_write(JobEndings *endings, OpenMetrics *metrics);
