/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What migprep says about a move: lines for people or JSON Lines for programs. */
#pragma once

#include "common/cli/move.h"

typedef struct Output Output;

/* @stream is borrowed: standard output. A progress bar is drawn only on a terminal, colours only
 * there and without NO_COLOR. */
Output *output_new(FILE *stream, gboolean json);
void output_free(Output *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Output, output_free)

/* Whether @stream is a terminal of somebody who did not turn colours off (https://no-color.org). */
gboolean output_may_colour(FILE *stream);

/* Its data is the Output. */
extern const MoveObserver output_observer;

/* The last line. Also prints the error, if there is one, on standard error. */
void output_result(Output *output, const MoveResult *result);

/* "migprep: OBJECT: CAUSE; REMEDY" on standard error. */
void output_error(const GError *error);

/* {code, object, cause, remedy}; JSON null for NULL. New reference. */
json_t *output_error_object(const GError *error);
/* One line of compact JSON on @stream; @object is stolen. */
void output_json_line(FILE *stream, json_t *object);
