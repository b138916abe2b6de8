/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep release`: gives back what a lease of a host holds, or all of a daemon. */
#include <stdio.h>

#include "common/cli/exit_status.h"
#include "common/cli/interrupt.h"
#include "common/cli/job_call.h"
#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"
#include "common/fault.h"

#define REASON_DEFAULT "migprep release --force"

/* What the options say. */
typedef struct {
    char *host, *reason;
    char *all; /* of which daemon; NULL: of none */
    gboolean force, json;
    GCancellable *cancellable; /* by a signal; NULL: nothing was begun that could be cancelled */
} Request;

static void
request_clear(Request *request)
{
    g_free(request->host);
    g_free(request->reason);
    g_free(request->all);
    g_clear_object(&request->cancellable);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)

static json_t *
list(Peer *peer, Service service, GError **error)
{
    return peer_call(peer,
                     &(PeerCall) { .service = service,
                                   .method = "ListLeases",
                                   .timeout_seconds = PEER_CALL_SECONDS },
                     error);
}

/* The lease as its daemon lists it; NULL without an error: the daemon has none of that name. */
static json_t *
find_on(Peer *peer, Service service, const char *id, GError **error)
{
    json_auto_t *reply = list(peer, service, error);
    size_t i;
    json_t *lease;

    json_array_foreach (json_object_get(reply, "leases"), i, lease) {
        if (g_str_equal(reply_text(lease, "lease"), id))
            return json_incref(lease);
    }
    return NULL;
}

/* A daemon that does not answer may have it, so that comes before "no such lease". */
static json_t *
find(Peer *peer, const char *id, Service *ret_service, GError **error)
{
    g_autofree char *object = g_strdup_printf("lease %s", id);
    g_autoptr(GError) silent = NULL;

    for (unsigned service = 0; service < SERVICE_COUNT; service++) {
        g_autoptr(GError) failure = NULL;
        json_t *lease = find_on(peer, service, id, &failure);

        *ret_service = service;
        if (lease)
            return lease;
        if (failure && !silent)
            silent = g_steal_pointer(&failure);
    }
    if (silent)
        g_propagate_error(error, g_steal_pointer(&silent));
    else
        fault_set(error, FAULT_LEASE_NOT_FOUND, object, "list the leases with: migprep status",
                  "no such lease on %s; it may have ended", peer_host(peer));
    return NULL;
}

static GCancellable *
watch_interrupt(Request *request)
{
    if (!request->cancellable) {
        request->cancellable = g_cancellable_new();
        interrupt_watch(request->cancellable, "stopping; once more leaves at once",
                        "leaving now; the daemon goes on by itself");
    }
    return request->cancellable;
}

static json_t *
release_network(Peer *peer, const json_t *lease, Request *request, GError **error)
{
    const char *reason = request->reason ? request->reason : REASON_DEFAULT;

    return job_call(peer,
                    &(JobCall) { .service = SERVICE_NETWORK,
                                 .method = request->force ? "ForceRelease" : "Release",
                                 .parameters = json_pack(
                                     "{s:O, s:O, s:s*}", "lease", json_object_get(lease, "lease"),
                                     "generation", json_object_get(lease, "generation"), "reason",
                                     request->force ? reason : NULL),
                                 .cancellable = watch_interrupt(request) },
                    error);
}

static json_t *
release_storage(Peer *peer, const json_t *lease, const Request *request, GError **error)
{
    if (request->force) {
        g_autofree char *object = g_strdup_printf("lease %s", reply_text(lease, "lease"));
        fault_set(error, FAULT_INVALID_ARGUMENT, object,
                  "leave --force away: what is in use stays until it is not",
                  "is one of storprepd, which takes nothing away by force");
        return NULL;
    }
    return peer_call(peer,
                     &(PeerCall) { .service = SERVICE_STORAGE,
                                   .method = "Release",
                                   .parameters = json_pack(
                                       "{s:O, s:O}", "lease", json_object_get(lease, "lease"),
                                       "generation", json_object_get(lease, "generation")),
                                   .timeout_seconds = PEER_CALL_SECONDS },
                     error);
}

/* {freed, kept}: names of what went and of what stayed with the guest. */
static json_t *
sort_out(const json_t *lease, const json_t *result)
{
    json_t *held = json_object_get(lease, "functions");
    json_t *freed = json_object_get(result, "freed"), *kept = json_object_get(result, "kept");
    json_auto_t *nothing = json_array();
    gboolean stays = json_is_true(kept) || g_str_equal(reply_text(result, "outcome"), "returned");

    if (json_is_array(freed))
        return json_pack("{s:O, s:O}", "freed", freed, "kept", kept);
    if (!held)
        held = json_object_get(lease, "paths");
    if (!held)
        held = nothing;
    return json_pack("{s:O, s:O}", "freed", stays ? nothing : held, "kept", stays ? held : nothing);
}

static void
print_names(const json_t *names, const char *what)
{
    size_t i;
    json_t *name;

    json_array_foreach (names, i, name)
        printf("  %s %s\n", what, json_string_value(name));
}

static void
report(const json_t *lease, json_t *sorted, const Request *request)
{
    const char *guest = reply_text(json_object_get(lease, "guest"), "name");

    if (request->json) {
        json_object_set(sorted, "lease", json_object_get(lease, "lease"));
        json_object_set(sorted, "kind", json_object_get(lease, "kind"));
        json_object_set(sorted, "guest", json_object_get(lease, "guest"));
        output_json_line(stdout, json_incref(sorted));
    } else {
        printf("%s %s", reply_text(lease, "kind"), reply_text(lease, "lease"));
        if (*guest)
            printf(" of guest '%s'", guest);
        puts(" has ended");
        print_names(json_object_get(sorted, "freed"), "let go:");
        print_names(json_object_get(sorted, "kept"), "stays with the guest:");
    }
    fflush(stdout);
}

static int
release(Peer *peer, Service service, const json_t *lease, Request *request)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *result = service == SERVICE_NETWORK
                              ? release_network(peer, lease, request, &error)
                              : release_storage(peer, lease, request, &error);

    if (!result)
        return verb_fail(error, request->json);
    json_auto_t *sorted = sort_out(lease, result);
    report(lease, sorted, request);
    return EXIT_STATUS_OK;
}

static int
release_one(Peer *peer, const char *id, Request *request)
{
    g_autoptr(GError) error = NULL;
    Service service = SERVICE_NETWORK;
    json_auto_t *lease = find(peer, id, &service, &error);

    return lease ? release(peer, service, lease, request) : verb_fail(error, request->json);
}

/* Each of them is tried; the status is that of the first that stays. */
static int
release_all(Peer *peer, Service service, Request *request)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *reply = list(peer, service, &error);
    int status = EXIT_STATUS_OK;
    size_t i;
    json_t *lease;

    if (!reply)
        return verb_fail(error, request->json);
    json_array_foreach (json_object_get(reply, "leases"), i, lease) {
        if (request->cancellable && g_cancellable_is_cancelled(request->cancellable))
            return EXIT_STATUS_CANCELLED;
        int one = release(peer, service, lease, request);
        status = status == EXIT_STATUS_OK ? one : status;
    }
    return status;
}

/* What goes together, on the command line; NULL, or what is wrong. */
static const char *
wrong_usage(const Request *request, int operands, Service *ret_service)
{
    if (request->reason && !request->force)
        return "--reason goes with --force";
    if (request->all && request->force)
        return "--force is for one lease";
    if (request->all && !service_from_name(request->all, ret_service))
        return "--all takes network or storage";
    if (!request->all == !operands)
        return request->all ? "--all takes no LEASE" : "an argument is missing";
    return NULL;
}

static int
run(int argc, char **argv)
{
    g_auto(Connection) connection = { 0 };
    g_auto(Request) request = { 0 };
    g_autoptr(GError) error = NULL;
    Service service = SERVICE_NETWORK;
    const GOptionEntry entries[] = {
        { "all", 0, 0, G_OPTION_ARG_STRING, &request.all, "every lease of a daemon",
          "network|storage" },
        { "host", 0, 0, G_OPTION_ARG_STRING, &request.host, "another host (default: this one)",
          "HOST" },
        { "force", 0, 0, G_OPTION_ARG_NONE, &request.force,
          "end it in whatever state it is, plug nothing back, write it to the journal", NULL },
        { "reason", 0, 0, G_OPTION_ARG_STRING, &request.reason, "why, for the journal", "TEXT" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &request.json, "print a JSON object for each lease",
          NULL },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "LEASE | --all network|storage",
        .summary =
            "Gives back what a lease holds, as its deadline would: a guest that runs here\n"
            "gets its virtual functions back, what nobody uses is free. Refused while the\n"
            "guest is on its way. --force lets go at once of what nobody uses, whatever the\n"
            "guest does, and takes nothing from a running guest.",
        .examples = "Examples:\n  migprep release 2f0c1c0e-5d0b-4d5e-9d59-0e8f6c1f6a11\n"
                    "  migprep release --host host2 --force --reason 'host1 is gone' "
                    "2f0c1c0e-5d0b-4d5e-9d59-0e8f6c1f6a11\n"
                    "  migprep release --all network\n",
        .entries = entries,
        .connection = &connection,
        .remote = TRUE,
        .more_operands = 1,
    };

    if (!verb_parse(&options, argc, &argv, 0))
        return EXIT_STATUS_USAGE;
    const char *wrong = wrong_usage(&request, argv[1] != NULL, &service);
    if (wrong) {
        fprintf(stderr, "migprep: %s; see 'migprep release --help'\n", wrong);
        return EXIT_STATUS_USAGE;
    }
    g_autoptr(Peer) peer = request.host ? connection_open_remote(&connection, request.host, &error)
                                        : connection_open_local(&connection);
    if (!peer)
        return verb_fail(error, request.json);
    return request.all ? release_all(peer, service, &request)
                       : release_one(peer, argv[1], &request);
}

const Verb verb_release = { "release", "give back what a lease holds", run };
