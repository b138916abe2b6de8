/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the form of everything that a drain prints. */
#include "common/cli/drain_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "common/cli/output.h"
#include "common/cli/progress_bar.h"
#include "common/cli/table.h"

#define DRAW_USEC       (G_USEC_PER_SEC / 5)
#define COLUMNS_DEFAULT 80U
#define NAME_COLUMNS    20U

typedef struct {
    gboolean running;
    char *doing; /* "migrate -> host2", for the line of a terminal */
    char *bar;   /* NULL: no progress yet */
    unsigned percent;
} Line;

struct DrainView {
    FILE *stream;
    const DrainPlan *plan;
    gboolean json, terminal;
    Line *lines;    /* as the plan's items */
    unsigned drawn; /* lines on the terminal that are drawn anew */
    unsigned over;
    gint64 last_drawn_usec;
};

DrainView *
drain_view_new(FILE *stream, gboolean json, const DrainPlan *plan)
{
    DrainView *view = g_new0(DrainView, 1);

    view->stream = stream;
    view->json = json;
    view->plan = plan;
    view->terminal = !json && isatty(fileno(stream));
    view->lines = g_new0(Line, plan->items->len + 1);
    return view;
}

void
drain_view_free(DrainView *view)
{
    if (!view)
        return;
    for (guint i = 0; i < view->plan->items->len; i++) {
        g_free(view->lines[i].doing);
        g_free(view->lines[i].bar);
    }
    g_free(view->lines);
    g_free(view);
}

static unsigned
columns_of(const DrainView *view)
{
    struct winsize size = { 0 };

    if (ioctl(fileno(view->stream), TIOCGWINSZ, &size) < 0 || size.ws_col <= NAME_COLUMNS + 20)
        return COLUMNS_DEFAULT;
    return size.ws_col;
}

/* What is drawn anew. */

static void
erase(DrainView *view)
{
    if (view->drawn > 0)
        fprintf(view->stream, "\033[%uA\r\033[J", view->drawn);
    view->drawn = 0;
}

static void
draw(DrainView *view)
{
    unsigned columns = columns_of(view), running = 0;

    if (!view->terminal)
        return;
    for (guint i = 0; i < view->plan->items->len; i++) {
        const Line *line = &view->lines[i];
        const DrainItem *item = view->plan->items->pdata[i];

        if (!line->running)
            continue;
        running++;
        fprintf(view->stream, "%-*.*s %.*s\n", NAME_COLUMNS, NAME_COLUMNS, item->guest->name,
                (int)(columns - NAME_COLUMNS - 2), line->bar ? line->bar : line->doing);
    }
    fprintf(view->stream, "%u of %u guests over, %u running\n", view->over, view->plan->items->len,
            running);
    view->drawn = running + 1;
    view->last_drawn_usec = g_get_monotonic_time();
    fflush(view->stream);
}

/* Lines that stay. */

static void
print_time(DrainView *view)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *text = g_date_time_format(now, "%T");

    fprintf(view->stream, "%s ", text);
}

static void
say(DrainView *view, const DrainEvent *event)
{
    const char *name = event->guest->name;
    const char *why = drain_event_reason(event);

    print_time(view);
    switch (event->kind) {
    case DRAIN_EVENT_STARTED:
        fprintf(view->stream, "%s: %s %s\n", name, event->host ? "moves to" : "begins to",
                event->host ? event->host : event->text);
        return;
    case DRAIN_EVENT_RETRY:
        fprintf(view->stream, "%s: tried again later: %s\n", name, why);
        return;
    case DRAIN_EVENT_NOTE:
        fprintf(view->stream, "%s: %s\n", name, why);
        return;
    case DRAIN_EVENT_OVER:
        fprintf(view->stream, "%s: %s%s%s, %.1f s%s%s\n", name, drain_outcome_name(event->outcome),
                event->host ? " to " : "", event->host ? event->host : "", event->seconds,
                why ? ": " : "", why ? why : "");
        return;
    case DRAIN_EVENT_STEP:
    case DRAIN_EVENT_PROGRESS:
        return;
    }
}

static void
follow(DrainView *view, const DrainEvent *event)
{
    Line *line = &view->lines[event->item];

    if (event->kind == DRAIN_EVENT_STARTED || event->kind == DRAIN_EVENT_STEP) {
        line->running = TRUE;
        g_free(line->doing);
        g_clear_pointer(&line->bar, g_free);
        line->doing = g_strdup_printf("%s%s%s", event->text ? event->text : "checks",
                                      event->host ? " to " : "", event->host ? event->host : "");
    } else if (event->kind == DRAIN_EVENT_PROGRESS) {
        g_free(line->bar);
        line->bar = progress_bar_format(event->progress, columns_of(view) - NAME_COLUMNS - 2);
    } else if (event->kind == DRAIN_EVENT_OVER || event->kind == DRAIN_EVENT_RETRY) {
        line->running = FALSE;
        view->over += event->kind == DRAIN_EVENT_OVER;
    }
}

static json_t *
event_to_json(const DrainEvent *event)
{
    json_t *object = json_pack("{s:s, s:s, s:s?}", "event", drain_event_name(event->kind), "guest",
                               event->guest->name, "host", event->host);

    if (event->text)
        json_object_set_new(object, "detail", json_string(event->text));
    if (event->progress)
        json_object_set_new(object, "percent", json_integer(progress_bar_percent(event->progress)));
    if (event->error)
        json_object_set_new(object, "error", output_error_object(event->error));
    if (event->kind == DRAIN_EVENT_OVER) {
        json_object_set_new(object, "outcome", json_string(drain_outcome_name(event->outcome)));
        json_object_set_new(object, "seconds", json_real(event->seconds));
    }
    return object;
}

void
drain_view_event(DrainView *view, const DrainEvent *event)
{
    gboolean stays = event->kind != DRAIN_EVENT_STEP && event->kind != DRAIN_EVENT_PROGRESS;

    if (view->json) {
        output_json_line(view->stream, event_to_json(event));
        return;
    }
    follow(view, event);
    if (!stays && (!view->terminal || g_get_monotonic_time() - view->last_drawn_usec < DRAW_USEC))
        return;
    erase(view);
    if (stays)
        say(view, event);
    fflush(view->stream);
    draw(view);
}

/* The plan. */

static void
print_time_left(const DrainView *view)
{
    double seconds = schedule_seconds(view->plan->placement, &view->plan->rules.limits);
    guint staying = drain_plan_staying(view->plan);

    fprintf(view->stream, "%u of %u guests can leave, in about %.0f min\n",
            view->plan->items->len - staying, view->plan->items->len, seconds / 60 + 0.5);
}

void
drain_view_plan(DrainView *view)
{
    const char *titles[] = { "GUEST", "PRIORITY", "TO", "WHY NOT", NULL };
    g_autoptr(Table) table = table_new(titles);

    if (view->json) {
        json_t *document = drain_plan_to_json(view->plan);
        json_object_set_new(document, "event", json_string("plan"));
        output_json_line(view->stream, document);
        return;
    }
    for (guint i = 0; i < view->plan->items->len; i++) {
        const DrainItem *item = view->plan->items->pdata[i];
        guint64 value = drain_guest_policy(item->guest, POLICY_PRIORITY);
        g_autofree char *priority = policy_print(POLICY_PRIORITY, value);
        const char *cells[] = { item->guest->name, priority, drain_plan_host(view->plan, item),
                                item->reason };
        table_add(table, cells);
    }
    if (!table_is_empty(table))
        table_print(table, view->stream);
    print_time_left(view);
    fflush(view->stream);
}

/* The end. */

static json_t *
ends_to_json(const DrainView *view, const DrainResult *result)
{
    json_t *guests = json_array();

    for (guint i = 0; i < result->ends->len; i++) {
        const DrainEnd *ended = &g_array_index(result->ends, DrainEnd, i);
        const DrainItem *item = view->plan->items->pdata[i];

        json_array_append_new(guests, json_pack("{s:s, s:s, s:s, s:s?, s:f, s:o}", "name",
                                                item->guest->name, "uuid", item->guest->uuid,
                                                "outcome", drain_outcome_name(ended->outcome),
                                                "host", ended->host, "seconds", ended->seconds,
                                                "error", output_error_object(ended->error)));
    }
    return guests;
}

void
drain_view_result(DrainView *view, const DrainResult *result)
{
    if (view->json) {
        output_json_line(view->stream,
                         json_pack("{s:s, s:s, s:f, s:o}", "event", "result", "result",
                                   drain_result_name(result->kind), "seconds", result->seconds,
                                   "guests", ends_to_json(view, result)));
        return;
    }
    erase(view);
    fprintf(view->stream, "%s: %u guests, %.1f s\n", drain_result_name(result->kind),
            result->ends->len, result->seconds);
    fflush(view->stream);
}
