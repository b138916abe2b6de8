/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of what becomes of target leases after crashes, failed removals and on full disks.
 */
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/limits.h"
#include "fake/target_fixture.h"
#include "storprep/image_target.h"
#include "storprep/target_files.h"

static void
test_failed_removal_is_kept_and_tried_again(TargetFixture *fixture, const void *data)
{
    g_autofree char *aside = g_strconcat(fixture->images, ".aside", NULL);
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) all = NULL;
    const Lease *found;

    g_assert_cmpint(g_rename(fixture->images, aside), ==, 0);
    g_assert_false(fixture_release(fixture, lease, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_ROLLBACK_INCOMPLETE);
    all = target_leases_list(fixture->leases, NULL);
    found = all->pdata[0];
    g_assert_cmpstr(found->state, ==, "degraded");
    g_assert_cmpstr(found->reason, !=, "");
    g_clear_error(&error);
    g_assert_null(target_leases_renew(fixture->leases, lease->id, lease->generation, 60, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_LEASE_BUSY);
    g_assert_cmpint(g_rename(aside, fixture->images), ==, 0);
    fixture_reconcile_until(fixture, 0);
    fixture_assert_nothing_left(fixture);
}

static void
test_restart_keeps_leases(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);
    g_autoptr(Lease) again = NULL;

    fixture_stop_daemon(fixture);
    fixture_start_daemon(fixture);
    target_leases_reconcile(fixture->leases);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
    again = fixture_create(fixture, "t", 600);
    g_assert_cmpstr(lease->id, ==, again->id);
    fixture_release(fixture, lease, NULL);
    fixture_assert_nothing_left(fixture);
}

/* How far target_files_make() came with the first file when the power went. */
typedef enum {
    CRASHED_PLANNED, /* recorded, nothing made */
    CRASHED_BORN,    /* the file is there, its identity not recorded */
    CRASHED_RECORDED,
    CRASHED_FILLED,
    CRASHED_PUBLISHED, /* has its name, the lease is not ready */
    CRASHED_COUNT,
} Crash;

/* Records the lease as target_leases_create() does, and what it would be like at @crash. */
static void
leave_remains(TargetFixture *fixture, Crash crash)
{
    const char *directories[] = { fixture->images, NULL };
    json_t *asked = fixture_parameters(fixture, "t", 600);
    g_autoptr(TargetRequest) request = target_request_new(asked, NULL);
    g_autoptr(GPtrArray) assets = target_files_plan(request, directories, NULL);
    Lease draft = { .kind = (char *)"targets",
                    .owner = (char *)"test",
                    .token = (char *)"t",
                    .guest_name = (char *)"web1",
                    .guest_uuid = (char *)GUEST_UUID,
                    .state = (char *)"making",
                    .reason = (char *)"",
                    .request = request->json,
                    .assets = assets };
    gboolean existing;
    g_autoptr(Lease) lease =
        lease_store_create(fixture->store, &draft, 600, FAULT_TARGET_EXISTS, &existing, NULL);
    LeaseAsset *asset = lease->assets->pdata[0];
    ImageRecipe recipe = target_asset_recipe(asset);
    const char *part = json_string_value(json_object_get(asset->detail, "part"));
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;
    FileIdentity identity;

    json_decref(asked);
    if (crash < CRASHED_BORN)
        return;
    g_assert_true(image_place_open(asset->key, directories, &place, NULL));
    g_assert_true(image_part_create(&place, part, &fd, &identity, NULL));
    if (crash < CRASHED_RECORDED)
        return;
    json_object_set_new(asset->detail, "device", json_integer((json_int_t)identity.device));
    json_object_set_new(asset->detail, "inode", json_integer((json_int_t)identity.inode));
    json_object_set_new(asset->detail, "born", json_integer(identity.born_nsec));
    g_free(asset->state);
    asset->state = g_strdup("made");
    g_assert_true(
        lease_store_put_asset(fixture->store, lease->id, asset, FAULT_TARGET_EXISTS, NULL));
    if (crash < CRASHED_FILLED)
        return;
    g_assert_true(image_part_fill(&place, fd, &recipe, NULL));
    if (crash < CRASHED_PUBLISHED)
        return;
    g_assert_true(image_part_publish(&place, part, fd, NULL));
}

static void
test_crash_during_creation_leaves_nothing(TargetFixture *fixture, const void *data)
{
    for (Crash crash = 0; crash < CRASHED_COUNT; crash++) {
        g_clear_pointer(&fixture->leases, target_leases_free);
        leave_remains(fixture, crash);
        fixture_stop_daemon(fixture);
        fixture_start_daemon(fixture);
        fixture_reconcile_until(fixture, 0);
        fixture_assert_nothing_left(fixture);
    }
}

/* A crash whose request comes again at once: busy until the remains are gone, then made anew. */
static void
test_retry_after_a_crash_gets_whole_files(TargetFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = NULL;
    gint64 until = fixture_deadline();

    g_clear_pointer(&fixture->leases, target_leases_free);
    leave_remains(fixture, CRASHED_FILLED);
    fixture_stop_daemon(fixture);
    fixture_start_daemon(fixture);
    while (!(lease = fixture_create_from(fixture, fixture_parameters(fixture, "t", 600), &error))) {
        g_assert_cmpint(fault_code(error), ==, FAULT_LEASE_BUSY);
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_clear_error(&error); /* and asks again without a pause, which keeps nobody from it */
    }
    g_assert_cmpstr(lease->state, ==, "ready");
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

static void
test_too_large_is_no_space(TargetFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = fixture_create_from(
        fixture, fixture_one_raw(fixture, "t", fixture->first, LIMIT_IMAGE_BYTES), &error);

    g_assert_null(lease);
    g_assert_cmpint(fault_code(error), ==, FAULT_NO_SPACE);
    g_assert_nonnull(strstr(fault_object(error), fixture->images));
    g_assert_nonnull(strstr(fault_cause(error), "70368744177664 bytes are needed"));
    fixture_assert_nothing_left(fixture);
}

/* Each fits on 8 MiB, but not both: the first may still grow. */
static void
check_promised_space(TargetFixture *fixture)
{
    g_autoptr(Lease) lease = NULL;
    g_autoptr(GError) error = NULL;

    fixture_start_daemon(fixture);
    lease = fixture_create_from(fixture, fixture_one_raw(fixture, "t", fixture->first, 5 << 20),
                                &error);
    g_assert_no_error(error);
    fixture_assert_create_fails(fixture, fixture_one_raw(fixture, "u", fixture->second, 5 << 20),
                                FAULT_NO_SPACE, fixture->images);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 1);
    fixture_release(fixture, lease, NULL);
    lease_free(fixture_create_from(fixture, fixture_one_raw(fixture, "u", fixture->second, 5 << 20),
                                   &error));
    g_assert_no_error(error);
    fixture_stop_daemon(fixture);
}

static void
test_promised_space_is_not_free(TargetFixture *fixture, const void *data)
{
    int status;
    pid_t child;

    fixture_stop_daemon(fixture); /* threads do not survive a fork */
    child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", fixture->images, "tmpfs", 0, "size=8m") < 0)
            _exit(77);
        check_promised_space(fixture);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77 && !g_getenv("REQUIRE_REAL"))
        g_test_skip("needs root, to mount a small file system in a namespace");
    else
        g_assert_cmpint(status, ==, 0);
}

static void
add(const char *name, void (*test)(TargetFixture *, const void *))
{
    g_autofree char *path = g_strconcat("/target-recovery/", name, NULL);

    g_test_add(path, TargetFixture, NULL, fixture_set_up, test, fixture_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are part of what is tested. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    add("failed-removal-is-kept-and-tried-again", test_failed_removal_is_kept_and_tried_again);
    add("restart-keeps-leases", test_restart_keeps_leases);
    add("crash-during-creation-leaves-nothing", test_crash_during_creation_leaves_nothing);
    add("retry-after-a-crash-gets-whole-files", test_retry_after_a_crash_gets_whole_files);
    add("too-large-is-no-space", test_too_large_is_no_space);
    add("promised-space-is-not-free", test_promised_space_is_not_free);
    return g_test_run();
}
