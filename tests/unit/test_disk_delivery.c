/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks of a guest that is shut off, sent with the real qemu-img and qemu-nbd; only ssh is a script
 * that stays on this host, and breaks as told. */

/*
 * The failure matrix of a guest that is shut off, by the tests here, those of the same move in
 * test_move_disks.c ("offline-not-sent": each step fails or is cancelled, and all is undone), and
 * those of leases in test_target_recovery.c. Preparing is the same as for a running guest
 * (test_storage_matrix.c); switching over there is none, as nothing runs; committing is libvirt's
 * move of the definition.
 *
 *   cancel               cancelled; offline-not-sent
 *   storprepd killed     destination: server-ends; source: as its connection ends, offline-not-sent
 *   libvirtd killed      libvirt-silent; destination: target_recovery
 *   destination cut off  unreachable, connection-breaks
 *   NFS server stopped   stalled, stalled-for-good: qemu-nbd waits for it as if it were stopped
 *   no space             no-space
 *   replaced by symlink  foreign-file
 *   stale target         exchanged
 *   wrong size           wrong-requests
 *   EACCES as QEMU       cannot happen while copying: qemu-nbd is given an open file
 */
#include "storprep/disk_delivery.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/target_fixture.h"
#include "storprep/sent_disk.h"

#define BYTES "1M"

/* "$last" is the socket, $MIGPREP the real program. */
#define JOIN "exec \"$MIGPREP\" proxy storage --socket \"$last\""

typedef struct {
    TargetFixture destination;
    char *base, *top, *raw, *ssh;
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    JobRegistry *jobs;
    Lease *lease;
} Fixture;

G_GNUC_PRINTF(1, 2)
static void
shell(const char *format, ...)
{
    va_list arguments;
    g_autoptr(GError) error = NULL;
    int status;

    va_start(arguments, format);
    g_autofree char *script = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    const char *argv[] = { "sh", "-c", script, NULL };
    g_spawn_sync(NULL, (char **)argv, NULL,
                 G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                 NULL, NULL, NULL, NULL, &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
}

static void
use_ssh(const Fixture *fixture, const char *deed)
{
    g_autofree char *script =
        g_strdup_printf("#!/bin/sh\nMIGPREP='%s'\nimage='%s'\nfor last; do :; done\n%s\n",
                        g_getenv("MIGPREP"), fixture->raw, deed);

    g_assert_true(g_file_set_contents(fixture->ssh, script, -1, NULL));
    g_assert_cmpint(g_chmod(fixture->ssh, 0700), ==, 0);
}

static void
add_guest(const Fixture *fixture, GuestState state)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web1</name><uuid>" GUEST_UUID "</uuid><devices>"
        "<disk type='file' device='disk'><driver type='qcow2'/><source file='%s'/>"
        "<target dev='vda'/></disk><disk type='file' device='disk'><driver type='raw'/>"
        "<source file='%s'/><target dev='vdb'/></disk></devices></domain>",
        fixture->top, fixture->raw);

    fake_hypervisor_add_guest(fixture->fake, xml, state, TRUE);
}

/* @small: what the images of the destination are on, has 4 MiB and is of this process alone. */
static void
set_up_on(Fixture *fixture, gboolean small)
{
    TargetFixture *destination = &fixture->destination;

    fixture_set_up(destination, NULL);
    if (small)
        g_assert_cmpint(mount("tmpfs", destination->images, "tmpfs", 0, "size=4m"), ==, 0);
    fixture->base = g_build_filename(destination->directory, "base.raw", NULL);
    fixture->top = g_build_filename(destination->directory, "top.qcow2", NULL);
    fixture->raw = g_build_filename(destination->directory, "disk.raw", NULL);
    fixture->ssh = g_build_filename(destination->directory, "ssh", NULL);
    shell("truncate -s " BYTES " '%s' '%s' && head -c 200000 /dev/urandom | "
          "dd of='%s' conv=notrunc && head -c 100000 /dev/urandom | "
          "dd of='%s' conv=notrunc oflag=seek_bytes seek=300000",
          fixture->base, fixture->raw, fixture->base, fixture->raw);
    shell("qemu-img create -q -f qcow2 -b '%s' -F raw '%s' && "
          "qemu-io -f qcow2 -c 'write -P 7 64k 8k' '%s'",
          fixture->base, fixture->top, fixture->top);
    use_ssh(fixture, JOIN);
    fixture->fake = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake);
    fixture->jobs = job_registry_new();
    fixture->lease = fixture_create(destination, "t", 600);
    add_guest(fixture, GUEST_STATE_SHUT_OFF);
}

static void
set_up(Fixture *fixture, const void *data)
{
    set_up_on(fixture, FALSE);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    job_registry_free(fixture->jobs);
    hypervisor_free(fixture->hypervisor);
    lease_free(fixture->lease);
    fixture_tear_down(&fixture->destination, NULL);
    g_free(fixture->base);
    g_free(fixture->top);
    g_free(fixture->raw);
    g_free(fixture->ssh);
}

static json_t *
open_targets(const Fixture *fixture)
{
    const TargetFixture *destination = &fixture->destination;
    g_autoptr(GError) error = NULL;
    json_t *served = target_leases_open(destination->leases, fixture->lease->id,
                                        fixture->lease->generation, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(served), ==, 2);
    return served;
}

static gboolean
close_targets(const Fixture *fixture, GError **error)
{
    return target_leases_close(fixture->destination.leases, fixture->lease->id,
                               fixture->lease->generation, error);
}

/* As a client asks for it that was told @served. */
static json_t *
pack_request(const json_t *served, gboolean verify)
{
    static const char *const targets[] = { "vda", "vdb" };
    json_t *disks = json_array();

    for (size_t i = 0; i < json_array_size(served); i++) {
        const json_t *target = json_array_get(served, i);

        json_array_append_new(disks,
                              json_pack("{s:s, s:O, s:O}", "target", targets[i], "socket",
                                        json_object_get(target, "socket"), "virtualSizeBytes",
                                        json_object_get(target, "virtualSizeBytes")));
    }
    return json_pack("{s:s, s:s, s:o, s:b}", "guest", GUEST_UUID, "host", "host2", "disks", disks,
                     "verify", verify);
}

static Job *
start(const Fixture *fixture, json_t *request, GError **error)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(fixture->hypervisor, GUEST_UUID, NULL);
    const Policy policy = policy_new();
    char *const directories[] = { fixture->destination.directory, NULL };
    const DiskDelivery delivery = {
        .hypervisor = fixture->hypervisor,
        .ssh = fixture->ssh,
        .image_directories = directories,
        .guest = guest,
        .policy = &policy,
    };
    Job *job = disk_delivery_start(fixture->jobs, &delivery, request, error);

    json_decref(request);
    return job;
}

static json_t *
deliver(const Fixture *fixture, json_t *request, GError **error)
{
    g_autoptr(Job) job = start(fixture, request, error);

    return job ? job_wait(job, error) : NULL;
}

static void
assert_gone(Fixture *fixture)
{
    g_autoptr(GDir) sockets = g_dir_open(fixture->destination.sockets, 0, NULL);

    g_assert_false(fixture_release(&fixture->destination, fixture->lease, NULL));
    fixture_assert_nothing_left(&fixture->destination);
    g_assert_null(g_dir_read_name(sockets));
}

/* The delivery fails with @code, and then nothing is left of the targets. */
static void
assert_fails(Fixture *fixture, FaultCode code, const char *words)
{
    json_auto_t *served = open_targets(fixture);
    g_autoptr(GError) error = NULL;
    json_auto_t *result = deliver(fixture, pack_request(served, TRUE), &error);

    g_assert_null(result);
    g_assert_cmpint(fault_code(error), ==, code);
    g_assert_nonnull(strstr(error->message, words));
    g_assert_cmpstr(fault_remedy(error), !=, "");
    assert_gone(fixture);
}

static void
test_content_of_the_whole_chain_arrives(Fixture *fixture, const void *data)
{
    const TargetFixture *destination = &fixture->destination;
    json_auto_t *served = open_targets(fixture);
    json_auto_t *again = open_targets(fixture);
    g_autoptr(GError) error = NULL;
    json_auto_t *result = deliver(fixture, pack_request(served, TRUE), &error);
    GStatBuf raw;

    g_assert_no_error(error);
    g_assert_true(json_equal(served, again));
    g_assert_true(close_targets(fixture, &error));
    g_assert_no_error(error);
    shell("qemu-img compare -f qcow2 -F qcow2 '%s' '%s' && cmp '%s' '%s' && "
          "qemu-img check -f qcow2 '%s'",
          fixture->top, destination->first, fixture->raw, destination->second, destination->first);
    g_assert_cmpint(g_stat(destination->second, &raw), ==, 0);
    g_assert_cmpint(raw.st_blocks, <, 1 << 10); /* of the 2048 that it would have when full */
    g_assert_cmpint(json_integer_value(json_object_get(result, "diskBytes")), ==, 2 << 20);
    g_assert_true(sent_disks_check(json_object_get(result, "disks"), &error));
}

static void
test_files_are_the_guest_s_once_it_is_defined(Fixture *fixture, const void *data)
{
    json_auto_t *served = open_targets(fixture);
    json_auto_t *result = deliver(fixture, pack_request(served, FALSE), NULL);

    g_assert_nonnull(result);
    g_assert_true(close_targets(fixture, NULL));
    fixture_add_guest(&fixture->destination, GUEST_STATE_SHUT_OFF);
    g_assert_true(fixture_release(&fixture->destination, fixture->lease, NULL));
    g_assert_cmpuint(fixture_count_files(&fixture->destination), ==, 2);
}

/* What ssh does, or what happens while it is at work. */
static const struct Breach {
    const char *name, *deed;
    FaultCode code;
    const char *words;
} breaches[] = {
    { "unreachable", "echo 'ssh: no route' >&2; exit 255", FAULT_PEER_UNREACHABLE, "no route" },
    { "connection-breaks", "\"$MIGPREP\" proxy storage --socket \"$last\" | head -c 600",
      FAULT_PROGRAM_FAILED, "convert" },
    { "written-meanwhile", "touch -d '1 hour ago' \"$image\"\n" JOIN, FAULT_GUEST_BUSY, "vdb" },
    { "not-equal",
      "printf x | dd of=\"${image%/*}/images/b.raw\" bs=1 seek=9000 conv=notrunc 2>&-\n" JOIN,
      FAULT_IMAGE_INVALID, "'host2' is not equal" },
};

static void
test_each_breach_fails_and_leaves_nothing(Fixture *fixture, const void *data)
{
    const struct Breach *breach = data;

    use_ssh(fixture, breach->deed);
    assert_fails(fixture, breach->code, breach->words);
}

static void
test_what_is_written_afterwards_is_noticed(Fixture *fixture, const void *data)
{
    json_auto_t *served = open_targets(fixture);
    json_auto_t *result = deliver(fixture, pack_request(served, FALSE), NULL);
    g_autoptr(GError) error = NULL;

    shell("touch -d '1 hour ago' '%s'", fixture->top);
    g_assert_false(sent_disks_check(json_object_get(result, "disks"), &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
}

static void
test_server_that_ends_ends_it(Fixture *fixture, const void *data)
{
    json_auto_t *served = open_targets(fixture);
    g_autoptr(GError) error = NULL;

    fixture_stop_daemon(&fixture->destination);
    fixture_start_daemon(&fixture->destination);
    json_auto_t *result = deliver(fixture, pack_request(served, FALSE), &error);
    g_assert_null(result);
    g_assert_error(error, FAULT, FAULT_PEER_UNREACHABLE);
    assert_gone(fixture);
}

static void
check_full_disk(void)
{
    Fixture fixture = { 0 };
    g_autoptr(GError) error = NULL;

    set_up_on(&fixture, TRUE);
    g_autofree char *filler = g_build_filename(fixture.destination.images, "filler", NULL);
    json_auto_t *served = open_targets(&fixture);
    shell("cat /dev/zero > '%s' || :", filler);
    json_auto_t *result = deliver(&fixture, pack_request(served, FALSE), &error);
    g_assert_null(result);
    g_assert_error(error, FAULT, FAULT_NO_SPACE);
    g_assert_nonnull(strstr(fault_remedy(error), "destination"));
    g_assert_cmpint(g_unlink(filler), ==, 0);
    assert_gone(&fixture);
    g_assert_cmpint(umount2(fixture.destination.images, MNT_DETACH), ==, 0);
    tear_down(&fixture, NULL);
}

static void
test_full_disk_there_is_no_space(void)
{
    pid_t child = fork();
    int status;

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
            _exit(77);
        check_full_disk();
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    if (status == 77 << 8 && !g_getenv("REQUIRE_REAL"))
        g_test_skip("needs root, to mount a small file system in a namespace");
    else
        g_assert_cmpint(status, ==, 0);
}

/* To those who wait for it, a server whose storage does not answer is one that stands still. */
static void
signal_servers(const char *name)
{
    shell(
        "for stat in /proc/[0-9]*/stat; do read -r pid comm state parent rest < $stat || continue; "
        "[ \"$comm$parent\" != '(qemu-nbd)%d' ] || kill -%s $pid || exit; done",
        (int)getpid(), name);
}

static void
check_stalled(Fixture *fixture, gboolean cancel)
{
    json_auto_t *served = open_targets(fixture);
    g_autoptr(GError) error = NULL;

    signal_servers("STOP");
    g_autoptr(Job) job = start(fixture, pack_request(served, TRUE), &error);
    g_assert_no_error(error);
    if (cancel)
        g_cancellable_cancel(job_cancellable(job));
    else
        signal_servers("CONT");
    json_auto_t *result = job_wait(job, &error);
    g_assert_cmpint(g_error_matches(error, FAULT, FAULT_CANCELLED), ==, cancel);
    g_assert_true(cancel == !result);
    signal_servers("CONT");
}

static void
test_storage_that_answers_again_goes_on(Fixture *fixture, const void *data)
{
    check_stalled(fixture, FALSE);
    g_assert_true(close_targets(fixture, NULL));
    shell("cmp '%s' '%s'", fixture->raw, fixture->destination.second);
}

static void
test_storage_that_does_not_answer_keeps_nobody_from_cancelling(Fixture *fixture, const void *data)
{
    check_stalled(fixture, TRUE);
    assert_gone(fixture);
}

static void
test_cancelling_ends_it(Fixture *fixture, const void *data)
{
    json_auto_t *served = open_targets(fixture);
    g_autoptr(GError) error = NULL;

    use_ssh(fixture, "exec sleep 1000");
    g_autoptr(Job) job = start(fixture, pack_request(served, FALSE), &error);
    g_assert_no_error(error);
    g_cancellable_cancel(job_cancellable(job));
    json_auto_t *result = job_wait(job, &error);
    g_assert_null(result);
    g_assert_error(error, FAULT, FAULT_CANCELLED);
    assert_gone(fixture);
}

static void
test_guest_that_runs_is_refused(Fixture *fixture, const void *data)
{
    fake_hypervisor_set_state(fixture->fake, GUEST_UUID, GUEST_STATE_RUNNING);
    assert_fails(fixture, FAULT_GUEST_BUSY, "web1");
}

static void
test_image_in_use_is_refused(Fixture *fixture, const void *data)
{
    g_autofree char *socket = g_build_filename(fixture->destination.directory, "user", NULL);
    g_autofree char *pid = g_build_filename(fixture->destination.directory, "pid", NULL);

    shell("qemu-nbd --fork --persistent --pid-file='%s' --format=raw --socket='%s' '%s'", pid,
          socket, fixture->raw);
    assert_fails(fixture, FAULT_PROGRAM_FAILED, "lock");
    shell("kill $(cat '%s')", pid);
}

static void
test_libvirt_that_is_silent_at_the_end_fails_it(Fixture *fixture, const void *data)
{
    fake_hypervisor_fail(fixture->fake, "get_guest", 3, FAULT_HYPERVISOR_UNAVAILABLE);
    assert_fails(fixture, FAULT_HYPERVISOR_UNAVAILABLE, "");
}

static void
test_wrong_requests_are_refused(Fixture *fixture, const void *data)
{
    static const struct {
        const char *member;
        const char *text;
        json_int_t number;
        FaultCode code;
    } cases[] = {
        { "virtualSizeBytes", NULL, 512, FAULT_IMAGE_INVALID },
        { "target", "vdz", 0, FAULT_INVALID_ARGUMENT },
        { "socket", "/run/a;reboot", 0, FAULT_INVALID_ARGUMENT },
        { "socket", "relative", 0, FAULT_INVALID_ARGUMENT },
    };
    json_auto_t *served = open_targets(fixture);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_t *request = pack_request(served, FALSE);
        g_autoptr(GError) error = NULL;

        json_object_set_new(json_array_get(json_object_get(request, "disks"), 0), cases[i].member,
                            cases[i].text ? json_string(cases[i].text)
                                          : json_integer(cases[i].number));
        g_assert_null(start(fixture, request, &error));
        g_assert_cmpint(fault_code(error), ==, cases[i].code);
    }
    g_autoptr(GError) error = NULL;
    json_t *request = pack_request(served, FALSE);
    json_object_set_new(request, "host", json_string("-oProxyCommand=reboot"));
    g_assert_null(start(fixture, request, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
}

/* QEMU would look into it, where the guest may have written whatever it likes. */
static void
test_base_of_unknown_format_is_refused(Fixture *fixture, const void *data)
{
    shell("python3 - '%s' <<'E'\nimport sys\nimage = open(sys.argv[1], 'r+b')\n"
          "head = image.read(4096)\nimage.seek(head.index(bytes.fromhex('e2792aca')))\n"
          "image.write(b'\\x11' * 4)\nE\n",
          fixture->top);
    assert_fails(fixture, FAULT_IMAGE_INVALID, "qemu-img rebase");
}

/* A file of the host, by its name or by a link; an address; a file that QEMU would look into. */
static void
test_base_that_is_none_of_the_images_is_refused(Fixture *fixture, const void *data)
{
    static const char *const bases[] = {
        "/etc/passwd", "link", "nbd://127.0.0.1:1/x",
        "json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}"
    };

    shell("ln -s /etc/passwd '%s/link'", fixture->destination.directory);
    for (size_t i = 0; i < G_N_ELEMENTS(bases); i++) {
        json_auto_t *served = open_targets(fixture);
        g_autoptr(GError) error = NULL;

        shell("qemu-img rebase -u -f qcow2 -F raw -b '%s' '%s'", bases[i], fixture->top);
        g_assert_null(deliver(fixture, pack_request(served, FALSE), &error));
        g_assert_cmpint(fault_code(error), ==, FAULT_IMAGE_INVALID);
        g_assert_nonnull(strstr(error->message, "image directory"));
    }
    assert_gone(fixture);
}

static void
test_base_with_its_data_elsewhere_is_refused(Fixture *fixture, const void *data)
{
    g_autofree char *base = g_build_filename(fixture->destination.directory, "b.qcow2", NULL);

    shell("qemu-img create -q -f qcow2 -o data_file='%s.data' '%s' " BYTES " && "
          "qemu-img rebase -u -f qcow2 -F qcow2 -b '%s' '%s'",
          base, base, base, fixture->top);
    assert_fails(fixture, FAULT_IMAGE_INVALID, "external file");
}

static void
test_another_file_in_the_target_s_place_is_left_alone(Fixture *fixture, const void *data)
{
    const TargetFixture *destination = &fixture->destination;
    g_autofree char *foreign = g_build_filename(destination->directory, "foreign", NULL);
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(foreign, "foreign", -1, NULL));
    g_assert_cmpint(g_unlink(destination->second), ==, 0);
    g_assert_cmpint(symlink(foreign, destination->second), ==, 0);
    g_assert_null(target_leases_open(destination->leases, fixture->lease->id,
                                     fixture->lease->generation, &error));
    g_assert_error(error, FAULT, FAULT_TARGET_REFUSED);
    g_assert_true(g_file_get_contents(foreign, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "foreign");
}

static void
test_target_exchanged_while_it_is_filled_is_noticed(Fixture *fixture, const void *data)
{
    const TargetFixture *destination = &fixture->destination;
    json_auto_t *served = open_targets(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_unlink(destination->second), ==, 0);
    g_assert_true(g_file_set_contents(destination->second, "foreign", -1, NULL));
    json_auto_t *result = deliver(fixture, pack_request(served, FALSE), &error);
    g_assert_no_error(error);
    g_assert_false(close_targets(fixture, &error));
    g_assert_error(error, FAULT, FAULT_TARGET_REFUSED);
}

static void
test_guest_that_runs_at_the_destination_gets_its_files(Fixture *fixture, const void *data)
{
    TargetFixture *destination = &fixture->destination;
    json_auto_t *served = open_targets(fixture);
    g_autoptr(GDir) sockets = g_dir_open(destination->sockets, 0, NULL);

    g_assert_cmpuint(json_array_size(served), ==, 2);
    fixture_add_guest(destination, GUEST_STATE_RUNNING);
    fixture_reconcile_until(destination, 0);
    g_assert_null(g_dir_read_name(sockets));
    g_assert_cmpuint(fixture_count_files(destination), ==, 2);
}

#define ADD(path, function)                                                                        \
    g_test_add("/disk-delivery/" path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    ADD("arrives", test_content_of_the_whole_chain_arrives);
    ADD("kept", test_files_are_the_guest_s_once_it_is_defined);
    ADD("written-afterwards", test_what_is_written_afterwards_is_noticed);
    for (size_t i = 0; i < G_N_ELEMENTS(breaches); i++) {
        g_autofree char *path = g_strconcat("/disk-delivery/", breaches[i].name, NULL);

        g_test_add(path, Fixture, &breaches[i], set_up, test_each_breach_fails_and_leaves_nothing,
                   tear_down);
    }
    ADD("server-ends", test_server_that_ends_ends_it);
    g_test_add_func("/disk-delivery/no-space", test_full_disk_there_is_no_space);
    ADD("stalled", test_storage_that_answers_again_goes_on);
    ADD("stalled-for-good", test_storage_that_does_not_answer_keeps_nobody_from_cancelling);
    ADD("cancelled", test_cancelling_ends_it);
    ADD("runs", test_guest_that_runs_is_refused);
    ADD("in-use", test_image_in_use_is_refused);
    ADD("libvirt-silent", test_libvirt_that_is_silent_at_the_end_fails_it);
    ADD("wrong-requests", test_wrong_requests_are_refused);
    ADD("unknown-base", test_base_of_unknown_format_is_refused);
    ADD("foreign-base", test_base_that_is_none_of_the_images_is_refused);
    ADD("base-with-data-file", test_base_with_its_data_elsewhere_is_refused);
    ADD("foreign-file", test_another_file_in_the_target_s_place_is_left_alone);
    ADD("exchanged", test_target_exchanged_while_it_is_filled_is_noticed);
    ADD("guest-runs-there", test_guest_that_runs_at_the_destination_gets_its_files);
    return g_test_run();
}
