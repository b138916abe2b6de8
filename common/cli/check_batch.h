/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Surveys of several guests at once. */
#pragma once

#include "common/cli/check_survey.h"

/* The names of all guests that run on @host's host: NULL-terminated, owned by the caller. Blocks.
 */
char **check_batch_running(Peer *host, GCancellable *cancellable, GError **error);

/*
 * check_survey_guest() for each of @guests, some of them beside each other: GPtrArray of
 * CheckSurvey * in their order. A host that does not answer is waited for once, and the way to each
 * is tried once. When it is cancelled, surveys that were not begun are
 * NULL. Blocks.
 */
GPtrArray *check_batch_run(const CheckPlan *plan, char *const *guests);
