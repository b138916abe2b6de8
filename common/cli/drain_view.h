/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What migprep says about a drain: a line for each running guest and a total on a terminal, plain
 * lines elsewhere, or JSON Lines. */
#pragma once

#include <stdio.h>

#include "common/cli/drain.h"

typedef struct DrainView DrainView;

/* @stream and @plan are borrowed. */
DrainView *drain_view_new(FILE *stream, gboolean json, const DrainPlan *plan);
void drain_view_free(DrainView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DrainView, drain_view_free)

/* The plan: who goes where, who stays and why, and how long it is expected to take. */
void drain_view_plan(DrainView *view);
/* One call at a time. */
void drain_view_event(DrainView *view, const DrainEvent *event);
/* The last lines. */
void drain_view_result(DrainView *view, const DrainResult *result);
