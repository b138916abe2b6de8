/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/checked_host.h"

#include <unistd.h>

#include "common/fault.h"
#include "storprep/host_state.h"

#define MIB   (1 << 20)
#define HOST2 "host2"
#define NFS_MOUNT                                                                                  \
    "28 1 254:0 / / rw - ext4 /dev/vda1 rw\n90 28 0:51 / /srv rw - nfs4 host1:/srv %s\n"

/* One test runs at a time; the operations have no context. */
static CheckedWay way;
static CheckedServer server;

CheckedWay *
checked_host_way(void)
{
    return &way;
}

CheckedServer *
checked_host_server(void)
{
    return &server;
}

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
                         : ports[i] == 22 || ports[i] == 6789          ? REACH_OPEN
                                                                       : REACH_CLOSED;
}

static gboolean
fake_login(const char *host, GError **error)
{
    g_assert_cmpstr(host, ==, HOST2);
    if (way.closed)
        fault_set(error, FAULT_PROGRAM_FAILED, host, "ssh-copy-id root@host2",
                  "Permission denied (publickey)");
    return !way.closed;
}

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

static gboolean
fake_answer(const char *target, GError **error)
{
    g_assert_cmpstr(target, ==, "/srv");
    g_atomic_int_inc(&server.asked);
    if (server.silent)
        fault_set(error, FAULT_TIMED_OUT, target, NULL, "there was no answer in time");
    else if (server.stale)
        fault_set(error, FAULT_PROGRAM_FAILED, target, NULL, "Stale file handle");
    return !server.silent && !server.stale;
}

static const StoragePulseOps fake_pulse = { fake_answer, g_get_monotonic_time };
static const ReachOps fake_reach = { fake_resolve, fake_try };

void
checked_host_write(void *data, const char *path, const char *text)
{
    const CheckedHost *host = data;
    g_autofree char *full = g_strconcat(host->root, path, NULL);
    g_autofree char *directory = g_path_get_dirname(full);

    g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
    g_assert_true(g_file_set_contents(full, text, -1, NULL));
}

void
checked_host_mount(void *data, const char *options)
{
    const CheckedHost *host = data;
    g_autofree char *text = g_strdup_printf(NFS_MOUNT, options);

    g_assert_true(g_file_set_contents(host->mount_info, text, -1, NULL));
}

void
checked_host_tell(void *data, const char *name, json_t *value)
{
    json_object_set_new(((CheckedHost *)data)->facts, name, value);
}

static void
write_files(CheckedHost *host)
{
    g_autofree char *conf =
        g_strdup_printf("user = \"+%u\"\ngroup = \"+%u\"\n", getuid(), getgid());

    checked_host_mount(host, "rw,vers=4.2,hard");
    checked_host_write(host, "/etc/os-release", "ID=rhel\nVERSION_ID=\"8.6\"\n");
    checked_host_write(host, "/sys/class/dmi/id/bios_version", "1.16\n");
    checked_host_write(host, "/sys/fs/selinux/enforce", "1");
    checked_host_write(host, "/sys/fs/selinux/booleans/virt_use_nfs", "1 1");
    checked_host_write(host, "/etc/libvirt/qemu.conf", conf);
}

CheckedHost *
checked_host_new(void)
{
    CheckedHost *host = g_new0(CheckedHost, 1);

    way = (CheckedWay) { 0 };
    server = (CheckedServer) { 0 };
    fixture_set_up(&host->fixture, NULL);
    host->directories[0] = host->fixture.images;
    host->root = g_build_filename(host->fixture.directory, "root", NULL);
    host->mount_info = g_build_filename(host->fixture.directory, "mountinfo", NULL);
    host->checks =
        storage_checks_new(host->fixture.hypervisor, host->fixture.store, host->directories);
    host->checks->root = host->root;
    host->checks->mount_info = host->mount_info;
    host->checks->cluster = "north";
    host->checks->host_name = "host1";
    host->checks->firewall_program = "/bin/true"; /* it runs, and lets all in */
    host->checks->tpm_program = "/bin/true";      /* it is there, and tells of no abilities */
    host->checks->reach = &fake_reach;
    host->checks->log_in = fake_login;
    host->checks->try_access = fake_access;
    storage_pulse_free(host->checks->pulse);
    host->checks->pulse = storage_pulse_new(&fake_pulse);
    host->devices = host->settings = "";
    write_files(host);
    host->facts = host_state_facts(host->root, HOST2, "north");
    return host;
}

void
checked_host_free(CheckedHost *host)
{
    g_assert_true(storage_checks_free(host->checks));
    json_decref(host->facts);
    fixture_tear_down(&host->fixture, NULL);
    g_free(host->root);
    g_free(host->mount_info);
    g_free(host);
}

void
checked_host_alone(void *data)
{
}

void
checked_host_arrives(void *data)
{
    checked_host_tell(data, "guest", json_pack("{s:s, s:s}", "name", "web1", "uuid", GUEST_UUID));
    checked_host_tell(data, "type", json_string("kvm"));
    checked_host_tell(data, "processorMode", json_string("host-passthrough"));
    checked_host_tell(data, "processorVendor", json_string("Intel"));
    checked_host_tell(data, "processorModel", json_string("Haswell"));
    checked_host_tell(data, "pinnedProcessors", json_string("0-1,3"));
    checked_host_tell(data, "memoryNodes", json_string("0"));
    checked_host_tell(data, "tscHertz", json_integer(2000000000));
    checked_host_tell(data, "libraryVersion", json_integer(7002000));
    checked_host_tell(data, "files", json_pack("[s]", "/dev/null"));
    checked_host_tell(data, "disks",
                      json_pack("[{s:s, s:s, s:s, s:s, s:[{s:s, s:s}]}]", "target", "vda", "path",
                                "/srv/web1.raw", "format", "raw", "migration", "none", "backing",
                                "path", "/dev/null", "format", "raw"));
    checked_host_tell(data, "servers",
                      json_pack("[{s:s, s:s, s:s, s:i}]", "disk", "vdb", "protocol", "rbd", "host",
                                "ceph1", "port", 6789));
    checked_host_tell(data, "tpm", json_string("emulator"));
    checked_host_tell(data, "pools", json_pack("[{s:s, s:s}]", "name", "images", "path", "/srv"));
    FakeHost *fake = fake_hypervisor_host(((CheckedHost *)data)->fixture.fake);
    fake->pool = "images";
    fake->pool_path = "/srv";
}

void
checked_host_stays(void *data)
{
}

void
checked_host_leaves(void *data)
{
    CheckedHost *host = data;

    host->measure_seconds = 1;
    fake_hypervisor_host(host->fixture.fake)->dirty_bytes_per_second = 40ULL * MIB;
}

void
checked_host_logs_in(void *data)
{
    ((CheckedHost *)data)->login = TRUE;
}

void
checked_host_add_guest(CheckedHost *host)
{
    g_autofree char *xml =
        g_strdup_printf("<domain type='kvm' id='1'><name>web1</name><uuid>" GUEST_UUID "</uuid>%s"
                        "<devices>%s</devices></domain>",
                        host->settings, host->devices);

    fake_hypervisor_add_guest(host->fixture.fake, xml, GUEST_STATE_RUNNING, TRUE);
}

CheckReport *
checked_host_leave(CheckedHost *host)
{
    g_autoptr(GError) error = NULL;
    const CheckPassage passage = { .destination = HOST2,
                                   .guest = "web1",
                                   .facts = host->facts,
                                   .measure_seconds = host->measure_seconds,
                                   .login = host->login,
                                   .bandwidth_mebibytes = 100 };

    checked_host_add_guest(host);
    CheckReport *report = storage_check_passage(host->checks, &passage, &error);
    g_assert_no_error(error);
    return report;
}

static CheckReport *
run(void *data, const CheckCase *test)
{
    CheckedHost *host = data;
    g_autoptr(GError) error = NULL;

    if (test->prepare == checked_host_alone)
        return storage_check_host(host->checks);
    if (test->prepare == checked_host_leaves || test->prepare == checked_host_logs_in)
        return checked_host_leave(host);
    if (test->prepare == checked_host_stays) {
        checked_host_add_guest(host);
        return storage_check_source(host->checks, "web1");
    }
    CheckReport *report = storage_check_destination(host->checks, host->facts, &error);
    g_assert_no_error(error);
    return report;
}

static void *
new_host(void)
{
    return checked_host_new();
}

static void
free_host(void *host)
{
    checked_host_free(host);
}

const CheckSuite checked_host_suite = { new_host, free_host, run };
