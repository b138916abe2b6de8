/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the form of everything that a move prints. */
#include "common/cli/output.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/cli/progress_bar.h"
#include "common/fault.h"

#define PLAIN_LINE_USEC (10 * G_USEC_PER_SEC) /* between progress lines in a file or a pipe */
#define COLUMNS_DEFAULT 80U

struct Output {
    FILE *stream;
    gboolean json;
    gboolean terminal;
    gboolean colours;
    gboolean unicode;
    gint64 last_progress_usec;
};

gboolean
output_may_colour(FILE *stream)
{
    const char *no_color = g_getenv("NO_COLOR");

    return isatty(fileno(stream)) && !(no_color && *no_color);
}

Output *
output_new(FILE *stream, gboolean json)
{
    Output *output = g_new0(Output, 1);

    output->stream = stream;
    output->json = json;
    output->terminal = !json && isatty(fileno(stream));
    output->colours = output->terminal && output_may_colour(stream);
    output->unicode = g_get_charset(NULL);
    return output;
}

void
output_free(Output *output)
{
    g_free(output);
}

void
output_json_line(FILE *stream, json_t *object)
{
    json_auto_t *owned = object;
    /* Seconds to the microsecond: nobody measures what a double has beyond that. */
    g_autofree char *line = json_dumps(owned, JSON_COMPACT | JSON_REAL_PRECISION(12));

    fprintf(stream, "%s\n", line);
    fflush(stream);
}

void
output_error(const GError *error)
{
    fprintf(stderr, "migprep: %s\n", error->message);
}

json_t *
output_error_object(const GError *error)
{
    if (!error)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:s}", "code", fault_code_name(fault_code(error)), "object",
                     fault_object(error), "cause", fault_cause(error), "remedy",
                     fault_remedy(error));
}

/* Clears a line that is drawn again and again. */
static void
erase_line(const Output *output)
{
    if (output->terminal)
        fputs("\r\033[K", output->stream);
}

static const char *
mark_of(const Output *output, MoveState state)
{
    switch (state) {
    case MOVE_STATE_STARTED:
        return output->unicode ? "\u2026" : ".";
    case MOVE_STATE_FINISHED:
        return output->unicode ? "\u2713" : "+";
    case MOVE_STATE_FAILED:
        return output->unicode ? "\u2717" : "x";
    }
    return "?";
}

static const char *
colour_of(const Output *output, MoveState state)
{
    if (!output->colours || state == MOVE_STATE_STARTED)
        return "";
    return state == MOVE_STATE_FINISHED ? "\033[32m" : "\033[31m";
}

static void
print_event(const Output *output, const MoveEvent *event)
{
    g_autofree char *seconds = g_strdup_printf("%.2f s", event->seconds);

    if (event->state == MOVE_STATE_STARTED && !output->terminal)
        return;
    erase_line(output);
    const char *colour = colour_of(output, event->state);
    fprintf(output->stream, "%s%s%s %-18s %-16s %10s%s%s", colour, mark_of(output, event->state),
            *colour ? "\033[0m" : "", move_step_name(event->step), event->host,
            event->state == MOVE_STATE_STARTED ? "" : seconds, event->detail ? "  " : "",
            event->detail ? event->detail : "");
    if (event->state != MOVE_STATE_STARTED)
        fputc('\n', output->stream);
    fflush(output->stream);
}

static void
on_event(const MoveEvent *event, void *data)
{
    Output *output = data;

    output->last_progress_usec = g_get_monotonic_time();
    if (!output->json) {
        print_event(output, event);
        return;
    }
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s}", "event", "step", "name", move_step_name(event->step),
                  "host", event->host, "state", move_state_name(event->state));
    if (event->state != MOVE_STATE_STARTED)
        json_object_set_new(object, "seconds", json_real(event->seconds));
    if (event->detail)
        json_object_set_new(object, "detail", json_string(event->detail));
    output_json_line(output->stream, object);
}

static unsigned
terminal_columns(const Output *output)
{
    struct winsize size = { 0 };

    if (ioctl(fileno(output->stream), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return COLUMNS_DEFAULT;
    return size.ws_col;
}

static void
print_progress(Output *output, const MoveProgress *progress)
{
    gint64 now = g_get_monotonic_time();

    if (!output->terminal && now - output->last_progress_usec < PLAIN_LINE_USEC)
        return;
    output->last_progress_usec = now;
    unsigned columns = output->terminal ? terminal_columns(output) : COLUMNS_DEFAULT;
    g_autofree char *bar = progress_bar_format(progress, columns > 3 ? columns - 3 : columns);
    erase_line(output);
    fprintf(output->stream, "%s %s%s", mark_of(output, MOVE_STATE_STARTED), bar,
            output->terminal ? "" : "\n");
    fflush(output->stream);
}

static json_t *
transfer(guint64 total, guint64 remaining)
{
    return json_pack("{s:I, s:I}", "totalBytes", (json_int_t)total, "remainingBytes",
                     (json_int_t)remaining);
}

static void
on_progress(const MoveProgress *progress, void *data)
{
    Output *output = data;

    if (!output->json) {
        print_progress(output, progress);
        return;
    }
    json_t *left = progress->seconds_left < 0 ? json_null() : json_integer(progress->seconds_left);
    output_json_line(
        output->stream,
        json_pack("{s:s, s:s, s:s?, s:o, s:o, s:I, s:I, s:I, s:I, s:o}", "event", "progress",
                  "step", move_step_name(progress->step), "phase", progress->phase, "memory",
                  transfer(progress->memory_total_bytes, progress->memory_remaining_bytes), "disk",
                  transfer(progress->disk_total_bytes, progress->disk_remaining_bytes),
                  "rateBytesPerSecond", (json_int_t)progress->rate_bytes_per_second,
                  "dirtyRateBytesPerSecond", (json_int_t)progress->dirty_rate_bytes_per_second,
                  "downtimeMilliseconds", (json_int_t)progress->downtime_msec, "throttlePercent",
                  (json_int_t)progress->throttle_percent, "secondsLeft", left));
}

static void
on_waiting(MoveStep step, const char *what, void *data)
{
    Output *output = data;

    if (output->json) {
        output_json_line(output->stream, json_pack("{s:s, s:s, s:s}", "event", "progress", "step",
                                                   move_step_name(step), "detail", what));
        return;
    }
    if (!output->terminal)
        return;
    erase_line(output);
    fprintf(output->stream, "%s %-18s %.*s", mark_of(output, MOVE_STATE_STARTED),
            move_step_name(step), (int)MAX(terminal_columns(output), 24U) - 22, what);
    fflush(output->stream);
}

static void
on_note(const char *sentence, void *data)
{
    erase_line(data);
    fprintf(stderr, "migprep: %s\n", sentence);
}

const MoveObserver output_observer = {
    .event = on_event,
    .progress = on_progress,
    .waiting = on_waiting,
    .note = on_note,
};

static json_t *
step_times(const MoveResult *result)
{
    json_t *steps = json_array();

    for (guint i = 0; i < result->steps->len; i++) {
        const MoveStepTime *time = &g_array_index(result->steps, MoveStepTime, i);
        json_array_append_new(steps,
                              json_pack("{s:s, s:s, s:f}", "name", move_step_name(time->step),
                                        "host", time->host, "seconds", time->seconds));
    }
    return steps;
}

static json_t *
result_object(const MoveResult *result)
{
    json_t *downtime =
        result->downtime_msec < 0 ? json_null() : json_integer(result->downtime_msec);

    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:O, s:f, s:o, s:o, s:s?, s:s?, s:s, s:s?, s:o}",
                  "event", "result", "result", move_outcome_name(result->outcome), "guest",
                  result->guest, "from", result->from, "to", result->to, "functions",
                  result->functions, "durationSeconds", result->seconds, "downtimeMilliseconds",
                  downtime, "steps", step_times(result), "bondActiveBefore", result->active_before,
                  "bondActiveAfter", result->active_after, "guestHost", result->place.host,
                  "guestState", result->place.state, "error", output_error_object(result->error));

    json_object_set(object, "leftBehind", result->left ? result->left : json_null());
    return object;
}

static char *
join_functions(const json_t *functions)
{
    GString *text = g_string_new(NULL);
    size_t i;
    json_t *function;

    json_array_foreach (functions, i, function) {
        if (json_is_string(function))
            g_string_append_printf(text, "%s%s", text->len ? ", " : "",
                                   json_string_value(function));
    }
    return g_string_free(text, FALSE);
}

static void
print_moved(const Output *output, const MoveResult *result)
{
    g_autofree char *functions = join_functions(result->functions);

    fprintf(output->stream, "guest '%s' %s on %s", result->guest, result->offline ? "is" : "runs",
            result->to);
    if (*functions)
        fprintf(output->stream, " on virtual function %s", functions);
    if (result->downtime_msec >= 0)
        fprintf(output->stream, "; downtime %.2f s", (double)result->downtime_msec / 1000);
    fprintf(output->stream, ", %.1f s in all\n", result->seconds);
    fflush(output->stream);
}

/* Files that the guest needs there, and that nobody but the administrator moves. */
static void
print_left(const MoveResult *result)
{
    size_t i;
    json_t *state;

    json_array_foreach (result->left, i, state)
        fprintf(stderr, "migprep: %s '%s' was not moved: %s\n",
                json_string_value(json_object_get(state, "kind")),
                json_string_value(json_object_get(state, "path")),
                json_string_value(json_object_get(state, "remedy")));
}

/* After whatever went wrong: whose the guest is now. */
static void
print_place(const MoveResult *result)
{
    const GuestPlace *place = &result->place;
    const char *host = g_str_equal(place->host, "source") ? result->from : result->to;

    if (g_str_equal(place->host, "unknown"))
        fprintf(stderr, "migprep: neither %s nor %s says where guest '%s' is\n", result->from,
                result->to, result->guest);
    else if (g_str_equal(place->host, "both"))
        fprintf(stderr, "migprep: guest '%s' is on both %s (%s) and %s\n", result->guest,
                result->from, place->state, result->to);
    else
        fprintf(stderr, "migprep: guest '%s' is on %s: %s\n", result->guest, host, place->state);
}

void
output_result(Output *output, const MoveResult *result)
{
    if (output->json)
        output_json_line(output->stream, result_object(result));
    else
        erase_line(output);
    fflush(output->stream);
    if (result->error)
        output_error(result->error);
    if (output->json)
        return;
    if (result->outcome == MOVE_OUTCOME_MOVED)
        print_moved(output, result);
    else if (result->outcome == MOVE_OUTCOME_FAILED && result->restored)
        fprintf(stderr, "migprep: everything is as it was on %s and %s\n", result->from,
                result->to);
    if (result->outcome == MOVE_OUTCOME_FAILED)
        print_place(result);
    else
        print_left(result);
}
