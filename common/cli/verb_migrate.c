/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep migrate`: moves a running guest to another host. */
#include <stdio.h>

#include "common/cli/exit_status.h"
#include "common/cli/gate.h"
#include "common/cli/host_name.h"
#include "common/cli/interrupt.h"
#include "common/cli/output.h"
#include "common/cli/verb.h"
#include "common/limits.h"

#define BANDWIDTH_MEBIBYTES_MAX (1024 * 1024)
#define DOWNTIME_MSEC_MAX       (3600 * 1000)
/* A lease must outlive a slow renewal: below this, thirds of it are shorter than a busy host. */
#define LEASE_SECONDS_MIN 3

typedef struct {
    Connection connection;
    char *to;
    char **force;
    gboolean json;
    gint64 bandwidth, downtime;
    gboolean auto_converge, set_up_bond;
    int lease_seconds;
} MigrateOptions;

static void
migrate_options_clear(MigrateOptions *options)
{
    connection_clear(&options->connection);
    g_free(options->to);
    g_strfreev(options->force);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MigrateOptions, migrate_options_clear)

static gboolean
check_range(const char *option, gint64 value, gint64 minimum, gint64 maximum, GError **error)
{
    if (value >= minimum && value <= maximum)
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, option, "see 'migprep migrate --help'",
              "%" G_GINT64_FORMAT " is not between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT,
              value, minimum, maximum);
    return FALSE;
}

static gboolean
check_destination(const char *to, GError **error)
{
    if (!to) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "option --to", "say where to: --to HOST",
                  "is missing");
        return FALSE;
    }
    if (!host_name_check(to, error))
        return FALSE;
    if (!host_name_is_own(to, g_get_host_name()))
        return TRUE;
    g_autofree char *object = g_strdup_printf("host '%s'", to);
    fault_set(error, FAULT_INVALID_ARGUMENT, object, "name another host",
              "is this host itself, where the guest already runs");
    return FALSE;
}

static gboolean
check_options(const MigrateOptions *options, GError **error)
{
    return check_destination(options->to, error) &&
           gate_check_forced((const char *const *)options->force, error) &&
           check_range("option --bandwidth", options->bandwidth, 0, BANDWIDTH_MEBIBYTES_MAX,
                       error) &&
           check_range("option --max-downtime", options->downtime, 0, DOWNTIME_MSEC_MAX, error) &&
           check_range("option --timeout", options->lease_seconds, LEASE_SECONDS_MIN,
                       LIMIT_LEASE_SECONDS_MAX, error);
}

static gboolean
parse_options(MigrateOptions *options, int argc, char ***argv)
{
    const GOptionEntry entries[] = {
        { "to", 0, 0, G_OPTION_ARG_STRING, &options->to, "where the guest goes", "HOST" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "print JSON Lines", NULL },
        { "bandwidth", 0, 0, G_OPTION_ARG_INT64, &options->bandwidth,
          "at most this much (default: libvirt's)", "MiB/s" },
        { "max-downtime", 0, 0, G_OPTION_ARG_INT64, &options->downtime,
          "how long the guest may stand still (default: libvirt's)", "MS" },
        { "auto-converge", 0, 0, G_OPTION_ARG_NONE, &options->auto_converge,
          "slow the guest down if it writes faster than can be sent", NULL },
        { "set-up-bond", 0, 0, G_OPTION_ARG_NONE, &options->set_up_bond,
          "first create the guest's bond if it has none", NULL },
        { "force", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->force,
          "go on although check ID fails; may be given several times", "ID" },
        { "timeout", 0, 0, G_OPTION_ARG_INT, &options->lease_seconds,
          "undo all by itself so long after this command died (default: 60)", "S" },
        { 0 },
    };
    const VerbOptions verb = {
        .synopsis = "GUEST --to HOST",
        .summary = "Moves a running guest, its virtual functions and its disks to another host,\n"
                   "unless what 'migprep check' looks at forbids it.\n"
                   "Ctrl-C undoes everything; a second one leaves that to the daemons.",
        .examples = "Examples:\n"
                    "  migprep migrate web1 --to host2\n"
                    "  migprep migrate web1 --to host2 --max-downtime 300 --auto-converge\n"
                    "  migprep migrate web1 --to host2 --json | jq -r .event\n",
        .entries = entries,
        .connection = &options->connection,
        .remote = TRUE,
    };

    return verb_parse(&verb, argc, argv, 1);
}

static int
status_of(const MoveResult *result)
{
    return result->error ? (int)exit_status_of(fault_code(result->error)) : EXIT_STATUS_OK;
}

static int
move(const MigrateOptions *options, const char *guest)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autofree char *farewell =
        g_strdup_printf("leaving now; what was begun undoes or finishes itself within %d s",
                        options->lease_seconds);
    const MoveRequest request = {
        .guest = guest,
        .bandwidth_mebibytes = (guint64)options->bandwidth,
        .maximum_downtime_msec = (guint64)options->downtime,
        .auto_converge = options->auto_converge,
        .set_up_bond = options->set_up_bond,
        .lease_seconds = (unsigned)options->lease_seconds,
    };

    interrupt_watch(cancellable, "cancelling and undoing; once more leaves at once", farewell);
    g_autoptr(Peer) source = connection_open_local(&options->connection);
    g_autoptr(Peer) destination = peer_new_remote(options->to, options->connection.ssh);
    g_autoptr(Output) output = output_new(stdout, options->json);
    const Gate gate = { .source = source,
                        .destination = destination,
                        .guest = guest,
                        .forced = (const char *const *)options->force,
                        .set_up_bond = options->set_up_bond,
                        .cancellable = cancellable };
    GError *refusal = NULL;
    g_autoptr(MoveResult) result =
        gate_pass(&gate, &output_observer, output, &refusal)
            ? move_run(&request, source, destination, &output_observer, output, cancellable)
            : move_result_refused(guest, source, destination, refusal);
    output_result(output, result);
    return status_of(result);
}

static int
run(int argc, char **argv)
{
    g_auto(MigrateOptions) options = { .lease_seconds = LEASE_SECONDS_DEFAULT };
    g_autoptr(GError) error = NULL;

    if (!parse_options(&options, argc, &argv))
        return EXIT_STATUS_USAGE;
    if (!check_options(&options, &error))
        return verb_fail(error);
    return move(&options, argv[1]);
}

const Verb verb_migrate = { "migrate", "move a running guest to another host", run };
