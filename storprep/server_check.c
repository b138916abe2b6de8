/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connects to the servers, beside each other. */
#include "storprep/server_check.h"

#include "common/fault.h"
#include "common/parallel.h"

#define HOST        "this host"
#define TRY_MSEC    1000
#define SERVERS_MAX 32 /* threads */

/* One server, and whether it can be reached. Borrowed but the address. */
typedef struct {
    const char *disk, *name;
    guint16 port;
    char *address; /* NULL: the name is not known here */
    ReachResult result;
} Server;

typedef struct {
    const StorageChecks *checks; /* borrowed */
    GuestFacts *facts;
    GArray *servers; /* of Server */
} Context;

static void
server_clear(gpointer data)
{
    g_free(((Server *)data)->address);
}

static void
context_free(void *data)
{
    Context *context = data;

    g_clear_pointer(&context->servers, g_array_unref);
    guest_facts_free(context->facts);
    g_free(context);
}

static gboolean
try_one(guint index, void *data, GError **error)
{
    const Context *context = data;
    const ReachOps *reach = context->checks->reach;
    Server *server = &g_array_index(context->servers, Server, index);
    gboolean loopback;

    server->address = reach->resolve(server->name, &loopback, NULL);
    if (server->address)
        reach->try(server->address, &server->port, 1, TRY_MSEC, &server->result);
    return TRUE;
}

static void
add_server(GArray *servers, const json_t *entry)
{
    json_int_t port = json_integer_value(json_object_get(entry, "port"));
    const Server server = { .disk = json_string_value(json_object_get(entry, "disk")),
                            .name = json_string_value(json_object_get(entry, "host")),
                            .port = (guint16)CLAMP(port, 0, G_MAXUINT16),
                            .result = REACH_BLOCKED };

    if (server.disk && server.name && server.port && servers->len < SERVERS_MAX)
        g_array_append_val(servers, server);
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;
    size_t i;
    json_t *entry;

    if (!context->facts->servers) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "facts", NULL, CHECK_NOT_TOLD);
        return CHECK_HINDERED;
    }
    context->servers = g_array_new(FALSE, TRUE, sizeof(Server));
    g_array_set_clear_func(context->servers, server_clear);
    json_array_foreach (context->facts->servers, i, entry)
        add_server(context->servers, entry);
    (void)parallel_run(context->servers->len, try_one, context, NULL);
    return context->servers->len > 0 ? CHECK_READY : CHECK_NOTHING;
}

static const char *
describe(const Server *server)
{
    if (!server->address)
        return "its name is not known";
    return server->result == REACH_CLOSED ? "nobody listens" : "nobody answers";
}

/* One open server is enough: those of a cluster tell of the others. */
static const Server *
find_open(const Context *context, const char *disk)
{
    for (guint i = 0; i < context->servers->len; i++) {
        const Server *server = &g_array_index(context->servers, Server, i);

        if (g_str_equal(server->disk, disk) && server->address && server->result == REACH_OPEN)
            return server;
    }
    return NULL;
}

static void
judge(const Context *context, const Server *first, CheckReport *report)
{
    const Server *open = find_open(context, first->disk);
    g_autofree char *object = g_strdup_printf("disk %s", first->disk);
    g_autofree char *word = check_word(first->name);

    if (open) {
        check_pass(report, object, "its server %s answers on port %u", open->name, open->port);
        return;
    }
    g_autofree char *remedy =
        first->address
            ? g_strdup_printf("ip route get %s  # let port %u through to it", first->address,
                              first->port)
            : g_strdup_printf("getent hosts %s  # DNS or /etc/hosts has to tell it", word);
    check_fail(report, object, remedy, "its server %s cannot be reached here: %s on port %u",
               first->name, describe(first), first->port);
}

static gboolean
is_first_of_disk(const GArray *servers, guint number)
{
    const char *disk = g_array_index(servers, Server, number).disk;

    for (guint i = 0; i < number; i++) {
        if (g_str_equal(g_array_index(servers, Server, i).disk, disk))
            return FALSE;
    }
    return TRUE;
}

static void
check_servers(void *data, CheckReport *report)
{
    const Context *context = data;

    for (guint i = 0; i < context->servers->len; i++) {
        if (is_first_of_disk(context->servers, i))
            judge(context, &g_array_index(context->servers, Server, i), report);
    }
}

CheckGroup
server_check(const StorageChecks *checks, const GuestFacts *facts)
{
    static const Check list[] = { { "storage.servers-reachable", check_servers }, { 0 } };
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    context->facts = guest_facts_copy(facts);
    return (CheckGroup) { .object = HOST,
                          .checks = list,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}
