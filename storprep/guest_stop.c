/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns stopping and starting guests on request. Nothing here ever forces a guest. */
#include "storprep/guest_stop.h"

#include "common/domain_xml.h"
#include "common/fault.h"
#include "common/guest_hooks.h"
#include "common/parallel.h"
#include "storprep/storage_methods.h"

#define ABORT_USEC (G_USEC_PER_SEC / 4) /* libvirt refuses to abort what has not begun yet */

typedef struct {
    Hypervisor *hypervisor;
    char *uuid, *name;
    gboolean hibernate;
    unsigned seconds;
    const ConfigHooks *hooks;
} Stop;

static void
stop_free(void *data)
{
    Stop *stop = data;

    g_free(stop->uuid);
    g_free(stop->name);
    g_free(stop);
}

static gboolean
is_stopped(const Stop *stop)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(stop->hypervisor, stop->uuid, &error);

    /* A transient guest is gone with its end. */
    return guest ? guest->state == GUEST_STATE_SHUT_OFF
                 : fault_code(error) == FAULT_GUEST_NOT_FOUND;
}

/* Only what libvirt says counts; the event is when to ask. */
static gboolean
wait_for_end(const Stop *stop, HypervisorWatch *watch, GCancellable *cancellable, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)stop->seconds * G_USEC_PER_SEC;

    while (!is_stopped(stop)) {
        HypervisorEvent *event = hypervisor_watch_next(watch, deadline, cancellable, error);

        if (!event)
            return FALSE;
        hypervisor_event_free(event);
    }
    return TRUE;
}

static gboolean
shut_down(const Stop *stop, GCancellable *cancellable, GError **error)
{
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(stop->hypervisor, stop->uuid);
    g_autoptr(GError) failure = NULL;

    if (!hypervisor_shut_down(stop->hypervisor, stop->uuid, error))
        return FALSE;
    if (wait_for_end(stop, watch, cancellable, &failure))
        return TRUE;
    g_autofree char *object = g_strdup_printf("guest '%s'", stop->name);
    fault_set(error, fault_code(failure), object, "shut it down in the guest, or with 'virsh'",
              fault_code(failure) == FAULT_TIMED_OUT
                  ? "was asked to shut down, but still runs after %u s"
                  : "was asked to shut down, and nobody waited for all of %u s",
              stop->seconds);
    return FALSE;
}

static gboolean
run_hooks(const Stop *stop, GuestHooksPhase phase, GCancellable *cancellable, GError **error)
{
    const GuestHooks hooks = { .hypervisor = stop->hypervisor,
                               .guest_name = stop->name,
                               .guest_uuid = stop->uuid,
                               .config = stop->hooks,
                               .cancellable = cancellable };

    return guest_hooks_run(&hooks, phase, NULL, error);
}

/* A save under way, and who looks whether it is to be aborted. */
typedef struct {
    const Stop *stop;
    GCancellable *cancellable;
    GMutex lock;
    GCond changed;
    gboolean ended;
} Save;

static void
wake(GCancellable *cancellable, void *data)
{
    Save *save = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&save->lock);

    g_cond_broadcast(&save->changed);
}

static gboolean
call_save(Save *save, GError **error)
{
    gboolean saved = hypervisor_save(save->stop->hypervisor, save->stop->uuid, error);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&save->lock);

    save->ended = TRUE;
    g_cond_broadcast(&save->changed);
    return saved;
}

/* With the lock, which is let go meanwhile. */
static void
abort_once(Save *save)
{
    g_autoptr(GError) error = NULL;

    g_mutex_unlock(&save->lock);
    if (!hypervisor_abort_job(save->stop->hypervisor, save->stop->uuid, &error))
        g_debug("guest '%s': not aborted yet: %s", save->stop->name, error->message);
    g_mutex_lock(&save->lock);
}

/* Again and again, since there may be nothing to abort yet. */
static void
abort_when_cancelled(Save *save)
{
    gulong handler = g_cancellable_connect(save->cancellable, G_CALLBACK(wake), save, NULL);

    g_mutex_lock(&save->lock);
    while (!save->ended) {
        if (!g_cancellable_is_cancelled(save->cancellable)) {
            g_cond_wait(&save->changed, &save->lock);
            continue;
        }
        abort_once(save);
        if (!save->ended)
            g_cond_wait_until(&save->changed, &save->lock, g_get_monotonic_time() + ABORT_USEC);
    }
    g_mutex_unlock(&save->lock);
    g_cancellable_disconnect(save->cancellable, handler);
}

static gboolean
take_part(guint worker, void *data, GError **error)
{
    if (worker == 0)
        return call_save(data, error);
    abort_when_cancelled(data);
    return TRUE;
}

static gboolean
save(const Stop *stop, GCancellable *cancellable, GError **error)
{
    Save save = { .stop = stop, .cancellable = cancellable };

    g_mutex_init(&save.lock);
    g_cond_init(&save.changed);
    gboolean saved = parallel_run(2, take_part, &save, error);
    g_cond_clear(&save.changed);
    g_mutex_clear(&save.lock);
    return saved;
}

/* A guest that stays wakes up what it sent to sleep. */
static gboolean
hibernate(const Stop *stop, GCancellable *cancellable, GError **error)
{
    g_autoptr(GError) asleep = NULL;

    if (run_hooks(stop, GUEST_HOOKS_BEFORE_HIBERNATION, cancellable, error) &&
        save(stop, cancellable, error))
        return TRUE;
    if (!run_hooks(stop, GUEST_HOOKS_AFTER_HIBERNATION, NULL, &asleep))
        g_warning("%s", asleep->message);
    return FALSE;
}

static json_t *
run(Job *job, void *data, GError **error)
{
    const Stop *stop = data;
    GCancellable *cancellable = job_cancellable(job);

    job_progress(job, json_pack("{s:s}", "step", stop->hibernate ? "hibernate" : "shutdown"));
    if (!(stop->hibernate ? hibernate : shut_down)(stop, cancellable, error))
        return NULL;
    return json_pack("{s:{s:s, s:s}}", "guest", "name", stop->name, "uuid", stop->uuid);
}

/* QEMU cannot save the state of a function. */
static gboolean
check_saveable(const Guest *guest, GError **error)
{
    g_autoptr(DomainXml) domain = domain_xml_parse(guest->xml, error);

    if (!domain)
        return FALSE;
    if (domain->passthrough->len == 0)
        return TRUE;
    g_autofree char *object = g_strdup_printf("guest '%s'", guest->name);
    fault_set(error, FAULT_INVALID_ARGUMENT, object, "let it shut down instead: fallback=shutdown",
              "has passthrough NICs, whose state cannot be saved");
    return FALSE;
}

static gboolean
check(const Guest *guest, gboolean to_hibernate, guint64 seconds, GError **error)
{
    if (seconds < 1 || seconds > GUEST_STOP_SECONDS_MAX) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "timeoutSeconds", "pass less",
                  "is not from 1 to %d", GUEST_STOP_SECONDS_MAX);
        return FALSE;
    }
    if (guest->state != GUEST_STATE_RUNNING) {
        g_autofree char *object = g_strdup_printf("guest '%s'", guest->name);
        fault_set(error, FAULT_GUEST_NOT_RUNNING, object, "nothing is to be done", "does not run");
        return FALSE;
    }
    return !to_hibernate || check_saveable(guest, error);
}

Job *
guest_stop_start(JobRegistry *jobs, Hypervisor *hypervisor, const char *name, gboolean to_hibernate,
                 guint64 seconds, const ConfigHooks *hooks, GError **error)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, name, error);
    Stop *stop;

    if (!guest || !check(guest, to_hibernate, seconds, error))
        return NULL;
    stop = g_new0(Stop, 1);
    stop->hypervisor = hypervisor;
    stop->uuid = g_strdup(guest->uuid);
    stop->name = g_strdup(guest->name);
    stop->hibernate = to_hibernate;
    stop->hooks = hooks;
    stop->seconds = (unsigned)seconds;
    return job_start(jobs, "StopGuest", guest->uuid, run, stop, stop_free, error);
}

void
storage_run_stop_guest(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    json_int_t seconds = json_integer_value(json_object_get(parameters, "timeoutSeconds"));
    gboolean to_hibernate = g_str_equal(storage_text(parameters, "how"), "hibernate");
    GError *error = NULL;
    g_autoptr(Job) job =
        guest_stop_start(service->jobs, service->hypervisor, storage_text(parameters, "guest"),
                         to_hibernate, (guint64)MAX(seconds, 0), &service->guest_hooks, &error);

    if (job)
        job_serve(job, call);
    else
        varlink_call_fail(call, error);
}

void
storage_run_start_guest(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    GError *error = NULL;
    g_autoptr(Guest) guest =
        hypervisor_get_guest(service->hypervisor, storage_text(parameters, "guest"), &error);

    if (guest && hypervisor_start(service->hypervisor, guest->uuid, &error))
        varlink_call_reply(call, NULL);
    else
        varlink_call_fail(call, error);
}
