/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the connection to libvirt open and passes its events on. */
#include "common/hypervisor_libvirt.h"

#include <libvirt/virterror.h>

#include "common/limits.h"

#define KEEPALIVE_SECONDS 5
#define KEEPALIVE_COUNT   5
#define BACK_OFF_USEC     G_TIME_SPAN_SECOND
/* Of libvirt 11; the older headers that this builds with do not have it. */
#define ERROR_AGENT_COMMAND_TIMEOUT 112

#define EVENTS 4 /* kinds of events asked for */

struct LibvirtLink {
    char *uri;
    gint64 patience_usec;
    int subscriptions[EVENTS]; /* the opener's; -1: none */
    GMutex lock;               /* guards all below */
    GCond changed;
    Hypervisor *hypervisor;
    virConnectPtr connection; /* NULL while there is none */
    gint64 away_since_usec;   /* monotonic; counts while there is none */
    gboolean lost;            /* the connection was closed by the other side */
    gboolean ended;           /* and that was its end: it said good-bye, as nobody does who hangs */
    gboolean quit;
    GThread *opener;
};

/* libvirt prints errors to standard error by default; ours reach whoever asked. */
static void
ignore_error(void *unused, virErrorPtr error)
{
}

static void
emit(LibvirtLink *link, HypervisorEventType type, virDomainPtr domain, const char *alias)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    HypervisorEvent event = { .type = type, .uuid = uuid, .alias = (char *)alias };

    if (domain)
        virDomainGetUUIDString(domain, uuid);
    g_mutex_lock(&link->lock);
    Hypervisor *hypervisor = link->hypervisor;
    g_mutex_unlock(&link->lock);
    if (hypervisor)
        hypervisor_emit(hypervisor, &event);
}

gboolean
libvirt_event_of_lifecycle(int event, int detail, HypervisorEventType *ret_type)
{
    switch (event) {
    case VIR_DOMAIN_EVENT_STARTED:
        /* A guest that comes in is paused; RESUMED follows when it is really here. */
        *ret_type = detail == VIR_DOMAIN_EVENT_STARTED_MIGRATED ? HYPERVISOR_EVENT_COMING
                                                                : HYPERVISOR_EVENT_RESUMED;
        return TRUE;
    case VIR_DOMAIN_EVENT_RESUMED:
        *ret_type = HYPERVISOR_EVENT_RESUMED;
        return TRUE;
    case VIR_DOMAIN_EVENT_SUSPENDED:
        *ret_type = HYPERVISOR_EVENT_SUSPENDED;
        return TRUE;
    case VIR_DOMAIN_EVENT_STOPPED:
    case VIR_DOMAIN_EVENT_CRASHED:
        *ret_type = HYPERVISOR_EVENT_STOPPED;
        return TRUE;
    case VIR_DOMAIN_EVENT_UNDEFINED:
        *ret_type = HYPERVISOR_EVENT_UNDEFINED;
        return TRUE;
    default: /* libvirt's enumeration, which grows */
        return FALSE;
    }
}

static int
on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *link)
{
    HypervisorEventType type;

    if (libvirt_event_of_lifecycle(event, detail, &type))
        emit(link, type, domain, "");
    return 0;
}

static void
on_device_removed(virConnectPtr connection, virDomainPtr domain, const char *alias, void *link)
{
    emit(link, HYPERVISOR_EVENT_DEVICE_REMOVED, domain, alias);
}

static void
on_device_refused(virConnectPtr connection, virDomainPtr domain, const char *alias, void *link)
{
    emit(link, HYPERVISOR_EVENT_DEVICE_REFUSED, domain, alias);
}

static void
on_agent(virConnectPtr connection, virDomainPtr domain, int state, int reason, void *link)
{
    if (state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED)
        emit(link, HYPERVISOR_EVENT_AGENT_CONNECTED, domain, "");
}

/* With the lock. */
static void
note_loss(LibvirtLink *link)
{
    if (link->lost)
        return;
    link->lost = TRUE;
    link->away_since_usec = g_get_monotonic_time();
    g_cond_broadcast(&link->changed);
}

static void
on_closed(virConnectPtr connection, int reason, void *opaque)
{
    LibvirtLink *link = opaque;

    g_mutex_lock(&link->lock);
    if (reason == VIR_CONNECT_CLOSE_REASON_EOF || reason == VIR_CONNECT_CLOSE_REASON_ERROR)
        link->ended = TRUE;
    note_loss(link);
    g_mutex_unlock(&link->lock);
}

static const struct {
    int id;
    virConnectDomainEventGenericCallback callback;
} events[EVENTS] = {
    { VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle) },
    { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device_removed) },
    { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, VIR_DOMAIN_EVENT_CALLBACK(on_device_refused) },
    { VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_agent) },
};

/* Asks for the events. Drivers without one of them (test:///) are used without it. */
static void
subscribe(LibvirtLink *link, virConnectPtr connection)
{
    virConnectRegisterCloseCallback(connection, on_closed, link, NULL);
    for (gsize i = 0; i < EVENTS; i++) {
        link->subscriptions[i] = virConnectDomainEventRegisterAny(connection, NULL, events[i].id,
                                                                  events[i].callback, link, NULL);
        if (link->subscriptions[i] < 0)
            g_warning("libvirt at %s offers no event %d: %s", link->uri, events[i].id,
                      virGetLastErrorMessage());
    }
    virConnectSetKeepAlive(connection, KEEPALIVE_SECONDS, KEEPALIVE_COUNT);
}

/* A subscription holds a reference to its connection: without this it would never be closed, and
 * would call back into a link that is gone. */
static void
close_connection(LibvirtLink *link, virConnectPtr connection)
{
    for (gsize i = 0; i < EVENTS; i++)
        if (link->subscriptions[i] >= 0)
            virConnectDomainEventDeregisterAny(connection, link->subscriptions[i]);
    virConnectUnregisterCloseCallback(connection, on_closed);
    virConnectClose(connection);
}

static virConnectPtr
try_open(LibvirtLink *link)
{
    g_mutex_lock(&link->lock);
    link->lost = FALSE;
    g_mutex_unlock(&link->lock);
    virConnectPtr connection = virConnectOpen(link->uri);

    if (connection)
        subscribe(link, connection);
    else
        g_debug("libvirt at %s: %s", link->uri, virGetLastErrorMessage());
    return connection;
}

/* Offers @connection until it is lost or the link ends, then closes it. */
static void
use_connection(LibvirtLink *link, virConnectPtr connection)
{
    g_mutex_lock(&link->lock);
    gboolean ended = link->ended;
    link->ended = FALSE;
    g_mutex_unlock(&link->lock);
    if (ended)
        emit(link, HYPERVISOR_EVENT_RESTARTED, NULL, "");
    emit(link, HYPERVISOR_EVENT_RECONNECTED, NULL, "");
    g_mutex_lock(&link->lock);
    while (!link->lost && !link->quit)
        g_cond_wait(&link->changed, &link->lock);
    link->connection = NULL;
    g_mutex_unlock(&link->lock);
    close_connection(link, connection);
}

static gboolean
back_off(LibvirtLink *link)
{
    gint64 until = g_get_monotonic_time() + BACK_OFF_USEC;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&link->lock);

    while (!link->quit && g_cond_wait_until(&link->changed, &link->lock, until))
        ;
    return !link->quit;
}

/* The opener's life: connect, wait until the connection is lost, connect again. */
static gpointer
keep_open(gpointer data)
{
    LibvirtLink *link = data;

    do {
        virConnectPtr connection = try_open(link);

        g_mutex_lock(&link->lock);
        link->connection = connection;
        g_cond_broadcast(&link->changed);
        g_mutex_unlock(&link->lock);
        if (connection)
            use_connection(link, connection);
    } while (back_off(link));
    return NULL;
}

LibvirtLink *
libvirt_link_new(const char *uri, unsigned return_seconds)
{
    LibvirtLink *link = g_new0(LibvirtLink, 1);

    virSetErrorFunc(NULL, ignore_error);
    link->uri = g_strdup(uri);
    link->patience_usec = return_seconds * G_TIME_SPAN_SECOND;
    link->away_since_usec = g_get_monotonic_time();
    g_mutex_init(&link->lock);
    g_cond_init(&link->changed);
    return link;
}

void
libvirt_link_set_hypervisor(LibvirtLink *link, Hypervisor *hypervisor)
{
    link->hypervisor = hypervisor;
    link->opener = g_thread_new("libvirt", keep_open, link);
}

void
libvirt_link_free(LibvirtLink *link)
{
    g_mutex_lock(&link->lock);
    link->quit = TRUE;
    link->hypervisor = NULL;
    g_cond_broadcast(&link->changed);
    g_mutex_unlock(&link->lock);
    if (link->opener)
        g_thread_join(link->opener);
    g_mutex_clear(&link->lock);
    g_cond_clear(&link->changed);
    g_free(link->uri);
    g_free(link);
}

/* The connection there is, or comes in time, with a reference; NULL: none does. */
static virConnectPtr
wait_for_connection(LibvirtLink *link)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&link->lock);

    while (
        (!link->connection || link->lost) &&
        g_cond_wait_until(&link->changed, &link->lock, link->away_since_usec + link->patience_usec))
        ;
    if (!link->connection || link->lost)
        return NULL;
    virConnectRef(link->connection);
    return link->connection;
}

/* One that broke a moment ago may not have been told of yet. */
static void
give_up(LibvirtLink *link, virConnectPtr connection)
{
    g_mutex_lock(&link->lock);
    if (link->connection == connection)
        note_loss(link);
    g_mutex_unlock(&link->lock);
    virConnectClose(connection);
}

virConnectPtr
libvirt_link_acquire(LibvirtLink *link, GError **error)
{
    virConnectPtr connection;

    /* Asked without our lock: it takes one of libvirt's, which may be held where on_closed() is
     * called and waits for ours. */
    while ((connection = wait_for_connection(link)) && virConnectIsAlive(connection) != 1)
        give_up(link, connection);
    if (!connection) {
        g_autofree char *object = g_strdup_printf("libvirt at %s", link->uri);
        fault_set(error, FAULT_HYPERVISOR_UNAVAILABLE, object,
                  "start it: systemctl start libvirtd (or virtqemud.socket)", "it does not answer");
    }
    return connection;
}

static gboolean
is_agent_silence(int number, FaultCode code)
{
    return number == VIR_ERR_AGENT_UNRESPONSIVE || number == VIR_ERR_AGENT_UNSYNCED ||
           number == ERROR_AGENT_COMMAND_TIMEOUT ||
           (number == VIR_ERR_OPERATION_TIMEOUT && code == FAULT_AGENT_FAILED);
}

/* In a migration it is the link between the two libvirts that may have failed. */
static gboolean
is_connection_loss(const virError *last, FaultCode code)
{
    return last && (last->code == VIR_ERR_INVALID_CONN ||
                    (last->domain == VIR_FROM_RPC && code != FAULT_MIGRATION_FAILED));
}

void
libvirt_set_fault(GError **error, FaultCode code, const char *object, const char *remedy)
{
    const virError *last = virGetLastError();
    int number = last ? last->code : VIR_ERR_INTERNAL_ERROR;
    const char *cause = last && last->message ? last->message : "libvirt gives no reason";

    if (number == VIR_ERR_NO_DOMAIN)
        fault_set(error, FAULT_GUEST_NOT_FOUND, object, "list guests with: virsh list --all",
                  "no such guest on this host");
    else if (is_agent_silence(number, code))
        fault_set(error, FAULT_AGENT_UNAVAILABLE, object,
                  "start qemu-guest-agent in the guest and see that it is not blocked", "%s",
                  cause);
    else if (number == VIR_ERR_OPERATION_TIMEOUT && code != FAULT_MIGRATION_FAILED)
        /* Another libvirt job holds the guest. */
        fault_set(error, FAULT_GUEST_BUSY, object, "see what it waits for: virsh domjobinfo", "%s",
                  cause);
    else if (is_connection_loss(last, code))
        fault_set(error, FAULT_HYPERVISOR_UNAVAILABLE, object, "look at: systemctl status libvirtd",
                  "%s", cause);
    else
        fault_set(error, code, object, remedy, "%s", cause);
}

static virDomainPtr
look_up(LibvirtLink *link, const char *guest, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(link, error);

    if (!connection)
        return NULL;
    virDomainPtr domain = virDomainLookupByUUIDString(connection, guest);
    if (!domain)
        domain = virDomainLookupByName(connection, guest);
    if (!domain) {
        g_autofree char *object = g_strdup_printf("guest '%s'", guest);
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, NULL);
    }
    return domain;
}

/* That the connection is gone may show only here; what only asks may ask again. */
virDomainPtr
libvirt_find_guest(LibvirtLink *link, const char *guest, GError **error)
{
    g_autoptr(GError) failure = NULL;
    virDomainPtr domain = look_up(link, guest, &failure);

    if (domain || !g_error_matches(failure, FAULT, FAULT_HYPERVISOR_UNAVAILABLE)) {
        if (failure)
            g_propagate_error(error, g_steal_pointer(&failure));
        return domain;
    }
    return look_up(link, guest, error);
}
