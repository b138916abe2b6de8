/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep drain`: empties this host. */
#include <stdio.h>

#include "common/cli/drain_lock.h"
#include "common/cli/drain_options.h"
#include "common/cli/drain_report.h"
#include "common/cli/drain_settle.h"
#include "common/cli/exit_status.h"
#include "common/cli/host_hooks.h"
#include "common/cli/output.h"
#include "common/fault.h"
#include "common/limits.h"
#include "common/maintenance.h"

static gboolean
parse_options(DrainOptions *options, int argc, char ***argv)
{
    const GOptionEntry entries[] = {
        { "to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->hosts,
          "where guests may go; may be given several times (default: [drain] to=)", "HOST" },
        { "dry-run", 0, 0, G_OPTION_ARG_NONE, &options->dry_run, "only show the plan", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "print JSON Lines", NULL },
        { "include-manual", 0, 0, G_OPTION_ARG_NONE, &options->include_manual,
          "also move guests whose mode is manual or pinned", NULL },
        { "fallback", 0, 0, G_OPTION_ARG_STRING, &options->fallback,
          "what becomes of guests that cannot leave (default: their own)",
          "leave|hibernate|shutdown" },
        { "at-once", 0, 0, G_OPTION_ARG_INT, &options->at_once,
          "so many guests at once (default: [drain] at-once=, or 2)", "N" },
        { "bandwidth", 0, 0, G_OPTION_ARG_INT64, &options->bandwidth,
          "what one move gets, for the estimate (default: 100)", "MiB/s" },
        { "cancel", 0, 0, G_OPTION_ARG_NONE, &options->cancel,
          "stop the drain that runs: no guest begins to move; again: undo those that do", NULL },
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config_path,
          "the configuration (default: " CONFIG_PATH ")", "FILE" },
        { "root", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &options->root,
          "a directory that stands for /", "DIR" },
        { 0 },
    };
    const VerbOptions verb = {
        .synopsis = "[--to HOST...] [--dry-run]",
        .summary = "Moves all guests of this host to others, where all of them fit together.\n"
                   "The host takes no guests from then on until 'migprep maintenance end'.\n"
                   "What becomes of a guest that cannot leave is its policy's to say\n"
                   "('migprep policy GUEST'). Run again, it goes on where it was interrupted.\n"
                   "Ctrl-C lets running moves end; a second one undoes them.",
        .examples = "Examples:\n"
                    "  migprep drain --to host2 --to host3 --dry-run\n"
                    "  migprep drain --to host2 --json | jq -r .event\n"
                    "  migprep drain --cancel\n",
        .entries = entries,
        .connection = &options->connection,
        .remote = TRUE,
    };

    return verb_parse(&verb, argc, argv, 0);
}

static int
cancel(const DrainOptions *options)
{
    g_autoptr(GError) error = NULL;
    gboolean running;

    if (drain_lock_interrupt(options->root ? options->root : "", &running, &error))
        return EXIT_STATUS_OK;
    if (error)
        return verb_fail(error, options->json);
    fputs("migprep: nobody is emptying this host\n", stderr);
    return EXIT_STATUS_FAILED;
}

static GPtrArray *
open_destinations(const DrainOptions *options, GError **error)
{
    char *const *hosts = options->hosts ? options->hosts : options->config->drain_to;

    if (!verb_check_destinations(
            hosts, "say where to: --to HOST, or to=HOST in [drain] of " CONFIG_PATH, error))
        return NULL;
    GPtrArray *peers = g_ptr_array_new_with_free_func((GDestroyNotify)peer_free);
    for (char *const *host = hosts; *host; host++)
        g_ptr_array_add(peers, peer_new_remote(*host, options->connection.ssh));
    return peers;
}

static char *
join_names(const GPtrArray *peers)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < peers->len; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", peer_host(peers->pdata[i]));
    return g_string_free(text, FALSE);
}

static gboolean
run_hooks(const DrainOptions *options, HostHooksPhase phase, const GPtrArray *destinations,
          const char *result, GError **error)
{
    g_autofree char *names = join_names(destinations);
    g_autofree char *reason = maintenance_reason(options->root);
    const HostHooks hooks = { .root = options->root,
                              .config = &options->config->host_hooks,
                              .reason = reason,
                              .destinations = names,
                              .result = result };

    return host_hooks_run(&hooks, phase, options->abort, error);
}

/* A reason that an administrator gave stays. */
static gboolean
begin_maintenance(const DrainOptions *options, GError **error)
{
    g_autoptr(Maintenance) before = maintenance_read(options->root);

    return before || maintenance_begin(options->root, "it is being emptied", FALSE, error);
}

typedef struct {
    const DrainOptions *options;
    Peer *source;
    GPtrArray *destinations;
} Parties;

static void
say(const char *sentence, void *data)
{
    fprintf(stderr, "migprep: %s\n", sentence);
}

/* Before guests are moved, what others began has to be over: @settle. */
static DrainPlan *
make_plan(const Parties *parties, gboolean settle, GError **error)
{
    const DrainRules rules = drain_options_rules(parties->options);
    const DrainQuestion question = { .source = parties->source,
                                     .destinations = parties->destinations,
                                     .cancellable = parties->options->stop };
    const DrainSettling settling = { .patience_seconds = 2 * LEASE_SECONDS_DEFAULT,
                                     .pause_msec = 1000,
                                     .tell = say };

    if (settle && !drain_settle(&question, &settling, error))
        return NULL;
    return drain_survey(&question, &rules, error);
}

/* For guests to be moved by, once what the administrator wants done before is done. */
static DrainPlan *
prepare(const Parties *parties, GError **error)
{
    if (!run_hooks(parties->options, HOST_HOOKS_PRE_DRAIN, parties->destinations, NULL, error))
        return NULL;
    return make_plan(parties, TRUE, error);
}

static int
show_plan(const Parties *parties)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DrainPlan) plan = make_plan(parties, FALSE, &error);

    if (!plan)
        return verb_fail(error, parties->options->json);
    g_autoptr(DrainView) view = drain_view_new(stdout, parties->options->json, plan);
    drain_view_plan(view);
    return drain_plan_staying(plan) == 0 ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static DrainResult *
carry_out(const Parties *parties, DrainPlan *plan, DrainRecord *record)
{
    g_autoptr(DrainView) view = drain_view_new(stdout, parties->options->json, plan);
    DrainNews news = { .host = parties->source };
    DrainReport report = { .view = view, .record = record, .news = &news };
    DrainTask task = drain_options_task(parties->options, plan);

    task.source = parties->source;
    task.destinations = parties->destinations;
    task.tell = drain_report_event;
    task.data = &report;
    drain_view_plan(view);
    DrainResult *result = drain_run(&task);
    drain_report_result(&report, result);
    return result;
}

static int
drain(const Parties *parties)
{
    const DrainOptions *options = parties->options;
    g_autoptr(GError) error = NULL;
    g_autoptr(DrainLock) lock = drain_lock_take(options->root, &error);
    g_autoptr(DrainRecord) record = lock ? drain_record_load(options->root, &error) : NULL;

    if (!record || !begin_maintenance(options, &error))
        return verb_fail(error, options->json);
    g_autoptr(DrainPlan) plan = prepare(parties, &error);
    if (!plan) {
        say("this host takes no guests until 'migprep maintenance end'", NULL);
        return verb_fail(error, options->json);
    }
    g_autoptr(DrainResult) result = carry_out(parties, plan, record);
    if (!run_hooks(options, HOST_HOOKS_POST_DRAIN, parties->destinations,
                   drain_result_name(result->kind), &error))
        return verb_fail(error, options->json);
    return drain_options_status(result);
}

static int
run(int argc, char **argv)
{
    g_auto(DrainOptions) options;
    g_autoptr(GError) error = NULL;

    drain_options_init(&options);
    if (!parse_options(&options, argc, &argv))
        return EXIT_STATUS_USAGE;
    if (options.cancel)
        return cancel(&options);
    if (!drain_options_check(&options, &error))
        return verb_fail(error, options.json);
    g_autoptr(GPtrArray) destinations = open_destinations(&options, &error);
    if (!destinations)
        return verb_fail(error, options.json);
    drain_options_watch(&options);
    g_autoptr(Peer) source = connection_open_local(&options.connection);
    const Parties parties = { &options, source, destinations };
    return options.dry_run ? show_plan(&parties) : drain(&parties);
}

const Verb verb_drain = { "drain", "move all guests of this host to others", run };
