/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep metrics`: what the daemons of a host count, for monitoring. */
#include <stdio.h>
#include <string.h>

#include "common/cli/exit_status.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"
#include "common/fault.h"
#include "common/open_metrics.h"

#define END "# EOF\n"

/* The text of one daemon without its end mark; NULL if it does not answer. */
static char *
ask(Peer *peer, Service service)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *reply = peer_call(peer,
                                   &(PeerCall) { .service = service,
                                                 .method = "GetMetrics",
                                                 .timeout_seconds = PEER_CALL_SECONDS },
                                   &error);

    if (!reply) {
        fprintf(stderr, "migprep: %s\n", error->message);
        return NULL;
    }
    char *text = g_strdup(reply_text(reply, "text"));
    if (g_str_has_suffix(text, END))
        text[strlen(text) - strlen(END)] = '\0';
    return text;
}

/* A daemon that is away is a figure, too: monitoring has to see it. *ret_all: both answered. */
static char *
collect(Peer *peer, gboolean *ret_all)
{
    g_autoptr(OpenMetrics) metrics = open_metrics_new("migprep");
    g_autoptr(GString) texts = g_string_new(NULL);

    *ret_all = TRUE;
    open_metrics_family(metrics, METRIC_GAUGE, "daemon_up", "Whether the daemon answers");
    for (unsigned service = 0; service < SERVICE_COUNT; service++) {
        g_autofree char *text = ask(peer, service);

        open_metrics_sample(metrics, text ? 1 : 0, "daemon", service_daemon(service), NULL);
        g_string_append(texts, text ? text : "");
        *ret_all = *ret_all && text;
    }
    g_autofree char *own = open_metrics_finish(metrics);
    return g_strconcat(texts->str, own, NULL);
}

static gboolean
write_file(const char *path, const char *text, GError **error)
{
    g_autoptr(GError) failure = NULL;

    /* A new file in the place of the old one: the exporter never reads half of it. */
    if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &failure))
        return TRUE;
    fault_set(error,
              g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ? FAULT_NO_SPACE
                                                                         : FAULT_STORE_FAILED,
              path, "see that its directory is there, writable and not full", "%s",
              failure->message);
    return FALSE;
}

static int
tell(Peer *peer, const char *path)
{
    g_autoptr(GError) error = NULL;
    gboolean all = FALSE;
    g_autofree char *text = collect(peer, &all);

    if (path && !write_file(path, text, &error))
        return verb_fail(error, FALSE);
    if (!path)
        fputs(text, stdout);
    return all ? EXIT_STATUS_OK : EXIT_STATUS_NO_DAEMON;
}

static int
run(int argc, char **argv)
{
    g_auto(Connection) connection = { 0 };
    g_autofree char *host = NULL, *path = NULL;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        { "host", 0, 0, G_OPTION_ARG_STRING, &host, "another host (default: this one)", "HOST" },
        { "textfile", 0, 0, G_OPTION_ARG_FILENAME, &path,
          "write them to FILE, for node_exporter's textfile collector", "FILE" },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "",
        .summary =
            "Prints what the daemons of a host count, as OpenMetrics text: leases, degraded\n"
            "guests, virtual functions, jobs and how they ended, how long guests stood\n"
            "still, and failures. Changes nothing.",
        .examples = "Examples:\n  migprep metrics\n"
                    "  migprep metrics --textfile /var/lib/prometheus/node-exporter/migprep.prom\n",
        .entries = entries,
        .connection = &connection,
        .remote = TRUE,
    };

    if (!verb_parse(&options, argc, &argv, 0))
        return EXIT_STATUS_USAGE;
    g_autoptr(Peer) peer = host ? connection_open_remote(&connection, host, &error)
                                : connection_open_local(&connection);
    return peer ? tell(peer, path) : verb_fail(error, FALSE);
}

const Verb verb_metrics = { "metrics", "print what the daemons count", run };
