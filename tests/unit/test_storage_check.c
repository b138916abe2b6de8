/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storprepd's checks: each one on a host where it holds, and on one where it is broken. */
#include <glib/gstdio.h>

#include "fake/check_case.h"
#include "fake/target_fixture.h"
#include "storprep/image_identity.h"
#include "storprep/storage_check.h"

#define MIB   (1024 * 1024)
#define OTHER "11111111-2222-3333-4444-555555555555"

typedef struct {
    TargetFixture fixture;
    StorageChecks *checks;
    json_t *facts;
    const char *directories[2];
    char *image;
    const char *disk_text; /* what the guest's <disk> says besides its source */
    gboolean shared;       /* the disk is where both hosts reach it */
    GuestState state;
} World;

static void *
world_new(void)
{
    World *world = g_new0(World, 1);

    fixture_set_up(&world->fixture, NULL);
    world->directories[0] = world->fixture.images;
    world->checks =
        storage_checks_new(world->fixture.hypervisor, world->fixture.store, world->directories);
    world->facts = json_object();
    world->image = g_build_filename(world->fixture.directory, "web1.raw", NULL);
    world->disk_text = "<driver type='raw' cache='none'/>";
    world->state = GUEST_STATE_RUNNING;
    g_assert_true(g_file_set_contents(world->image, "data", 4, NULL));
    return world;
}

static void
world_free(void *data)
{
    World *world = data;

    g_assert_true(storage_checks_free(world->checks));
    g_remove(world->image);
    fixture_tear_down(&world->fixture, NULL);
    json_decref(world->facts);
    g_free(world->image);
    g_free(world);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* The guest is added when all that a test wants of it is known. */
static void
add_guest(World *world)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm' id='1'><name>web1</name><uuid>" GUEST_UUID "</uuid>"
        "<memory unit='MiB'>512</memory><vcpu>2</vcpu>"
        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
        "<cpu mode='custom'><model>Haswell</model></cpu><devices>"
        "<disk type='%s' device='disk'>%s<source %s='%s' name='web1'/><target dev='vda'/></disk>"
        "</devices></domain>",
        world->shared ? "network" : "file", world->disk_text, world->shared ? "protocol" : "file",
        world->shared ? "nbd" : world->image);

    fake_hypervisor_add_guest(world->fixture.fake, xml, world->state, TRUE);
}

static void
at_source(void *data)
{
}

static json_t *
target(const char *path, json_int_t size)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:s}", "target", "vda", "path", path, "format", "raw",
                     "virtualSizeBytes", size, "migration", "copy");
}

static void
arrive(void *data)
{
    World *world = data;

    json_decref(world->facts);
    world->facts = json_pack(
        "{s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:I, s:[{s:i, s:i}], s:i, s:s, s:i, s:[o]}",
        "guest", "name", "web1", "uuid", GUEST_UUID, "type", "kvm", "architecture", "x86_64",
        "machine", "pc-q35-7.2", "processorMode", "custom", "processor",
        "<cpu><model>Haswell</model></cpu>", "memoryBytes", (json_int_t)512 * MIB, "hugePages",
        "pageBytes", 2 * MIB, "bytes", 512 * MIB, "processors", 2, "hypervisor", "QEMU",
        "hypervisorVersion", 7002000, "disks", target(world->fixture.first, MIB));
}

/* Without huge pages the guest takes its memory from what is free. */
static void
arrive_on_usual_pages(void *data)
{
    World *world = data;

    arrive(data);
    json_object_set_new(world->facts, "hugePages", json_array());
}

static void
set_fact(void *data, const char *name, json_t *value)
{
    json_object_set_new(((World *)data)->facts, name, value);
}

static FakeHost *
host_of(void *data)
{
    return fake_hypervisor_host(((World *)data)->fixture.fake);
}

static void
lose_libvirt(void *data)
{
    World *world = data;

    for (unsigned group = 0; group < 4; group++) /* so many ask */
        fake_hypervisor_fail(world->fixture.fake, "get_host", 1, FAULT_HYPERVISOR_UNAVAILABLE);
}

static void
be_another_hypervisor(void *data)
{
    host_of(data)->type = "Xen";
}

static void
be_older(void *data)
{
    host_of(data)->version = 7001000;
}

static void
lack_feature(void *data)
{
    host_of(data)->processor_obstacle = "guest CPU needs avx512f";
}

static void
have_one_processor(void *data)
{
    host_of(data)->processors = 1;
}

static void
have_little_memory(void *data)
{
    host_of(data)->available_bytes = 100ULL * MIB;
}

static void
have_few_huge_pages(void *data)
{
    host_of(data)->huge_pages.free_count = 255;
}

static void
offer_another_machine(void *data)
{
    host_of(data)->machine = "pc-q35-6.2";
}

static void
run_here_already(void *data)
{
    add_guest(data);
}

static void
name_unknown_guest(void *data)
{
    ((World *)data)->state = GUEST_STATE_OTHER; /* see run_role() */
}

static void
pause_guest(void *data)
{
    ((World *)data)->state = GUEST_STATE_PAUSED;
}

static void
set_disk(void *data, const char *text)
{
    ((World *)data)->disk_text = text;
}

static void
copy_disk(void *data)
{
    set_disk(data, "<driver type='raw'/><mirror type='file'/>");
}

static void
take_snapshot(void *data)
{
    host_of(data)->snapshots = 2;
}

static void
break_disk(void *data)
{
    host_of(data)->broken_disk = "vda: no space";
}

static void
taint(void *data)
{
    host_of(data)->message = "tainted: custom-monitor";
}

static void
make_disk_transient(void *data)
{
    set_disk(data, "<driver type='raw'/><transient/>");
}

static void
encrypt_disk(void *data)
{
    set_disk(data, "<driver type='raw'/><encryption format='luks'/>");
}

static void
hide_qcow2(void *data)
{
    World *world = data;
    static const char header[104] = "QFI\xfb\0\0\0\3";
    g_autofree char *bytes = g_memdup2(header, sizeof header);

    bytes[23] = 16;   /* clusters of 64 KiB */
    bytes[29] = 16;   /* size: 1 MiB */
    bytes[39] = 1;    /* one L1 entry */
    bytes[45] = 3;    /* L1 table at 0x30000 */
    bytes[53] = 1;    /* refcount table at 0x10000 */
    bytes[59] = 1;    /* of one cluster */
    bytes[99] = 4;    /* 16 refcount bits */
    bytes[103] = 104; /* header length */
    g_assert_true(g_file_set_contents(world->image, bytes, sizeof header, NULL));
}

static void
leave_image_directories(void *data)
{
    set_fact(data, "disks", json_pack("[o]", target("/nonesuch/web1.raw", MIB)));
}

static void
leave_file_behind(void *data)
{
    g_assert_true(g_file_set_contents(((World *)data)->fixture.first, "x", 1, NULL));
}

static void
need_much_space(void *data)
{
    World *world = data;

    set_fact(data, "disks", json_pack("[o]", target(world->fixture.first, (json_int_t)60 << 40)));
}

static void
share_disk(void *data)
{
    ((World *)data)->shared = TRUE;
}

static void
cache_writes(void *data)
{
    set_disk(data, "<driver type='raw' cache='writeback'/>");
}

static gboolean
is_at_source(const CheckCase *test)
{
    return test->prepare == at_source || test->prepare == share_disk;
}

static CheckReport *
run_role(void *data, const CheckCase *test)
{
    World *world = data;
    g_autoptr(GError) error = NULL;

    if (is_at_source(test)) {
        add_guest(world);
        return storage_check_source(world->checks,
                                    world->state == GUEST_STATE_OTHER ? "web7" : "web1");
    }
    CheckReport *report = storage_check_destination(world->checks, world->facts, &error);
    g_assert_no_error(error);
    return report;
}

static const CheckCase cases[] = {
    { "host.libvirt-answers", CHECK_BLOCKER, lose_libvirt, "does not answer", arrive },
    { "host.hypervisor-same", CHECK_BLOCKER, be_another_hypervisor, "runs Xen", arrive },
    { "host.version-not-older", CHECK_BLOCKER, be_older, "7.1.0", arrive },
    { "host.cpu-compatible", CHECK_BLOCKER, lack_feature, "avx512f", arrive },
    { "host.vcpus-fit", CHECK_WARNING, have_one_processor, "has 1 processors, the guest 2",
      arrive },
    { "host.memory-enough", CHECK_BLOCKER, have_little_memory, "100 MiB", arrive_on_usual_pages },
    { "host.huge-pages-enough", CHECK_BLOCKER, have_few_huge_pages, "510 MiB", arrive },
    { "guest.absent-there", CHECK_BLOCKER, run_here_already, "active here", arrive },
    { "guest.machine-known-there", CHECK_BLOCKER, offer_another_machine, "pc-q35-7.2", arrive },
    { "guest.exists", CHECK_BLOCKER, name_unknown_guest, "not known", at_source },
    { "guest.running", CHECK_BLOCKER, pause_guest, "is paused", at_source },
    { "guest.no-job", CHECK_BLOCKER, copy_disk, "being copied", at_source },
    { "guest.no-snapshot", CHECK_BLOCKER, take_snapshot, "2 snapshots", at_source },
    { "guest.disks-healthy", CHECK_BLOCKER, break_disk, "vda: no space", at_source },
    { "guest.untainted", CHECK_INFORMATION, taint, "custom-monitor", at_source },
    { "guest.not-transient-disk", CHECK_BLOCKER, make_disk_transient, "vda is transient",
      at_source },
    { "storage.disks-movable", CHECK_BLOCKER, encrypt_disk, "encrypted", at_source },
    { "storage.format-matches", CHECK_WARNING, hide_qcow2, "begins like a qcow2", at_source },
    { "storage.cache-mode", CHECK_WARNING, cache_writes, "writeback", share_disk },
    { "storage.path-allowed", CHECK_BLOCKER, leave_image_directories, "", arrive },
    { "storage.target-absent", CHECK_BLOCKER, leave_file_behind, "", arrive },
    { "storage.space-enough", CHECK_BLOCKER, need_much_space, "bytes are needed", arrive },
};
static const CheckSuite suite = { world_new, world_free, run_role };

static CheckReport *
check_arrival(World *world)
{
    g_autoptr(GError) error = NULL;
    CheckReport *report = storage_check_destination(world->checks, world->facts, &error);

    g_assert_no_error(error);
    return report;
}

/* The host has no page of 1 GiB; what is not in huge pages is in the usual ones. */
static void
test_each_size_of_huge_pages_is_judged(void)
{
    g_autoptr(World) world = world_new();

    arrive(world);
    host_of(world)->available_bytes = 100ULL * MIB;
    json_object_set_new(world->facts, "hugePages",
                        json_pack("[{s:I, s:I}, {s:I, s:I}]", "pageBytes", (json_int_t)2 * MIB,
                                  "bytes", (json_int_t)64 * MIB, "pageBytes",
                                  (json_int_t)1024 * MIB, "bytes", (json_int_t)348 * MIB));
    g_autoptr(CheckReport) report = check_arrival(world);
    const char *id = "host.huge-pages-enough";
    const CheckResult *large = check_report_find(report, id, "huge pages of 1048576 KiB");
    g_assert_cmpint(check_report_find(report, id, "huge pages of 2048 KiB")->outcome, ==,
                    CHECK_PASSED);
    g_assert_cmpint(large->outcome, ==, CHECK_FAILED);
    g_assert_cmpstr(large->remedy, ==,
                    "virsh allocpages --pagesize 1048576KiB --pagecount 1 --add");
    g_assert_cmpint(check_case_outcome(report, "host.memory-enough"), ==, CHECK_PASSED);
}

static void
test_unknown_guest_is_one_result(void)
{
    g_autoptr(World) world = world_new();
    g_autoptr(CheckReport) report = storage_check_source(world->checks, "nonesuch");

    g_assert_cmpuint(report->results->len, ==, 3);
    g_assert_nonnull(check_report_find(report, "host.libvirt-answers", NULL));
    g_assert_cmpint(check_case_outcome(report, "guest.exists"), ==, CHECK_FAILED);
}

static void
test_what_the_source_did_not_tell_is_unknown(void)
{
    g_autoptr(World) world = world_new();
    g_autoptr(CheckReport) report = check_arrival(world);

    for (guint i = 0; i < report->results->len; i++) {
        const CheckResult *result = report->results->pdata[i];
        gboolean about_host = result->kind->place == CHECK_AT_EVERY_HOST;

        g_assert_cmpint(result->outcome == CHECK_UNKNOWN, ==, !about_host);
    }
    g_assert_nonnull(check_report_find(report, "storage.space-enough", NULL));
}

static void
test_source_tells_what_the_destination_asks(void)
{
    g_autoptr(World) world = world_new();

    add_guest(world);
    g_autoptr(CheckReport) source = storage_check_source(world->checks, "web1");
    json_decref(world->facts);
    world->facts = json_incref(source->facts);
    fake_hypervisor_remove_guest(world->fixture.fake, GUEST_UUID);
    g_autoptr(CheckReport) there = check_arrival(world);
    for (guint i = 0; i < there->results->len; i++) {
        const CheckResult *result = there->results->pdata[i];

        if (!g_str_has_prefix(result->kind->id, "storage.") &&
            result->kind->severity != CHECK_INFORMATION)
            g_assert_cmpint(result->outcome, ==, CHECK_PASSED);
    }
    g_assert_cmpint(check_case_outcome(there, "storage.path-allowed"), ==, CHECK_FAILED);
}

static void
test_libvirt_that_cannot_compare_is_unknown(void)
{
    g_autoptr(World) world = world_new();

    arrive(world);
    fake_hypervisor_fail(world->fixture.fake, "compare_processor", 1, FAULT_HYPERVISOR_FAILED);
    g_autoptr(CheckReport) report = check_arrival(world);
    g_assert_cmpint(check_case_outcome(report, "host.cpu-compatible"), ==, CHECK_UNKNOWN);
}

/* A guest with its host's own processor needs this host to be as good; what QEMU can put together
 * for other guests says nothing of that. */
static void
test_own_processor_is_compared_with_the_hosts(void)
{
    g_autoptr(World) world = world_new();

    arrive(world);
    json_object_set_new(world->facts, "processorMode", json_string("host-passthrough"));
    host_of(world)->processor_obstacle = "QEMU does not provide vme";
    g_autoptr(CheckReport) report = check_arrival(world);
    g_assert_cmpint(check_case_outcome(report, "host.cpu-compatible"), ==, CHECK_PASSED);
}

static void
test_namesake_is_told(void)
{
    g_autoptr(World) world = world_new();

    arrive(world);
    fake_hypervisor_add_guest(world->fixture.fake,
                              "<domain><name>web1</name><uuid>" OTHER "</uuid></domain>",
                              GUEST_STATE_SHUT_OFF, TRUE);
    g_autoptr(CheckReport) report = check_arrival(world);
    const CheckResult *result = check_report_find(report, "guest.absent-there", NULL);
    g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
    g_assert_nonnull(strstr(result->evidence, OTHER));
}

/* An image that both hosts have is not in the way of itself; a copy of it is. */
static void
test_shared_image_is_not_in_its_own_way(void)
{
    g_autoptr(World) world = world_new();

    arrive(world);
    leave_file_behind(world);
    json_auto_t *paths = json_pack("[s]", world->fixture.first);
    json_t *told = image_identity_list(paths, world->directories, NULL);
    set_fact(world, "images", told);
    g_autoptr(CheckReport) same = check_arrival(world);
    const CheckResult *result = check_report_find(same, "storage.target-absent", NULL);
    g_assert_cmpint(result->outcome, ==, CHECK_PASSED);
    g_assert_nonnull(strstr(result->evidence, "both hosts share"));
    g_assert_null(check_report_find(same, "storage.space-enough", NULL));

    json_object_set_new(json_array_get(told, 0), "inode", json_integer(1));
    g_autoptr(CheckReport) other = check_arrival(world);
    g_assert_cmpint(check_case_outcome(other, "storage.target-absent"), ==, CHECK_FAILED);
}

/* The store has the leases of mounts and exports as well, which hold no images. */
static void
test_a_mount_takes_no_space_of_targets(void)
{
    g_autoptr(World) world = world_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    json_auto_t *request = json_object();
    gboolean existing = FALSE;

    g_ptr_array_add(assets, lease_asset_new("mount", world->fixture.second, "mounted",
                                            json_pack("{s:s}", "root", world->fixture.images)));
    const Lease draft = { .kind = (char *)"mount",
                          .owner = (char *)"test",
                          .token = (char *)"mount",
                          .guest_name = (char *)"",
                          .guest_uuid = (char *)"",
                          .state = (char *)"mounted",
                          .reason = (char *)"",
                          .request = request,
                          .assets = assets };
    g_autoptr(Lease) mount = lease_store_create(world->fixture.store, &draft, 60,
                                                FAULT_TARGET_EXISTS, &existing, &error);
    g_assert_no_error(error);
    g_assert_nonnull(mount);
    arrive(world);
    g_autoptr(CheckReport) report = check_arrival(world);
    g_assert_cmpint(check_case_outcome(report, "storage.space-enough"), ==, CHECK_PASSED);
}

static void
test_odd_facts_are_refused(void)
{
    static const char *const facts[] = { "{\"guest\":{\"name\":\"a\",\"uuid\":\"x\"}}",
                                         "{\"memoryBytes\":-1}", "{\"processors\":65537}",
                                         "{\"hugePages\":[{\"bytes\":-2}]}", "{\"machine\":\"\"}" };
    g_autoptr(World) world = world_new();

    for (gsize i = 0; i < G_N_ELEMENTS(facts); i++) {
        json_auto_t *odd = json_loads(facts[i], 0, NULL);
        g_autoptr(GError) error = NULL;

        g_assert_null(storage_check_destination(world->checks, odd, &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    }
}

static guint
count_calls(const World *world, const char *operation)
{
    guint count = 0;

    for (const char *const *call = fake_hypervisor_calls(world->fixture.fake); *call; call++)
        count += g_str_has_prefix(*call, operation);
    return count;
}

static void
test_libvirt_is_asked_once_for_all_groups(void)
{
    g_autoptr(World) world = world_new();

    arrive(world);
    add_guest(world);
    g_autoptr(CheckReport) source = storage_check_source(world->checks, "web1");
    g_assert_cmpuint(count_calls(world, "get_guest"), ==, 1);
    g_assert_cmpuint(count_calls(world, "get_host"), ==, 1);
    g_autoptr(CheckReport) there = check_arrival(world);
    g_assert_cmpuint(count_calls(world, "get_host"), ==, 2);
}

static void
test_nothing_is_changed(void)
{
    static const char *const reading[] = { "get_guest",     "get_host",    "compare_processor",
                                           "inspect_guest", "list_guests", "list_pools" };
    g_autoptr(World) world = world_new();

    arrive(world);
    add_guest(world);
    g_autoptr(CheckReport) source = storage_check_source(world->checks, "web1");
    g_autoptr(CheckReport) there = check_arrival(world);
    for (const char *const *call = fake_hypervisor_calls(world->fixture.fake); *call; call++) {
        gboolean known = FALSE;

        for (gsize i = 0; i < G_N_ELEMENTS(reading); i++)
            known = known || g_str_has_prefix(*call, reading[i]);
        g_assert_cmpstr(known ? "" : *call, ==, "");
    }
    fixture_assert_nothing_left(&world->fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    check_suite_add(&suite, cases, G_N_ELEMENTS(cases));
    g_test_add_func("/storage-check/page-sizes", test_each_size_of_huge_pages_is_judged);
    g_test_add_func("/storage-check/no-guest", test_unknown_guest_is_one_result);
    g_test_add_func("/storage-check/nothing-told", test_what_the_source_did_not_tell_is_unknown);
    g_test_add_func("/storage-check/told", test_source_tells_what_the_destination_asks);
    g_test_add_func("/storage-check/cannot-compare", test_libvirt_that_cannot_compare_is_unknown);
    g_test_add_func("/storage-check/own-processor", test_own_processor_is_compared_with_the_hosts);
    g_test_add_func("/storage-check/namesake", test_namesake_is_told);
    g_test_add_func("/storage-check/shared", test_shared_image_is_not_in_its_own_way);
    g_test_add_func("/storage-check/a-mount-takes-no-space-of-targets",
                    test_a_mount_takes_no_space_of_targets);
    g_test_add_func("/storage-check/odd-facts", test_odd_facts_are_refused);
    g_test_add_func("/storage-check/asked-once", test_libvirt_is_asked_once_for_all_groups);
    g_test_add_func("/storage-check/no-change", test_nothing_is_changed);
    return g_test_run();
}
