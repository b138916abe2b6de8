/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Follows libvirt's events about devices that a guest was asked to let go. */
#include "netprep/removal_wait.h"

#include "common/fault.h"

struct RemovalWait {
    Hypervisor *hypervisor;
    const Guest *guest;
    HypervisorWatch *watch;
    GHashTable *pending; /* alias -> host PCI address */
    GError *refusal;     /* the first; the others are still waited for, to know where they are */
};

RemovalWait *
removal_wait_new(Hypervisor *hypervisor, const Guest *guest)
{
    RemovalWait *wait = g_new0(RemovalWait, 1);

    wait->hypervisor = hypervisor;
    wait->guest = guest;
    wait->watch = hypervisor_watch_new(hypervisor, guest->uuid);
    wait->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return wait;
}

void
removal_wait_free(RemovalWait *wait)
{
    if (!wait)
        return;
    hypervisor_watch_free(wait->watch);
    g_hash_table_unref(wait->pending);
    g_clear_error(&wait->refusal);
    g_free(wait);
}

void
removal_wait_add(RemovalWait *wait, const char *alias, const char *function)
{
    g_hash_table_insert(wait->pending, g_strdup(alias), g_strdup(function));
}

static char *
guest_label(const RemovalWait *wait)
{
    return g_strdup_printf("guest '%s'", wait->guest->name);
}

static void
refused(RemovalWait *wait, const char *alias)
{
    const char *function = g_hash_table_lookup(wait->pending, alias);
    g_autofree char *label = guest_label(wait);

    if (!function)
        return;
    if (!wait->refusal)
        fault_set(&wait->refusal, FAULT_UNPLUG_REFUSED, label,
                  "end what uses the device inside the guest, then try again",
                  "refused to let virtual function %s (%s) go", function, alias);
    g_hash_table_remove(wait->pending, alias);
}

/* Asks libvirt which devices are gone: events may have been lost. */
static gboolean
look(RemovalWait *wait, GError **error)
{
    g_autoptr(GuestView) view = guest_view_read(wait->hypervisor, wait->guest->uuid, error);
    GHashTableIter iter;
    void *function;

    if (!view)
        return FALSE;
    g_hash_table_iter_init(&iter, wait->pending);
    while (g_hash_table_iter_next(&iter, NULL, &function)) {
        if (!guest_view_find(view->live, function))
            g_hash_table_iter_remove(&iter);
    }
    return TRUE;
}

static gboolean
stopped(RemovalWait *wait, GError **error)
{
    g_autofree char *label = guest_label(wait);

    fault_set(error, FAULT_GUEST_NOT_RUNNING, label, "start it, then try again",
              "stopped while its devices were being unplugged");
    return FALSE;
}

static gboolean
handle(RemovalWait *wait, const HypervisorEvent *event, GError **error)
{
    switch (event->type) {
    case HYPERVISOR_EVENT_DEVICE_REMOVED:
        g_hash_table_remove(wait->pending, event->alias);
        return TRUE;
    case HYPERVISOR_EVENT_DEVICE_REFUSED:
        refused(wait, event->alias);
        return TRUE;
    case HYPERVISOR_EVENT_RECONNECTED:
        return look(wait, error);
    case HYPERVISOR_EVENT_STOPPED:
    case HYPERVISOR_EVENT_UNDEFINED:
        return stopped(wait, error);
    case HYPERVISOR_EVENT_COMING:
    case HYPERVISOR_EVENT_RESTARTED:
    case HYPERVISOR_EVENT_RESUMED:
    case HYPERVISOR_EVENT_SUSPENDED:
    case HYPERVISOR_EVENT_AGENT_CONNECTED:
        return TRUE;
    }
    g_return_val_if_reached(TRUE);
}

/* The deadline has passed: the last word is libvirt's. */
static gboolean
time_out(RemovalWait *wait, GError **error)
{
    g_autofree char *label = guest_label(wait);
    GHashTableIter iter;
    void *alias, *function;

    if (!look(wait, error))
        return FALSE;
    g_hash_table_iter_init(&iter, wait->pending);
    if (!g_hash_table_iter_next(&iter, &alias, &function))
        return TRUE;
    fault_set(error, FAULT_UNPLUG_TIMED_OUT, label,
              "check that the guest has booted and handles PCI hotplug; raise unplug-seconds if it "
              "is slow",
              "did not let virtual function %s (%s) go in time", (const char *)function,
              (const char *)alias);
    return FALSE;
}

gboolean
removal_wait_finish(RemovalWait *wait, gint64 deadline_usec, GCancellable *cancellable,
                    GError **error)
{
    while (g_hash_table_size(wait->pending) > 0) {
        g_autoptr(GError) failure = NULL;
        g_autoptr(HypervisorEvent) event =
            hypervisor_watch_next(wait->watch, deadline_usec, cancellable, &failure);

        if (event) {
            if (!handle(wait, event, error))
                return FALSE;
        } else if (!g_error_matches(failure, FAULT, FAULT_TIMED_OUT)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        } else if (!wait->refusal && !time_out(wait, error)) {
            return FALSE;
        } else {
            break;
        }
    }
    if (!wait->refusal)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&wait->refusal));
    return FALSE;
}
