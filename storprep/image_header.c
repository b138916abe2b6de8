/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the decoding of image headers: one bounded read, no allocation by numbers in the file. */
#include "storprep/image_header.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_place.h"

#define QCOW2_MAGIC          0x514649fbu /* "QFI\xfb" */
#define QCOW2_V2_BYTES       72
#define QCOW2_V3_BYTES       104
#define CLUSTER_BITS_MIN     9
#define CLUSTER_BITS_MAX     21
#define CLUSTER_BITS_MIN_EXT 14 /* extended L2 entries need clusters of 16 KiB and more */
#define REFCOUNT_ORDER_MAX   6
#define REFCOUNT_BITS_V2     16

/* Offsets of the header's fields, all big-endian. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_BACKING_OFFSET = 8,
    AT_CLUSTER_BITS = 20,
    AT_SIZE = 24,
    AT_CRYPT_METHOD = 32,
    AT_SNAPSHOTS = 60,
    AT_INCOMPATIBLE = 72,
    AT_COMPATIBLE = 80,
    AT_REFCOUNT_ORDER = 96,
    AT_HEADER_LENGTH = 100,
};

enum {
    INCOMPATIBLE_DIRTY = 1 << 0,
    INCOMPATIBLE_CORRUPT = 1 << 1,
    INCOMPATIBLE_DATA_FILE = 1 << 2,
    INCOMPATIBLE_COMPRESSION = 1 << 3, /* how old clusters are packed; a copy is not packed */
    INCOMPATIBLE_EXTENDED_L2 = 1 << 4,
    INCOMPATIBLE_KNOWN = (1 << 5) - 1,
    COMPATIBLE_LAZY_REFCOUNTS = 1 << 0,
};

gboolean
image_format_from_name(const char *name, ImageFormat *ret_format)
{
    if (g_str_equal(name, "raw"))
        *ret_format = IMAGE_FORMAT_RAW;
    else if (g_str_equal(name, "qcow2"))
        *ret_format = IMAGE_FORMAT_QCOW2;
    else
        return FALSE;
    return TRUE;
}

const char *
image_format_name(ImageFormat format)
{
    return format == IMAGE_FORMAT_QCOW2 ? "qcow2" : "raw";
}

const char *
image_shape_compat(const ImageShape *shape)
{
    if (shape->format == IMAGE_FORMAT_RAW)
        return NULL;
    return shape->version == 2 ? "0.10" : "1.1";
}

gboolean
image_shape_equal(const ImageShape *a, const ImageShape *b)
{
    return a->format == b->format && a->virtual_size_bytes == b->virtual_size_bytes &&
           a->cluster_size_bytes == b->cluster_size_bytes && a->version == b->version &&
           a->refcount_bits == b->refcount_bits && !a->extended_l2 == !b->extended_l2 &&
           !a->lazy_refcounts == !b->lazy_refcounts;
}

static guint32
read_u32(const guint8 *header, size_t offset)
{
    guint32 value;

    memcpy(&value, header + offset, sizeof value);
    return GUINT32_FROM_BE(value);
}

static guint64
read_u64(const guint8 *header, size_t offset)
{
    guint64 value;

    memcpy(&value, header + offset, sizeof value);
    return GUINT64_FROM_BE(value);
}

static gboolean G_GNUC_PRINTF(3, 4)
    set_invalid(GError **error, const char *path, const char *format, ...)
{
    g_autofree char *object = g_strdup_printf("image '%s'", path);
    g_autofree char *cause = NULL;
    va_list arguments;

    va_start(arguments, format);
    cause = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fault_set(error, FAULT_IMAGE_INVALID, object,
              "check the image with 'qemu-img check' and the format that the guest's definition "
              "gives it",
              "%s", cause);
    return FALSE;
}

static gboolean
decode_v3(const guint8 *header, size_t bytes, const char *path, ImageHeader *image, GError **error)
{
    guint64 incompatible, compatible;
    guint32 order, length;

    if (bytes < QCOW2_V3_BYTES)
        return set_invalid(error, path, "the qcow2 header is cut off at %zu bytes", bytes);
    incompatible = read_u64(header, AT_INCOMPATIBLE);
    compatible = read_u64(header, AT_COMPATIBLE);
    order = read_u32(header, AT_REFCOUNT_ORDER);
    length = read_u32(header, AT_HEADER_LENGTH);
    if (order > REFCOUNT_ORDER_MAX)
        return set_invalid(error, path, "refcount order %u is above %u", order, REFCOUNT_ORDER_MAX);
    if (length < QCOW2_V3_BYTES || length > image->shape.cluster_size_bytes)
        return set_invalid(error, path, "header length %u is impossible", length);
    image->shape.refcount_bits = 1u << order;
    image->shape.extended_l2 = (incompatible & INCOMPATIBLE_EXTENDED_L2) != 0;
    image->shape.lazy_refcounts = (compatible & COMPATIBLE_LAZY_REFCOUNTS) != 0;
    image->dirty = (incompatible & INCOMPATIBLE_DIRTY) != 0;
    image->corrupt = (incompatible & INCOMPATIBLE_CORRUPT) != 0;
    image->has_data_file = (incompatible & INCOMPATIBLE_DATA_FILE) != 0;
    image->unknown_features = incompatible & ~(guint64)INCOMPATIBLE_KNOWN;
    if (image->shape.extended_l2 && image->shape.cluster_size_bytes < 1u << CLUSTER_BITS_MIN_EXT)
        return set_invalid(error, path, "extended L2 entries with clusters of %u bytes",
                           image->shape.cluster_size_bytes);
    return TRUE;
}

static gboolean
decode_qcow2(const guint8 *header, size_t bytes, const char *path, ImageHeader *image,
             GError **error)
{
    guint32 cluster_bits, version;

    if (bytes < QCOW2_V2_BYTES || read_u32(header, AT_MAGIC) != QCOW2_MAGIC)
        return set_invalid(error, path, "it is not a qcow2 image");
    version = read_u32(header, AT_VERSION);
    if (version != 2 && version != 3)
        return set_invalid(error, path, "qcow2 version %u is unknown", version);
    cluster_bits = read_u32(header, AT_CLUSTER_BITS);
    if (cluster_bits < CLUSTER_BITS_MIN || cluster_bits > CLUSTER_BITS_MAX)
        return set_invalid(error, path, "%u cluster bits are outside %u-%u", cluster_bits,
                           CLUSTER_BITS_MIN, CLUSTER_BITS_MAX);
    image->shape.version = version;
    image->shape.cluster_size_bytes = 1u << cluster_bits;
    image->shape.refcount_bits = REFCOUNT_BITS_V2;
    image->shape.virtual_size_bytes = read_u64(header, AT_SIZE);
    image->has_backing = read_u64(header, AT_BACKING_OFFSET) != 0;
    image->encrypted = read_u32(header, AT_CRYPT_METHOD) != 0;
    image->snapshots = read_u32(header, AT_SNAPSHOTS);
    return version == 2 || decode_v3(header, bytes, path, image, error);
}

static gboolean
read_start(int fd, const char *path, guint8 *buffer, size_t size, size_t *ret_bytes, GError **error)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = pread(fd, buffer + done, size - done, (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return set_invalid(error, path, "cannot read it: %s", g_strerror(errno));
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_bytes = done;
    return TRUE;
}

gboolean
image_header_read_fd(int fd, const char *path, ImageFormat format, ImageHeader *ret_header,
                     GError **error)
{
    ImageHeader image = { .shape.format = format };
    guint8 buffer[QCOW2_V3_BYTES];
    struct stat status;
    size_t bytes = 0;

    if (fstat(fd, &status) < 0)
        return set_invalid(error, path, "cannot examine it: %s", g_strerror(errno));
    if (!S_ISREG(status.st_mode))
        return set_invalid(error, path, "it is not a regular file");
    if (format == IMAGE_FORMAT_RAW)
        image.shape.virtual_size_bytes = (guint64)status.st_size;
    else if (!read_start(fd, path, buffer, sizeof buffer, &bytes, error) ||
             !decode_qcow2(buffer, bytes, path, &image, error))
        return FALSE;
    if (image.shape.virtual_size_bytes > LIMIT_IMAGE_BYTES)
        return set_invalid(error, path, "its size of %" G_GUINT64_FORMAT " bytes is above %lld",
                           image.shape.virtual_size_bytes, LIMIT_IMAGE_BYTES);
    *ret_header = image;
    return TRUE;
}

gboolean
image_header_read(const char *path, ImageFormat format, ImageHeader *ret_header, GError **error)
{
    /* O_NONBLOCK: a FIFO in place of the image must not hold the worker. */
    g_auto(FileDescriptor) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return set_invalid(error, path, "cannot open it: %s", g_strerror(errno));
    return image_header_read_fd(fd, path, format, ret_header, error);
}
