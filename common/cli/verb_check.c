/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep check`: what would stop or hurt a move, without changing anything. */
#include <stdio.h>

#include "common/check_catalogue.h"
#include "common/check_method.h"
#include "common/cli/bandwidth.h"
#include "common/cli/check_batch.h"
#include "common/cli/check_print.h"
#include "common/cli/exit_status.h"
#include "common/cli/interrupt.h"
#include "common/cli/output.h"
#include "common/cli/remedy.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"
#include "common/fault.h"
#include "common/host_name.h"

#define STATUS_USAGE 64 /* sysexits.h: 2 means blocked here */

static const char statuses[] = "Exit status:\n"
                               "  0 ready\n"
                               "  1 ready, with warnings\n"
                               "  2 blocked\n"
                               "  3 could not be checked\n"
                               "  64 wrong usage\n"
                               "  130 interrupted\n"
                               "With several guests or hosts it is the worst of them.\n";

typedef struct {
    Connection connection;
    char **to;
    int measure;
    gint64 bandwidth;
    gboolean all, host, json, quiet, fix, yes, catalogue;
} CheckOptions;

static void
check_options_clear(CheckOptions *options)
{
    connection_clear(&options->connection);
    g_strfreev(options->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CheckOptions, check_options_clear)

static gboolean
parse_options(CheckOptions *options, int argc, char ***argv)
{
    const GOptionEntry entries[] = {
        { "to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->to,
          "where the guest could go; may be given several times", "HOST" },
        { "all", 0, 0, G_OPTION_ARG_NONE, &options->all, "check all guests that run here", NULL },
        { "host", 0, 0, G_OPTION_ARG_NONE, &options->host,
          "check a host instead of a guest: this one, or the one named", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &options->json,
          "print one JSON object a guest, each on a line", NULL },
        { "quiet", 0, 0, G_OPTION_ARG_NONE, &options->quiet, "print only what is not as it should",
          NULL },
        { "measure", 0, 0, G_OPTION_ARG_INT, &options->measure,
          "watch for so long (1-3) how fast the guest changes its memory", "S" },
        { "bandwidth", 0, 0, G_OPTION_ARG_INT64, &options->bandwidth,
          "with --measure: what the way carries (default: measured, by ssh)", "MiB/s" },
        { "fix", 0, 0, G_OPTION_ARG_NONE, &options->fix,
          "show the commands that mend without harm what is wrong", NULL },
        { "yes", 0, 0, G_OPTION_ARG_NONE, &options->yes, "with --fix: run them, and check again",
          NULL },
        { "catalogue", 0, 0, G_OPTION_ARG_NONE, &options->catalogue,
          "explain all checks; with --json, for programs", NULL },
        { 0 },
    };
    const VerbOptions verb = {
        .synopsis = "GUEST --to HOST... | --all --to HOST... | --host [HOST] | --catalogue",
        .summary = "Says what would stop or hurt the move of a running guest. Changes nothing but\n"
                   "what --fix --yes is told to.",
        .examples = "Examples:\n"
                    "  migprep check web1 --to host2\n"
                    "  migprep check --all --to host2 --to host3 --quiet\n"
                    "  migprep check --host host2 --json | jq .verdict\n"
                    "  migprep check web1 --to host2 --fix --yes\n",
        .entries = entries,
        .connection = &options->connection,
        .remote = TRUE,
        .statuses = statuses,
        .more_operands = 1,
    };

    return verb_parse(&verb, argc, argv, 0);
}

static int
complain(const GError *error, const CheckOptions *options)
{
    (void)verb_fail(error, options->json);
    return STATUS_USAGE;
}

static gboolean
check_destinations(char *const *to, GError **error)
{
    if (!verb_check_destinations(to, "say where to: --to HOST", error))
        return FALSE;
    for (char *const *host = to; *host; host++) {
        if (!host_name_check(*host, error))
            return FALSE;
        if (host_name_is_own(*host, g_get_host_name())) {
            g_autofree char *object = g_strdup_printf("host '%s'", *host);
            fault_set(error, FAULT_INVALID_ARGUMENT, object, "name another host",
                      "is this host itself, where the guest already runs");
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
check_measure(const CheckOptions *options, GError **error)
{
    if (options->measure >= 0 && options->measure <= CHECK_MEASURE_SECONDS_MAX &&
        options->bandwidth >= 0)
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "option --measure or --bandwidth",
              "see 'migprep check --help'", "is out of range");
    return FALSE;
}

/* 0: not known, which the check then says. */
static guint64
find_bandwidth(const CheckOptions *options, GCancellable *cancellable)
{
    guint64 mebibytes = (guint64)options->bandwidth;
    g_autoptr(GError) error = NULL;

    if (options->measure && !mebibytes &&
        !bandwidth_measure(options->to[0], options->connection.ssh, cancellable, &mebibytes,
                           &error))
        output_error(error);
    return mebibytes;
}

/* What is checked, so that it can be done again. */
typedef struct {
    const CheckOptions *options;
    CheckPlan plan;
    Peer *host;    /* a host alone; NULL: guests */
    char **guests; /* NULL-terminated */
} Task;

static GPtrArray *
survey(const Task *task)
{
    if (!task->host)
        return check_batch_run(&task->plan, task->guests);
    GPtrArray *surveys = g_ptr_array_new_with_free_func((GDestroyNotify)check_survey_free);
    g_ptr_array_add(surveys, check_survey_host(&task->plan, task->host));
    return surveys;
}

static int
show(const GPtrArray *surveys, const CheckOptions *options)
{
    CheckVerdict verdict = CHECK_VERDICT_READY;

    for (guint i = 0; i < surveys->len; i++) {
        const CheckSurvey *found = surveys->pdata[i];

        verdict = check_verdict_worse(verdict, found->verdict);
        if (options->json)
            output_json_line(stdout, check_survey_to_json(found));
        else
            check_print(found, options->quiet);
    }
    if (surveys->len == 0 && !options->json && !options->quiet)
        puts("no guest runs here");
    fflush(stdout);
    return (int)verdict;
}

static void
apply(char *const *command, const char *host, const CheckOptions *options)
{
    gboolean here = host_name_is_own(host, g_get_host_name());
    g_autoptr(GError) error = NULL;

    if (!remedy_apply(command, here ? NULL : host, options->connection.ssh, &error))
        output_error(error);
}

/* Names each command once, and runs it with --yes. TRUE if any was run. */
static gboolean
fix(const GPtrArray *surveys, const CheckOptions *options)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    size_t j;
    json_t *result;

    for (guint i = 0; i < surveys->len; i++) {
        json_array_foreach (((CheckSurvey *)surveys->pdata[i])->results, j, result) {
            g_auto(GStrv) command = remedy_command(result);
            const char *host = reply_text(result, "host");
            g_autofree char *text = command ? g_strjoinv(" ", command) : NULL;
            g_autofree char *line =
                g_strdup_printf("%s on %s: %s", options->yes ? "applying" : "may be applied", host,
                                text ? text : "");
            if (!command || !g_hash_table_add(seen, g_strdup(line)))
                continue;
            fprintf(stderr, "migprep: %s\n", line);
            if (options->yes)
                apply(command, host, options);
        }
    }
    return options->yes && g_hash_table_size(seen) > 0;
}

static int
do_task(const Task *task)
{
    GCancellable *cancellable = task->plan.cancellable;
    g_autoptr(GPtrArray) surveys = survey(task);

    if (!g_cancellable_is_cancelled(cancellable) && task->options->fix &&
        fix(surveys, task->options)) {
        g_ptr_array_unref(surveys);
        surveys = survey(task);
    }
    /* What is known by then would look like what is wrong. */
    return g_cancellable_is_cancelled(cancellable) ? EXIT_STATUS_CANCELLED
                                                   : show(surveys, task->options);
}

static int
check_guests(const CheckOptions *options, GCancellable *cancellable, char *guest)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) destinations = g_ptr_array_new_with_free_func((GDestroyNotify)peer_free);

    if (!check_destinations(options->to, &error) || !check_measure(options, &error))
        return complain(error, options);
    for (char **host = options->to; *host; host++)
        g_ptr_array_add(destinations, peer_new_remote(*host, options->connection.ssh));
    g_autoptr(Peer) source = connection_open_local(&options->connection);
    char *one[] = { guest, NULL };
    g_auto(GStrv) guests =
        guest ? g_strdupv(one) : check_batch_running(source, cancellable, &error);
    if (g_cancellable_is_cancelled(cancellable))
        return EXIT_STATUS_CANCELLED;
    if (!guests) {
        (void)verb_fail(error, options->json);
        return CHECK_VERDICT_UNKNOWN;
    }
    return do_task(
        &(Task) { .options = options,
                  .plan = { .source = source,
                            .destinations = destinations,
                            .cancellable = cancellable,
                            .login_known = connection_is_libvirts(&options->connection),
                            .measure_seconds = (unsigned)options->measure,
                            .bandwidth_mebibytes = find_bandwidth(options, cancellable) },
                  .guests = guests });
}

static int
check_host(const CheckOptions *options, GCancellable *cancellable, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Peer) host = name ? connection_open_remote(&options->connection, name, &error)
                                : connection_open_local(&options->connection);

    return host ? do_task(&(Task) {
                      .options = options, .plan = { .cancellable = cancellable }, .host = host })
                : complain(error, options);
}

static void
print_catalogue(gboolean json)
{
    g_autofree char *text = json ? NULL : check_catalogue_print();

    if (json)
        output_json_line(stdout, check_catalogue_to_json());
    else
        fputs(text, stdout);
}

static int
run(int argc, char **argv)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(CheckOptions) options = { 0 };

    if (!parse_options(&options, argc, &argv))
        return STATUS_USAGE;
    if (options.catalogue) {
        print_catalogue(options.json);
        return 0;
    }
    interrupt_watch(cancellable, NULL, "left at once; nothing was changed");
    if (options.host && !options.all)
        return check_host(&options, cancellable, argv[1]);
    if (!options.host && options.all == !argv[1])
        return check_guests(&options, cancellable, argv[1]);
    fputs("migprep: name a guest, --all or --host; an argument is missing or one too many; "
          "see 'migprep check --help'\n",
          stderr);
    return STATUS_USAGE;
}

const Verb verb_check = { "check", "say what would stop or hurt a move", run };
