/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the making of image files: shape rules, qemu-img's arguments, and the exclusive birth. */
#include "storprep/image_target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "common/program.h"

#define CLUSTER_BYTES_MIN         512u
#define CLUSTER_BYTES_MAX         (2u * 1024 * 1024)
#define CLUSTER_BYTES_MIN_EXT     (16u * 1024)
#define REFCOUNT_BITS_DEFAULT     16
#define SECTOR_BYTES              512
#define QEMU_IMG_SECONDS          60         /* it writes a header and a few tables */
#define WRITE_BYTES_PER_SEC       (16 << 20) /* a slow disk's */
#define ARGUMENTS_WITHOUT_BACKING 9          /* of qemu-img */
#define TABLE_BYTES_PER_SEC       (1 << 30)  /* of the disk that tables are written for */
#define COPY_BYTES                (1 << 20)  /* at once */

/* Pointers that one qcow2 L1 table may hold: QEMU refuses more than 32 MiB (QCOW_MAX_L1_SIZE). */
#define L1_BYTES_MAX (32u * 1024 * 1024)

static gboolean
refuse_shape(GError **error, const char *path, const char *cause)
{
    g_autofree char *object = g_strdup_printf("target '%s'", path);

    fault_set(error, FAULT_INVALID_ARGUMENT, object,
              "ask for the shape that Describe gives for the source image", "%s", cause);
    return FALSE;
}

static gboolean
is_power_of_two(guint64 value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static guint64
l2_entry_bytes(const ImageShape *shape)
{
    return shape->extended_l2 ? 16 : 8;
}

static guint64
divide_up(guint64 value, guint64 unit)
{
    return value / unit + (value % unit != 0);
}

/* The L1 table's size: small clusters cannot describe a large disk. */
static guint64
l1_bytes(const ImageShape *shape)
{
    guint64 clusters = divide_up(shape->virtual_size_bytes, shape->cluster_size_bytes);
    guint64 entries_per_table = shape->cluster_size_bytes / l2_entry_bytes(shape);

    return divide_up(clusters, entries_per_table) * sizeof(guint64);
}

static const char *
find_qcow2_mistake(const ImageShape *shape)
{
    guint32 cluster = shape->cluster_size_bytes;

    if (!is_power_of_two(cluster) || cluster < CLUSTER_BYTES_MIN || cluster > CLUSTER_BYTES_MAX)
        return "the cluster size is not a power of two from 512 to 2097152";
    if (!is_power_of_two(shape->refcount_bits) || shape->refcount_bits > 64)
        return "the refcount bits are not a power of two from 1 to 64";
    if (shape->version != 2 && shape->version != 3)
        return "compat is neither 0.10 nor 1.1";
    if (shape->version == 2 && (shape->extended_l2 || shape->lazy_refcounts ||
                                shape->refcount_bits != REFCOUNT_BITS_DEFAULT))
        return "compat 0.10 has no extended L2 entries, lazy refcounts or other refcount bits";
    if (shape->extended_l2 && cluster < CLUSTER_BYTES_MIN_EXT)
        return "extended L2 entries need clusters of 16384 bytes or more";
    if (shape->virtual_size_bytes % SECTOR_BYTES != 0)
        return "the virtual size of a qcow2 image is a multiple of 512";
    if (l1_bytes(shape) > L1_BYTES_MAX)
        return "clusters of this size cannot hold so large a disk";
    return NULL;
}

static const char *
find_raw_mistake(const ImageShape *shape)
{
    if (shape->cluster_size_bytes || shape->version || shape->refcount_bits || shape->extended_l2 ||
        shape->lazy_refcounts)
        return "a raw image has no clusters, compat level, L2 entries or refcounts";
    return NULL;
}

gboolean
image_shape_check(const ImageShape *shape, const char *path, GError **error)
{
    const char *mistake;

    if (shape->virtual_size_bytes == 0)
        return refuse_shape(error, path, "the virtual size is zero");
    if (shape->virtual_size_bytes > LIMIT_IMAGE_BYTES)
        return refuse_shape(error, path, "the virtual size is above 64 TiB");
    mistake =
        shape->format == IMAGE_FORMAT_RAW ? find_raw_mistake(shape) : find_qcow2_mistake(shape);
    return !mistake || refuse_shape(error, path, mistake);
}

static const char *const allocation_names[] = {
    [IMAGE_ALLOCATION_OFF] = "off",
    [IMAGE_ALLOCATION_METADATA] = "metadata",
    [IMAGE_ALLOCATION_FALLOC] = "falloc",
    [IMAGE_ALLOCATION_FULL] = "full",
};

const char *
image_allocation_name(ImageAllocation allocation)
{
    return allocation_names[allocation];
}

gboolean
image_allocation_from_name(const char *name, ImageAllocation *ret_allocation)
{
    for (guint i = 0; i < G_N_ELEMENTS(allocation_names); i++) {
        if (g_str_equal(name ? name : "off", allocation_names[i])) {
            *ret_allocation = (ImageAllocation)i;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
image_recipe_check(const ImageRecipe *recipe, const char *path, GError **error)
{
    if (!image_shape_check(&recipe->shape, path, error))
        return FALSE;
    if (recipe->shape.format == IMAGE_FORMAT_RAW && recipe->allocation == IMAGE_ALLOCATION_METADATA)
        return refuse_shape(error, path, "a raw image has no metadata to allocate");
    if (recipe->backing && recipe->shape.format == IMAGE_FORMAT_RAW)
        return refuse_shape(error, path, "a raw image has nothing below it");
    if (recipe->backing && recipe->allocation != IMAGE_ALLOCATION_OFF)
        return refuse_shape(error, path, "what is allocated would hide the image below it");
    return TRUE;
}

guint64
image_shape_maximum_bytes(const ImageShape *shape)
{
    guint64 cluster = shape->cluster_size_bytes;
    guint64 per_block, tables, content, blocks;

    if (shape->format == IMAGE_FORMAT_RAW)
        return shape->virtual_size_bytes;
    tables = divide_up(l1_bytes(shape), cluster) + l1_bytes(shape) / sizeof(guint64);
    content = 1 + tables + divide_up(shape->virtual_size_bytes, cluster);
    /* A refcount block counts itself too; the refcount table needs a cluster or few. */
    per_block = cluster * 8 / shape->refcount_bits;
    blocks = 1 + divide_up(content, per_block - 1);
    return (content + blocks + 1 + divide_up(blocks * sizeof(guint64), cluster)) * cluster;
}

char *
image_part_name_new(void)
{
    g_autofree char *uuid = g_uuid_string_random();

    return g_strdup_printf(".migprep-%s.part", uuid);
}

gboolean
image_part_create(const ImagePlace *place, const char *part_name, FileDescriptor *ret_fd,
                  FileIdentity *ret_identity, GError **error)
{
    g_auto(FileDescriptor) fd = openat(place->directory_fd, part_name,
                                       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return image_place_fault(error, errno, place->path, "cannot create it");
    if (!file_identity_read(fd, place->path, ret_identity, error))
        return FALSE;
    *ret_fd = fd;
    fd = -1;
    return TRUE;
}

static char *
format_options(const ImageRecipe *recipe)
{
    const ImageShape *shape = &recipe->shape;
    GString *options = g_string_new(NULL);

    g_string_printf(options, "preallocation=%s", image_allocation_name(recipe->allocation));
    if (shape->format == IMAGE_FORMAT_RAW)
        return g_string_free(options, FALSE);
    g_string_append_printf(options, ",cluster_size=%u,compat=%s,refcount_bits=%u,lazy_refcounts=%s",
                           shape->cluster_size_bytes, image_shape_compat(shape),
                           shape->refcount_bits, shape->lazy_refcounts ? "on" : "off");
    if (shape->extended_l2)
        g_string_append(options, ",extended_l2=on");
    return g_string_free(options, FALSE);
}

static unsigned
deadline_seconds(const ImageRecipe *recipe)
{
    guint64 size = recipe->shape.virtual_size_bytes;

    switch (recipe->allocation) {
    case IMAGE_ALLOCATION_OFF:
        return QEMU_IMG_SECONDS;
    case IMAGE_ALLOCATION_METADATA:
    case IMAGE_ALLOCATION_FALLOC:
        return QEMU_IMG_SECONDS + (unsigned)(size / TABLE_BYTES_PER_SEC);
    case IMAGE_ALLOCATION_FULL:
        return QEMU_IMG_SECONDS + (unsigned)(size / WRITE_BYTES_PER_SEC);
    }
    g_return_val_if_reached(QEMU_IMG_SECONDS);
}

static gboolean
check_qemu_img(const ImagePlace *place, const ProgramResult *result, GError **error)
{
    g_autofree char *object = g_strdup_printf("target '%s'", place->path);

    if (result->exit_status == 0)
        return TRUE;
    g_strstrip(result->error_text);
    if (strstr(result->error_text, g_strerror(ENOSPC)))
        return image_place_fault(error, ENOSPC, place->path, "cannot write it");
    fault_set(error, FAULT_PROGRAM_FAILED, object,
              "see that qemu-img on this host is as new as the source's",
              "qemu-img create ended with status %d: %s", result->exit_status, result->error_text);
    return FALSE;
}

static gboolean
run_qemu_img(const ImagePlace *place, int fd, const ImageRecipe *recipe, GError **error)
{
    const ImageShape *shape = &recipe->shape;
    g_autofree char *options = format_options(recipe);
    g_autofree char *file = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), fd);
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, shape->virtual_size_bytes);
    /* -u: whether the image below is the right one is known, and opening it would lock it. */
    const char *argv[] = { "qemu-img",
                           "create",
                           "-q",
                           "-f",
                           image_format_name(shape->format),
                           "-o",
                           options,
                           file,
                           size,
                           "-u",
                           "-b",
                           recipe->backing,
                           "-F",
                           image_format_name(recipe->backing_format),
                           NULL };
    g_auto(ProgramResult) result = { 0 };

    if (!recipe->backing)
        argv[ARGUMENTS_WITHOUT_BACKING] = NULL;
    return program_run(argv, NULL, deadline_seconds(recipe), NULL, &result, error) &&
           check_qemu_img(place, &result, error);
}

static gboolean
verify(const ImagePlace *place, int fd, const ImageRecipe *recipe, GError **error)
{
    const ImageShape *shape = &recipe->shape;
    g_autofree char *object = NULL;
    ImageHeader made;

    if (!image_header_read_fd(fd, place->path, shape->format, &made, error))
        return FALSE;
    if (image_shape_equal(&made.shape, shape) && made.has_backing == (recipe->backing != NULL) &&
        !made.has_data_file)
        return TRUE;
    object = g_strdup_printf("target '%s'", place->path);
    fault_set(error, FAULT_IMAGE_INVALID, object,
              "see that qemu-img on this host is as new as the source's",
              "qemu-img made an image of another shape than it was asked for");
    return FALSE;
}

static gboolean
copy_content(const ImagePlace *place, int memory_fd, int fd, GError **error)
{
    off_t offset = 0;
    ssize_t sent;

    do
        sent = sendfile(fd, memory_fd, &offset, COPY_BYTES);
    while (sent > 0);
    return sent == 0 || image_place_fault(error, errno, place->path, "cannot write it");
}

/* qemu-img syncs after each table that it writes. In memory that waits for no disk, and what comes
 * of it, a header and tables, is written at once and synced once, by the caller. */
static gboolean
make_in_memory(const ImagePlace *place, int fd, const ImageRecipe *recipe, GError **error)
{
    g_auto(FileDescriptor) memory_fd = memfd_create("image", MFD_CLOEXEC);

    if (memory_fd < 0)
        return image_place_fault(error, errno, place->path, "cannot prepare it in memory");
    return run_qemu_img(place, memory_fd, recipe, error) &&
           copy_content(place, memory_fd, fd, error);
}

static gboolean
make_content(const ImagePlace *place, int fd, const ImageRecipe *recipe, GError **error)
{
    const ImageShape *shape = &recipe->shape;

    if (recipe->allocation != IMAGE_ALLOCATION_OFF)
        return run_qemu_img(place, fd, recipe, error);
    if (shape->format == IMAGE_FORMAT_QCOW2)
        return make_in_memory(place, fd, recipe, error);
    return ftruncate(fd, (off_t)shape->virtual_size_bytes) == 0 ||
           image_place_fault(error, errno, place->path, "cannot set its size");
}

gboolean
image_part_fill(const ImagePlace *place, int fd, const ImageRecipe *recipe, GError **error)
{
    return make_content(place, fd, recipe, error) && verify(place, fd, recipe, error);
}

gboolean
image_part_publish(const ImagePlace *place, const char *part_name, int fd, GError **error)
{
    g_autofree char *file = g_strdup_printf("/proc/self/fd/%d", fd);

    /* By descriptor: what gets the name is the file that was verified. */
    if (linkat(AT_FDCWD, file, place->directory_fd, place->name, AT_SYMLINK_FOLLOW) < 0)
        return image_place_fault(error, errno, place->path, "cannot give it its name");
    if (unlinkat(place->directory_fd, part_name, 0) < 0)
        return image_place_fault(error, errno, place->path, "cannot remove its first name");
    return TRUE;
}

gboolean
image_part_sync(const ImagePlace *place, int fd, GError **error)
{
    return fsync(fd) == 0 || image_place_fault(error, errno, place->path, "cannot make it durable");
}
