/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server: its interfaces, its connections and the workers that run methods. */
#include "common/varlink_server.h"

#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "common/varlink_access.h"
#include "common/varlink_call.h"
#include "common/varlink_connection.h"
#include "common/varlink_listener.h"
#include "common/varlink_service.h"

struct VarlinkServer {
    VarlinkService service;
    VarlinkAccess access;
    GPtrArray *served;       /* of VarlinkServed *; fixed once there are connections */
    GPtrArray *listeners;    /* of VarlinkListener * */
    GPtrArray *doors;        /* of Door *, one for each listener */
    GHashTable *connections; /* set of VarlinkConnection *, a reference each */
    GThreadPool *workers;
    GHashTable *turns; /* uid -> guint64 *, the turn of its last call; main loop only */
    GMutex lock;       /* guards turn */
    guint64 turn;      /* of the call that a worker took last */
    gint64 crowd_told; /* g_get_monotonic_time(); main loop only */
};

/* A call that waits for a worker. */
typedef struct {
    VarlinkCall *call;
    guint64 turn;
} Waiting;

/* Where connections come in, and what they may do at most. */
typedef struct {
    VarlinkServer *server;
    VarlinkLevel most;
} Door;

static VarlinkServed *
find_interface(const VarlinkServer *server, const char *name)
{
    for (guint i = 0; i < server->served->len; i++) {
        VarlinkServed *served = server->served->pdata[i];
        if (strcmp(varlink_interface_name(served->iface), name) == 0)
            return served;
    }
    return NULL;
}

/*
 * Calls wait in turns, not in a line: each user's next one comes a turn after their last, so that
 * who has hundreds waiting lets somebody with one go first. Nobody's turn is before one that is
 * over.
 */
static guint64
take_turn(VarlinkServer *server, guint uid)
{
    guint64 *last = g_hash_table_lookup(server->turns, GUINT_TO_POINTER(uid));

    if (!last) {
        last = g_new0(guint64, 1);
        g_hash_table_insert(server->turns, GUINT_TO_POINTER(uid), last);
    }
    g_mutex_lock(&server->lock);
    *last = MAX(*last, server->turn) + 1;
    g_mutex_unlock(&server->lock);
    return *last;
}

static int
compare_turns(gconstpointer left, gconstpointer right, gpointer unused)
{
    const Waiting *a = left, *b = right;

    return a->turn < b->turn ? -1 : a->turn > b->turn;
}

static void
queue(VarlinkServer *server, VarlinkCall *call)
{
    Waiting *waiting = g_new0(Waiting, 1);

    waiting->call = varlink_call_ref(call);
    waiting->turn = take_turn(server, varlink_call_uid(call));
    g_thread_pool_push(server->workers, waiting, NULL);
}

/* Ends or passes on @call. What is known is told here: changing threads twice takes longer. */
static void
dispatch(VarlinkServer *server, VarlinkCall *call)
{
    const char *name = varlink_call_interface(call);
    VarlinkServed *served = find_interface(server, name);

    if (!served)
        varlink_call_refuse(call, "InterfaceNotFound", json_pack("{s:s}", "interface", name));
    else if (!varlink_call_prepare(call, served))
        return;
    else if (!varlink_call_run_at_once(call))
        queue(server, call);
}

static void
run_call(gpointer data, gpointer user_data)
{
    VarlinkServer *server = user_data;
    g_autofree Waiting *waiting = data;
    g_autoptr(VarlinkCall) call = waiting->call;

    g_mutex_lock(&server->lock);
    server->turn = MAX(server->turn, waiting->turn);
    g_mutex_unlock(&server->lock);
    varlink_call_run(call);
}

static void
deny(VarlinkConnection *connection)
{
    g_message("uid %u may not call: disconnected", varlink_connection_uid(connection));
    varlink_connection_send(
        connection, varlink_reply_encode("org.varlink.service.PermissionDenied", NULL, FALSE),
        TRUE);
    varlink_connection_finish(connection);
}

static gboolean
on_message(VarlinkConnection *connection, const char *text, gsize length, void *data)
{
    g_auto(VarlinkRequest) request = { 0 };

    if (varlink_connection_level(connection) == VARLINK_LEVEL_NONE) {
        deny(connection);
        return TRUE;
    }
    if (!varlink_request_decode(text, length, &request))
        return FALSE;
    /* Read ahead from a client that is gone: nobody waits for an answer. */
    if (!request.oneway && varlink_connection_is_closed(connection)) {
        varlink_connection_send(connection, NULL, TRUE);
        return TRUE;
    }
    g_autoptr(VarlinkCall) call = varlink_call_new(connection, &request);
    dispatch(data, call);
    return TRUE;
}

static void
on_closed(VarlinkConnection *connection, void *data)
{
    VarlinkServer *server = data;

    g_hash_table_remove(server->connections, connection);
}

/* Root's share is not limited, as one move of many guests opens many connections, and part of all
 * is kept for it: others must not lock it out. */
static gboolean
is_crowded(const VarlinkServer *server, guint uid)
{
    GHashTableIter iter;
    gpointer connection;
    guint count = 0;

    g_hash_table_iter_init(&iter, server->connections);
    while (g_hash_table_iter_next(&iter, &connection, NULL))
        count += varlink_connection_uid(connection) == uid;
    guint total = g_hash_table_size(server->connections);
    return uid == 0 ? total >= LIMIT_CONNECTIONS
                    : total >= LIMIT_CONNECTIONS - LIMIT_CONNECTIONS_OF_ROOT ||
                          count >= LIMIT_CONNECTIONS_PER_UID;
}

/* Once a second: telling takes longer than turning somebody away. */
static void
tell_crowd(VarlinkServer *server, guint uid)
{
    gint64 now = g_get_monotonic_time();

    if (now - server->crowd_told < G_USEC_PER_SEC && server->crowd_told > 0)
        return;
    server->crowd_told = now;
    g_message("uid %u: too many connections, further ones are closed", uid);
}

static void
on_accept(int fd, void *data)
{
    static const VarlinkConnectionEvents events = { on_message, on_closed };
    const Door *door = data;
    VarlinkServer *server = door->server;
    uid_t uid;
    VarlinkLevel level = MIN(varlink_access_judge(&server->access, fd, &uid), door->most);

    if (is_crowded(server, uid)) {
        tell_crowd(server, uid);
        close(fd);
        return;
    }
    g_hash_table_add(server->connections, varlink_connection_new(fd, uid, level, &events, server));
}

VarlinkServer *
varlink_server_new(const char *product, const char *version, const char *group)
{
    VarlinkServer *server = g_new0(VarlinkServer, 1);

    server->access = varlink_access_for_groups(group, NULL);
    server->doors = g_ptr_array_new_with_free_func(g_free);
    server->served = g_ptr_array_new_with_free_func((GDestroyNotify)varlink_served_unref);
    server->listeners = g_ptr_array_new_with_free_func((GDestroyNotify)varlink_listener_free);
    server->connections =
        g_hash_table_new_full(NULL, NULL, (GDestroyNotify)varlink_connection_unref, NULL);
    server->turns = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_mutex_init(&server->lock);
    server->workers = g_thread_pool_new(run_call, server, LIMIT_WORKERS, FALSE, NULL);
    g_thread_pool_set_sort_function(server->workers, compare_turns, NULL);
    server->service.product = g_strdup(product);
    server->service.version = g_strdup(version);
    server->service.served = server->served;
    gboolean added = varlink_server_add_interface(server, varlink_service_description,
                                                  varlink_service_methods, &server->service, NULL);
    g_assert(added);
    varlink_server_add_brief(server, varlink_service_brief);
    return server;
}

static gboolean
has_method(const VarlinkMethod *methods, const char *name)
{
    for (; methods->name; methods++) {
        if (strcmp(methods->name, name) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Each described method has a handler and each handler a description. */
static gboolean
covers(const VarlinkInterface *iface, const VarlinkMethod *methods, GError **error)
{
    const char *const *described = varlink_interface_methods(iface);
    const char *odd = NULL;

    for (const char *const *name = described; *name && !odd; name++)
        odd = has_method(methods, *name) ? NULL : *name;
    for (const VarlinkMethod *method = methods; method->name && !odd; method++)
        odd = g_strv_contains(described, method->name) ? NULL : method->name;
    if (odd)
        fault_set(error, FAULT_INTERNAL, varlink_interface_name(iface), NULL,
                  "method '%s' has no handler or no description", odd);
    return !odd;
}

gboolean
varlink_server_add_interface(VarlinkServer *server, const char *description,
                             const VarlinkMethod *methods, void *context, GError **error)
{
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(description, error);

    if (!iface || !covers(iface, methods, error))
        return FALSE;
    VarlinkServed *served = g_atomic_rc_box_new0(VarlinkServed);
    served->iface = g_steal_pointer(&iface);
    served->methods = methods;
    served->context = context;
    served->failures = tally_new();
    g_ptr_array_add(server->served, served);
    return TRUE;
}

void
varlink_server_add_brief(VarlinkServer *server, const VarlinkBrief *brief)
{
    VarlinkServed *served = server->served->pdata[server->served->len - 1];

    served->brief = brief;
}

void
varlink_server_admit_monitors(VarlinkServer *server, const char *group)
{
    server->access.monitors = varlink_access_for_groups(NULL, group).monitors;
}

static Door *
add_door(VarlinkServer *server, VarlinkLevel most)
{
    Door *door = g_new0(Door, 1);

    *door = (Door) { server, most };
    g_ptr_array_add(server->doors, door);
    return door;
}

static gboolean
add_listener(VarlinkServer *server, VarlinkListener *listener)
{
    if (listener)
        g_ptr_array_add(server->listeners, listener);
    return listener != NULL;
}

gboolean
varlink_server_listen(VarlinkServer *server, const char *path, VarlinkLevel most, GError **error)
{
    gid_t group = most == VARLINK_LEVEL_LOOK ? server->access.monitors : server->access.group;

    return add_listener(
        server, varlink_listener_bind(path, group, on_accept, add_door(server, most), error));
}

gboolean
varlink_server_listen_fd(VarlinkServer *server, int fd, VarlinkLevel most, GError **error)
{
    return add_listener(server,
                        varlink_listener_adopt(fd, on_accept, add_door(server, most), error));
}

static void
close_connections(VarlinkServer *server)
{
    g_autoptr(GList) all = g_hash_table_get_keys(server->connections);

    for (GList *link = all; link; link = link->next)
        varlink_connection_close(link->data);
}

void
varlink_server_free(VarlinkServer *server)
{
    if (!server)
        return;
    g_ptr_array_unref(server->listeners);
    g_ptr_array_unref(server->doors);
    close_connections(server);
    /* The methods that run use what follows; those that wait run too, unheard. */
    g_thread_pool_free(server->workers, FALSE, TRUE);
    g_hash_table_unref(server->turns);
    g_mutex_clear(&server->lock);
    g_ptr_array_unref(server->served);
    g_hash_table_unref(server->connections);
    g_free(server->service.product);
    g_free(server->service.version);
    g_free(server);
}
