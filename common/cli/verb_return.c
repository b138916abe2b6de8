/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep return`: brings guests back that left this host when it was emptied. */
#include <stdio.h>
#include <string.h>

#include "common/cli/drain_lock.h"
#include "common/cli/drain_options.h"
#include "common/cli/drain_report.h"
#include "common/cli/drain_survey.h"
#include "common/cli/exit_status.h"
#include "common/cli/job_call.h"
#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/fault.h"
#include "common/guest_hooks.h"
#include "common/maintenance.h"

static gboolean
parse_options(DrainOptions *options, int argc, char ***argv)
{
    const GOptionEntry entries[] = {
        { "from", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->hosts,
          "only those that went there; may be given several times", "HOST" },
        { "dry-run", 0, 0, G_OPTION_ARG_NONE, &options->dry_run, "only show the plan", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "print JSON Lines", NULL },
        { "at-once", 0, 0, G_OPTION_ARG_INT, &options->at_once,
          "so many guests at once (default: [drain] at-once=, or 2)", "N" },
        { "bandwidth", 0, 0, G_OPTION_ARG_INT64, &options->bandwidth,
          "what one move gets, for the estimate (default: 100)", "MiB/s" },
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config_path,
          "the configuration (default: " CONFIG_PATH ")", "FILE" },
        { "root", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &options->root,
          "a directory that stands for /", "DIR" },
        { 0 },
    };
    const VerbOptions verb = {
        .synopsis = "[--from HOST...] [--dry-run]",
        .summary = "Moves the guests back that 'migprep drain' moved away from this host, and\n"
                   "starts those that it stopped. First: 'migprep maintenance end'.",
        .examples = "Examples:\n"
                    "  migprep return --dry-run\n"
                    "  migprep return --from host2\n",
        .entries = entries,
        .connection = &options->connection,
        .remote = TRUE,
    };

    return verb_parse(&verb, argc, argv, 0);
}

typedef struct {
    const DrainOptions *options;
    Peer *here;
    DrainRecord *record;
    int status; /* the first that is not good */
} Return;

static void
note_status(Return *back, int status)
{
    if (back->status == EXIT_STATUS_OK)
        back->status = status;
}

/* Guests that were stopped here. */

/* A drain that was killed left it running, or somebody else started it. */
static gboolean
is_stopped(const json_t *states, const char *uuid)
{
    size_t i;
    json_t *entry;

    json_array_foreach (json_object_get(states, "guests"), i, entry) {
        const char *state = reply_text(entry, "state");

        if (g_str_equal(reply_text(json_object_get(entry, "guest"), "uuid"), uuid))
            return !g_str_equal(state, "running") && !g_str_equal(state, "paused");
    }
    return TRUE; /* starting it says what is wrong */
}

static gboolean
start(const Return *back, const char *uuid, GError **error)
{
    json_auto_t *reply = peer_call(back->here,
                                   &(PeerCall) { .service = SERVICE_STORAGE,
                                                 .method = "StartGuest",
                                                 .parameters = json_pack("{s:s}", "guest", uuid),
                                                 .timeout_seconds = PEER_CALL_SECONDS,
                                                 .cancellable = back->options->abort },
                                   error);

    return reply && drain_record_forget(back->record, uuid, error);
}

/* One that hibernated wakes up what it sent to sleep; it runs, whatever becomes of that. */
static void
wake(const Return *back, const json_t *guest)
{
    const char *phase = guest_hooks_phase_name(GUEST_HOOKS_AFTER_HIBERNATION);
    g_autoptr(GError) error = NULL;

    if (strcmp(reply_text(guest, "outcome"), drain_outcome_name(DRAIN_HIBERNATED)) != 0)
        return;
    json_auto_t *result =
        job_call(back->here,
                 &(JobCall) { .service = SERVICE_NETWORK,
                              .method = "RunHooks",
                              .parameters = json_pack("{s:s, s:s}", "guest",
                                                      reply_text(guest, "uuid"), "phase", phase),
                              .cancellable = back->options->abort },
                 &error);
    if (!result)
        output_error(error);
}

static gboolean
start_one(const Return *back, const json_t *guest, const json_t *states, GError **error)
{
    const char *uuid = reply_text(guest, "uuid");

    if (back->options->dry_run) {
        fprintf(stderr, "migprep: guest '%s' is to be started\n", reply_text(guest, "name"));
        return TRUE;
    }
    if (!is_stopped(states, uuid))
        return drain_record_forget(back->record, uuid, error);
    if (!start(back, uuid, error))
        return FALSE;
    wake(back, guest);
    return TRUE;
}

static void
start_stopped(Return *back)
{
    json_auto_t *guests = json_deep_copy(drain_record_guests(back->record));
    json_auto_t *states = peer_call(back->here,
                                    &(PeerCall) { .service = SERVICE_STORAGE,
                                                  .method = "ListGuests",
                                                  .timeout_seconds = PEER_CALL_SECONDS,
                                                  .cancellable = back->options->abort },
                                    NULL);
    size_t i;
    json_t *guest;

    json_array_foreach (guests, i, guest) {
        g_autoptr(GError) error = NULL;

        if (*reply_text(guest, "host") || g_cancellable_is_cancelled(back->options->stop))
            continue;
        if (!start_one(back, guest, states, &error))
            note_status(back, verb_fail(error, back->options->json));
    }
}

/* Guests that went to @host. */

static char **
list_uuids(const Return *back, const char *host)
{
    g_autoptr(GStrvBuilder) uuids = g_strv_builder_new();
    size_t i;
    json_t *guest;

    json_array_foreach ((json_t *)drain_record_guests(back->record), i, guest) {
        if (g_str_equal(reply_text(guest, "host"), host))
            g_strv_builder_add(uuids, reply_text(guest, "uuid"));
    }
    return g_strv_builder_end(uuids);
}

/* One that is not there any more went on, or ended: nobody is waiting for it here. */
static void
forget_gone(const Return *back, const DrainPlan *plan, char *const *uuids)
{
    for (char *const *uuid = uuids; *uuid; uuid++) {
        gboolean there = FALSE;
        g_autoptr(GError) error = NULL;

        for (guint i = 0; i < plan->items->len; i++)
            there = there || g_str_equal(((DrainItem *)plan->items->pdata[i])->guest->uuid, *uuid);
        if (!there && !drain_record_forget(back->record, *uuid, &error))
            output_error(error);
    }
}

static void
carry_out(Return *back, DrainPlan *plan, Peer *source, const GPtrArray *here)
{
    g_autoptr(DrainView) view = drain_view_new(stdout, back->options->json, plan);
    DrainNews news = { .host = back->here };
    DrainReport report = { .view = view, .record = back->record, .news = &news, .returning = TRUE };
    DrainTask task = drain_options_task(back->options, plan);

    drain_view_plan(view);
    if (back->options->dry_run) {
        note_status(back, drain_plan_staying(plan) ? EXIT_STATUS_FAILED : EXIT_STATUS_OK);
        return;
    }
    task.source = source;
    task.destinations = here;
    task.fallback = FALLBACK_LEAVE;
    task.tell = drain_report_event;
    task.data = &report;
    g_autoptr(DrainResult) result = drain_run(&task);
    drain_report_result(&report, result);
    note_status(back, drain_options_status(result));
}

static void
return_from(Return *back, const char *host)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Peer) source = connection_open_remote(&back->options->connection, host, &error);
    g_autoptr(GPtrArray) here = g_ptr_array_new();
    g_auto(GStrv) uuids = list_uuids(back, host);
    DrainRules rules = drain_options_rules(back->options);
    const DrainQuestion question = {
        .source = source, .destinations = here, .only = uuids, .cancellable = back->options->stop
    };

    g_ptr_array_add(here, back->here);
    rules.include_manual = TRUE; /* they belong here */
    rules.limits.in = MAX(rules.limits.in, rules.limits.out);
    g_autoptr(DrainPlan) plan = source ? drain_survey(&question, &rules, &error) : NULL;
    if (!plan) {
        note_status(back, verb_fail(error, back->options->json));
        return;
    }
    if (!back->options->dry_run)
        forget_gone(back, plan, uuids);
    carry_out(back, plan, source, here);
}

static void
return_all(Return *back)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    json_auto_t *guests = json_deep_copy(drain_record_guests(back->record));
    size_t i;
    json_t *guest;

    json_array_foreach (guests, i, guest) {
        const char *host = reply_text(guest, "host");
        gboolean wanted = !back->options->hosts ||
                          g_strv_contains((const char *const *)back->options->hosts, host);

        if (*host && wanted && !g_cancellable_is_cancelled(back->options->stop) &&
            g_hash_table_add(seen, g_strdup(host)))
            return_from(back, host);
    }
    if (!back->options->hosts)
        start_stopped(back);
}

static int
bring_back(const DrainOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DrainLock) lock = drain_lock_take(options->root, &error);
    g_autoptr(DrainRecord) record = lock ? drain_record_load(options->root, &error) : NULL;
    g_autoptr(Peer) here = connection_open_local(&options->connection);
    Return back = { .options = options, .here = here, .record = record };

    if (!record || !maintenance_check(options->root, "the guests of this host", &error))
        return verb_fail(error, options->json);
    if (json_array_size(drain_record_guests(record)) == 0 && !options->json)
        puts("no guest left this host");
    drain_options_watch(options);
    return_all(&back);
    return back.status;
}

static int
run(int argc, char **argv)
{
    g_auto(DrainOptions) options;
    g_autoptr(GError) error = NULL;

    drain_options_init(&options);
    if (!parse_options(&options, argc, &argv))
        return EXIT_STATUS_USAGE;
    return drain_options_check(&options, &error) ? bring_back(&options)
                                                 : verb_fail(error, options.json);
}

const Verb verb_return = { "return", "bring guests back that left this host", run };
