/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep maintenance`: whether this host takes guests. */
#include <stdio.h>
#include <string.h>

#include "common/cli/exit_status.h"
#include "common/cli/journal.h"
#include "common/cli/output.h"
#include "common/cli/verb.h"
#include "common/fault.h"
#include "common/maintenance.h"

#define MESSAGE_ID_BEGUN "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a20"
#define MESSAGE_ID_ENDED "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a21"

/* What the options say. */
typedef struct {
    char *reason, *root;
    gboolean persistent, json;
} Request;

static void
request_clear(Request *request)
{
    g_free(request->reason);
    g_free(request->root);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)

static void
print_words(const Maintenance *maintenance)
{
    if (!maintenance) {
        printf("%s takes guests\n", g_get_host_name());
        return;
    }
    g_autoptr(GDateTime) since = g_date_time_new_from_unix_local(maintenance->since_unix_seconds);
    g_autofree char *when = since ? g_date_time_format(since, "%F %T") : g_strdup("?");

    printf("%s takes no guests, it is in maintenance since %s%s%s; %s\n", g_get_host_name(), when,
           *maintenance->reason ? ": " : "", maintenance->reason,
           maintenance->lasting ? "a restart of the host does not end it"
                                : "a restart of the host ends it");
}

static json_t *
to_json(const Maintenance *maintenance)
{
    if (!maintenance)
        return json_pack("{s:b}", "maintenance", FALSE);
    return json_pack("{s:b, s:s, s:b, s:I}", "maintenance", TRUE, "reason", maintenance->reason,
                     "persistent", maintenance->lasting, "sinceUnixSeconds",
                     (json_int_t)maintenance->since_unix_seconds);
}

static gboolean
show(const Request *request, GError **error)
{
    g_autoptr(Maintenance) maintenance = maintenance_read(request->root);

    if (request->json)
        output_json_line(stdout, to_json(maintenance));
    else
        print_words(maintenance);
    return TRUE;
}

static gboolean
begin(const Request *request, GError **error)
{
    const char *reason = request->reason ? request->reason : "";
    const JournalEntry entry = { .message_id = MESSAGE_ID_BEGUN, .event = "maintenance-begun" };

    if (!maintenance_begin(request->root, reason, request->persistent, error))
        return FALSE;
    journal_tell(&entry, "no guest may come to this host any more%s%s", *reason ? ": " : "",
                 reason);
    return show(request, error);
}

static gboolean
end(const Request *request, GError **error)
{
    const JournalEntry entry = { .message_id = MESSAGE_ID_ENDED, .event = "maintenance-ended" };
    g_autoptr(Maintenance) before = maintenance_read(request->root);

    if (!maintenance_end(request->root, error))
        return FALSE;
    if (before)
        journal_tell(&entry, "guests may come to this host again");
    return show(request, error);
}

static const struct {
    const char *word;
    gboolean (*run)(const Request *request, GError **error);
    gboolean begins;
} actions[] = {
    { "begin", begin, TRUE },
    { "end", end, FALSE },
    { "status", show, FALSE },
};

static int
refuse(const char *what)
{
    fprintf(stderr, "migprep: %s; see 'migprep maintenance --help'\n", what);
    return EXIT_STATUS_USAGE;
}

static int
act(const char *word, const Request *request)
{
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(actions[i].word, word) != 0)
            continue;
        if (!actions[i].begins && (request->reason || request->persistent))
            return refuse("--reason and --persistent go with begin");
        return actions[i].run(request, &error) ? EXIT_STATUS_OK : verb_fail(error, request->json);
    }
    return refuse("say begin, end or status");
}

static int
run(int argc, char **argv)
{
    g_auto(Request) request = { 0 };
    const GOptionEntry entries[] = {
        { "reason", 0, 0, G_OPTION_ARG_STRING, &request.reason,
          "why, for those whose guests are refused", "TEXT" },
        { "persistent", 0, 0, G_OPTION_ARG_NONE, &request.persistent,
          "a restart of the host does not end it", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &request.json, "print one JSON object", NULL },
        { "root", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &request.root,
          "a directory that stands for /", "DIR" },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "begin|end|status",
        .summary = "While this host is in maintenance no guest may come to it: netprepd and\n"
                   "storprepd refuse to prepare for one. What was prepared before goes on, and\n"
                   "guests may leave. It moves no guest.",
        .examples = "Examples:\n  migprep maintenance begin --reason 'new memory'\n"
                    "  migprep maintenance status --json\n  migprep maintenance end\n",
        .entries = entries,
    };

    if (!verb_parse(&options, argc, &argv, 1))
        return EXIT_STATUS_USAGE;
    if (!request.root)
        request.root = g_strdup("");
    return act(argv[1], &request);
}

const Verb verb_maintenance = { "maintenance", "whether this host takes guests", run };
