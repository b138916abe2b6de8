/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/daemon_process.h"

#include <errno.h>
#include <sqlite3.h>

#include "fake/fake_leg_probe.h"
#include "netprep/reconcile.h"

#define NUDGE_USEC 2000

struct DaemonProcess {
    DaemonWorld world;
    Hypervisor *hypervisor; /* borrowed from @host */
    NetworkHost *host;
    Reconciler *reconciler;
    GThread *nudger;
    GMutex lock; /* guards all below */
    gboolean stopping, dead;
    unsigned outage; /* calls until libvirt is back */
    gboolean answer_lost;
    unsigned points, strike_at;
    DaemonStrike strike;
    void *strike_data;
};

/* The process whose database this thread is opening. */
static GPrivate opening;

static void
tell(DaemonProcess *process, HypervisorEventType type, const char *uuid)
{
    HypervisorEvent event = { .type = type, .uuid = (char *)uuid, .alias = (char *)"" };

    hypervisor_emit(process->hypervisor, &event);
}

/* Counts a point; what is to happen there happens before it is passed. */
static void
reach_point(DaemonProcess *process)
{
    g_mutex_lock(&process->lock);
    gboolean struck = !process->dead && ++process->points == process->strike_at;
    DaemonStrike strike = struck ? process->strike : NULL;
    void *data = process->strike_data;
    g_mutex_unlock(&process->lock);
    if (strike)
        strike(data);
}

static FakeGateState
inject(const DaemonProcess *process, InjectorPoint point)
{
    int number;
    Deed deed = injector_pass(process->world.injector, point, &number);

    errno = number;
    return deed == DEED_DONE ? FAKE_GATE_OPEN : deed == DEED_LOST ? FAKE_GATE_MUTE : FAKE_GATE_SHUT;
}

static FakeGateState
pass(void *data)
{
    DaemonProcess *process = data;

    reach_point(process);
    return inject(process, POINT_KERNEL);
}

/* With the lock. */
static FakeGateState
libvirt_state(DaemonProcess *process)
{
    gboolean answer_lost = process->answer_lost;

    process->answer_lost = FALSE;
    if (process->dead)
        return FAKE_GATE_SHUT;
    if (process->outage == 0)
        return FAKE_GATE_OPEN;
    process->outage--;
    return answer_lost ? FAKE_GATE_MUTE : FAKE_GATE_SHUT;
}

static FakeGateState
pass_to_libvirt(void *data)
{
    DaemonProcess *process = data;

    reach_point(process);
    g_mutex_lock(&process->lock);
    FakeGateState state = libvirt_state(process);
    gboolean back = !process->dead && state != FAKE_GATE_OPEN && process->outage == 0;
    g_mutex_unlock(&process->lock);
    if (back)
        tell(process, HYPERVISOR_EVENT_RECONNECTED, "");
    return state == FAKE_GATE_OPEN ? inject(process, POINT_REMOTE) : state;
}

static void
forward(const HypervisorEvent *event, void *data)
{
    DaemonProcess *process = data;

    g_mutex_lock(&process->lock);
    gboolean hears = !process->dead && process->outage == 0;
    g_mutex_unlock(&process->lock);
    if (hears && !injector_is_dead(process->world.injector))
        hypervisor_emit(process->hypervisor, event);
}

/* Not 0: SQLite rolls back instead. The disk has its own injections. */
static int
may_commit(void *data)
{
    DaemonProcess *process = data;

    reach_point(process);
    return daemon_process_is_dead(process);
}

static int
watch_commits(sqlite3 *connection, char **message, const void *api)
{
    DaemonProcess *process = g_private_get(&opening);

    if (process)
        sqlite3_commit_hook(connection, may_commit, process);
    return SQLITE_OK;
}

static LeaseStore *
open_leases(DaemonProcess *process)
{
    g_autoptr(GError) error = NULL;

    sqlite3_auto_extension((void (*)(void))watch_commits);
    g_private_set(&opening, process);
    LeaseStore *leases = lease_store_open(process->world.database, &error);
    g_private_set(&opening, NULL);
    if (error)
        g_test_message("netprepd does not start: %s", error->message);
    return leases;
}

/* Waits between tries end at any event about the guest; here there is always one. */
static void *
nudge(void *data)
{
    DaemonProcess *process = data;
    gboolean stopping = FALSE;

    while (!stopping) {
        tell(process, HYPERVISOR_EVENT_AGENT_CONNECTED, process->world.guest);
        g_usleep(NUDGE_USEC);
        g_mutex_lock(&process->lock);
        stopping = process->stopping;
        g_mutex_unlock(&process->lock);
    }
    return NULL;
}

DaemonProcess *
daemon_process_start(const DaemonWorld *world)
{
    DaemonProcess *process = g_new0(DaemonProcess, 1);
    HypervisorDoor door = { pass_to_libvirt, process, world->check, world->check_data };

    g_mutex_init(&process->lock);
    process->world = *world;
    LeaseStore *leases = open_leases(process);
    if (!leases) {
        g_mutex_clear(&process->lock);
        g_free(process);
        return NULL;
    }
    process->hypervisor = hypervisor_gate_new(fake_hypervisor_get(world->hypervisor), &door);
    process->host = network_host_new(
        process->hypervisor, leases, fake_function_control_open(world->control, pass, process),
        fake_leg_probe_get(fake_leg_probe_new()), fake_bridge_fdb_open(world->fdb, pass, process),
        world->config, world->sysfs);
    g_free(process->host->root); /* this machine may be in maintenance */
    process->host->root = g_strdup(world->sysfs);
    process->reconciler = reconciler_new(process->host);
    fake_event_source_add(fake_hypervisor_events(world->hypervisor), forward, process);
    process->nudger = g_thread_new("nudge", nudge, process);
    return process;
}

static void
wait_for_jobs(const DaemonProcess *process)
{
    for (;;) {
        g_autoptr(Job) job = job_registry_find_subject(process->host->jobs, process->world.guest);

        if (!job)
            return;
        json_decref(job_wait(job, NULL));
    }
}

void
daemon_process_stop(DaemonProcess *process)
{
    if (!process)
        return;
    wait_for_jobs(process);
    g_mutex_lock(&process->lock);
    process->stopping = TRUE;
    g_mutex_unlock(&process->lock);
    g_thread_join(process->nudger);
    fake_event_source_remove(fake_hypervisor_events(process->world.hypervisor), process);
    reconciler_free(process->reconciler);
    network_host_free(process->host);
    g_mutex_clear(&process->lock);
    g_free(process);
}

const NetworkHost *
daemon_process_host(const DaemonProcess *process)
{
    return process->host;
}

void
daemon_process_reconcile(DaemonProcess *process)
{
    reconcile_now(process->reconciler, process->world.guest);
    wait_for_jobs(process);
}

void
daemon_process_strike_at(DaemonProcess *process, unsigned point, DaemonStrike strike, void *data)
{
    g_mutex_lock(&process->lock);
    process->points = 0;
    process->strike_at = point;
    process->strike = strike;
    process->strike_data = data;
    g_mutex_unlock(&process->lock);
}

void
daemon_process_kill(DaemonProcess *process)
{
    g_mutex_lock(&process->lock);
    process->dead = TRUE;
    g_mutex_unlock(&process->lock);
    injector_kill(process->world.injector);
}

gboolean
daemon_process_is_dead(DaemonProcess *process)
{
    g_mutex_lock(&process->lock);
    gboolean dead = process->dead;
    g_mutex_unlock(&process->lock);
    return dead || injector_is_dead(process->world.injector);
}

void
daemon_process_lose_libvirt(DaemonProcess *process, unsigned calls, gboolean answer_lost)
{
    g_mutex_lock(&process->lock);
    process->outage = calls;
    process->answer_lost = answer_lost;
    g_mutex_unlock(&process->lock);
}

void
daemon_process_regain_libvirt(DaemonProcess *process)
{
    g_mutex_lock(&process->lock);
    gboolean back = process->outage > 0;
    process->outage = 0;
    process->answer_lost = FALSE;
    g_mutex_unlock(&process->lock);
    if (back)
        tell(process, HYPERVISOR_EVENT_RECONNECTED, "");
}
