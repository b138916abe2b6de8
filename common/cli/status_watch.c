/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints events. */
#include "common/cli/status_watch.h"

#include <stdio.h>

#include "common/cli/interrupt.h"
#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"

typedef struct {
    const char *host;
    gboolean json;
    gboolean unread;           /* nobody reads what we print any more */
    GCancellable *cancellable; /* ends it, whoever wants that */
} Watch;

/* "10:31:07", in local time; empty for a time that cannot be. */
static char *
clock_of(const json_t *event)
{
    json_int_t at = json_integer_value(json_object_get(event, "atUnixMilliseconds"));
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(at / 1000);

    return time ? g_date_time_format(time, "%H:%M:%S") : g_strdup("");
}

static void
print_line(const json_t *event)
{
    g_autofree char *clock = clock_of(event);
    const char *guest = reply_text(json_object_get(event, "guest"), "name");
    const char *lease = reply_text(event, "lease");
    const char *detail = reply_text(event, "detail");

    printf("%s  %-9s", clock, reply_text(event, "kind"));
    if (*guest)
        printf("  %s", guest);
    if (*detail)
        printf("%s%s", *guest ? ": " : "  ", detail);
    if (*lease)
        printf("  (lease %s)", lease);
    putchar('\n');
}

static void
on_event(const json_t *parameters, void *data)
{
    Watch *watch = data;
    json_t *event = json_object_get(parameters, "event");

    if (watch->json) {
        json_t *line = json_deep_copy(event);
        json_object_set_new(line, "host", json_string(watch->host));
        output_json_line(stdout, line);
    } else {
        print_line(event);
    }
    if (fflush(stdout) == 0)
        return;
    watch->unread = TRUE;
    g_cancellable_cancel(watch->cancellable);
}

int
status_watch(Peer *peer, gboolean json)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    Watch watch = { .host = peer_host(peer), .json = json, .cancellable = cancellable };

    interrupt_watch(cancellable, NULL, "leaving now");
    json_auto_t *reply = peer_call(peer,
                                   &(PeerCall) { .service = SERVICE_NETWORK,
                                                 .method = "Watch",
                                                 .progress = on_event,
                                                 .data = &watch,
                                                 .cancellable = cancellable },
                                   &error);
    if (reply || watch.unread)
        return EXIT_STATUS_OK;
    return g_cancellable_is_cancelled(cancellable) ? EXIT_STATUS_CANCELLED
                                                   : verb_fail(error, watch.json);
}
