/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fault at each point of each of storprepd's operations: after a restart its leases tell the
 * truth about the host, and after their deadlines nothing is left. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "fake/crash_tour.h"
#include "fake/faulty_sql.h"
#include "fake/storage_audit.h"
#include "fake/storage_recovery.h"
#include "fake/target_fixture.h"
#include "storprep/export.h"
#include "storprep/nfs_mount.h"
#include "storprep/probe_file.h"

#define STRIDE 3

/* Theory of operation: see crash_tour.h. All plays are on one host, which has to be as new
 * after each. */
typedef struct {
    const char *name;
    gboolean (*prepare)(StorageProcess *process); /* NULL: nothing */
    gboolean (*run)(StorageProcess *process);     /* whether it went well */
} Operation;

/* Targets. */

static json_t *
target(const StorageProcess *process, const char *name, const char *format)
{
    g_autofree char *path = g_build_filename(process->host.images, name, NULL);

    return json_pack("{s:s, s:s, s:i}", "path", path, "format", format, "virtualSizeBytes", 65536);
}

/* Whether an operation gave a lease, which is freed. */
static gboolean
is_lease(Lease *lease)
{
    gboolean good = lease != NULL;

    lease_free(lease);
    return good;
}

static gboolean
create(StorageProcess *process, json_t *targets)
{
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:o, s:i}", "owner", "test", "token", "t", "guest",
                  "name", "web1", "uuid", GUEST_UUID, "targets", targets, "timeoutSeconds", 600);
    g_autoptr(GError) error = NULL;
    g_autoptr(TargetRequest) request = target_request_new(asked, &error);

    g_assert_no_error(error);
    return is_lease(target_leases_create(process->targets, request, NULL));
}

static gboolean
create_one(StorageProcess *process)
{
    return create(process, json_pack("[o]", target(process, "a.raw", "raw")));
}

static gboolean
create_three(StorageProcess *process)
{
    return create(process,
                  json_pack("[o, o, o]", target(process, "a.raw", "raw"),
                            target(process, "b.raw", "raw"), target(process, "c.raw", "raw")));
}

static gboolean
create_qcow2(StorageProcess *process)
{
    return create(process, json_pack("[o]", target(process, "a.qcow2", "qcow2")));
}

/* The only lease there is. */
static Lease *
only_lease(StorageProcess *process)
{
    g_autoptr(GPtrArray) leases = lease_store_list(process->host.store, NULL);

    if (!leases) /* that was the request that fails */
        leases = lease_store_list(process->host.store, NULL);
    g_assert_cmpuint(leases->len, ==, 1);
    return lease_copy(leases->pdata[0]);
}

static gboolean
renew_targets(StorageProcess *process)
{
    g_autoptr(Lease) lease = only_lease(process);

    return is_lease(target_leases_renew(process->targets, lease->id, lease->generation, 600, NULL));
}

static gboolean
release_targets(StorageProcess *process)
{
    g_autoptr(Lease) lease = only_lease(process);
    gboolean kept;

    return target_leases_release(process->targets, lease->id, lease->generation, &kept, NULL);
}

static gboolean
open_targets(StorageProcess *process)
{
    g_autoptr(Lease) lease = only_lease(process);

    json_auto_t *served = target_leases_open(process->targets, lease->id, lease->generation, NULL);

    return served != NULL;
}

static gboolean
close_targets(StorageProcess *process)
{
    g_autoptr(Lease) lease = only_lease(process);

    return target_leases_close(process->targets, lease->id, lease->generation, NULL);
}

static gboolean
create_and_open(StorageProcess *process)
{
    return create_one(process) && open_targets(process);
}

/* Shares. */

static gboolean
make(StorageProcess *process, ShareRequest *request)
{
    g_assert_nonnull(request);
    return is_lease(share_fixture_create(&process->host, request, NULL));
}

static gboolean
export_to(StorageProcess *process, json_t *hosts, gboolean open_firewall)
{
    QemuConf conf = { .user = (char *)"+107", .group = (char *)"+108" };
    json_auto_t *asked = json_pack("{s:s, s:s, s:s, s:o, s:s, s:b, s:i}", "owner", "test", "token",
                                   "t", "directory", process->host.images, "hosts", hosts, "squash",
                                   "none", "openFirewall", open_firewall, "timeoutSeconds", 600);

    return make(process, export_request_new(asked, &process->host.host, &conf, NULL));
}

static gboolean
export_one(StorageProcess *process)
{
    return export_to(process, json_pack("[s]", "host2"), FALSE);
}

static gboolean
export_three(StorageProcess *process)
{
    return export_to(process, json_pack("[s, s, s]", "host2", "host3", "host4"), TRUE);
}

static gboolean
mount_with(StorageProcess *process, const char *pool)
{
    g_autofree char *path = g_build_filename(process->host.images, "shared", NULL);
    json_auto_t *asked = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:i}", "owner", "test", "token",
                                   "t", "server", "host1", "exportPath", "/srv/images", "path",
                                   path, "pool", pool, "timeoutSeconds", 600);

    return make(process, nfs_mount_request_new(asked, &process->host.host, NULL));
}

static gboolean
mount_plainly(StorageProcess *process)
{
    return mount_with(process, NULL);
}

static gboolean
mount_pool(StorageProcess *process)
{
    return mount_with(process, "images");
}

static gboolean
place_probe(StorageProcess *process)
{
    json_auto_t *asked = json_pack("{s:s, s:s, s:s, s:i}", "owner", "test", "token", "t",
                                   "directory", process->host.images, "timeoutSeconds", 600);

    return make(process, probe_file_request_new(asked, &process->host.host, NULL));
}

static gboolean
renew_share(StorageProcess *process)
{
    g_autoptr(Lease) lease = only_lease(process);

    return is_lease(
        share_leases_renew(process->host.leases, lease->id, lease->generation, 600, NULL));
}

static gboolean
commit_share(StorageProcess *process)
{
    g_autoptr(Lease) lease = only_lease(process);

    return is_lease(share_leases_commit(process->host.leases, lease->id, lease->generation, NULL));
}

static gboolean
release_share(StorageProcess *process)
{
    g_autoptr(Lease) lease = only_lease(process);

    return share_fixture_release(&process->host, lease, NULL);
}

static gboolean
unexport(StorageProcess *process)
{
    gboolean kept;

    return share_leases_end(process->host.leases, "export", "test", process->host.images, &kept,
                            NULL);
}

/* Deadlines pass, or what was shared vanished: whoever looks after leases has work. */
static gboolean
look(StorageProcess *process)
{
    target_leases_reconcile(process->targets);
    share_leases_reconcile(process->host.leases);
    return TRUE;
}

static gboolean
create_and_expire(StorageProcess *process)
{
    create_three(process);
    storage_process_expire(process);
    return TRUE;
}

static gboolean
export_and_expire(StorageProcess *process)
{
    export_three(process);
    storage_process_expire(process);
    return TRUE;
}

static gboolean
mount_and_reboot(StorageProcess *process)
{
    mount_pool(process);
    fake_mount_table_forget(process->host.fake_mounts);
    fake_hypervisor_host(process->host.fake_hypervisor)->pool = NULL;
    return TRUE;
}

static gboolean
mount_and_lose_point(StorageProcess *process)
{
    g_autofree char *path = g_build_filename(process->host.images, "shared", NULL);

    mount_and_reboot(process);
    g_assert_cmpint(g_rmdir(path), ==, 0);
    return TRUE;
}

static gboolean
export_and_reboot(StorageProcess *process)
{
    export_three(process);
    fake_nfs_server_forget(process->host.fake_server);
    process->host.fake_firewall.open = FALSE;
    return TRUE;
}

static const Operation operations[] = {
    { "create-one", NULL, create_one },
    { "create-three", NULL, create_three },
    { "create-qcow2", NULL, create_qcow2 },
    { "renew-targets", create_one, renew_targets },
    { "release-targets", create_three, release_targets },
    { "expire-targets", create_and_expire, look },
    { "open-targets", create_one, open_targets },
    { "close-targets", create_and_open, close_targets },
    { "export-one", NULL, export_one },
    { "export-three", NULL, export_three },
    { "unexport", export_three, unexport },
    { "expire-exports", export_and_expire, look },
    { "restore-exports", export_and_reboot, look },
    { "mount", NULL, mount_plainly },
    { "mount-pool", NULL, mount_pool },
    { "unmount", mount_plainly, release_share },
    { "unmount-pool", mount_pool, release_share },
    { "restore-mount", mount_and_reboot, look },
    { "restore-mount-point", mount_and_lose_point, look },
    { "renew-share", export_one, renew_share },
    { "commit-share", export_one, commit_share },
    { "place-probe", NULL, place_probe },
    { "drop-probe", place_probe, release_share },
};

typedef struct {
    const Operation *operation;
    StorageProcess *process;
} Stage;

/* With nothing to strike at, the host is put in order as well. */
static unsigned
run_play(const CrashPlay *play, const void *data)
{
    const Stage *stage = data;
    StorageProcess *process = stage->process;
    unsigned before = injector_strikes(process->injector);

    if (stage->operation->prepare)
        g_assert_true(stage->operation->prepare(process));
    injector_arm(process->injector, play->what, play->point);
    gboolean good = stage->operation->run(process);
    gboolean struck = injector_strikes(process->injector) > before;
    g_assert_true(good || struck);
    storage_recovery_run(process, struck ? play : &(CrashPlay) { 0 });
    return injector_strikes(process->injector) - before;
}

static void
test_operation(const void *data)
{
    g_autoptr(StorageProcess) process = storage_process_new();
    const Stage stage = { data, process };

    process->host.fake_firewall.active = TRUE;
    crash_tour_run(STRIDE, run_play, &stage);
}

/* A request to the database fails that needs no disk; FALSE: there are fewer. */
static gboolean
fail_statement(StorageProcess *process, const Operation *operation, unsigned number)
{
    if (operation->prepare)
        g_assert_true(operation->prepare(process));
    faulty_sql_arm(number);
    gboolean good = operation->run(process);
    gboolean struck = faulty_sql_has_struck();
    faulty_sql_arm(0);
    g_assert_true(good || struck);
    storage_process_settle(process);
    storage_audit(&process->host);
    storage_process_expire(process);
    storage_process_settle(process);
    storage_audit_empty(&process->host);
    return struck;
}

static void
test_statements(const void *operation)
{
    g_autoptr(StorageProcess) process = storage_process_new();
    unsigned number = 1;

    process->host.fake_firewall.active = TRUE;
    while (fail_statement(process, operation, number))
        number++;
    g_assert_cmpuint(number, >, 2);
}

int
main(int argc, char **argv)
{
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_autofree char *path = g_strdup_printf("/crash-storage/%s", operations[i].name);
        g_autofree char *statements = g_strdup_printf("/storage-statements/%s", operations[i].name);

        g_test_add_data_func(path, &operations[i], test_operation);
        g_test_add_data_func(statements, &operations[i], test_statements);
    }
    crash_tour_add_total("/crash-storage/enough-points", 1500, 9000);
    return g_test_run();
}
