/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images left behind: removed only if they are the ones that were copied, and nobody's. */
#include "storprep/source_disks.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "fake/fake_hypervisor.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

typedef struct {
    char *directory, *image, *link, *outside;
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->directory = g_dir_make_tmp("source-XXXXXX", NULL);
    fixture->image = g_build_filename(fixture->directory, "image", NULL);
    fixture->link = g_build_filename(fixture->directory, "link", NULL);
    fixture->outside = g_strconcat(fixture->directory, ".outside", NULL);
    g_assert_true(g_file_set_contents(fixture->image, "content", -1, NULL));
    g_assert_true(g_file_set_contents(fixture->outside, "content", -1, NULL));
    fixture->fake = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    hypervisor_free(fixture->hypervisor);
    g_unlink(fixture->image);
    g_unlink(fixture->link);
    g_unlink(fixture->outside);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
    g_free(fixture->image);
    g_free(fixture->link);
    g_free(fixture->outside);
}

static SourceDisks *
note(const Fixture *fixture, const char *path)
{
    const char *const paths[] = { path, NULL };
    const char *const directories[] = { fixture->directory, NULL };

    return source_disks_new(paths, directories);
}

static void
assert_removes(const Fixture *fixture, const SourceDisks *disks, const char *path, gboolean removed)
{
    json_auto_t *told = source_disks_remove(disks, fixture->hypervisor);

    g_assert_cmpuint(json_array_size(told), ==, removed ? 1 : 0);
    g_assert_cmpint(g_access(path, F_OK) == 0, ==, !removed);
}

static void
add_guest(const Fixture *fixture, const char *path, GuestState state)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web2</name><uuid>" UUID "</uuid><devices>"
        "<disk type='file' device='disk'><source file='%s'/><target dev='vda'/></disk></devices>"
        "</domain>",
        path);

    fake_hypervisor_add_guest(fixture->fake, xml, state, TRUE);
}

static void
test_nobody_s_image_is_removed(Fixture *fixture, const void *data)
{
    g_autoptr(SourceDisks) disks = note(fixture, fixture->image);

    add_guest(fixture, fixture->outside, GUEST_STATE_RUNNING);
    assert_removes(fixture, disks, fixture->image, TRUE);
}

static void
test_a_guest_that_is_only_defined_keeps_its_image(Fixture *fixture, const void *data)
{
    g_autoptr(SourceDisks) disks = note(fixture, fixture->image);

    add_guest(fixture, fixture->image, GUEST_STATE_SHUT_OFF);
    assert_removes(fixture, disks, fixture->image, FALSE);
}

static void
test_another_name_of_it_counts(Fixture *fixture, const void *data)
{
    g_autoptr(SourceDisks) disks = note(fixture, fixture->image);

    g_assert_cmpint(symlink(fixture->image, fixture->link), ==, 0);
    add_guest(fixture, fixture->link, GUEST_STATE_RUNNING);
    assert_removes(fixture, disks, fixture->image, FALSE);
}

static void
test_another_file_in_its_place_is_left(Fixture *fixture, const void *data)
{
    g_autoptr(SourceDisks) disks = note(fixture, fixture->image);

    g_assert_cmpint(g_rename(fixture->outside, fixture->image), ==, 0);
    assert_removes(fixture, disks, fixture->image, FALSE);
}

static void
test_nothing_outside_image_directories_is_removed(Fixture *fixture, const void *data)
{
    g_autoptr(SourceDisks) disks = note(fixture, fixture->outside);

    assert_removes(fixture, disks, fixture->outside, FALSE);
}

static void
test_all_is_kept_while_libvirt_does_not_answer(Fixture *fixture, const void *data)
{
    static const char *const questions[] = { "list_guests", "get_guest" };
    g_autoptr(SourceDisks) disks = note(fixture, fixture->image);

    add_guest(fixture, fixture->outside, GUEST_STATE_RUNNING);
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
        fake_hypervisor_fail(fixture->fake, questions[i], 1, FAULT_HYPERVISOR_UNAVAILABLE);
        assert_removes(fixture, disks, fixture->image, FALSE);
    }
    assert_removes(fixture, disks, fixture->image, TRUE);
}

static void
add(const char *name, void (*test)(Fixture *, const void *))
{
    g_autofree char *path = g_strconcat("/source-disks/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("nobody-s-image-is-removed", test_nobody_s_image_is_removed);
    add("guest-that-is-only-defined-keeps-its-image",
        test_a_guest_that_is_only_defined_keeps_its_image);
    add("another-name-of-it-counts", test_another_name_of_it_counts);
    add("another-file-in-its-place-is-left", test_another_file_in_its_place_is_left);
    add("nothing-outside-image-directories-is-removed",
        test_nothing_outside_image_directories_is_removed);
    add("all-is-kept-while-libvirt-does-not-answer",
        test_all_is_kept_while_libvirt_does_not_answer);
    return g_test_run();
}
