/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep cpu-baseline`: the processor that a guest can have on each of several hosts. */
#include <stdio.h>

#include "common/cli/exit_status.h"
#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"
#include "common/fault.h"
#include "common/parallel.h"

#define HOSTS_MAX 32

/* One entry a host; this one is the first. */
typedef struct {
    GPtrArray *peers;      /* of Peer * */
    GPtrArray *processors; /* of char *; NULL: not told */
} Hosts;

static void
hosts_clear(Hosts *hosts)
{
    g_clear_pointer(&hosts->peers, g_ptr_array_unref);
    g_clear_pointer(&hosts->processors, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Hosts, hosts_clear)

/* @processors is stolen. */
static char *
ask(Peer *peer, json_t *processors, GError **error)
{
    json_auto_t *reply =
        peer_call(peer,
                  &(PeerCall) { .service = SERVICE_STORAGE,
                                .method = "BaselineProcessor",
                                .parameters = json_pack("{s:o}", "processors", processors),
                                .timeout_seconds = PEER_CALL_SECONDS },
                  error);

    return reply ? g_strdup(reply_text(reply, "processor")) : NULL;
}

static gboolean
ask_one(guint index, void *data, GError **error)
{
    Hosts *hosts = data;

    char *processor = ask(hosts->peers->pdata[index], json_array(), error);

    hosts->processors->pdata[index] = processor;
    return processor != NULL;
}

static gboolean
open_hosts(Hosts *hosts, const Connection *connection, char *const *names, GError **error)
{
    hosts->peers = g_ptr_array_new_with_free_func((GDestroyNotify)peer_free);
    g_ptr_array_add(hosts->peers, connection_open_local(connection));
    for (char *const *name = names; *name; name++) {
        Peer *peer = connection_open_remote(connection, *name, error);

        if (!peer)
            return FALSE;
        g_ptr_array_add(hosts->peers, peer);
    }
    hosts->processors = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_set_size(hosts->processors, (gint)hosts->peers->len);
    return TRUE;
}

static char *
find_baseline(Hosts *hosts, GError **error)
{
    json_t *processors;

    if (!parallel_run(hosts->peers->len, ask_one, hosts, error))
        return NULL;
    processors = json_array();
    for (guint i = 0; i < hosts->processors->len; i++)
        json_array_append_new(processors, json_string(hosts->processors->pdata[i]));
    return ask(hosts->peers->pdata[0], processors, error);
}

static int
run(int argc, char **argv)
{
    g_auto(Connection) connection = { 0 };
    g_auto(Hosts) hosts = { 0 };
    g_autoptr(GError) error = NULL;
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON object", NULL },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "HOST...",
        .summary = "Prints the <cpu> element that a guest can have on this host and on each HOST,\n"
                   "ready to paste with 'virsh edit GUEST'. Changes nothing.",
        .examples = "Examples:\n  migprep cpu-baseline host2 host3\n",
        .entries = entries,
        .connection = &connection,
        .remote = TRUE,
        .more_operands = HOSTS_MAX - 1,
    };

    if (!verb_parse(&options, argc, &argv, 1))
        return EXIT_STATUS_USAGE;
    g_autofree char *processor =
        open_hosts(&hosts, &connection, argv + 1, &error) ? find_baseline(&hosts, &error) : NULL;
    if (!processor)
        return verb_fail(error, json);
    g_strchomp(processor);
    if (json)
        output_json_line(stdout, json_pack("{s:s}", "processor", processor));
    else
        puts(processor);
    return EXIT_STATUS_OK;
}

const Verb verb_cpu_baseline = { "cpu-baseline", "print the processor that hosts have in common",
                                 run };
