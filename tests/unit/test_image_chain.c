/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an image lies on is opened only where images may be, and as what the one above says it is.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_chain.h"

typedef struct {
    char *directory;
} Fixture;

static char *
path_of(const Fixture *fixture, const char *name)
{
    return g_build_filename(fixture->directory, name, NULL);
}

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->directory = g_dir_make_tmp("image-chain-XXXXXX", NULL);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    g_autoptr(GDir) directory = g_dir_open(fixture->directory, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(directory))) {
        g_autofree char *path = path_of(fixture, name);

        g_remove(path);
    }
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
}

/* @base NULL: it lies on nothing. Whether that is there is not asked. */
static void
add_image(const Fixture *fixture, const char *name, const char *base, const char *format)
{
    g_autofree char *path = path_of(fixture, name);
    const char *argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", path, "1M",
                           NULL,       NULL,     NULL, NULL, NULL,    NULL };
    const char *below[] = { "-u", "-b", base, "-F", format };
    g_autoptr(GError) error = NULL;
    int status = -1;

    if (base)
        memcpy(argv + 7, below, sizeof below);
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                 &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
}

static void
add_overlay(const Fixture *fixture, const char *name, const char *base, const char *format)
{
    g_autofree char *below = path_of(fixture, base);

    add_image(fixture, name, below, format);
}

/* Sets bits of a byte of the header (docs/interop/qcow2.txt), or clears all. */
static void
edit(const Fixture *fixture, const char *name, off_t offset, guint8 byte)
{
    g_autofree char *path = path_of(fixture, name);
    int fd = g_open(path, O_WRONLY | O_CLOEXEC, 0);

    g_assert_cmpint(pwrite(fd, &byte, 1, offset), ==, 1);
    close(fd);
}

static gboolean
check_in(const Fixture *fixture, const char *name, const char *place, GError **error)
{
    g_autofree char *path = path_of(fixture, name);
    const char *const directories[] = { "/nonexistent", place, NULL };

    return image_chain_check(path, IMAGE_FORMAT_QCOW2, directories, NULL, error);
}

static gboolean
check(const Fixture *fixture, const char *name, GError **error)
{
    return check_in(fixture, name, fixture->directory, error);
}

static void
assert_refused(const Fixture *fixture, const char *name, FaultCode code)
{
    g_autoptr(GError) error = NULL;

    g_test_message("%s", name);
    g_assert_false(check(fixture, name, &error));
    g_assert_cmpint(fault_code(error), ==, code);
}

static void
test_chain_ends_in_a_plain_image(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    add_image(fixture, "alone", NULL, NULL);
    add_overlay(fixture, "middle", "alone", "raw");
    add_overlay(fixture, "top", "middle", "qcow2");
    gboolean good = check(fixture, "top", &error);
    g_assert_no_error(error);
    g_assert_true(good && check(fixture, "alone", &error));
    g_assert_no_error(error);
}

static void
test_what_is_not_plain_is_refused(Fixture *fixture, const void *data)
{
    static const struct {
        off_t offset;
        guint8 byte;
    } edits[] = { { 72, 1 } /* unknown */,
                  { 79, 2 } /* corrupt */,
                  { 79, 4 } /* data elsewhere */,
                  { 35, 1 } /* encrypted */ };

    for (gsize i = 0; i < G_N_ELEMENTS(edits); i++) {
        add_image(fixture, "odd", NULL, NULL);
        edit(fixture, "odd", edits[i].offset, edits[i].byte);
        assert_refused(fixture, "odd", FAULT_IMAGE_INVALID);
    }
    assert_refused(fixture, "nowhere", FAULT_IMAGE_INVALID);
}

/* One whose table of references is nowhere. */
static void
test_what_qemu_img_cannot_read_is_an_error(Fixture *fixture, const void *data)
{
    add_image(fixture, "broken", NULL, NULL);
    for (off_t offset = 48; offset < 60; offset++)
        edit(fixture, "broken", offset, 0);
    assert_refused(fixture, "broken", FAULT_PROGRAM_FAILED);
}

static void
test_check_can_be_cancelled(Fixture *fixture, const void *data)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autofree char *path = path_of(fixture, "alone");
    const char *const directories[] = { fixture->directory, NULL };
    g_autoptr(GError) error = NULL;

    add_image(fixture, "alone", NULL, NULL);
    g_cancellable_cancel(cancellable);
    g_assert_false(image_chain_check(path, IMAGE_FORMAT_QCOW2, directories, cancellable, &error));
    g_assert_error(error, FAULT, FAULT_CANCELLED);
}

static void
test_format_that_is_not_known_is_refused(Fixture *fixture, const void *data)
{
    add_overlay(fixture, "other", "base", "vmdk");
    assert_refused(fixture, "other", FAULT_IMAGE_INVALID);
}

static void
test_base_lies_where_images_may(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    add_image(fixture, "base", NULL, NULL);
    add_overlay(fixture, "top", "base", "qcow2");
    g_assert_false(check_in(fixture, "top", "/usr", &error));
    g_assert_error(error, FAULT, FAULT_IMAGE_INVALID);
    add_overlay(fixture, "dangling", "gone", "qcow2");
    assert_refused(fixture, "dangling", FAULT_IMAGE_INVALID);
    add_image(fixture, "address", "nbd://host/x", "raw");
    assert_refused(fixture, "address", FAULT_IMAGE_INVALID);
}

/* Also one that lies on itself. */
static void
test_depth_is_bounded(Fixture *fixture, const void *data)
{
    add_overlay(fixture, "loop", "back", "qcow2");
    add_overlay(fixture, "back", "loop", "qcow2");
    assert_refused(fixture, "loop", FAULT_LIMIT_EXCEEDED);
}

static void
add(const char *name, void (*test)(Fixture *, const void *))
{
    g_autofree char *path = g_strconcat("/image-chain/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("plain-end", test_chain_ends_in_a_plain_image);
    add("not-plain", test_what_is_not_plain_is_refused);
    add("broken", test_what_qemu_img_cannot_read_is_an_error);
    add("cancelled", test_check_can_be_cancelled);
    add("unknown-format", test_format_that_is_not_known_is_refused);
    add("place", test_base_lies_where_images_may);
    add("depth", test_depth_is_bounded);
    return g_test_run();
}
