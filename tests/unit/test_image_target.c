/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of making and removing image files. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <sched.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_owner.h"
#include "storprep/image_target.h"

typedef struct {
    char *directory;
    char *path;
    const char *directories[2];
} Fixture;

static const ImageShape plain = {
    .format = IMAGE_FORMAT_QCOW2,
    .virtual_size_bytes = 64 << 20,
    .cluster_size_bytes = 65536,
    .version = 3,
    .refcount_bits = 16,
};

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->directory = g_dir_make_tmp("image-target-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->directory, "disk.qcow2", NULL);
    fixture->directories[0] = fixture->directory;
    fixture->directories[1] = NULL;
}

static void
tear_down(Fixture *fixture, const void *data)
{
    const char *argv[] = { "rm", "-rf", "--", fixture->directory, NULL };

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_free(fixture->path);
    g_free(fixture->directory);
}

static void
open_place(Fixture *fixture, ImagePlace *ret_place)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(image_place_open(fixture->path, fixture->directories, ret_place, &error));
    g_assert_no_error(error);
}

static gboolean
make(const ImagePlace *place, const ImageShape *shape, FileIdentity *ret_identity, GError **error)
{
    g_autofree char *part = image_part_name_new();
    g_auto(FileDescriptor) fd = -1;
    const ImageRecipe recipe = { .shape = *shape };

    return image_part_create(place, part, &fd, ret_identity, error) &&
           image_part_fill(place, fd, &recipe, error) && image_part_publish(place, part, fd, error);
}

static unsigned
count_files(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

static void
test_made_as_asked(Fixture *fixture, const void *data)
{
    static const ImageShape shapes[] = {
        { IMAGE_FORMAT_RAW, 1 << 20, 0, 0, 0, FALSE, FALSE },
        { IMAGE_FORMAT_RAW, 12345, 0, 0, 0, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 65536, 2, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 512, 2, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1ULL << 40, 2 << 20, 3, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 10ULL << 30, 65536, 3, 16, FALSE, TRUE },
        { IMAGE_FORMAT_QCOW2, 1 << 30, 131072, 3, 16, TRUE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 30, 4096, 3, 64, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 512, 65536, 3, 1, FALSE, TRUE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_auto(ImagePlace) place = { .directory_fd = -1 };
        g_autoptr(GError) error = NULL;
        FileIdentity identity;
        ImageHeader header;
        struct stat status;
        Find find;

        open_place(fixture, &place);
        make(&place, &shapes[i], &identity, &error);
        g_assert_no_error(error);
        image_header_read(fixture->path, shapes[i].format, &header, &error);
        g_assert_no_error(error);
        g_assert_true(image_shape_equal(&header.shape, &shapes[i]));
        g_assert_cmpint(stat(fixture->path, &status), ==, 0);
        g_assert_cmpint(status.st_mode & 07777, ==, 0600);
        g_assert_cmpint(status.st_nlink, ==, 1);
        g_assert_cmpuint(count_files(fixture->directory), ==, 1);
        g_assert_true(image_place_remove(&place, NULL, &identity, NULL, &find, &error));
        g_assert_cmpint(find, ==, FIND_NOTHING);
        g_assert_cmpuint(count_files(fixture->directory), ==, 0);
    }
}

/* What it takes from the disk: nothing but a header, or at least all of it. */
static void
assert_allocated(Fixture *fixture, const ImageRecipe *recipe, gboolean whole)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_autofree char *part = image_part_name_new();
    g_auto(FileDescriptor) fd = -1;
    g_autoptr(GError) error = NULL;
    FileIdentity identity;
    struct stat status;
    guint64 bytes;

    open_place(fixture, &place);
    g_assert_true(image_part_create(&place, part, &fd, &identity, &error));
    image_part_fill(&place, fd, recipe, &error);
    g_assert_no_error(error);
    g_assert_cmpint(fstat(fd, &status), ==, 0);
    bytes = (guint64)status.st_blocks * 512;
    g_assert_cmpint(bytes >= recipe->shape.virtual_size_bytes, ==, whole);
    g_assert_cmpint(unlinkat(place.directory_fd, part, 0), ==, 0);
}

static void
test_preallocated_as_asked(Fixture *fixture, const void *data)
{
    static const ImageShape raw = { IMAGE_FORMAT_RAW, 4 << 20, 0, 0, 0, FALSE, FALSE };
    static const ImageShape qcow2 = { IMAGE_FORMAT_QCOW2, 4 << 20, 65536, 3, 16, FALSE, FALSE };
    const ImageShape *shapes[] = { &raw, &qcow2 };

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        assert_allocated(fixture,
                         &(ImageRecipe) { .shape = *shapes[i], .allocation = IMAGE_ALLOCATION_OFF },
                         FALSE);
        assert_allocated(
            fixture, &(ImageRecipe) { .shape = *shapes[i], .allocation = IMAGE_ALLOCATION_FALLOC },
            TRUE);
        assert_allocated(
            fixture, &(ImageRecipe) { .shape = *shapes[i], .allocation = IMAGE_ALLOCATION_FULL },
            TRUE);
    }
    assert_allocated(
        fixture, &(ImageRecipe) { .shape = qcow2, .allocation = IMAGE_ALLOCATION_METADATA }, FALSE);
    g_assert_false(
        image_recipe_check(&(ImageRecipe) { .shape = raw, .allocation = IMAGE_ALLOCATION_METADATA },
                           fixture->path, NULL));
}

static void
test_belongs_to_whom_it_is_given(Fixture *fixture, const void *data)
{
    const ImageOwner owner = { .known = TRUE, .uid = 4711, .gid = 4712 };
    const ImageOwner nobody = { .known = FALSE };
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;
    g_autoptr(GError) error = NULL;
    FileIdentity identity;
    struct stat status;

    open_place(fixture, &place);
    g_assert_true(image_part_create(&place, "part", &fd, &identity, &error));
    g_assert_true(image_owner_give(&nobody, &place, fd, &error));
    if (geteuid() != 0) {
        g_assert_false(image_owner_give(&owner, &place, fd, &error));
        g_assert_cmpint(fault_code(error), ==, FAULT_TARGET_REFUSED);
        return;
    }
    g_assert_true(image_owner_give(&owner, &place, fd, &error));
    g_assert_cmpint(fstat(fd, &status), ==, 0);
    g_assert_cmpuint(status.st_uid, ==, 4711);
    g_assert_cmpuint(status.st_gid, ==, 4712);
}

static void
test_owner_is_qemus_user_and_labelled_under_selinux(Fixture *fixture, const void *data)
{
    g_autofree char *selinux = g_build_filename(fixture->directory, "sys/fs/selinux", NULL);
    g_autofree char *enforce = g_build_filename(selinux, "enforce", NULL);
    const QemuConf conf = { .user = (char *)"+4711", .group = (char *)"+4712" };
    const QemuConf unknown = { .user = (char *)"no-such-user" };
    ImageOwner owner;

    image_owner_read(&conf, fixture->directory, &owner);
    g_assert_cmpint(owner.known, ==, geteuid() == 0);
    g_assert_null(owner.label);
    if (owner.known)
        g_assert_cmpuint(owner.gid, ==, 4712);
    g_assert_cmpint(g_mkdir_with_parents(selinux, 0700), ==, 0);
    g_assert_true(g_file_set_contents(enforce, "0", -1, NULL));
    image_owner_read(&unknown, fixture->directory, &owner);
    g_assert_false(owner.known);
    g_assert_nonnull(strstr(owner.label, ":virt_image_t:"));
}

static void
assert_exists_fault(const GError *error, const char *path)
{
    g_assert_cmpint(fault_code(error), ==, FAULT_TARGET_EXISTS);
    g_assert_nonnull(strstr(fault_object(error), path));
    g_assert_nonnull(strstr(fault_remedy(error), "never overwritten"));
}

static void
assert_nothing_overwritten(Fixture *fixture)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_autoptr(GError) early = NULL;
    g_autoptr(GError) late = NULL;
    FileIdentity identity;

    open_place(fixture, &place);
    g_assert_false(image_place_check_free(&place, &early));
    assert_exists_fault(early, fixture->path);
    /* Somebody who comes between the check and the last step must lose nothing either. */
    g_assert_false(make(&place, &plain, &identity, &late));
    assert_exists_fault(late, fixture->path);
}

static void
test_existing_file_is_not_overwritten(Fixture *fixture, const void *data)
{
    g_autofree char *content = NULL;

    g_assert_true(g_file_set_contents(fixture->path, "precious", -1, NULL));
    assert_nothing_overwritten(fixture);
    g_assert_true(g_file_get_contents(fixture->path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "precious");
}

static void
test_dangling_link_is_not_followed(Fixture *fixture, const void *data)
{
    g_autofree char *elsewhere = g_build_filename(fixture->directory, "elsewhere", NULL);

    g_assert_cmpint(symlink(elsewhere, fixture->path), ==, 0);
    assert_nothing_overwritten(fixture);
    g_assert_cmpint(access(elsewhere, F_OK), ==, -1);
}

static void
assert_refused(const char *path, const char *const *directories)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_autoptr(GError) error = NULL;

    g_assert_false(image_place_open(path, directories, &place, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_TARGET_REFUSED);
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
test_paths_outside_are_refused(Fixture *fixture, const void *data)
{
    static const char *const bad[] = {
        "%s",       "%s/",           "%s/../passwd",    "%s/./disk",
        "%s//disk", "%s-2/disk",     "%s/missing/disk", "%s/link/disk",
        "%s/disk/", "relative/disk", "/etc/passwd",     "",
        "%s/a\nb",  "%s/a\033b",     "%s/a\177b",       "%s/a\xff",
    };
    g_autofree char *link = g_build_filename(fixture->directory, "link", NULL);
    g_autofree char *long_name = g_strnfill(LIMIT_NAME_BYTES + 1, 'x');
    g_autofree char *long_path = g_build_filename(fixture->directory, long_name, NULL);

    g_assert_cmpint(symlink("/etc", link), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GString) path = g_string_new(bad[i]);

        g_string_replace(path, "%s", fixture->directory, 0);
        assert_refused(path->str, fixture->directories);
    }
    assert_refused(long_path, fixture->directories);
}

static void
test_image_directory_may_be_a_link(Fixture *fixture, const void *data)
{
    g_autofree char *link = g_strconcat(fixture->directory, ".link", NULL);
    g_autofree char *path = g_build_filename(link, "disk.qcow2", NULL);
    const char *directories[] = { link, NULL };
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(symlink(fixture->directory, link), ==, 0);
    g_assert_true(image_place_open(path, directories, &place, &error));
    g_assert_cmpstr(place.name, ==, "disk.qcow2");
    g_assert_cmpstr(place.root, ==, link);
    g_unlink(link);
}

static void
test_directory_swapped_for_a_link_is_refused(Fixture *fixture, const void *data)
{
    g_autofree char *inner = g_build_filename(fixture->directory, "inner", NULL);
    g_autofree char *path = g_build_filename(inner, "disk.qcow2", NULL);

    {
        g_auto(ImagePlace) place = { .directory_fd = -1 };

        g_assert_cmpint(g_mkdir(inner, 0700), ==, 0);
        g_assert_true(image_place_open(path, fixture->directories, &place, NULL));
    }
    g_assert_cmpint(g_rmdir(inner), ==, 0);
    g_assert_cmpint(symlink("..", inner), ==, 0);
    assert_refused(path, fixture->directories);
}

/* Inode numbers are reused at once, so the successor may well have the same one. */
static void
test_successor_of_the_file_is_foreign(Fixture *fixture, const void *data)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_autoptr(GError) error = NULL;
    FileIdentity identity;
    Find find;

    open_place(fixture, &place);
    g_assert_true(make(&place, &plain, &identity, &error));
    if (identity.born_nsec == 0) {
        g_test_skip("this file system knows no time of birth");
        return;
    }
    g_assert_cmpint(g_unlink(fixture->path), ==, 0);
    g_assert_true(g_file_set_contents(fixture->path, "theirs", -1, NULL));
    g_assert_true(image_place_remove(&place, NULL, &identity, NULL, &find, &error));
    g_assert_cmpint(find, ==, FIND_FOREIGN);
    g_assert_cmpint(access(fixture->path, F_OK), ==, 0);
}

static void
test_identity_counts_what_it_must(void)
{
    const FileIdentity a = { .device = 1, .inode = 2, .born_nsec = 3 };
    const FileIdentity rebooted = { .device = 9, .inode = 2, .born_nsec = 3 };
    const FileIdentity successor = { .device = 1, .inode = 2, .born_nsec = 4 };
    const FileIdentity unborn = { .device = 1, .inode = 2 };
    const FileIdentity unborn_elsewhere = { .device = 9, .inode = 2 };

    g_assert_true(file_identity_equal(&a, &rebooted));
    g_assert_false(file_identity_equal(&a, &successor));
    g_assert_false(file_identity_equal(&a, &unborn));
    g_assert_true(file_identity_equal(&unborn, &unborn));
    g_assert_false(file_identity_equal(&unborn, &unborn_elsewhere));
}

static void
test_link_in_place_of_the_file_is_foreign(Fixture *fixture, const void *data)
{
    g_autofree char *other = g_build_filename(fixture->directory, "other", NULL);
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    Find find;

    g_assert_true(g_file_set_contents(other, "theirs", -1, NULL));
    g_assert_cmpint(symlink(other, fixture->path), ==, 0);
    open_place(fixture, &place);
    g_assert_true(image_place_remove(&place, NULL, NULL, NULL, &find, NULL));
    g_assert_cmpint(find, ==, FIND_FOREIGN);
    g_assert_cmpint(access(other, F_OK), ==, 0);
}

static void
test_impossible_shapes_are_refused(void)
{
    static const ImageShape bad[] = {
        { IMAGE_FORMAT_RAW, 0, 0, 0, 0, FALSE, FALSE },
        { IMAGE_FORMAT_RAW, (guint64)LIMIT_IMAGE_BYTES + 1, 0, 0, 0, FALSE, FALSE },
        { IMAGE_FORMAT_RAW, 1 << 20, 65536, 0, 0, FALSE, FALSE },
        { IMAGE_FORMAT_RAW, 1 << 20, 0, 3, 0, FALSE, FALSE },
        { IMAGE_FORMAT_RAW, 1 << 20, 0, 0, 0, FALSE, TRUE },
        { IMAGE_FORMAT_QCOW2, 0, 65536, 3, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1000, 65536, 3, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 0, 3, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 256, 3, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 65537, 3, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 4 << 20, 3, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 65536, 4, 16, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 65536, 3, 0, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 65536, 3, 128, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 65536, 2, 8, FALSE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 65536, 2, 16, TRUE, FALSE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 65536, 2, 16, FALSE, TRUE },
        { IMAGE_FORMAT_QCOW2, 1 << 20, 8192, 3, 16, TRUE, FALSE },
        { IMAGE_FORMAT_QCOW2, LIMIT_IMAGE_BYTES, 512, 3, 16, FALSE, FALSE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(image_shape_check(&bad[i], "/images/a", &error));
        g_assert_cmpint(fault_code(error), ==, FAULT_INVALID_ARGUMENT);
        g_assert_nonnull(strstr(fault_object(error), "/images/a"));
    }
    g_assert_true(image_shape_check(&plain, "/images/a", NULL));
}

/* `qemu-img measure` knows what a fully written image occupies. */
static void
test_maximum_bytes_cover_what_qemu_img_measures(void)
{
    static const struct {
        ImageShape shape;
        const char *options;
    } cases[] = {
        { { IMAGE_FORMAT_QCOW2, 1 << 20, 512, 3, 64, FALSE, FALSE },
          "cluster_size=512,refcount_bits=64" },
        { { IMAGE_FORMAT_QCOW2, 10ULL << 30, 65536, 3, 16, FALSE, FALSE }, "cluster_size=64k" },
        { { IMAGE_FORMAT_QCOW2, 1ULL << 40, 2 << 20, 3, 16, FALSE, FALSE }, "cluster_size=2M" },
        { { IMAGE_FORMAT_QCOW2, 1ULL << 36, 16384, 3, 64, TRUE, FALSE },
          "cluster_size=16k,extended_l2=on,refcount_bits=64" },
        { { IMAGE_FORMAT_QCOW2, 1ULL << 33, 4096, 3, 1, FALSE, FALSE },
          "cluster_size=4k,refcount_bits=1" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *size =
            g_strdup_printf("%" G_GUINT64_FORMAT, cases[i].shape.virtual_size_bytes);
        const char *argv[] = { "qemu-img", "measure",        "--output=json", "-O", "qcow2",
                               "-o",       cases[i].options, "--size",        size, NULL };
        g_autofree char *output = NULL;
        json_int_t full = 0;
        json_t *measure;

        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                   &output, NULL, NULL, NULL));
        measure = json_loads(output, 0, NULL);
        g_assert_cmpint(json_unpack(measure, "{s:I}", "fully-allocated", &full), ==, 0);
        g_assert_cmpuint(image_shape_maximum_bytes(&cases[i].shape), >=, (guint64)full);
        /* ... and do not ask for much more: 8 MiB or a thousandth. */
        g_assert_cmpuint(image_shape_maximum_bytes(&cases[i].shape), <=,
                         (guint64)full + MAX(full / 1000, 8 << 20));
        json_decref(measure);
    }
}

/* qemu-img syncs what it writes again and again: only memory, which needs no disk for that. */
static void
test_qemu_img_does_not_open_the_file_itself(Fixture *fixture, const void *data)
{
    const ImageRecipe recipe = { .shape = plain };
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_autofree char *part = image_part_name_new();
    g_auto(FileDescriptor) fd = -1;
    g_auto(FileDescriptor) watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    g_autoptr(GError) error = NULL;
    FileIdentity identity;
    char events[4096];

    open_place(fixture, &place);
    g_assert_true(image_part_create(&place, part, &fd, &identity, &error));
    g_assert_cmpint(inotify_add_watch(watch, fixture->directory, IN_OPEN), >=, 0);
    g_assert_true(image_part_fill(&place, fd, &recipe, &error));
    g_assert_no_error(error);
    g_assert_cmpint(read(watch, events, sizeof events), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
}

/* Runs @test in a child with a tmpfs of 512 KiB on the fixture's directory. */
static void
run_on_small_disk(Fixture *fixture, void (*test)(Fixture *))
{
    int status;
    pid_t child = fork();

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", fixture->directory, "tmpfs", 0, "size=512k") < 0)
            _exit(77);
        test(fixture);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77 && !g_getenv("REQUIRE_REAL"))
        g_test_skip("needs root, to mount a small file system in a namespace");
    else
        g_assert_cmpint(status, ==, 0);
}

static void
check_read_only(Fixture *fixture)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_autoptr(GError) error = NULL;

    g_assert_true(image_place_open(fixture->path, fixture->directories, &place, &error));
    g_assert_true(image_place_check_writable(&place, &error));
    g_assert_no_error(error);
    g_assert_cmpint(mount("none", fixture->directory, "none", MS_REMOUNT | MS_RDONLY, NULL), ==, 0);
    g_assert_false(image_place_check_writable(&place, &error));
    g_assert_error(error, FAULT, FAULT_TARGET_REFUSED);
    g_assert_nonnull(strstr(error->message, "read-only"));
}

static void
test_read_only_file_system_is_refused(Fixture *fixture, gconstpointer data)
{
    run_on_small_disk(fixture, check_read_only);
}

static void
check_full_disk(Fixture *fixture)
{
    static const ImageRecipe wide = {
        .shape = { IMAGE_FORMAT_QCOW2, 64 << 20, 2 << 20, 3, 16, FALSE, FALSE },
    };
    g_autofree char *filler = g_build_filename(fixture->directory, "filler", NULL);
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_autofree char *part = image_part_name_new();
    g_autoptr(GError) error = NULL;
    g_auto(FileDescriptor) fd = -1;
    g_auto(FileDescriptor) filler_fd = open(filler, O_WRONLY | O_CREAT, 0600);
    FileIdentity identity;
    Find find;

    open_place(fixture, &place);
    g_assert_true(image_part_create(&place, part, &fd, &identity, &error));
    g_assert_cmpint(posix_fallocate(filler_fd, 0, 508 * 1024), ==, 0);
    g_assert_false(image_part_fill(&place, fd, &wide, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_NO_SPACE);
    g_assert_nonnull(strstr(fault_object(error), fixture->path));
    g_assert_true(image_place_drop(&place, part, &identity, &find, NULL));
    g_assert_cmpuint(count_files(fixture->directory), ==, 1);
}

static void
test_full_disk_is_no_space(Fixture *fixture, const void *data)
{
    run_on_small_disk(fixture, check_full_disk);
}

static void
add(const char *name, void (*test)(Fixture *, const void *))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/image-target/made-as-asked", test_made_as_asked);
    add("/image-target/preallocated-as-asked", test_preallocated_as_asked);
    add("/image-target/belongs-to-whom-it-is-given", test_belongs_to_whom_it_is_given);
    add("/image-target/owner", test_owner_is_qemus_user_and_labelled_under_selinux);
    add("/image-target/existing-file-is-not-overwritten", test_existing_file_is_not_overwritten);
    add("/image-target/dangling-link-is-not-followed", test_dangling_link_is_not_followed);
    add("/image-target/paths-outside-are-refused", test_paths_outside_are_refused);
    add("/image-target/image-directory-may-be-a-link", test_image_directory_may_be_a_link);
    add("/image-target/directory-swapped-for-a-link", test_directory_swapped_for_a_link_is_refused);
    add("/image-target/successor-of-the-file-is-foreign", test_successor_of_the_file_is_foreign);
    g_test_add_func("/image-target/identity", test_identity_counts_what_it_must);
    add("/image-target/link-in-place-is-foreign", test_link_in_place_of_the_file_is_foreign);
    g_test_add_func("/image-target/impossible-shapes", test_impossible_shapes_are_refused);
    g_test_add_func("/image-target/maximum-bytes", test_maximum_bytes_cover_what_qemu_img_measures);
    add("/image-target/made-in-memory", test_qemu_img_does_not_open_the_file_itself);
    add("/image-target/full-disk-is-no-space", test_full_disk_is_no_space);
    add("/image-target/read-only", test_read_only_file_system_is_refused);
    return g_test_run();
}
