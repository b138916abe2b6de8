/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storprepd's checks of hosts, of the way between them, and of what binds a guest to one: each
 * where it holds and where it is broken. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "check_case.h"
#include "fake/target_fixture.h"
#include "storprep/host_state.h"
#include "storprep/storage_check.h"

#define MIB   (1 << 20)
#define HOST2 "host2"
#define NFS_MOUNT                                                                                  \
    "28 1 254:0 / / rw - ext4 /dev/vda1 rw\n90 28 0:51 / /srv rw - nfs4 host1:/srv %s\n"

typedef struct {
    TargetFixture fixture;
    StorageChecks *checks;
    json_t *facts;
    const char *directories[2];
    char *root;
    char *mount_info;
    const char *devices, *settings; /* of the guest */
    unsigned measure_seconds;
} World;

/* Host2 is 192.0.2.2; what is blocked on the way there. */
typedef struct {
    guint16 first, last;
    gboolean unknown_name, loopback;
} Way;
static Way way; /* one test runs at a time; the operations have no context */

static char *
fake_resolve(const char *name, gboolean *ret_loopback, GError **error)
{
    *ret_loopback = way.loopback;
    if (!way.unknown_name)
        return g_strdup(way.loopback ? "127.0.1.1" : "192.0.2.2");
    fault_set(error, FAULT_PEER_UNREACHABLE, name, NULL, "nobody knows it");
    return NULL;
}

static void
fake_try(const char *address, const guint16 *ports, gsize count, unsigned timeout_msec,
         ReachResult *ret_results)
{
    for (gsize i = 0; i < count; i++)
        ret_results[i] = ports[i] >= way.first && ports[i] <= way.last ? REACH_BLOCKED
                         : ports[i] == 22                              ? REACH_OPEN
                                                                       : REACH_CLOSED;
}

/* What the server says of QEMU's user; that it may do all. */
typedef struct {
    const char *withheld; /* what it may not; NULL: nothing */
    gboolean hangs;
} Server;
static Server server; /* as above */

static json_t *
fake_access(json_t *paths, uid_t uid, gid_t gid, GError **error)
{
    json_t *file =
        json_pack("{s:O, s:i, s:b, s:b, s:b, s:b}", "path", json_array_get(paths, 0), "owner",
                  0x7fff, "root", TRUE, "readable", TRUE, "writable", TRUE, "lockable", TRUE);

    if (server.hangs) {
        fault_set(error, FAULT_TIMED_OUT, "storage", NULL, "there was no answer in time");
        json_decref(file);
        return NULL;
    }
    if (server.withheld)
        json_object_set_new(file, server.withheld, json_false());
    return json_pack("[o]", file);
}

static const ReachOps fake_reach = { fake_resolve, fake_try };

static void
write_file(const World *world, const char *path, const char *text)
{
    g_autofree char *full = g_strconcat(world->root, path, NULL);
    g_autofree char *directory = g_path_get_dirname(full);

    g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
    g_assert_true(g_file_set_contents(full, text, -1, NULL));
}

static void
set_mount(const World *world, const char *options)
{
    g_autofree char *text = g_strdup_printf(NFS_MOUNT, options);

    g_assert_true(g_file_set_contents(world->mount_info, text, -1, NULL));
}

static void
set_fact(void *data, const char *name, json_t *value)
{
    json_object_set_new(((World *)data)->facts, name, value);
}

static World *
world_new(void)
{
    World *world = g_new0(World, 1);

    way = (Way) { 0 };
    server = (Server) { 0 };
    fixture_set_up(&world->fixture, NULL);
    world->directories[0] = world->fixture.images;
    world->root = g_build_filename(world->fixture.directory, "root", NULL);
    world->mount_info = g_build_filename(world->fixture.directory, "mountinfo", NULL);
    world->checks =
        storage_checks_new(world->fixture.hypervisor, world->fixture.store, world->directories);
    world->checks->root = world->root;
    world->checks->mount_info = world->mount_info;
    world->checks->host_name = "host1";
    world->checks->firewall_program = "/bin/true"; /* it runs, and lets all in */
    world->checks->reach = &fake_reach;
    world->checks->try_access = fake_access;
    world->devices = world->settings = "";
    set_mount(world, "rw,vers=4.2,hard");
    write_file(world, "/etc/os-release", "ID=rhel\nVERSION_ID=\"8.6\"\n");
    write_file(world, "/sys/fs/selinux/enforce", "1");
    write_file(world, "/sys/fs/selinux/booleans/virt_use_nfs", "1 1");
    g_autofree char *conf =
        g_strdup_printf("user = \"+%u\"\ngroup = \"+%u\"\n", getuid(), getgid());
    write_file(world, "/etc/libvirt/qemu.conf", conf);
    world->facts = host_state_facts(world->root, HOST2);
    return world;
}

static void
world_free(World *world)
{
    g_assert_true(storage_checks_free(world->checks));
    json_decref(world->facts);
    fixture_tear_down(&world->fixture, NULL);
    g_free(world->root);
    g_free(world->mount_info);
    g_free(world);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

static void
alone(void *data)
{
}

static void
arrive(void *data)
{
    set_fact(data, "guest", json_pack("{s:s, s:s}", "name", "web1", "uuid", GUEST_UUID));
    set_fact(data, "type", json_string("kvm"));
    set_fact(data, "processorMode", json_string("host-passthrough"));
    set_fact(data, "processorVendor", json_string("Intel"));
    set_fact(data, "processorModel", json_string("Haswell"));
    set_fact(data, "pinnedProcessors", json_string("0-1,3"));
    set_fact(data, "memoryNodes", json_string("0"));
    set_fact(data, "files", json_pack("[s]", "/dev/null"));
    set_fact(data, "disks",
             json_pack("[{s:s, s:s, s:s, s:s}]", "target", "vda", "path", "/srv/web1.raw", "format",
                       "raw", "migration", "none"));
    set_fact(data, "pools", json_pack("[{s:s, s:s}]", "name", "images", "path", "/srv"));
    FakeHost *host = fake_hypervisor_host(((World *)data)->fixture.fake);
    host->pool = "images";
    host->pool_path = "/srv";
}

static void
stay(void *data)
{
}

static void
leave(void *data)
{
    World *world = data;

    world->measure_seconds = 1;
    fake_hypervisor_host(world->fixture.fake)->dirty_bytes_per_second = 40ULL * MIB;
}

static void
enter_maintenance(void *data)
{
    write_file(data, "/run/migprep/maintenance", "new memory\nmore\n");
}

static void
be_localhost(void *data)
{
    ((World *)data)->checks->host_name = "localhost.localdomain";
}

static void
lose_key(void *data)
{
    write_file(data, "/etc/pki/qemu/ca-cert.pem", "");
    write_file(data, "/etc/pki/qemu/server-cert.pem", "");
}

/* A firewalld that runs and lets in nothing. */
static void
shut_firewall(void *data)
{
    const World *world = data;
    g_autofree char *program = g_strconcat(world->root, "/firewall-cmd", NULL);

    write_file(data, "/firewall-cmd", "#!/bin/sh\n[ \"$1\" = --state ]\n");
    g_assert_cmpint(g_chmod(program, 0700), ==, 0);
    world->checks->firewall_program = g_intern_string(program);
}

static void
step_clock(void *data)
{
    set_fact(data, "clockMilliseconds", json_integer(host_state_clock_msec() - 60000));
}

static void
relax_selinux(void *data)
{
    write_file(data, "/sys/fs/selinux/enforce", "0");
}

static void
have_older_system(void *data)
{
    set_fact(data, "system", json_string("rhel 9.1"));
}

static void
have_other_vendor(void *data)
{
    set_fact(data, "processorVendor", json_string("AMD"));
}

static void
have_other_model(void *data)
{
    set_fact(data, "processorModel", json_string("Skylake-Client"));
}

static void
pin_beyond(void *data)
{
    set_fact(data, "pinnedProcessors", json_string("0-1,64"));
}

static void
need_kernel(void *data)
{
    set_fact(data, "files", json_pack("[s]", "/nonesuch/vmlinux"));
}

static void
stop_pool(void *data)
{
    fake_hypervisor_host(((World *)data)->fixture.fake)->pool = NULL;
}

static void
mount_softly(void *data)
{
    set_mount(data, "rw,vers=4.2,soft");
}

static void
mount_old_version(void *data)
{
    set_mount(data, "rw,vers=3,hard");
}

static void
forbid_writing(void *data)
{
    server.withheld = "writable";
}

static void
have_no_locks(void *data)
{
    server.withheld = "lockable";
}

static void
squash_root(void *data)
{
    server.withheld = "root";
}

static void
forbid_nfs(void *data)
{
    write_file(data, "/sys/fs/selinux/booleans/virt_use_nfs", "0 0");
}

static void
be_other_user(void *data)
{
    set_fact(data, "qemuUser", json_integer(64055));
}

static void
forget_name(void *data)
{
    way.unknown_name = TRUE;
}

static void
block_ports(void *data)
{
    way = (Way) { .first = 49200, .last = 65535 };
}

static void
block_ssh(void *data)
{
    way = (Way) { .first = 22, .last = 22 };
}

static void
block_tls(void *data)
{
    way = (Way) { .first = 16514, .last = 16514 };
}

static void
write_memory(void *data)
{
    fake_hypervisor_host(((World *)data)->fixture.fake)->dirty_bytes_per_second = 200ULL * MIB;
}

static void
forbid_moves(void *data)
{
    ((World *)data)->settings =
        "<metadata><m:policy xmlns:m='https://migprep.io/policy/1'><m:migration>none"
        "</m:migration></m:policy></metadata>";
}

static void
share_memory(void *data)
{
    ((World *)data)->devices = "<shmem name='x'><model type='ivshmem-plain'/></shmem>";
}

static void
share_directory(void *data)
{
    ((World *)data)->devices = "<filesystem type='mount'><driver type='virtiofs'/>"
                               "<source dir='/srv/data'/></filesystem>";
}

static void
pass_tpm_through(void *data)
{
    ((World *)data)->devices = "<tpm model='tpm-crb'><backend type='passthrough'/></tpm>";
}

static void
need_invariant_tsc(void *data)
{
    ((World *)data)->settings =
        "<cpu mode='host-model'><feature policy='require' name='invtsc'/></cpu>";
}

static void
add_guest(World *world)
{
    g_autofree char *xml =
        g_strdup_printf("<domain type='kvm' id='1'><name>web1</name><uuid>" GUEST_UUID "</uuid>%s"
                        "<devices>%s</devices></domain>",
                        world->settings, world->devices);

    fake_hypervisor_add_guest(world->fixture.fake, xml, GUEST_STATE_RUNNING, TRUE);
}

static CheckReport *
run_passage(World *world)
{
    g_autoptr(GError) error = NULL;
    const CheckPassage passage = { .destination = HOST2,
                                   .guest = "web1",
                                   .facts = world->facts,
                                   .measure_seconds = world->measure_seconds,
                                   .bandwidth_mebibytes = 100 };

    add_guest(world);
    CheckReport *report = storage_check_passage(world->checks, &passage, &error);
    g_assert_no_error(error);
    return report;
}

static CheckReport *
run_role(World *world, const CheckCase *test)
{
    g_autoptr(GError) error = NULL;

    if (test->prepare == alone)
        return storage_check_host(world->checks);
    if (test->prepare == leave)
        return run_passage(world);
    if (test->prepare == stay) {
        add_guest(world);
        return storage_check_source(world->checks, "web1");
    }
    CheckReport *report = storage_check_destination(world->checks, world->facts, &error);
    g_assert_no_error(error);
    return report;
}

static void
try(const CheckCase *test, gboolean broken)
{
    g_autoptr(World) world = world_new();

    test->prepare(world);
    if (broken)
        test->break_it(world);
    g_autoptr(CheckReport) report = run_role(world, test);
    check_case_assert(test, report, broken);
}

static void
test_holds(gconstpointer test)
{
    try(test, FALSE);
}

static void
test_broken(gconstpointer test)
{
    try(test, TRUE);
}

static const CheckCase cases[] = {
    { "host.not-in-maintenance", enter_maintenance, "in maintenance: new memory", alone },
    { "host.name-not-localhost", be_localhost, "localhost.localdomain", alone },
    { "host.tls-files", lose_key, "server-key.pem is missing", alone },
    { "host.firewall-open", shut_firewall, "49152-49215", alone },
    { "host.clock-agrees", step_clock, "60 s ahead", arrive },
    { "host.selinux-same", relax_selinux, "permissive here and enforcing", arrive },
    { "host.system-supported", have_older_system, "older major release", arrive },
    { "host.cpu-vendor-same", have_other_vendor, "of Intel, the guest's host of AMD", arrive },
    { "host.cpu-model-same", have_other_model, "Skylake-Client", arrive },
    { "host.pinning-fits", pin_beyond, "no processor 64", arrive },
    { "guest.files-there", need_kernel, "is not there", arrive },
    { "storage.pools-there", stop_pool, "not active", arrive },
    { "storage.nfs-options", mount_softly, "'soft'", arrive },
    { "storage.nfs-version", mount_old_version, "NFS 3", arrive },
    { "storage.nfs-rights", forbid_writing, "may not write", arrive },
    { "storage.nfs-locks", have_no_locks, "has no locks", arrive },
    { "storage.nfs-squash", squash_root, "root_squash", arrive },
    { "storage.virt-use-nfs", forbid_nfs, "virt_use_nfs is off", arrive },
    { "storage.qemu-user-same", be_other_user, "64055 on the guest's host", arrive },
    { "host.name-resolves", forget_name, "cannot resolve", leave },
    { "host.migration-ports-reachable", block_ports, "16 of the ports", leave },
    { "host.ssh-reachable", block_ssh, "port 22 of 192.0.2.2", leave },
    { "host.libvirt-ports-reachable", block_tls, "qemu+tls", leave },
    { "guest.converges", write_memory, "would not end", leave },
    { "guest.migration-allowed", forbid_moves, "forbids", stay },
    { "guest.no-qemu-blockers", share_memory, "shared memory", stay },
    { "guest.no-shared-directories", share_directory, "virtiofs /srv/data", stay },
    { "guest.tpm-movable", pass_tpm_through, "'passthrough'", stay },
    { "guest.tsc-movable", need_invariant_tsc, "invtsc", stay },
};

static void
test_name_that_is_the_loopback_leads_nowhere(void)
{
    g_autoptr(World) world = world_new();

    way.loopback = TRUE;
    g_autoptr(CheckReport) report = run_passage(world);
    g_assert_cmpint(check_report_find(report, "host.name-resolves", NULL)->outcome, ==,
                    CHECK_FAILED);
    g_assert_cmpint(check_report_find(report, "host.migration-ports-reachable", NULL)->outcome, ==,
                    CHECK_UNKNOWN);
    g_assert_null(check_report_find(report, "guest.converges", NULL));
}

static void
test_rate_without_bandwidth_is_unknown(void)
{
    g_autoptr(World) world = world_new();
    const CheckPassage passage = {
        .destination = HOST2, .guest = "web1", .facts = world->facts, .measure_seconds = 1
    };

    leave(world);
    add_guest(world);
    g_autoptr(CheckReport) report = storage_check_passage(world->checks, &passage, NULL);
    g_assert_cmpint(check_report_find(report, "guest.converges", NULL)->outcome, ==, CHECK_UNKNOWN);
}

static void
test_disk_on_this_host_needs_no_network_storage(void)
{
    g_autoptr(World) world = world_new();

    arrive(world);
    set_fact(world, "disks",
             json_pack("[{s:s, s:s, s:s, s:s}]", "target", "vda", "path", "/var/web1.raw", "format",
                       "raw", "migration", "none"));
    g_autoptr(CheckReport) report = storage_check_destination(world->checks, world->facts, NULL);
    g_assert_null(check_report_find(report, "storage.nfs-options", NULL));
    g_assert_null(check_report_find(report, "storage.virt-use-nfs", NULL));
}

static void
test_server_that_does_not_answer_leaves_rights_unknown(void)
{
    static const char *const ids[] = { "storage.nfs-rights", "storage.nfs-locks",
                                       "storage.nfs-squash" };
    g_autoptr(World) world = world_new();

    arrive(world);
    server.hangs = TRUE;
    g_autoptr(CheckReport) report = storage_check_destination(world->checks, world->facts, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++)
        g_assert_cmpint(check_report_find(report, ids[i], NULL)->outcome, ==, CHECK_UNKNOWN);
}

static void
test_ports_are_those_of_the_destination(void)
{
    g_autoptr(World) world = world_new();

    set_fact(world, "firstMigrationPort", json_integer(50000));
    set_fact(world, "lastMigrationPort", json_integer(50009));
    way = (Way) { .first = 50008, .last = 50020 };
    g_autoptr(CheckReport) report = run_passage(world);
    const CheckResult *result = check_report_find(report, "host.migration-ports-reachable", NULL);
    g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
    g_assert_nonnull(strstr(result->evidence, "2 of the ports 50000-50009"));
    g_assert_nonnull(strstr(result->remedy, "50000-50009/tcp"));
}

/* What moves only if another program can is never called passed. */
static void
test_virtiofs_of_new_versions_is_unknown(void)
{
    g_autoptr(World) world = world_new();

    share_directory(world);
    add_guest(world);
    fake_hypervisor_host(world->fixture.fake)->version = 10000000;
    g_autoptr(CheckReport) report = storage_check_source(world->checks, "web1");
    g_assert_cmpint(check_report_find(report, "guest.no-shared-directories", NULL)->outcome, ==,
                    CHECK_UNKNOWN);
}

static void
test_devices_that_qemu_refuses_are_named(void)
{
    static const struct {
        const char *devices, *evidence;
    } refused[] = {
        { "<video><model type='virtio'><acceleration accel3d='yes'/></model></video>", "renders" },
        { "<disk type='file'><driver type='vmdk'/><target dev='vda'/></disk>", "format vmdk" },
        { "<smartcard mode='host-certificates'/>", "smart card" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(World) world = world_new();

        world->devices = refused[i].devices;
        add_guest(world);
        g_autoptr(CheckReport) report = storage_check_source(world->checks, "web1");
        const CheckResult *result = check_report_find(report, "guest.no-qemu-blockers", NULL);
        g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
        g_assert_nonnull(strstr(result->evidence, refused[i].evidence));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        check_case_add(&cases[i], test_holds, test_broken);
    g_test_add_func("/host-checks/loopback", test_name_that_is_the_loopback_leads_nowhere);
    g_test_add_func("/host-checks/no-bandwidth", test_rate_without_bandwidth_is_unknown);
    g_test_add_func("/host-checks/local-disk", test_disk_on_this_host_needs_no_network_storage);
    g_test_add_func("/host-checks/silent-server",
                    test_server_that_does_not_answer_leaves_rights_unknown);
    g_test_add_func("/host-checks/ports", test_ports_are_those_of_the_destination);
    g_test_add_func("/host-checks/virtiofs", test_virtiofs_of_new_versions_is_unknown);
    g_test_add_func("/host-checks/refused-devices", test_devices_that_qemu_refuses_are_named);
    return g_test_run();
}
