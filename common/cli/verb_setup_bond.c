/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep setup-bond`: gives a guest the bond that lets it move without losing its network. */
#include <stdio.h>

#include "common/cli/exit_status.h"
#include "common/cli/interrupt.h"
#include "common/cli/job_call.h"
#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"

static const char *
port(const json_t *bond, const char *key)
{
    const char *name = reply_text(bond, key);

    return *name ? name : "none";
}

/* What the options say. */
typedef struct {
    char *bond;
    gboolean own_macs, repair, remove_filter, json;
} Request;

static json_t *
parameters(const char *guest, const Request *request)
{
    return json_pack("{s:s, s:s*, s:s*, s:b, s:b}", "guest", guest, "bond", request->bond,
                     "failOverMac", request->own_macs ? "active" : NULL, "repair", request->repair,
                     "removeFilter", request->remove_filter);
}

static void
print_advice(const json_t *bond)
{
    const json_t *advice = json_object_get(bond, "advice");

    for (gsize i = 0; i < json_array_size(advice); i++)
        printf("  advice: %s\n", json_string_value(json_array_get(advice, i)));
    if (json_array_size(advice) > 0)
        printf("  --repair sets these options\n");
}

static void
report(const char *guest, const Request *request, json_t *bond)
{
    if (request->json) {
        output_json_line(stdout, json_pack("{s:s, s:O}", "guest", guest, "bond", bond));
        return;
    }
    printf("guest '%s' has %s (%s), active port %s, primary %s\n", guest, reply_text(bond, "name"),
           reply_text(bond, "mode"), port(bond, "active"), port(bond, "primary"));
    print_advice(bond);
}

static int
set_up(Peer *peer, const char *guest, const Request *request)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;

    interrupt_watch(cancellable, "cancelling and undoing; once more leaves at once",
                    "leaving now; the daemon goes on by itself");
    json_auto_t *bond = job_call(peer,
                                 &(JobCall) { .service = SERVICE_NETWORK,
                                              .method = "SetUpBond",
                                              .parameters = parameters(guest, request),
                                              .cancellable = cancellable },
                                 &error);
    if (!bond)
        return verb_fail(error, request->json);
    report(guest, request, bond);
    return EXIT_STATUS_OK;
}

static int
run(int argc, char **argv)
{
    g_auto(Connection) connection = { 0 };
    Request request = { 0 };
    const GOptionEntry entries[] = {
        { "bond", 0, 0, G_OPTION_ARG_STRING, &request.bond, "name of a new bond (default: bond0)",
          "NAME" },
        { "repair", 0, 0, G_OPTION_ARG_NONE, &request.repair,
          "set the recommended options of a bond that is there", NULL },
        { "remove-filter", 0, 0, G_OPTION_ARG_NONE, &request.remove_filter,
          "take the network filter off the VirtIO NIC", NULL },
        { "own-macs", 0, 0, G_OPTION_ARG_NONE, &request.own_macs,
          "each NIC keeps its MAC address (fail_over_mac=active) in a new bond", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &request.json, "print one JSON object", NULL },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "GUEST",
        .summary = "Creates an active-backup bond in a guest over its passthrough NIC and its\n"
                   "VirtIO NIC, with the addresses and routes they had. A guest without a VirtIO\n"
                   "NIC to spare gets one. Does nothing if the guest has its bond already.",
        .examples = "Example:\n  migprep setup-bond web1\n",
        .entries = entries,
        .connection = &connection,
    };

    if (!verb_parse(&options, argc, &argv, 1))
        return EXIT_STATUS_USAGE;
    g_autoptr(Peer) peer = connection_open_local(&connection);
    int status = set_up(peer, argv[1], &request);
    g_free(request.bond);
    return status;
}

const Verb verb_setup_bond = { "setup-bond", "create a guest's bond", run };
