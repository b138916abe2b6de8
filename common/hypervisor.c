/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the hypervisor handle: passes operations on and queues events to the watches. */
#include "common/hypervisor.h"

#include "common/call_turns.h"
#include "common/fault.h"
#include "common/limits.h"

struct Hypervisor {
    const HypervisorOps *ops;
    void *self;
    GMutex lock;        /* guards watches and every watch's queue */
    GPtrArray *watches; /* of HypervisorWatch *, borrowed */
    CallTurns turns;
};

struct HypervisorWatch {
    Hypervisor *hypervisor;
    char *uuid; /* NULL: all guests */
    GQueue events;
    GCond changed;
};

const char *
guest_state_name(GuestState state)
{
    switch (state) {
    case GUEST_STATE_RUNNING:
        return "running";
    case GUEST_STATE_PAUSED:
        return "paused";
    case GUEST_STATE_SHUT_OFF:
        return "shutoff";
    case GUEST_STATE_CRASHED:
    case GUEST_STATE_OTHER:
        return "other";
    }
    g_return_val_if_reached("other");
}

void
guest_free(Guest *guest)
{
    if (!guest)
        return;
    g_free(guest->name);
    g_free(guest->uuid);
    g_free(guest->xml);
    g_free(guest->inactive_xml);
    g_free(guest);
}

void
hypervisor_event_free(HypervisorEvent *event)
{
    if (!event)
        return;
    g_free(event->uuid);
    g_free(event->alias);
    g_free(event);
}

static HypervisorEvent *
event_new(HypervisorEventType type, const char *uuid, const char *alias)
{
    HypervisorEvent *event = g_new0(HypervisorEvent, 1);

    event->type = type;
    event->uuid = g_strdup(uuid ? uuid : "");
    event->alias = g_strdup(alias ? alias : "");
    return event;
}

Hypervisor *
hypervisor_new(const HypervisorOps *ops, void *self)
{
    Hypervisor *hypervisor = g_new0(Hypervisor, 1);

    hypervisor->ops = ops;
    hypervisor->self = self;
    g_mutex_init(&hypervisor->lock);
    hypervisor->watches = g_ptr_array_new();
    call_turns_init(&hypervisor->turns);
    return hypervisor;
}

void
hypervisor_free(Hypervisor *hypervisor)
{
    if (!hypervisor)
        return;
    hypervisor->ops->free(hypervisor->self);
    g_warn_if_fail(hypervisor->watches->len == 0);
    g_ptr_array_unref(hypervisor->watches);
    g_mutex_clear(&hypervisor->lock);
    call_turns_clear(&hypervisor->turns);
    g_free(hypervisor);
}

static gboolean
watch_wants(const HypervisorWatch *watch, const HypervisorEvent *event)
{
    return !watch->uuid || event->type == HYPERVISOR_EVENT_RECONNECTED ||
           g_strcmp0(watch->uuid, event->uuid) == 0;
}

/* A reader that fell far behind has to ask for the present state anyway, which is exactly what
 * RECONNECTED tells it; so one such event replaces all that do not fit. */
static void
watch_push(HypervisorWatch *watch, const HypervisorEvent *event)
{
    HypervisorEvent *copy;

    if (watch->events.length >= HYPERVISOR_WATCH_EVENTS) {
        g_queue_clear_full(&watch->events, (GDestroyNotify)hypervisor_event_free);
        copy = event_new(HYPERVISOR_EVENT_RECONNECTED, "", "");
    } else {
        copy = event_new(event->type, event->uuid, event->alias);
    }
    g_queue_push_tail(&watch->events, copy);
    g_cond_broadcast(&watch->changed);
}

void
hypervisor_emit(Hypervisor *hypervisor, const HypervisorEvent *event)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&hypervisor->lock);

    for (guint i = 0; i < hypervisor->watches->len; i++) {
        HypervisorWatch *watch = g_ptr_array_index(hypervisor->watches, i);

        if (watch_wants(watch, event))
            watch_push(watch, event);
    }
}

HypervisorWatch *
hypervisor_watch_new(Hypervisor *hypervisor, const char *uuid)
{
    HypervisorWatch *watch = g_new0(HypervisorWatch, 1);

    watch->hypervisor = hypervisor;
    watch->uuid = g_strdup(uuid);
    g_queue_init(&watch->events);
    g_cond_init(&watch->changed);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&hypervisor->lock);
    g_ptr_array_add(hypervisor->watches, watch);
    return watch;
}

void
hypervisor_watch_free(HypervisorWatch *watch)
{
    if (!watch)
        return;
    g_mutex_lock(&watch->hypervisor->lock);
    g_ptr_array_remove_fast(watch->hypervisor->watches, watch);
    g_mutex_unlock(&watch->hypervisor->lock);
    g_queue_clear_full(&watch->events, (GDestroyNotify)hypervisor_event_free);
    g_cond_clear(&watch->changed);
    g_free(watch->uuid);
    g_free(watch);
}

static void
watch_wake(GCancellable *cancellable, HypervisorWatch *watch)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&watch->hypervisor->lock);

    g_cond_broadcast(&watch->changed);
}

static HypervisorEvent *
watch_wait(HypervisorWatch *watch, gint64 deadline_usec, GCancellable *cancellable)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&watch->hypervisor->lock);

    while (g_queue_is_empty(&watch->events) && !g_cancellable_is_cancelled(cancellable)) {
        if (!g_cond_wait_until(&watch->changed, &watch->hypervisor->lock, deadline_usec))
            break;
    }
    return g_queue_pop_head(&watch->events);
}

HypervisorEvent *
hypervisor_watch_next(HypervisorWatch *watch, gint64 deadline_usec, GCancellable *cancellable,
                      GError **error)
{
    const char *object = watch->uuid ? watch->uuid : "all guests";
    gulong handler =
        cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(watch_wake), watch, NULL) : 0;
    HypervisorEvent *event = watch_wait(watch, deadline_usec, cancellable);

    g_cancellable_disconnect(cancellable, handler);
    if (event)
        return event;
    if (g_cancellable_is_cancelled(cancellable))
        fault_set(error, FAULT_CANCELLED, object, NULL, "waiting for an event was cancelled");
    else
        fault_set(error, FAULT_TIMED_OUT, object, NULL, "no event came before the deadline");
    return NULL;
}

Guest *
hypervisor_get_guest(Hypervisor *hypervisor, const char *guest, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->get_guest(hypervisor->self, guest, error);
}

GPtrArray *
hypervisor_list_guests(Hypervisor *hypervisor, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->list_guests(hypervisor->self, error);
}

gboolean
hypervisor_detach_device(Hypervisor *hypervisor, const char *uuid, const char *alias_or_xml,
                         DeviceScope scope, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SLOW);

    return hypervisor->ops->detach_device(hypervisor->self, uuid, alias_or_xml, scope, error);
}

gboolean
hypervisor_attach_device(Hypervisor *hypervisor, const char *uuid, const char *xml,
                         DeviceScope scope, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SLOW);

    return hypervisor->ops->attach_device(hypervisor->self, uuid, xml, scope, error);
}

gboolean
hypervisor_update_device(Hypervisor *hypervisor, const char *uuid, const char *xml,
                         DeviceScope scope, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SLOW);

    return hypervisor->ops->update_device(hypervisor->self, uuid, xml, scope, error);
}

char *
hypervisor_agent_command(Hypervisor *hypervisor, const char *uuid, const char *command,
                         unsigned timeout_seconds, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SLOW);

    return hypervisor->ops->agent_command(hypervisor->self, uuid, command, timeout_seconds, error);
}

gboolean
hypervisor_migrate(Hypervisor *hypervisor, const char *uuid, const MigrationRequest *request,
                   GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_URGENT);

    return hypervisor->ops->migrate(hypervisor->self, uuid, request, error);
}

gboolean
hypervisor_get_progress(Hypervisor *hypervisor, const char *uuid, MigrationProgress *ret_progress,
                        GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_URGENT);

    return hypervisor->ops->get_progress(hypervisor->self, uuid, ret_progress, error);
}

gboolean
hypervisor_abort_job(Hypervisor *hypervisor, const char *uuid, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_URGENT);

    return hypervisor->ops->abort_job(hypervisor->self, uuid, error);
}

gboolean
hypervisor_start_post_copy(Hypervisor *hypervisor, const char *uuid, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_URGENT);

    return hypervisor->ops->start_post_copy(hypervisor->self, uuid, error);
}

gboolean
hypervisor_suspend(Hypervisor *hypervisor, const char *uuid, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_URGENT);

    return hypervisor->ops->suspend(hypervisor->self, uuid, error);
}

gboolean
hypervisor_save(Hypervisor *hypervisor, const char *uuid, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_URGENT);

    return hypervisor->ops->save(hypervisor->self, uuid, error);
}

gboolean
hypervisor_shut_down(Hypervisor *hypervisor, const char *uuid, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SLOW);

    return hypervisor->ops->shut_down(hypervisor->self, uuid, error);
}

gboolean
hypervisor_start(Hypervisor *hypervisor, const char *uuid, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SLOW);

    return hypervisor->ops->start(hypervisor->self, uuid, error);
}

gboolean
hypervisor_set_metadata(Hypervisor *hypervisor, const char *uuid, const char *uri,
                        const char *prefix, const char *xml, DeviceScope scope, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->set_metadata(hypervisor->self, uuid, uri, prefix, xml, scope, error);
}

GPtrArray *
hypervisor_list_networks(Hypervisor *hypervisor, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->list_networks(hypervisor->self, error);
}

HypervisorHost *
hypervisor_get_host(Hypervisor *hypervisor, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->get_host(hypervisor->self, error);
}

gboolean
hypervisor_compare_processor(Hypervisor *hypervisor, const HypervisorMachine *machine,
                             const char *xml, char **ret_obstacle, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->compare_processor(hypervisor->self, machine, xml, ret_obstacle, error);
}

GuestCondition *
hypervisor_inspect_guest(Hypervisor *hypervisor, const char *uuid, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->inspect_guest(hypervisor->self, uuid, error);
}

char *
hypervisor_get_definition(Hypervisor *hypervisor, const char *uuid, gboolean persistent,
                          GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->get_definition(hypervisor->self, uuid, persistent, error);
}

GPtrArray *
hypervisor_list_pools(Hypervisor *hypervisor, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->list_pools(hypervisor->self, error);
}

gboolean
hypervisor_measure_dirty_rate(Hypervisor *hypervisor, const char *uuid, unsigned seconds,
                              guint64 *ret_bytes_per_second, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SLOW);

    return hypervisor->ops->measure_dirty_rate(hypervisor->self, uuid, seconds,
                                               ret_bytes_per_second, error);
}

char *
hypervisor_baseline_processor(Hypervisor *hypervisor, const char *const *processors, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->baseline_processor(hypervisor->self, processors, error);
}

GPtrArray *
hypervisor_list_network_ports(Hypervisor *hypervisor, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->list_network_ports(hypervisor->self, error);
}

gboolean
hypervisor_create_network_port(Hypervisor *hypervisor, const NetworkPort *port, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->create_network_port(hypervisor->self, port, error);
}

gboolean
hypervisor_delete_network_port(Hypervisor *hypervisor, const char *network, const char *uuid,
                               GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->delete_network_port(hypervisor->self, network, uuid, error);
}

gboolean
hypervisor_create_pool(Hypervisor *hypervisor, const StoragePool *pool, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->create_pool(hypervisor->self, pool, error);
}

gboolean
hypervisor_destroy_pool(Hypervisor *hypervisor, const char *name, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->destroy_pool(hypervisor->self, name, error);
}

char *
hypervisor_find_volume(Hypervisor *hypervisor, const char *pool, const char *volume, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->find_volume(hypervisor->self, pool, volume, error);
}

gboolean
hypervisor_refresh_pool(Hypervisor *hypervisor, const char *name, GError **error)
{
    g_auto(CallTurn) turn = call_turn_begin(&hypervisor->turns, CALL_SHORT);

    return hypervisor->ops->refresh_pool(hypervisor->self, name, error);
}
