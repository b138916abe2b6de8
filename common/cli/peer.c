/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the connections to a host's daemons. */
#include "common/cli/peer.h"

#include <string.h>

#include "common/cli/ssh_share.h"
#include "common/fault.h"
#include "common/ssh_command.h"

struct Peer {
    char *host;
    const PeerOps *ops;
    void *self;
};

static const struct {
    const char *name;
    const char *daemon;
    const char *interface;
    const char *socket;
} services[SERVICE_COUNT] = {
    [SERVICE_NETWORK] = { "network", "netprepd", "io.migprep.Network",
                          "/run/netprep/io.migprep.Network" },
    [SERVICE_STORAGE] = { "storage", "storprepd", "io.migprep.Storage",
                          "/run/storprep/io.migprep.Storage" },
};

const char *
service_daemon(Service service)
{
    return services[service].daemon;
}

const char *
service_interface(Service service)
{
    return services[service].interface;
}

const char *
service_socket(Service service)
{
    return services[service].socket;
}

gboolean
service_from_name(const char *name, Service *ret_service)
{
    for (int i = 0; i < SERVICE_COUNT; i++) {
        if (g_strcmp0(services[i].name, name) == 0) {
            *ret_service = (Service)i;
            return TRUE;
        }
    }
    return FALSE;
}

#define FORWARD_SECONDS 5 /* for a daemon to say its name; its main loop never blocks */

/* Whether ssh leads to a daemon's socket. */
typedef enum {
    FORWARD_UNTRIED,
    FORWARD_WORKS,
    FORWARD_REFUSED,
} Forward;

/* The real thing: connections opened when needed and kept while they work. */
typedef struct {
    char *host; /* NULL: this one */
    char *ssh;
    char *sockets[SERVICE_COUNT];
    GMutex lock;       /* guards all below */
    GPtrArray *shares; /* of SshShare *: the next is for what the ones before have no place for */
    Forward forwards[SERVICE_COUNT]; /* of the first one */
    GQueue idle[SERVICE_COUNT];      /* of Session * */
} Link;

/* A connection to a daemon. */
typedef struct {
    VarlinkClient *client;
    SshShare *share; /* that has a place for its program; NULL: it has none */
    gboolean forwarded;
} Session;

static void
session_free(void *data)
{
    Session *session = data;

    varlink_client_free(session->client);
    if (session->share)
        ssh_share_leave(session->share);
    g_free(session);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)

static Link *
link_new(void)
{
    Link *link = g_new0(Link, 1);

    g_mutex_init(&link->lock);
    link->shares = g_ptr_array_new_with_free_func((GDestroyNotify)ssh_share_free);
    for (int i = 0; i < SERVICE_COUNT; i++)
        g_queue_init(&link->idle[i]);
    return link;
}

static void
link_free(void *self)
{
    Link *link = self;

    for (int i = 0; i < SERVICE_COUNT; i++) {
        g_queue_clear_full(&link->idle[i], session_free);
        g_free(link->sockets[i]);
    }
    g_ptr_array_unref(link->shares);
    g_mutex_clear(&link->lock);
    g_free(link->host);
    g_free(link->ssh);
    g_free(link);
}

static Session *
link_take_idle(Link *link, Service service)
{
    g_mutex_lock(&link->lock);
    Session *session = g_queue_pop_head(&link->idle[service]);
    g_mutex_unlock(&link->lock);
    return session;
}

static void
link_keep_idle(Link *link, Service service, Session *session)
{
    g_mutex_lock(&link->lock);
    g_queue_push_head(&link->idle[service], session);
    g_mutex_unlock(&link->lock);
}

/* The one that is opened first: what fails there fails for all. Borrowed. */
static SshShare *
link_first_share(Link *link)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&link->lock);

    if (link->shares->len == 0) {
        SshForward forwards[SERVICE_COUNT];

        for (int i = 0; i < SERVICE_COUNT; i++)
            forwards[i] = (SshForward) { services[i].name, services[i].socket };
        g_ptr_array_add(link->shares,
                        ssh_share_new(link->ssh, link->host, forwards, SERVICE_COUNT));
    }
    return link->shares->pdata[0];
}

/* One that has a place, which is taken. Borrowed. */
static SshShare *
link_find_place(Link *link)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&link->lock);

    for (guint i = 0; i < link->shares->len; i++) {
        if (ssh_share_enter(link->shares->pdata[i]))
            return link->shares->pdata[i];
    }
    SshShare *share = ssh_share_new(link->ssh, link->host, NULL, 0);
    g_ptr_array_add(link->shares, share);
    ssh_share_enter(share);
    return share;
}

static Forward
link_forward(Link *link, Service service)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&link->lock);

    return link->forwards[service];
}

static void
link_note_forward(Link *link, Service service, Forward forward)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&link->lock);

    link->forwards[service] = forward;
}

/* A call that is hung up on may have been heard, so the first one is one that changes nothing. */
static gboolean
answers(VarlinkClient *client, GCancellable *cancellable)
{
    json_auto_t *reply = varlink_client_call(client, "org.varlink.service.GetInfo", NULL, NULL,
                                             NULL, FORWARD_SECONDS, cancellable, NULL);

    return reply != NULL;
}

/* FALSE: a program there has to reach the daemon, or to tell why it does not. */
static gboolean
open_forward(Link *link, Session *session, const PeerCall *call)
{
    Forward known = link_forward(link, call->service);
    g_autofree char *path = ssh_share_forward(link_first_share(link), services[call->service].name);

    if (!path || known == FORWARD_REFUSED)
        return FALSE;
    session->client = varlink_client_connect_through(path, link->host, NULL);
    session->forwarded =
        session->client && (known == FORWARD_WORKS || answers(session->client, call->cancellable));
    if (!session->forwarded)
        g_clear_pointer(&session->client, varlink_client_free);
    if (!g_cancellable_is_cancelled(call->cancellable))
        link_note_forward(link, call->service,
                          session->forwarded ? FORWARD_WORKS : FORWARD_REFUSED);
    return session->forwarded;
}

static gboolean
open_through_ssh(Link *link, Session *session, const PeerCall *call, GError **error)
{
    const char *socket = NULL;

    if (!ssh_share_open(link_first_share(link), call->cancellable, &socket, error))
        return FALSE;
    if (open_forward(link, session, call))
        return TRUE;
    session->share = link_find_place(link);
    if (!ssh_share_open(session->share, call->cancellable, &socket, error))
        return FALSE;
    g_auto(GStrv) command = peer_ssh_command(link->ssh, link->host, call->service, socket);
    session->client = varlink_client_spawn((const char *const *)command, link->host, error);
    return session->client != NULL;
}

/* Who may not use the daemon's socket may perhaps use the one for looking. */
static VarlinkClient *
connect_here(const char *socket, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *monitors = g_strconcat(socket, ".monitor", NULL);
    VarlinkClient *client = varlink_client_connect(socket, &failure);

    if (!client && fault_code(failure) == FAULT_PERMISSION_DENIED)
        client = varlink_client_connect(monitors, NULL);
    if (!client)
        g_propagate_error(error, g_steal_pointer(&failure));
    return client;
}

static Session *
link_open(Link *link, const PeerCall *call, GError **error)
{
    g_autoptr(Session) session = g_new0(Session, 1);

    if (link->host)
        return open_through_ssh(link, session, call, error) ? g_steal_pointer(&session) : NULL;
    session->client = connect_here(link->sockets[call->service], error);
    return session->client ? g_steal_pointer(&session) : NULL;
}

/* Knows whether anything was answered, which forbids asking again. */
typedef struct {
    const PeerCall *call;
    gboolean answered;
} Attempt;

static void
attempt_progress(const json_t *parameters, void *data)
{
    Attempt *attempt = data;

    attempt->answered = TRUE;
    attempt->call->progress(parameters, attempt->call->data);
}

static gboolean
is_connection_lost(const GError *error)
{
    return fault_code(error) == FAULT_PEER_UNREACHABLE ||
           fault_code(error) == FAULT_DAEMON_UNAVAILABLE;
}

/* A socket that ssh led to tells nothing of why it ended. The next session is to find that out. */
static void
explain_loss(Link *link, Service service, GError **error)
{
    if (!is_connection_lost(*error))
        return;
    link_note_forward(link, service, FORWARD_UNTRIED);
    if (ssh_share_lives(link_first_share(link)))
        return;
    g_autofree char *object = g_strdup_printf("host '%s'", link->host);
    g_autofree char *remedy = g_strdup_printf("make this work: ssh %s true", link->host);
    g_clear_error(error);
    fault_set(error, FAULT_PEER_UNREACHABLE, object, remedy, "the connection to it was lost");
}

/* A connection is kept only after a success: an error may have left it in any state. */
static json_t *
link_attempt(Link *link, Session *taken, Attempt *attempt, GError **error)
{
    g_autoptr(Session) session = taken;
    const PeerCall *call = attempt->call;
    g_autoptr(GError) failure = NULL;
    g_autofree char *method =
        g_strdup_printf("%s.%s", service_interface(call->service), call->method);

    json_t *reply = varlink_client_call(session->client, method, json_incref(call->parameters),
                                        call->progress ? attempt_progress : NULL, attempt,
                                        call->timeout_seconds, call->cancellable, &failure);
    if (reply) {
        link_keep_idle(link, call->service, g_steal_pointer(&session));
        return reply;
    }
    if (session->forwarded)
        explain_loss(link, call->service, &failure);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

static json_t *
link_call(void *self, const PeerCall *call, GError **error)
{
    Link *link = self;
    Attempt attempt = { .call = call };
    Session *session = link_take_idle(link, call->service);

    if (session) {
        g_autoptr(GError) failure = NULL;
        json_t *reply = link_attempt(link, session, &attempt, &failure);
        if (reply)
            return reply;
        if (attempt.answered || !is_connection_lost(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
    }
    session = link_open(link, call, error);
    return session ? link_attempt(link, session, &attempt, error) : NULL;
}

static gboolean
link_has_idle(Link *link, Service service)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&link->lock);

    return !g_queue_is_empty(&link->idle[service]);
}

/* Through ssh it costs a program there and one here, before anything is said. */
static void
link_prepare(void *self, Service service, GCancellable *cancellable)
{
    Link *link = self;
    const PeerCall call = { .service = service, .cancellable = cancellable };
    Session *session = link_has_idle(link, service) ? NULL : link_open(link, &call, NULL);

    if (session)
        link_keep_idle(link, service, session);
}

/* A daemon does not know how its host is called by others, so what it reports lacks the name. */
static void
name_host(GError **error, const char *host)
{
    g_autoptr(GError) original = *error;
    const char *object = fault_object(original);

    if (is_connection_lost(original) || strstr(object, host)) {
        *error = g_steal_pointer(&original);
        return;
    }
    g_autofree char *named =
        *object ? g_strdup_printf("%s on %s", object, host) : g_strdup_printf("host %s", host);
    *error = NULL;
    fault_set(error, fault_code(original), named, fault_remedy(original), "%s",
              fault_cause(original));
}

static json_t *
remote_link_call(void *self, const PeerCall *call, GError **error)
{
    const Link *link = self;
    GError *failure = NULL;

    json_t *reply = link_call(self, call, &failure);
    if (!reply) {
        name_host(&failure, link->host);
        g_propagate_error(error, failure);
    }
    return reply;
}

static const PeerOps local_ops = { .call = link_call, .free = link_free };
static const PeerOps remote_ops = { .call = remote_link_call,
                                    .prepare = link_prepare,
                                    .free = link_free };

Peer *
peer_new(const char *host, const PeerOps *ops, void *self)
{
    Peer *peer = g_new0(Peer, 1);

    peer->host = g_strdup(host);
    peer->ops = ops;
    peer->self = self;
    return peer;
}

Peer *
peer_new_local(const char *network_socket, const char *storage_socket)
{
    Link *link = link_new();

    link->sockets[SERVICE_NETWORK] =
        g_strdup(network_socket ? network_socket : service_socket(SERVICE_NETWORK));
    link->sockets[SERVICE_STORAGE] =
        g_strdup(storage_socket ? storage_socket : service_socket(SERVICE_STORAGE));
    return peer_new(g_get_host_name(), &local_ops, link);
}

Peer *
peer_new_remote(const char *host, const char *ssh)
{
    Link *link = link_new();

    link->host = g_strdup(host);
    link->ssh = g_strdup(ssh ? ssh : "ssh");
    return peer_new(host, &remote_ops, link);
}

void
peer_free(Peer *peer)
{
    if (!peer)
        return;
    peer->ops->free(peer->self);
    g_free(peer->host);
    g_free(peer);
}

const char *
peer_host(const Peer *peer)
{
    return peer->host;
}

json_t *
peer_call(Peer *peer, const PeerCall *call, GError **error)
{
    json_auto_t *parameters = call->parameters ? call->parameters : json_object();
    PeerCall complete = *call;

    complete.parameters = parameters;
    return peer->ops->call(peer->self, &complete, error);
}

void
peer_prepare(Peer *peer, Service service, GCancellable *cancellable)
{
    if (peer->ops->prepare)
        peer->ops->prepare(peer->self, service, cancellable);
}

char **
peer_ssh_command(const char *ssh, const char *host, Service service, const char *shared)
{
    g_autofree char *path = g_strdup_printf("ControlPath=%s", shared ? shared : "none");
    const char *options[] = { "-o", path, "-o", "ControlMaster=no", NULL };
    const char *remote[] = { "migprep", "proxy", services[service].name, NULL };

    return ssh_command(ssh, options, host, remote);
}
