/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/storage_process.h"

#include "fake/faulty_calls.h"

#define SETTLED_ROUNDS 30

/* NULL if it is struck while it opens its database. */
static LeaseStore *
try_open(StorageProcess *process, Injection what, unsigned point)
{
    if (injector_has_cut_power(process->injector))
        faulty_disk_cut(process->disk, process->random);
    injector_arm(process->injector, what, point);
    return lease_store_open(process->host.database, NULL);
}

/* One that does not start is followed by one that does. */
static void
start(StorageProcess *process, Injection what, unsigned point)
{
    const char *directories[] = { process->host.images, NULL };
    LeaseStore *store = try_open(process, what, point);

    if (!store)
        store = try_open(process, INJECT_NOTHING, 0);
    g_assert_nonnull(store);
    share_fixture_start_daemon_on(&process->host, store);
    process->targets =
        target_leases_new(process->host.store, process->host.hypervisor, directories,
                          process->host.directory, process->sockets, &storage_pulse_real);
}

static void
stop(StorageProcess *process)
{
    g_clear_pointer(&process->targets, target_leases_free);
    share_fixture_stop_daemon(&process->host);
}

static void
quiet(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
}

StorageProcess *
storage_process_new(void)
{
    StorageProcess *process = g_new0(StorageProcess, 1);

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    if (!g_test_verbose())
        g_log_set_handler("migprep", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE, quiet, NULL);
    share_fixture_set_up(&process->host, NULL);
    share_fixture_stop_daemon(&process->host);
    process->sockets = g_build_filename(process->host.directory, "state", "sockets", NULL);
    process->injector = injector_new();
    process->disk = faulty_disk_new(process->host.database, process->injector);
    process->random = g_rand_new_with_seed(1);
    faulty_calls_use(process->injector);
    start(process, INJECT_NOTHING, 0);
    return process;
}

void
storage_process_free(StorageProcess *process)
{
    stop(process);
    faulty_calls_use(NULL);
    share_fixture_tear_down(&process->host, NULL);
    faulty_disk_free(process->disk);
    injector_free(process->injector);
    g_rand_free(process->random);
    g_free(process->sockets);
    g_free(process);
}

void
storage_process_restart(StorageProcess *process, Injection what, unsigned point)
{
    injector_kill(process->injector);
    stop(process);
    start(process, what, point);
}

static char *
look_once(StorageProcess *process)
{
    target_leases_reconcile(process->targets);
    share_leases_reconcile(process->host.leases);
    g_autoptr(GPtrArray) leases = lease_store_list(process->host.store, NULL);
    GString *text = g_string_new(NULL);

    for (guint i = 0; leases && i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        g_string_append_printf(text, "%s %s %s: %s\n", lease->kind, lease->id, lease->state,
                               lease->reason);
    }
    return g_string_free(text, FALSE);
}

void
storage_process_settle(StorageProcess *process)
{
    g_autofree char *before = NULL;

    for (unsigned round = 0; round < SETTLED_ROUNDS; round++) {
        g_autofree char *now = look_once(process);

        if (injector_is_dead(process->injector))
            storage_process_restart(process, INJECT_NOTHING, 0);
        else if (g_strcmp0(before, now) == 0)
            return;
        g_free(before);
        before = g_steal_pointer(&now);
    }
    g_error("the daemon finds no rest: %s", before);
}

void
storage_process_expire(StorageProcess *process)
{
    g_autoptr(GPtrArray) leases = lease_store_list(process->host.store, NULL);

    for (guint i = 0; i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        g_assert_true(
            lease_store_renew(process->host.store, lease->id, lease->generation, 0, NULL));
        if (g_str_equal(lease->state, "committed"))
            g_assert_true(share_fixture_release(&process->host, lease, NULL));
    }
}
