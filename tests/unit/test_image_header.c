/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of the image header reader: against qemu-img for what is valid, against edited
 * bytes for what is not. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_header.h"

typedef struct {
    char *directory;
    char *path;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->directory = g_dir_make_tmp("image-header-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->directory, "image", NULL);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    g_unlink(fixture->path);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->path);
    g_free(fixture->directory);
}

static void
run(const char *const *argv, char **ret_output)
{
    g_autoptr(GError) error = NULL;
    int status = -1;

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, ret_output, NULL,
                 &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
}

static void
create(const char *path, const char *options, const char *size)
{
    const char *argv[] = { "qemu-img", "create", "-q", "-f", "qcow2",
                           "-o",       options,  path, size, NULL };
    g_autofree char *output = NULL;

    run(argv, &output);
}

/* What qemu-img says about the same file. */
static json_t *
ask_qemu(const char *path)
{
    const char *argv[] = { "qemu-img", "info", "-f", "qcow2", "--output=json", path, NULL };
    g_autofree char *output = NULL;
    json_t *info;

    run(argv, &output);
    info = json_loads(output, 0, NULL);
    g_assert_nonnull(info);
    return info;
}

static json_t *
get_data(json_t *info, const char *name)
{
    json_t *specific = json_object_get(info, "format-specific");

    return json_object_get(json_object_get(specific, "data"), name);
}

static void
assert_same(const char *path)
{
    g_autoptr(GError) error = NULL;
    json_t *info = ask_qemu(path);
    ImageHeader header;

    g_assert_true(image_header_read(path, IMAGE_FORMAT_QCOW2, &header, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(header.shape.virtual_size_bytes, ==,
                     (guint64)json_integer_value(json_object_get(info, "virtual-size")));
    g_assert_cmpuint(header.shape.cluster_size_bytes, ==,
                     (guint64)json_integer_value(json_object_get(info, "cluster-size")));
    g_assert_cmpstr(image_shape_compat(&header.shape), ==,
                    json_string_value(get_data(info, "compat")));
    g_assert_cmpint(header.shape.extended_l2, ==, json_is_true(get_data(info, "extended-l2")));
    g_assert_cmpint(header.shape.lazy_refcounts, ==,
                    json_is_true(get_data(info, "lazy-refcounts")));
    g_assert_cmpuint(header.shape.refcount_bits, ==,
                     (guint64)json_integer_value(get_data(info, "refcount-bits")));
    g_assert_false(header.corrupt || header.encrypted || header.has_backing ||
                   header.has_data_file || header.snapshots || header.unknown_features);
    json_decref(info);
}

static void
test_shapes_differ_in_anything(void)
{
    const ImageShape shape = { .format = IMAGE_FORMAT_QCOW2,
                               .virtual_size_bytes = 1,
                               .cluster_size_bytes = 65536,
                               .version = 3,
                               .refcount_bits = 16 };
    ImageShape others[] = { shape, shape, shape, shape, shape, shape, shape };

    others[0].format = IMAGE_FORMAT_RAW;
    others[1].virtual_size_bytes = 2;
    others[2].cluster_size_bytes = 512;
    others[3].version = 2;
    others[4].refcount_bits = 8;
    others[5].extended_l2 = TRUE;
    others[6].lazy_refcounts = TRUE;
    g_assert_true(image_shape_equal(&shape, &shape));
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_assert_false(image_shape_equal(&shape, &others[i]));
        g_assert_false(image_shape_equal(&others[i], &shape));
    }
}

/* The linker leads reads here. */
ssize_t __real_pread64(int fd, void *buffer, size_t size, off64_t offset);
ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off64_t offset);

static unsigned interruptions;

ssize_t
__wrap_pread64(int fd, void *buffer, size_t size, off64_t offset)
{
    if (interruptions == 0)
        return __real_pread64(fd, buffer, size, offset);
    interruptions--;
    errno = EINTR;
    return -1;
}

static void
test_reading_may_be_interrupted_and_may_fail(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    ImageHeader header;
    int fd;

    create(fixture->path, "compat=1.1", "1M");
    interruptions = 2;
    g_assert_true(image_header_read(fixture->path, IMAGE_FORMAT_QCOW2, &header, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(interruptions, ==, 0);
    fd = open(fixture->path, O_WRONLY | O_CLOEXEC);
    g_assert_false(image_header_read_fd(fd, "x", IMAGE_FORMAT_QCOW2, &header, &error));
    g_assert_error(error, FAULT, FAULT_IMAGE_INVALID);
    g_clear_error(&error);
    close(fd);
    g_assert_false(image_header_read_fd(fd, "x", IMAGE_FORMAT_QCOW2, &header, &error));
    g_assert_error(error, FAULT, FAULT_IMAGE_INVALID);
}

static void
test_same_as_qemu_img(Fixture *fixture, const void *data)
{
    static const struct {
        const char *options, *size;
    } images[] = {
        { "compat=0.10", "1M" },
        { "compat=0.10,cluster_size=512", "64M" },
        { "compat=0.10,cluster_size=2M", "1G" },
        { "compat=1.1", "512" },
        { "compat=1.1,cluster_size=512", "64M" },
        { "compat=1.1,cluster_size=64k,lazy_refcounts=on", "10G" },
        { "compat=1.1,cluster_size=2M", "1T" },
        { "compat=1.1,extended_l2=on,cluster_size=16k", "1G" },
        { "compat=1.1,extended_l2=on,cluster_size=128k,lazy_refcounts=on", "1G" },
        { "compat=1.1,refcount_bits=1", "1G" },
        { "compat=1.1,refcount_bits=2", "1G" },
        { "compat=1.1,refcount_bits=8", "1G" },
        { "compat=1.1,refcount_bits=32", "1G" },
        { "compat=1.1,refcount_bits=64,cluster_size=4k", "1G" },
        { "compat=1.1,compression_type=zstd", "1G" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
        create(fixture->path, images[i].options, images[i].size);
        assert_same(fixture->path);
    }
}

/* Reads the image and returns the error's cause, or NULL if it was accepted. */
static char *
read_cause(const char *path, ImageFormat format)
{
    g_autoptr(GError) error = NULL;
    ImageHeader header;

    if (image_header_read(path, format, &header, &error))
        return NULL;
    g_assert_cmpint(fault_code(error), ==, FAULT_IMAGE_INVALID);
    g_assert_nonnull(strstr(fault_object(error), path));
    g_assert_cmpstr(fault_remedy(error), !=, "");
    return g_strdup(fault_cause(error));
}

/* Overwrites a big-endian field of the image. */
static void
poke(const char *path, long offset, guint64 value, size_t bytes)
{
    FILE *file = g_fopen(path, "r+b");
    guint64 big = GUINT64_TO_BE(value);

    g_assert_nonnull(file);
    g_assert_cmpint(fseek(file, offset, SEEK_SET), ==, 0);
    g_assert_cmpuint(fwrite((guint8 *)&big + 8 - bytes, 1, bytes, file), ==, bytes);
    g_assert_cmpint(fclose(file), ==, 0);
}

static void
test_damage_is_refused(Fixture *fixture, const void *data)
{
    static const struct {
        long offset;
        guint64 value;
        size_t bytes;
        const char *cause;
    } damages[] = {
        { 0, 0x514649fa, 4, "it is not a qcow2 image" },
        { 4, 1, 4, "qcow2 version 1 is unknown" },
        { 4, 4, 4, "qcow2 version 4 is unknown" },
        { 20, 8, 4, "8 cluster bits are outside 9-21" },
        { 20, 22, 4, "22 cluster bits are outside 9-21" },
        { 20, G_MAXUINT32, 4, "4294967295 cluster bits are outside 9-21" },
        { 24, (guint64)LIMIT_IMAGE_BYTES + 1, 8,
          "its size of 70368744177665 bytes is above 70368744177664" },
        { 96, 7, 4, "refcount order 7 is above 6" },
        { 100, 103, 4, "header length 103 is impossible" },
        { 100, 65537, 4, "header length 65537 is impossible" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autofree char *cause = NULL;

        create(fixture->path, "compat=1.1", "1M");
        poke(fixture->path, damages[i].offset, damages[i].value, damages[i].bytes);
        cause = read_cause(fixture->path, IMAGE_FORMAT_QCOW2);
        g_assert_cmpstr(cause, ==, damages[i].cause);
    }
}

/* As QEMU has it, which needs room for subclusters. */
static void
test_extended_entries_need_large_clusters(Fixture *fixture, const void *data)
{
    g_autofree char *cause = NULL;

    create(fixture->path, "compat=1.1,cluster_size=8k", "1M");
    poke(fixture->path, 72, 1 << 4, 8);
    cause = read_cause(fixture->path, IMAGE_FORMAT_QCOW2);
    g_assert_cmpstr(cause, ==, "extended L2 entries with clusters of 8192 bytes");
}

static void
test_largest_size_is_accepted(Fixture *fixture, const void *data)
{
    create(fixture->path, "compat=1.1", "1M");
    poke(fixture->path, 24, LIMIT_IMAGE_BYTES, 8);
    g_assert_null(read_cause(fixture->path, IMAGE_FORMAT_QCOW2));
}

static void
test_cut_off_header_is_refused(Fixture *fixture, const void *data)
{
    g_autofree char *cause = NULL;

    create(fixture->path, "compat=1.1", "1M");
    for (long bytes = 103; bytes >= 0; bytes--) {
        g_assert_cmpint(truncate(fixture->path, bytes), ==, 0);
        g_free(cause);
        cause = read_cause(fixture->path, IMAGE_FORMAT_QCOW2);
        g_assert_nonnull(cause);
    }
}

static void
test_features_are_reported(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    ImageHeader header;

    create(fixture->path, "compat=1.1", "1M");
    poke(fixture->path, 8, 4096, 8);
    poke(fixture->path, 32, 2, 4);
    poke(fixture->path, 60, 3, 4);
    poke(fixture->path, 72, 0x8000000000000067, 8);
    image_header_read(fixture->path, IMAGE_FORMAT_QCOW2, &header, &error);
    g_assert_no_error(error);
    g_assert_true(header.dirty && header.corrupt && header.has_data_file && header.has_backing &&
                  header.encrypted);
    g_assert_cmpuint(header.snapshots, ==, 3);
    g_assert_cmpuint(header.unknown_features, ==, 0x8000000000000060);
}

/* A guest with a raw disk can write any header into it. */
static void
test_raw_is_not_probed(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    ImageHeader header;
    struct stat status;

    create(fixture->path, "compat=1.1", "10G");
    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    image_header_read(fixture->path, IMAGE_FORMAT_RAW, &header, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(header.shape.virtual_size_bytes, ==, (guint64)status.st_size);
    g_assert_cmpuint(header.shape.cluster_size_bytes, ==, 0);
    g_assert_null(image_shape_compat(&header.shape));
}

static void
test_only_regular_files_are_read(Fixture *fixture, const void *data)
{
    g_autofree char *fifo_cause = NULL;
    g_autofree char *directory_cause = NULL;
    g_autofree char *missing_cause = read_cause(fixture->path, IMAGE_FORMAT_QCOW2);

    g_assert_nonnull(strstr(missing_cause, "No such file"));
    g_assert_cmpint(mkfifo(fixture->path, 0600), ==, 0);
    fifo_cause = read_cause(fixture->path, IMAGE_FORMAT_RAW);
    g_assert_cmpstr(fifo_cause, ==, "it is not a regular file");
    directory_cause = read_cause(fixture->directory, IMAGE_FORMAT_RAW);
    g_assert_cmpstr(directory_cause, ==, "it is not a regular file");
}

static void
test_link_on_the_source_is_followed(Fixture *fixture, const void *data)
{
    g_autofree char *link = g_strconcat(fixture->path, ".link", NULL);
    g_autofree char *cause = NULL;

    create(fixture->path, "compat=1.1", "1M");
    g_assert_cmpint(symlink(fixture->path, link), ==, 0);
    cause = read_cause(link, IMAGE_FORMAT_QCOW2);
    g_assert_null(cause);
    g_unlink(link);
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
    g_test_add_func("/image-header/shapes", test_shapes_differ_in_anything);
    g_test_add("/image-header/interrupted", Fixture, NULL, set_up,
               test_reading_may_be_interrupted_and_may_fail, tear_down);
    add("/image-header/says-the-same-as-qemu-img", test_same_as_qemu_img);
    add("/image-header/damage-is-refused", test_damage_is_refused);
    add("/image-header/extended-entries-need-large-clusters",
        test_extended_entries_need_large_clusters);
    add("/image-header/largest-size-is-accepted", test_largest_size_is_accepted);
    add("/image-header/cut-off-header-is-refused", test_cut_off_header_is_refused);
    add("/image-header/features-are-reported", test_features_are_reported);
    add("/image-header/raw-is-not-probed", test_raw_is_not_probed);
    add("/image-header/only-regular-files-are-read", test_only_regular_files_are_read);
    add("/image-header/link-on-the-source-is-followed", test_link_on_the_source_is_followed);
    return g_test_run();
}
