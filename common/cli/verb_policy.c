/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep policy`: how a guest is migrated, who says so, and what it says itself. */
#include <stdio.h>
#include <string.h>

#include "common/cli/exit_status.h"
#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"
#include "common/fault.h"

static json_t *
ask(Peer *peer, const char *method, json_t *parameters, GError **error)
{
    return peer_call(peer,
                     &(PeerCall) { .service = SERVICE_STORAGE,
                                   .method = method,
                                   .parameters = parameters,
                                   .timeout_seconds = PEER_CALL_SECONDS },
                     error);
}

/* "name=value" sets it, "name=" takes it out. */
static json_t *
parse_assignment(const char *guest, const char *assignment, GError **error)
{
    const char *value = strchr(assignment, '=');

    if (!value || value == assignment) {
        fault_set(error, FAULT_INVALID_ARGUMENT, assignment,
                  "write NAME=VALUE, or NAME= to take the guest's own value out",
                  "it is no assignment");
        return NULL;
    }
    g_autofree char *name = g_strndup(assignment, (gsize)(value - assignment));
    return json_pack("{s:s, s:s, s:s?}", "guest", guest, "name", name, "value",
                     value[1] ? value + 1 : NULL);
}

static json_t *
call(Peer *peer, const char *guest, const char *assignment, GError **error)
{
    if (!assignment)
        return ask(peer, "GetPolicy", json_pack("{s:s}", "guest", guest), error);
    json_t *parameters = parse_assignment(guest, assignment, error);
    return parameters ? ask(peer, "SetPolicy", parameters, error) : NULL;
}

static const char *
describe_level(const char *level)
{
    static const struct {
        const char *level, *place;
    } places[] = {
        { "default", "default" },
        { "global", "[migration]" },
        { "cluster", "[cluster]" },
        { "guest", "guest" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (g_strcmp0(places[i].level, level) == 0)
            return places[i].place;
    }
    return level;
}

static void
print(const json_t *policy)
{
    const char *cluster = json_string_value(json_object_get(policy, "cluster"));
    size_t i;
    json_t *value;

    json_array_foreach (json_object_get(policy, "values"), i, value)
        printf("%-21s %-9s %-12s %s\n", reply_text(value, "name"), reply_text(value, "value"),
               describe_level(reply_text(value, "level")), reply_text(value, "summary"));
    if (cluster)
        printf("cluster: %s\n", cluster);
}

static int
run(int argc, char **argv)
{
    g_auto(Connection) connection = { 0 };
    g_autofree char *host = NULL;
    gboolean as_json = FALSE;
    const GOptionEntry entries[] = {
        { "host", 0, 0, G_OPTION_ARG_STRING, &host, "where the guest is (default: here)", "HOST" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "print JSON", NULL },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "GUEST [NAME=[VALUE]]",
        .summary = "Shows how a guest is migrated, and who says so: this program, the host, its\n"
                   "cluster or the guest itself; sets what the guest says, or takes it out.",
        .examples =
            "Examples:\n  migprep policy web1\n  migprep policy web1 max-downtime=300\n"
            "  migprep policy web1 on-timeout=suspend\n  migprep policy web1 max-downtime=\n",
        .entries = entries,
        .connection = &connection,
        .remote = TRUE,
        .more_operands = 1,
    };
    g_autoptr(GError) error = NULL;

    if (!verb_parse(&options, argc, &argv, 1))
        return EXIT_STATUS_USAGE;
    g_autoptr(Peer) peer = host ? connection_open_remote(&connection, host, &error)
                                : connection_open_local(&connection);
    json_auto_t *policy = peer ? call(peer, argv[1], argv[2], &error) : NULL;
    if (!policy)
        return verb_fail(error, as_json);
    if (as_json)
        output_json_line(stdout, json_incref(policy));
    else
        print(policy);
    return EXIT_STATUS_OK;
}

const Verb verb_policy = { "policy", "how a guest is migrated, and who says so", run };
