/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep migrate`: moves a guest to another host. */
#include <stdio.h>
#include <unistd.h>

#include "common/cli/exit_status.h"
#include "common/cli/gate.h"
#include "common/cli/interrupt.h"
#include "common/cli/move_options.h"
#include "common/cli/output.h"
#include "common/cli/verb.h"
#include "common/host_name.h"
#include "common/limits.h"

/* A lease must outlive a slow renewal: below this, thirds of it are shorter than a busy host. */
#define LEASE_SECONDS_MIN 3

typedef struct {
    Connection connection;
    char *from; /* NULL: this host */
    char *to;
    char **force;
    gboolean json;
    gboolean set_up_bond;
    MoveOptions how;
    int lease_seconds;
} MigrateOptions;

static void
migrate_options_clear(MigrateOptions *options)
{
    connection_clear(&options->connection);
    g_free(options->from);
    g_free(options->to);
    move_options_clear(&options->how);
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

static const char *
source_name(const MigrateOptions *options)
{
    return options->from ? options->from : g_get_host_name();
}

static gboolean
check_destination(const MigrateOptions *options, GError **error)
{
    if (!options->to) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "option --to", "say where to: --to HOST",
                  "is missing");
        return FALSE;
    }
    if (!host_name_check(options->to, error) ||
        (options->from && !host_name_check(options->from, error)))
        return FALSE;
    if (!host_name_is_own(options->to, source_name(options)))
        return TRUE;
    g_autofree char *object = g_strdup_printf("host '%s'", options->to);
    fault_set(error, FAULT_INVALID_ARGUMENT, object, "name another host",
              "is the host itself where the guest already is");
    return FALSE;
}

static gboolean
check_options(const MigrateOptions *options, GError **error)
{
    return check_destination(options, error) &&
           gate_check_forced((const char *const *)options->force, error) &&
           check_range("option --lease", options->lease_seconds, LEASE_SECONDS_MIN,
                       LIMIT_LEASE_SECONDS_MAX, error);
}

static gboolean
parse_options(MigrateOptions *options, int argc, char ***argv)
{
    const GOptionEntry own[] = {
        { "from", 0, 0, G_OPTION_ARG_STRING, &options->from, "where the guest is (default: here)",
          "HOST" },
        { "to", 0, 0, G_OPTION_ARG_STRING, &options->to, "where the guest goes", "HOST" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "print JSON Lines", NULL },
        { "set-up-bond", 0, 0, G_OPTION_ARG_NONE, &options->set_up_bond,
          "first create the guest's bond if it has none", NULL },
        { "force", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->force,
          "go on although check ID fails; may be given several times", "ID" },
        { "lease", 0, 0, G_OPTION_ARG_INT, &options->lease_seconds,
          "undo all by itself so long after this command died (default: 60)", "S" },
        { 0 },
    };
    g_autofree GOptionEntry *entries = move_options_entries(&options->how, own);
    const VerbOptions verb = {
        .synopsis = "GUEST [--from HOST] --to HOST",
        .summary = "Moves a guest, its virtual functions and its disks to another host,\n"
                   "unless what 'migprep check' looks at forbids it.\n"
                   "What is not said is as 'migprep policy GUEST' tells.\n"
                   "Ctrl-C undoes everything; a second one leaves that to the daemons.",
        .examples =
            "Examples:\n"
            "  migprep migrate web1 --to host2\n"
            "  migprep migrate web1 --from host1 --to host2\n"
            "  migprep migrate web1 --to host2 --timeout 60 --timeout-postcopy\n"
            "  migprep migrate web1 --to host2 --disk vda=/srv/web1.qcow2 --network lan=blue\n"
            "  migprep migrate web1 --to host2 --offline --verify\n"
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
move(const MigrateOptions *options, const char *guest, const json_t *how)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autofree char *farewell =
        g_strdup_printf("leaving now; what was begun undoes or finishes itself within %d s",
                        options->lease_seconds);
    g_auto(GStrv) disks = move_options_disks(&options->how);
    interrupt_watch(cancellable, "cancelling and undoing; once more leaves at once", farewell);
    g_autoptr(Peer) source = options->from ? peer_new_remote(options->from, options->connection.ssh)
                                           : connection_open_local(&options->connection);
    g_autoptr(Peer) destination = peer_new_remote(options->to, options->connection.ssh);
    g_autoptr(Output) output = output_new(stdout, options->json);
    const Gate gate = { .source = source,
                        .destination = destination,
                        .guest = guest,
                        .forced = (const char *const *)options->force,
                        .disk_paths = json_object_get(how, "diskPaths"),
                        .set_up_bond = options->set_up_bond,
                        .login_known =
                            !options->from && connection_is_libvirts(&options->connection),
                        .cancellable = cancellable };
    /* Without a running guest most of what the checks look at is not there; the survey and libvirt
     * see to the rest. */
    const MoveRequest request = {
        .guest = guest,
        .gate = options->how.offline ? NULL : &gate,
        .options = how,
        .disks = (const char *const *)disks,
        .offline = options->how.offline,
        .verify = options->how.verify,
        .unsafe = options->how.unsafe,
        .set_up_bond = options->set_up_bond,
        .lease_seconds = (unsigned)options->lease_seconds,
    };
    g_autoptr(MoveResult) result =
        move_run(&request, source, destination, &output_observer, output, cancellable);

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
        return verb_fail(error, options.json);
    json_auto_t *how = move_options_to_request(&options.how, &error);
    return how ? move(&options, argv[1], how) : verb_fail(error, options.json);
}

const Verb verb_migrate = { "migrate", "move a guest to another host", run };
