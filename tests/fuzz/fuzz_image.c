/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The header of an image, which its guest may have written. */
#include <sys/mman.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "fuzz.h"
#include "storprep/image_header.h"

static void
check_shape(const ImageHeader *header)
{
    const ImageShape *shape = &header->shape;

    FUZZ_ASSERT(shape->virtual_size_bytes <= LIMIT_IMAGE_BYTES);
    FUZZ_ASSERT(image_shape_equal(shape, shape));
    if (shape->format != IMAGE_FORMAT_QCOW2)
        return;
    FUZZ_ASSERT(shape->version == 2 || shape->version == 3);
    FUZZ_ASSERT(shape->cluster_size_bytes >= 512 && shape->cluster_size_bytes <= 2 << 20);
    FUZZ_ASSERT(shape->refcount_bits >= 1 && shape->refcount_bits <= 64);
    FUZZ_ASSERT(!shape->extended_l2 || shape->cluster_size_bytes >= 16384);
}

static void
read_as(int fd, ImageFormat format)
{
    ImageHeader header = { 0 };
    g_autoptr(GError) error = NULL;

    if (image_header_read_fd(fd, "image", format, &header, &error))
        check_shape(&header);
    else
        FUZZ_ASSERT(fault_code(error) == FAULT_IMAGE_INVALID);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    read_as(fd, IMAGE_FORMAT_QCOW2);
    read_as(fd, IMAGE_FORMAT_RAW);
    close(fd);
    return 0;
}
