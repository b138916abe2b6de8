/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storprepd's checks of what binds a guest to its host: each where it holds and where it is broken.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "fake/checked_host.h"

static void
forbid_moves(void *data)
{
    ((CheckedHost *)data)->settings =
        "<metadata><m:policy xmlns:m='https://migprep.io/policy/1'><m:migration>none"
        "</m:migration></m:policy></metadata>";
}

static void
share_memory(void *data)
{
    ((CheckedHost *)data)->devices = "<shmem name='x'><model type='ivshmem-plain'/></shmem>";
}

static void
share_directory(void *data)
{
    ((CheckedHost *)data)->devices = "<filesystem type='mount'><driver type='virtiofs'/>"
                                     "<source dir='/srv/data'/></filesystem>";
}

static void
pass_tpm_through(void *data)
{
    ((CheckedHost *)data)->devices = "<tpm model='tpm-crb'><backend type='passthrough'/></tpm>";
}

static void
need_invariant_tsc(void *data)
{
    ((CheckedHost *)data)->settings =
        "<cpu mode='host-model'><feature policy='require' name='invtsc'/></cpu>";
}

#define POLICY(text)                                                                               \
    "<metadata><m:policy xmlns:m='https://migprep.io/policy/1'>" text "</m:policy></metadata>"

static void
name_other_hosts(void *data)
{
    checked_host_tell(data, "onlyHosts", json_string("host7 host8"));
}

static void
lack_swtpm(void *data)
{
    ((CheckedHost *)data)->checks->tpm_program = "/nonexistent/swtpm";
}

#define OTHER_GUEST(policy)                                                                        \
    "<domain type='kvm' "                                                                          \
    "id='2'><name>db2</name><uuid>11111111-2222-3333-4444-555555555555</uuid>" POLICY(             \
        policy) "</domain>"

static void
leave_group(void *data)
{
    CheckedHost *host = data;

    host->settings = POLICY("<m:together>shop</m:together>");
    fake_hypervisor_add_guest(host->fixture.fake, OTHER_GUEST("<m:together>shop</m:together>"),
                              GUEST_STATE_RUNNING, TRUE);
}

static const CheckCase cases[] = {
    { "guest.migration-allowed", CHECK_BLOCKER, forbid_moves, "forbids", checked_host_stays },
    { "guest.place-allowed", CHECK_WARNING, name_other_hosts, "host7 host8", checked_host_arrives },
    { "guest.group-together", CHECK_WARNING, leave_group, "guest 'db2' of its group 'shop'",
      checked_host_stays },
    { "guest.tpm-there", CHECK_BLOCKER, lack_swtpm, "has no swtpm", checked_host_arrives },
    { "guest.no-qemu-blockers", CHECK_BLOCKER, share_memory, "shared memory", checked_host_stays },
    { "guest.no-shared-directories", CHECK_BLOCKER, share_directory, "virtiofs /srv/data",
      checked_host_stays },
    { "guest.tpm-movable", CHECK_BLOCKER, pass_tpm_through, "'passthrough'", checked_host_stays },
    { "guest.tsc-movable", CHECK_BLOCKER, need_invariant_tsc, "invtsc", checked_host_stays },
};

/* What moves only if another program can is never called passed. */
static void
test_virtiofs_of_new_versions_is_unknown(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    share_directory(host);
    checked_host_add_guest(host);
    fake_hypervisor_host(host->fixture.fake)->version = 10000000;
    g_autoptr(CheckReport) report = storage_check_source(host->checks, "web1");
    g_assert_cmpint(check_case_outcome(report, "guest.no-shared-directories"), ==, CHECK_UNKNOWN);
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
        g_autoptr(CheckedHost) host = checked_host_new();

        host->devices = refused[i].devices;
        checked_host_add_guest(host);
        g_autoptr(CheckReport) report = storage_check_source(host->checks, "web1");
        const CheckResult *result = check_report_find(report, "guest.no-qemu-blockers", NULL);
        g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
        g_assert_nonnull(strstr(result->evidence, refused[i].evidence));
    }
}

/* What the one host tells of the guest, and the other knows of its own guests. */
static void
test_guests_that_are_to_be_apart_are_named(void)
{
    g_autoptr(CheckedHost) here = checked_host_new();

    here->settings = POLICY("<m:hosts>host1 host2</m:hosts><m:apart>db</m:apart>");
    checked_host_add_guest(here);
    g_autoptr(CheckReport) source = storage_check_source(here->checks, "web1");
    g_assert_cmpstr(json_string_value(json_object_get(source->facts, "onlyHosts")), ==,
                    "host1 host2");
    fake_hypervisor_remove_guest(here->fixture.fake, GUEST_UUID);
    g_autoptr(CheckReport) free = storage_check_destination(here->checks, source->facts, NULL);
    g_assert_cmpint(check_case_outcome(free, "guest.place-allowed"), ==, CHECK_PASSED);
    fake_hypervisor_add_guest(here->fixture.fake, OTHER_GUEST("<m:apart>db</m:apart>"),
                              GUEST_STATE_RUNNING, TRUE);
    g_autoptr(CheckReport) taken = storage_check_destination(here->checks, source->facts, NULL);
    const CheckResult *result = check_report_find(taken, "guest.place-allowed", NULL);
    g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
    g_assert_nonnull(strstr(result->evidence, "guest 'db2'"));
}

/* swtpm locks its state: another host's opens it only once this one's let it go. */
static void
test_tpm_state_on_shared_storage_needs_a_newer_swtpm(void)
{
    static const struct {
        const char *says;
        CheckOutcome outcome;
    } programs[] = { { "{\"features\":[\"cmdarg-migration\"]}", CHECK_PASSED },
                     { "{\"features\":[\"tpm-2.0\"]}", CHECK_FAILED } };

    for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autoptr(CheckedHost) host = checked_host_new();
        g_autofree char *program = g_strconcat(host->root, "/swtpm", NULL);
        g_autofree char *script = g_strdup_printf("#!/bin/sh\necho '%s'\n", programs[i].says);

        checked_host_write(host, "/swtpm", script);
        g_assert_cmpint(g_chmod(program, 0700), ==, 0);
        host->checks->tpm_program = program;
        host->devices = "<tpm model='tpm-crb'><backend type='emulator'>"
                        "<source type='dir' path='/srv/tpm'/></backend></tpm>";
        checked_host_add_guest(host);
        g_autoptr(CheckReport) report = storage_check_source(host->checks, "web1");
        g_assert_cmpint(check_case_outcome(report, "guest.tpm-movable"), ==, programs[i].outcome);
        g_assert_cmpstr(json_string_value(json_object_get(report->facts, "tpm")), ==, "emulator");
    }
}

static void
test_servers_of_network_disks_are_told(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    host->devices =
        "<disk type='network' device='disk'><source protocol='rbd' name='vms/web1'>"
        "<host name='ceph1'/><host name='ceph2' port='3300'/></source><target dev='vdb'/></disk>"
        "<disk type='network' device='disk'><source protocol='nbd' name='web1'>"
        "<host transport='unix' socket='/run/nbd'/></source><target dev='vdc'/></disk>";
    checked_host_add_guest(host);
    g_autoptr(CheckReport) report = storage_check_source(host->checks, "web1");
    json_auto_t *wanted = json_pack("[{s:s, s:s, s:s, s:i}, {s:s, s:s, s:s, s:i}]", "disk", "vdb",
                                    "protocol", "rbd", "host", "ceph1", "port", 6789, "disk", "vdb",
                                    "protocol", "rbd", "host", "ceph2", "port", 3300);
    g_assert_true(json_equal(json_object_get(report->facts, "servers"), wanted));
}

static void
test_files_that_stay_are_told(void)
{
    static const char *const paths[] = { "/boot/vmlinuz", "/iso/a.iso", "/fw/code.fd",
                                         "/srv/base.img", "/dev/vg/ro" };
    g_autoptr(CheckedHost) host = checked_host_new();

    host->settings = "<os><loader type='pflash'>/fw/code.fd</loader><kernel>/boot/vmlinuz</kernel>"
                     "</os>";
    host->devices =
        "<disk type='file' device='cdrom'><source file='/iso/a.iso'/><target dev='sda'/>"
        "<readonly/></disk>"
        "<disk type='file' device='disk'><source file='/srv/base.img'/><target dev='vdb'/>"
        "<readonly/></disk>"
        "<disk type='block' device='disk'><source dev='/dev/vg/ro'/><target dev='vdc'/>"
        "<readonly/></disk>";
    checked_host_add_guest(host);
    g_autoptr(CheckReport) report = storage_check_source(host->checks, "web1");
    const json_t *files = json_object_get(report->facts, "files");
    g_assert_cmpuint(json_array_size(files), ==, G_N_ELEMENTS(paths));
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
        g_assert_cmpstr(json_string_value(json_array_get(files, i)), ==, paths[i]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    check_suite_add(&checked_host_suite, cases, G_N_ELEMENTS(cases));
    g_test_add_func("/guest-checks/apart", test_guests_that_are_to_be_apart_are_named);
    g_test_add_func("/guest-checks/shared-tpm",
                    test_tpm_state_on_shared_storage_needs_a_newer_swtpm);
    g_test_add_func("/guest-checks/servers", test_servers_of_network_disks_are_told);
    g_test_add_func("/guest-checks/files", test_files_that_stay_are_told);
    g_test_add_func("/guest-checks/virtiofs", test_virtiofs_of_new_versions_is_unknown);
    g_test_add_func("/guest-checks/refused-devices", test_devices_that_qemu_refuses_are_named);
    return g_test_run();
}
