/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep status`: what the daemons of a host hold, do and could not finish. */
#include <stdio.h>

#include "common/cli/exit_status.h"
#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/cli/status_watch.h"
#include "common/cli/table.h"
#include "common/cli/verb.h"
#include "common/fault.h"

#define FUNCTIONS "functions"
#define LEASES    "leases"
#define JOBS      "jobs"

/* Everything that one host says: arrays whose objects name their daemon. */
typedef struct {
    json_t *lists;   /* {functions, leases, jobs, degradedGuests} */
    GError *failure; /* of the first daemon that did not answer */
} Status;

static void
status_clear(Status *status)
{
    json_decref(status->lists);
    g_clear_error(&status->failure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Status, status_clear)

/* TRUE: the daemon can be asked more. */
static gboolean
collect(Status *status, Peer *peer, Service service, const char *method, const char *list)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *reply = peer_call(
        peer,
        &(PeerCall) { .service = service, .method = method, .timeout_seconds = PEER_CALL_SECONDS },
        &error);
    size_t i;
    json_t *entry;

    if (!reply) {
        if (!status->failure)
            status->failure = g_steal_pointer(&error);
        return FALSE;
    }
    json_array_foreach (json_object_get(reply, list), i, entry) {
        json_object_set_new(entry, "daemon", json_string(service_daemon(service)));
        json_array_append(json_object_get(status->lists, list), entry);
    }
    return TRUE;
}

static void
find_degraded(Status *status)
{
    json_t *degraded = json_object_get(status->lists, "degradedGuests");
    size_t i;
    json_t *lease;

    json_array_foreach (json_object_get(status->lists, LEASES), i, lease) {
        if (g_strcmp0(reply_text(lease, "state"), "degraded") == 0)
            json_array_append_new(degraded, json_pack("{s:O, s:s, s:s}", "guest",
                                                      json_object_get(lease, "guest"), "lease",
                                                      reply_text(lease, "lease"), "reason",
                                                      reply_text(lease, "reason")));
    }
}

static void
ask(Status *status, Peer *peer)
{
    status->lists =
        json_pack("{s:[], s:[], s:[], s:[]}", FUNCTIONS, LEASES, JOBS, "degradedGuests");
    if (collect(status, peer, SERVICE_NETWORK, "ListFunctions", FUNCTIONS) &&
        collect(status, peer, SERVICE_NETWORK, "ListLeases", LEASES))
        collect(status, peer, SERVICE_NETWORK, "ListJobs", JOBS);
    if (collect(status, peer, SERVICE_STORAGE, "ListLeases", LEASES))
        collect(status, peer, SERVICE_STORAGE, "ListJobs", JOBS);
    find_degraded(status);
}

static char *
join_names(const json_t *names)
{
    GString *joined = g_string_new(NULL);
    size_t i;
    json_t *name;

    json_array_foreach (names, i, name)
        g_string_append_printf(joined, "%s%s", i ? "," : "", json_string_value(name));
    return g_string_free(joined, FALSE);
}

static void
add_function(Table *table, const json_t *function)
{
    g_autofree char *networks = join_names(json_object_get(function, "physicalNetworks"));

    table_add(table, (const char *const[]) {
                         reply_text(function, "address"), reply_text(function, "state"),
                         reply_text(function, "physicalFunction"), networks,
                         reply_text(function, "driver"), reply_text(function, "holder") });
}

static void
add_lease(Table *table, const json_t *lease)
{
    gboolean is_network = json_object_get(lease, FUNCTIONS) != NULL;
    g_autofree char *holds = join_names(json_object_get(lease, is_network ? FUNCTIONS : "paths"));
    g_autofree char *seconds = g_strdup_printf(
        "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(lease, "remainingSeconds")));

    table_add(table, (const char *const[]) { reply_text(lease, "lease"), reply_text(lease, "kind"),
                                             reply_text(json_object_get(lease, "guest"), "name"),
                                             reply_text(lease, "state"), seconds,
                                             reply_text(lease, "owner"), holds });
}

static void
add_job(Table *table, const json_t *job)
{
    g_autofree char *seconds = g_strdup_printf(
        "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(job, "startedSecondsAgo")));

    table_add(table, (const char *const[]) { reply_text(job, "job"), reply_text(job, "kind"),
                                             reply_text(job, "state"), seconds,
                                             reply_text(job, "subject") });
}

static void
add_degraded(Table *table, const json_t *guest)
{
    table_add(table, (const char *const[]) { reply_text(json_object_get(guest, "guest"), "name"),
                                             reply_text(guest, "reason") });
}

static const struct {
    const char *list, *title;
    const char *columns[8];
    void (*add)(Table *table, const json_t *entry);
} sections[] = {
    { FUNCTIONS,
      "Virtual functions",
      { "ADDRESS", "STATE", "FUNCTION OF", "NETWORKS", "DRIVER", "HOLDER" },
      add_function },
    { LEASES,
      "Leases",
      { "LEASE", "KIND", "GUEST", "STATE", "SECONDS LEFT", "OWNER", "HOLDS" },
      add_lease },
    { JOBS, "Jobs", { "JOB", "KIND", "STATE", "SECONDS AGO", "SUBJECT" }, add_job },
    { "degradedGuests", "Degraded guests", { "GUEST", "REASON" }, add_degraded },
};

static void
print_status(const Status *status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
        g_autoptr(Table) table = table_new(sections[i].columns);
        const json_t *list = json_object_get(status->lists, sections[i].list);
        size_t j;
        json_t *entry;
        json_array_foreach (list, j, entry)
            sections[i].add(table, entry);
        /* Half an answer is not an answer that there is nothing. */
        const char *nothing = status->failure ? ": not known" : ": none";
        printf("%s%s\n", sections[i].title, table_is_empty(table) ? nothing : "");
        if (!table_is_empty(table))
            table_print(table, stdout);
    }
}

static int
show(Peer *peer, gboolean json)
{
    g_auto(Status) status = { 0 };

    ask(&status, peer);
    if (json) {
        json_t *document = json_incref(status.lists);
        json_object_set_new(document, "host", json_string(peer_host(peer)));
        json_object_set_new(document, "error", output_error_object(status.failure));
        output_json_line(stdout, document);
    } else {
        print_status(&status);
    }
    fflush(stdout);
    return status.failure ? verb_fail(status.failure, FALSE) : EXIT_STATUS_OK;
}

static int
run(int argc, char **argv)
{
    g_auto(Connection) connection = { 0 };
    g_autofree char *host = NULL;
    gboolean json = FALSE, watch = FALSE;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        { "host", 0, 0, G_OPTION_ARG_STRING, &host, "another host (default: this one)", "HOST" },
        { "watch", 0, 0, G_OPTION_ARG_NONE, &watch,
          "tell what happens to leases instead, from those that are degraded on", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &json,
          "print one JSON object, or with --watch one for each event", NULL },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "",
        .summary = "Shows virtual functions, leases, jobs and guests left without their virtual\n"
                   "functions. Changes nothing.",
        .examples = "Examples:\n  migprep status\n  migprep status --host host2 --json\n"
                    "  migprep status --watch\n",
        .entries = entries,
        .connection = &connection,
        .remote = TRUE,
    };

    if (!verb_parse(&options, argc, &argv, 0))
        return EXIT_STATUS_USAGE;
    g_autoptr(Peer) peer = host ? connection_open_remote(&connection, host, &error)
                                : connection_open_local(&connection);
    if (!peer)
        return verb_fail(error, json);
    return watch ? status_watch(peer, json) : show(peer, json);
}

const Verb verb_status = { "status", "show what a host's daemons hold and do", run };
