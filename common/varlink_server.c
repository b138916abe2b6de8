/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listens, authorises, and finds the method for each call. */
#include "common/varlink_server.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>

#include "common/fault.h"
#include "common/limits.h"
#include "common/varlink_call.h"

struct VarlinkServer {
    char *product;
    char *version;
    char *group;
    VarlinkLedger *ledger;
    GPtrArray *connections; /* of VarlinkConnection *, referenced */
    GArray *listeners;      /* of guint: main loop sources */
    GArray *fds;            /* of int: listening sockets */
    GPtrArray *paths;       /* of char *: sockets we made */
    GThreadPool *workers;
};

static const char service_description[] =
    "# The Varlink service interface, answered by every service\n"
    "interface org.varlink.service\n\n"
    "# What this service is and which interfaces it has\n"
    "method GetInfo() -> (\n"
    "  vendor: string,\n  product: string,\n  version: string,\n  url: string,\n"
    "  interfaces: []string\n)\n\n"
    "# The description of one interface\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n\n"
    "error InterfaceNotFound (interface: string)\n"
    "error MethodNotFound (method: string)\n"
    "error MethodNotImplemented (method: string)\n"
    "error InvalidParameter (parameter: string)\n"
    "error PermissionDenied ()\n"
    "error ExpectedMore ()\n";

static VarlinkService *
find_service(const VarlinkServer *server, const char *name)
{
    for (guint i = 0; i < server->ledger->services->len; i++) {
        VarlinkService *service = server->ledger->services->pdata[i];
        if (g_strcmp0(varlink_interface_name(service->description), name) == 0)
            return service;
    }
    return NULL;
}

static void
run_get_info(VarlinkCall *call, json_t *parameters, void *context)
{
    const VarlinkServer *server = context;
    json_t *interfaces = json_array();

    for (guint i = 0; i < server->ledger->services->len; i++) {
        const VarlinkService *service = server->ledger->services->pdata[i];
        json_array_append_new(interfaces,
                              json_string(varlink_interface_name(service->description)));
    }
    varlink_call_reply(call, json_pack("{s:s, s:s, s:s, s:s, s:o}", "vendor", "migprep", "product",
                                       server->product, "version", server->version, "url",
                                       "https://varlink.org", "interfaces", interfaces));
}

static void
run_get_description(VarlinkCall *call, json_t *parameters, void *context)
{
    const char *name = json_string_value(json_object_get(parameters, "interface"));
    const VarlinkService *service = find_service(context, name);

    if (service)
        varlink_call_reply(call, json_pack("{s:s}", "description",
                                           varlink_interface_description(service->description)));
    else
        varlink_call_fail_service(call, "InterfaceNotFound", "interface", name);
}

static const VarlinkMethod service_methods[] = {
    { "GetInfo", run_get_info },
    { "GetInterfaceDescription", run_get_description },
    { 0 },
};

/* In a worker. Takes over the reference. */
static void
run_call(gpointer data, gpointer user_data)
{
    VarlinkCall *call = data;
    VarlinkServer *server = user_data;

    varlink_call_get_method(call)->run(call, varlink_call_parameters(call),
                                       varlink_call_get_service(call)->context);
    varlink_call_unref(call);
    g_mutex_lock(&server->ledger->lock);
    server->ledger->calls--;
    g_cond_broadcast(&server->ledger->idle);
    g_mutex_unlock(&server->ledger->lock);
}

/* Finds interface and method and checks the parameters; ends the call if anything is wrong. */
static gboolean
resolve(VarlinkServer *server, VarlinkCall *call)
{
    const char *full = varlink_call_method(call);
    const char *dot = strrchr(full, '.');
    g_autofree char *name = g_strndup(full, dot ? (gsize)(dot - full) : strlen(full));
    const VarlinkService *service = find_service(server, name);
    g_autoptr(GError) error = NULL;

    if (!service) {
        varlink_call_fail_service(call, "InterfaceNotFound", "interface", name);
        return FALSE;
    }
    const VarlinkMethod *method = service->methods;
    while (dot && method->name && strcmp(method->name, dot + 1) != 0)
        method++;
    if (!dot || !method->name) {
        varlink_call_fail_service(call, "MethodNotFound", "method", full);
        return FALSE;
    }
    if (!varlink_interface_check(service->description, method->name, VARLINK_INPUT,
                                 varlink_call_parameters(call), &error)) {
        g_message("%s: %s", full, error->message);
        varlink_call_fail_service(call, "InvalidParameter", "parameter", fault_object(error));
        return FALSE;
    }
    varlink_call_set_service(call, service, method);
    return TRUE;
}

static void
on_message(VarlinkConnection *connection, const char *text, void *data)
{
    VarlinkServer *server = data;
    g_autoptr(VarlinkCall) call = varlink_call_parse(connection, server->ledger, text);

    if (!call) {
        g_message("client with uid %u sent something that is no call",
                  varlink_connection_uid(connection));
        varlink_connection_close(connection);
        return;
    }
    if (!resolve(server, call))
        return;
    g_mutex_lock(&server->ledger->lock);
    server->ledger->calls++;
    g_mutex_unlock(&server->ledger->lock);
    g_thread_pool_push(server->workers, g_steal_pointer(&call), NULL);
}

static void
on_closed(VarlinkConnection *connection, void *data)
{
    VarlinkServer *server = data;

    if (g_ptr_array_remove(server->connections, connection))
        varlink_connection_unref(connection);
}

/* Root, the daemon's own user, and members of the group. */
static gboolean
is_allowed(const VarlinkServer *server, const struct ucred *peer)
{
    struct group *group;

    if (peer->uid == 0 || peer->uid == geteuid())
        return TRUE;
    if (!server->group || !(group = getgrnam(server->group)))
        return FALSE;
    if (peer->gid == group->gr_gid)
        return TRUE;
    struct passwd *user = getpwuid(peer->uid);
    for (char **member = group->gr_mem; user && *member; member++)
        if (strcmp(*member, user->pw_name) == 0)
            return TRUE;
    return FALSE;
}

static gboolean
is_crowded(const VarlinkServer *server, guint uid)
{
    guint mine = 0;

    for (guint i = 0; i < server->connections->len; i++)
        if (varlink_connection_uid(server->connections->pdata[i]) == uid)
            mine++;
    return server->connections->len >= LIMIT_CONNECTIONS ||
           (uid != 0 && mine >= LIMIT_CONNECTIONS_PER_UID);
}

/* Judged by the kernel's word on who connected, before a byte is read. */
static void
admit(VarlinkServer *server, int fd)
{
    static const VarlinkConnectionEvents events = { .message = on_message, .closed = on_closed };
    static const char denied[] = "{\"error\":\"org.varlink.service.PermissionDenied\","
                                 "\"parameters\":{}}";
    struct ucred peer = { 0 };
    socklen_t length = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ||
        is_crowded(server, peer.uid)) {
        g_warning("refused a connection of uid %u: too many are open", peer.uid);
        close(fd);
    } else if (!is_allowed(server, &peer)) {
        g_warning("refused uid %u, pid %d: neither root nor in group '%s'", peer.uid, peer.pid,
                  server->group ? server->group : "");
        send(fd, denied, sizeof denied, MSG_DONTWAIT | MSG_NOSIGNAL);
        close(fd);
    } else {
        g_ptr_array_add(server->connections, varlink_connection_new(fd, peer.uid, &events, server));
    }
}

static gboolean
on_connection(gint listener, GIOCondition condition, gpointer data)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0)
        admit(data, fd);
    return G_SOURCE_CONTINUE;
}

VarlinkServer *
varlink_server_new(const char *product, const char *version, const char *group)
{
    VarlinkServer *server = g_new0(VarlinkServer, 1);

    server->product = g_strdup(product);
    server->version = g_strdup(version);
    server->group = g_strdup(group);
    server->ledger = varlink_ledger_new();
    server->connections = g_ptr_array_new();
    server->listeners = g_array_new(FALSE, FALSE, sizeof(guint));
    server->fds = g_array_new(FALSE, FALSE, sizeof(int));
    server->paths = g_ptr_array_new_with_free_func(g_free);
    server->workers = g_thread_pool_new(run_call, server, LIMIT_WORKERS, FALSE, NULL);
    varlink_server_add_interface(server, service_description, service_methods, server, NULL);
    return server;
}

/* Every method of the description has a handler and the other way round. */
static gboolean
methods_match(const VarlinkInterface *description, const VarlinkMethod *methods, GError **error)
{
    const char *const *names = varlink_interface_methods(description);
    gsize count = 0;

    for (const VarlinkMethod *method = methods; method->name; method++, count++)
        if (!g_strv_contains(names, method->name)) {
            fault_set(error, FAULT_INTERNAL, method->name, NULL, "is not in the description of %s",
                      varlink_interface_name(description));
            return FALSE;
        }
    if (count == g_strv_length((char **)names))
        return TRUE;
    fault_set(error, FAULT_INTERNAL, varlink_interface_name(description), NULL,
              "describes methods without a handler");
    return FALSE;
}

gboolean
varlink_server_add_interface(VarlinkServer *server, const char *description,
                             const VarlinkMethod *methods, void *context, GError **error)
{
    g_autoptr(VarlinkInterface) parsed = varlink_interface_parse(description, error);

    if (!parsed || !methods_match(parsed, methods, error))
        return FALSE;
    VarlinkService *service = g_new0(VarlinkService, 1);
    service->description = g_steal_pointer(&parsed);
    service->methods = methods;
    service->context = context;
    g_ptr_array_add(server->ledger->services, service);
    return TRUE;
}

gboolean
varlink_server_listen_fd(VarlinkServer *server, int fd, GError **error)
{
    guint source = g_unix_fd_add(fd, G_IO_IN, on_connection, server);

    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    g_array_append_val(server->listeners, source);
    g_array_append_val(server->fds, fd);
    return TRUE;
}

/* Removes what a daemon that died has left at @path; never one that somebody answers at. */
static gboolean
clear_path(const struct sockaddr_un *address, GError **error)
{
    struct stat status;

    if (lstat(address->sun_path, &status) < 0)
        return TRUE;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gboolean alive = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0;
    close(probe);
    if (S_ISSOCK(status.st_mode) && !alive)
        return unlink(address->sun_path) == 0;
    fault_set(error, FAULT_INVALID_ARGUMENT, address->sun_path,
              alive ? "stop that daemon first" : "choose another path", "%s",
              alive ? "another daemon listens there" : "exists and is no socket");
    return FALSE;
}

gboolean
varlink_server_listen(VarlinkServer *server, const char *path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_autofree char *directory = g_path_get_dirname(path);

    if (strlen(path) >= sizeof address.sun_path) {
        fault_set(error, FAULT_INVALID_ARGUMENT, path, "give a shorter path",
                  "a socket's path has at most %zu bytes", sizeof address.sun_path - 1);
        return FALSE;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    g_mkdir_with_parents(directory, 0755);
    if (!clear_path(&address, error))
        return FALSE;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        chmod(path, 0660) < 0 || listen(fd, SOMAXCONN) < 0) {
        fault_set(error, FAULT_INTERNAL, path, "see that its directory exists and is writable",
                  "cannot listen: %s", g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return FALSE;
    }
    g_ptr_array_add(server->paths, g_strdup(path));
    return varlink_server_listen_fd(server, fd, error);
}

void
varlink_server_free(VarlinkServer *server)
{
    if (!server)
        return;
    for (guint i = 0; i < server->listeners->len; i++) {
        g_source_remove(g_array_index(server->listeners, guint, i));
        close(g_array_index(server->fds, int, i));
    }
    for (guint i = 0; i < server->paths->len; i++)
        unlink(server->paths->pdata[i]);
    while (server->connections->len > 0)
        varlink_connection_close(server->connections->pdata[server->connections->len - 1]);

    g_mutex_lock(&server->ledger->lock);
    server->ledger->closing = TRUE;
    while (server->ledger->calls > 0)
        g_cond_wait(&server->ledger->idle, &server->ledger->lock);
    g_mutex_unlock(&server->ledger->lock);
    g_thread_pool_free(server->workers, FALSE, TRUE);
    varlink_ledger_unref(server->ledger);
    g_ptr_array_unref(server->connections);
    g_array_unref(server->listeners);
    g_array_unref(server->fds);
    g_ptr_array_unref(server->paths);
    g_free(server->product);
    g_free(server->version);
    g_free(server->group);
    g_free(server);
}
