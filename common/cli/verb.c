/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what all verbs do alike: options, help and failing. */
#include "common/cli/verb.h"

#include <stdio.h>
#include <unistd.h>

#include "common/cli/check_survey.h"
#include "common/cli/exit_status.h"
#include "common/cli/output.h"
#include "common/fault.h"
#include "common/host_name.h"

void
connection_clear(Connection *connection)
{
    g_free(connection->network_socket);
    g_free(connection->storage_socket);
    g_free(connection->ssh);
}

Peer *
connection_open_local(const Connection *connection)
{
    return peer_new_local(connection->network_socket, connection->storage_socket);
}

Peer *
connection_open_remote(const Connection *connection, const char *host, GError **error)
{
    return host_name_check(host, error) ? peer_new_remote(host, connection->ssh) : NULL;
}

/* An agent, a ticket, and another program, would open doors that libvirt finds shut. */
gboolean
connection_is_libvirts(const Connection *connection)
{
    return !connection->ssh && geteuid() == 0 && !g_getenv("SSH_AUTH_SOCK") &&
           !g_getenv("KRB5CCNAME");
}

static void
add_connection(GOptionContext *context, Connection *connection, gboolean remote)
{
    const GOptionEntry sockets[] = {
        { "network-socket", 0, 0, G_OPTION_ARG_FILENAME, &connection->network_socket,
          "netprepd's socket on this host", "PATH" },
        { "storage-socket", 0, 0, G_OPTION_ARG_FILENAME, &connection->storage_socket,
          "storprepd's socket on this host", "PATH" },
        { 0 },
    };
    const GOptionEntry ssh[] = {
        { "ssh", 0, 0, G_OPTION_ARG_FILENAME, &connection->ssh,
          "the program that reaches other hosts (default: ssh)", "PATH" },
        { 0 },
    };

    g_option_context_add_main_entries(context, sockets, NULL);
    if (remote)
        g_option_context_add_main_entries(context, ssh, NULL);
}

static gboolean
complain(const char *verb, const char *what)
{
    fprintf(stderr, "migprep: %s; see 'migprep %s --help'\n", what, verb);
    return FALSE;
}

static gboolean
complain_missing(const char *verb, const char *synopsis)
{
    g_autofree char *what = g_strdup_printf("an argument is missing: %s", synopsis);

    return complain(verb, what);
}

gboolean
verb_parse(const VerbOptions *options, int argc, char ***argv, int operands)
{
    g_autoptr(GOptionContext) context = g_option_context_new(options->synopsis);
    g_autofree char *verb = g_strdup((*argv)[0]);
    g_autofree char *program = g_strdup_printf("migprep %s", verb);
    g_autofree char *description = g_strconcat(
        options->examples, "\n", options->statuses ? options->statuses : exit_status_help, NULL);
    g_autoptr(GError) error = NULL;
    int most = operands + options->more_operands;

    g_set_prgname(program); /* GOptionContext names it in the usage line */
    g_option_context_set_summary(context, options->summary);
    g_option_context_set_description(context, description);
    if (options->entries)
        g_option_context_add_main_entries(context, options->entries, NULL);
    if (options->connection)
        add_connection(context, options->connection, options->remote);
    if (!g_option_context_parse(context, &argc, argv, &error))
        return complain(verb, error->message);
    if (argc - 1 < operands)
        return complain_missing(verb, options->synopsis);
    if (argc - 1 > most) {
        g_autofree char *what = g_strdup_printf("too many arguments: '%s'", (*argv)[most + 1]);
        return complain(verb, what);
    }
    return TRUE;
}

gboolean
verb_check_destinations(char *const *hosts, const char *remedy, GError **error)
{
    gsize count = hosts ? g_strv_length((char **)hosts) : 0;

    if (count == 0)
        fault_set(error, FAULT_INVALID_ARGUMENT, "option --to", remedy, "is missing");
    else if (count > CHECK_HOSTS_MAX)
        fault_set(error, FAULT_INVALID_ARGUMENT, "option --to", remedy, "names more than %d hosts",
                  CHECK_HOSTS_MAX);
    return count > 0 && count <= CHECK_HOSTS_MAX;
}

int
verb_fail(const GError *error, gboolean json)
{
    if (json)
        output_json_line(stdout, json_pack("{s:o}", "error", output_error_object(error)));
    output_error(error);
    return (int)exit_status_of(fault_code(error));
}
