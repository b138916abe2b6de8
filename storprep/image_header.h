/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what an image says about itself. The format is always told, never guessed: a guest could
 * write a qcow2 header into its raw disk and have us follow a path of its choice. */
#pragma once

#include <glib.h>

typedef enum {
    IMAGE_FORMAT_RAW,
    IMAGE_FORMAT_QCOW2,
} ImageFormat;

/* What two images must have in common for one to take the content of the other. Only the first two
 * members mean anything for a raw image; the others are then zero. */
typedef struct {
    ImageFormat format;
    guint64 virtual_size_bytes;
    guint32 cluster_size_bytes;
    unsigned version; /* 2: compat 0.10, 3: compat 1.1 */
    unsigned refcount_bits;
    gboolean extended_l2;
    gboolean lazy_refcounts;
} ImageShape;

/* A qcow2 image may also carry what a copy cannot reproduce. All zero for a raw image. */
typedef struct {
    ImageShape shape;
    gboolean dirty; /* refcounts are rebuilt at the next open; normal while a guest runs */
    gboolean corrupt;
    gboolean encrypted;
    gboolean has_backing;
    gboolean has_data_file;
    guint32 snapshots;        /* internal ones */
    guint64 unknown_features; /* incompatible feature bits that this reader does not know */
} ImageHeader;

/* "qcow2" or "raw"; FALSE for any other name. */
gboolean image_format_from_name(const char *name, ImageFormat *ret_format);
const char *image_format_name(ImageFormat format); /* static */
/* "0.10" or "1.1"; NULL for a raw image. Static. */
const char *image_shape_compat(const ImageShape *shape);
gboolean image_shape_equal(const ImageShape *a, const ImageShape *b);

/*
 * Reads the header of the image at @path, for writing closed and locked or not. Symbolic links are
 * followed, since administrators keep images behind them and @path comes from libvirt's
 * configuration, not from a caller; whatever they lead to must be a regular file. Blocks.
 * FAULT_IMAGE_INVALID naming @path; on success the numbers lie within the limits of the qcow2
 * specification (docs/interop/qcow2.txt in QEMU) and LIMIT_IMAGE_BYTES.
 */
gboolean image_header_read(const char *path, ImageFormat format, ImageHeader *ret_header,
                           GError **error);
/* The same for an open file, whose position is left alone; @path is for messages. */
gboolean image_header_read_fd(int fd, const char *path, ImageFormat format, ImageHeader *ret_header,
                              GError **error);
