/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep check`: what would stop or hurt a move, without changing anything. */
#include <stdio.h>

#include "common/check_catalogue.h"
#include "common/cli/check_survey.h"
#include "common/cli/host_name.h"
#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/cli/table.h"
#include "common/cli/verb.h"
#include "common/fault.h"

#define STATUS_USAGE 64 /* sysexits.h: 2 means blocked here */

#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"

static const char statuses[] = "Exit status:\n"
                               "  0 ready\n"
                               "  1 ready, with warnings\n"
                               "  2 blocked\n"
                               "  3 could not be checked\n"
                               "  64 wrong usage\n"
                               "With several hosts it is the worst of them.\n";

typedef struct {
    Connection connection;
    char **to;
    gboolean host, json, quiet, catalogue;
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
        { "host", 0, 0, G_OPTION_ARG_NONE, &options->host,
          "check a host instead of a guest: this one, or the one named", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &options->json,
          "print one JSON object (docs/check.schema.json)", NULL },
        { "quiet", 0, 0, G_OPTION_ARG_NONE, &options->quiet, "print only what is not as it should",
          NULL },
        { "catalogue", 0, 0, G_OPTION_ARG_NONE, &options->catalogue, "explain all checks", NULL },
        { 0 },
    };
    const VerbOptions verb = {
        .synopsis = "GUEST --to HOST... | --host [HOST] | --catalogue",
        .summary = "Says what would stop or hurt the move of a running guest. Changes nothing.",
        .examples = "Examples:\n"
                    "  migprep check web1 --to host2\n"
                    "  migprep check web1 --to host2 --to host3 --quiet\n"
                    "  migprep check --host host2 --json | jq .verdict\n",
        .entries = entries,
        .connection = &options->connection,
        .remote = TRUE,
        .statuses = statuses,
        .optional_operand = TRUE,
    };

    return verb_parse(&verb, argc, argv, 0);
}

/* How a result is marked, and in which colour. */
static const char *
mark_of(const json_t *result, const char **ret_colour)
{
    const char *outcome = reply_text(result, "outcome");
    gboolean blocker = g_str_equal(reply_text(result, "severity"), "blocker");

    if (g_str_equal(outcome, "passed")) {
        *ret_colour = GREEN;
        return "ok";
    }
    *ret_colour = blocker ? RED : YELLOW;
    if (g_str_equal(outcome, "unknown"))
        return "unknown";
    return blocker ? "blocks" : "warns";
}

static gboolean
is_passed(const json_t *result)
{
    return g_str_equal(reply_text(result, "outcome"), "passed");
}

static void
add_row(Table *table, const json_t *result, gboolean colours)
{
    const char *colour = NULL;
    const char *mark = mark_of(result, &colour);

    table_add(table, (const char *const[]) {
                         mark, reply_text(result, "host"), reply_text(result, "check"),
                         reply_text(result, "object"), reply_text(result, "evidence") });
    if (colours)
        table_paint(table, colour);
}

/* What is wrong comes last, where a terminal still shows it. */
static void
print_results(const CheckSurvey *survey, gboolean quiet)
{
    static const char *const titles[] = { "", "HOST", "CHECK", "WHAT", "FOUND", NULL };
    g_autoptr(Table) table = table_new(titles);
    gboolean colours = output_may_colour(stdout);
    size_t i;
    json_t *result;

    for (gboolean wrong = quiet; wrong <= TRUE; wrong++) {
        json_array_foreach (survey->results, i, result) {
            if (is_passed(result) != wrong)
                add_row(table, result, colours);
        }
    }
    if (!table_is_empty(table))
        table_print(table, stdout);
}

static void
print_remedies(const CheckSurvey *survey)
{
    gboolean first = TRUE;
    size_t i;
    json_t *result;

    json_array_foreach (survey->results, i, result) {
        const char *remedy = reply_text(result, "remedy");

        if (is_passed(result) || !*remedy)
            continue;
        printf("%s  %s, on %s: %s\n", first ? "\nWhat helps:\n" : "", reply_text(result, "check"),
               reply_text(result, "host"), remedy);
        first = FALSE;
    }
}

static const char *
explain(const char *verdict)
{
    if (g_str_equal(verdict, "warnings"))
        return "ready, with warnings";
    return g_str_equal(verdict, "unknown") ? "could not be checked" : verdict;
}

static void
print_verdicts(const CheckSurvey *survey, const char *guest)
{
    size_t i;
    json_t *verdict;

    json_array_foreach (survey->verdicts, i, verdict) {
        const char *host = reply_text(verdict, "destination");
        const char *text = explain(reply_text(verdict, "verdict"));

        if (guest)
            printf("%s%s to %s: %s\n", i ? "" : "\n", guest, host, text);
        else
            printf("%s%s: %s\n", i ? "" : "\n", host, text);
    }
}

static int
show(const CheckSurvey *survey, const char *guest, const CheckOptions *options)
{
    if (options->json) {
        output_json_line(stdout, check_survey_to_json(survey, guest));
    } else {
        print_results(survey, options->quiet);
        print_remedies(survey);
        if (!options->quiet)
            print_verdicts(survey, guest);
    }
    fflush(stdout);
    return (int)survey->verdict;
}

static int
complain(const GError *error)
{
    output_error(error);
    return STATUS_USAGE;
}

static gboolean
check_destinations(char *const *to, GError **error)
{
    gsize count = to ? g_strv_length((char **)to) : 0;

    if (count == 0 || count > CHECK_HOSTS_MAX) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "option --to", "say where to: --to HOST",
                  "is not given 1-%d times", CHECK_HOSTS_MAX);
        return FALSE;
    }
    for (gsize i = 0; i < count; i++) {
        if (!host_name_check(to[i], error))
            return FALSE;
        if (host_name_is_own(to[i], g_get_host_name())) {
            g_autofree char *object = g_strdup_printf("host '%s'", to[i]);
            fault_set(error, FAULT_INVALID_ARGUMENT, object, "name another host",
                      "is this host itself, where the guest already runs");
            return FALSE;
        }
    }
    return TRUE;
}

static int
check_guest(const CheckOptions *options, const char *guest)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) destinations = g_ptr_array_new_with_free_func((GDestroyNotify)peer_free);

    if (!check_destinations(options->to, &error))
        return complain(error);
    for (char **host = options->to; *host; host++)
        g_ptr_array_add(destinations, peer_new_remote(*host, options->connection.ssh));
    g_autoptr(Peer) source = connection_open_local(&options->connection);
    g_autoptr(CheckSurvey) survey =
        check_survey_guest(&(CheckPlan) { .source = source, .destinations = destinations }, guest);
    return show(survey, guest, options);
}

static int
check_host(const CheckOptions *options, const char *host)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Peer) peer = host ? connection_open_remote(&options->connection, host, &error)
                                : connection_open_local(&options->connection);

    if (!peer)
        return complain(error);
    g_autoptr(CheckSurvey) survey = check_survey_host(peer);
    return show(survey, NULL, options);
}

static int
run(int argc, char **argv)
{
    g_auto(CheckOptions) options = { 0 };

    if (!parse_options(&options, argc, &argv))
        return STATUS_USAGE;
    if (options.catalogue) {
        g_autofree char *text = check_catalogue_print();
        fputs(text, stdout);
        return 0;
    }
    if (options.host)
        return check_host(&options, argv[1]);
    if (argv[1])
        return check_guest(&options, argv[1]);
    fputs("migprep: an argument is missing; see 'migprep check --help'\n", stderr);
    return STATUS_USAGE;
}

const Verb verb_check = { "check", "say what would stop or hurt a move", run };
