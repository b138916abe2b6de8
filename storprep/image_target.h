/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes one empty image of a given shape, under a name that nothing had before. */
#pragma once

#include "storprep/image_header.h"
#include "storprep/image_place.h"

/*
 * Theory of operation. The file is born under a name of our own making (the part name, which holds
 * a random UUID and is recorded first), is recorded by its identity, filled, verified, made durable
 * and only then linked to its final name, which link(2) refuses if anything is there. So at every
 * instant whatever exists is either provably ours or not ours, and a target that can be seen is
 * complete. qemu-img is given our open descriptor through /proc, not a path: nobody can slip it
 * another file. That is one of the file itself if something is to be allocated, else of memory,
 * which is copied. Its mode is 0600.
 */

/* What is written beforehand, as qemu-img's preallocation= has it. */
typedef enum {
    IMAGE_ALLOCATION_OFF,      /* nothing: it grows as it is written */
    IMAGE_ALLOCATION_METADATA, /* the tables; not for raw images */
    IMAGE_ALLOCATION_FALLOC,   /* its room is reserved */
    IMAGE_ALLOCATION_FULL,     /* zeros */
} ImageAllocation;

typedef struct {
    ImageShape shape;
    ImageAllocation allocation;
    const char *backing; /* absolute path of the image below, borrowed; NULL: none */
    ImageFormat backing_format;
} ImageRecipe;

/* "falloc". Static. */
const char *image_allocation_name(ImageAllocation allocation);
/* The reverse, OFF for NULL; FALSE if there is none of that name. */
gboolean image_allocation_from_name(const char *name, ImageAllocation *ret_allocation);

/* Pure. FAULT_INVALID_ARGUMENT naming @path if no image can have this shape, or not be made so. */
gboolean image_shape_check(const ImageShape *shape, const char *path, GError **error);
gboolean image_recipe_check(const ImageRecipe *recipe, const char *path, GError **error);
/* Pure: the bytes that an image of this (checked) shape occupies when every cluster is written. */
guint64 image_shape_maximum_bytes(const ImageShape *shape);

/* A new random name for image_part_create(). Owned by the caller. */
char *image_part_name_new(void);
/* Creates the empty file. FAULT_NO_SPACE, FAULT_INTERNAL. Blocks. */
gboolean image_part_create(const ImagePlace *place, const char *part_name, FileDescriptor *ret_fd,
                           FileIdentity *ret_identity, GError **error);
/* Makes it by @recipe and reads its shape back. The image below is named in it, and not looked at.
 * FAULT_NO_SPACE, FAULT_PROGRAM_FAILED, FAULT_IMAGE_INVALID (it is not what was asked for),
 * FAULT_TIMED_OUT. Blocks, for a full allocation as long as the disk takes to be written. */
gboolean image_part_fill(const ImagePlace *place, int fd, const ImageRecipe *recipe,
                         GError **error);
/* Gives it its final name and takes the part name away; image_place_sync() makes that durable.
 * FAULT_TARGET_EXISTS. Blocks. */
gboolean image_part_publish(const ImagePlace *place, const char *part_name, int fd, GError **error);
/* Makes what is in it durable. FAULT_NO_SPACE, FAULT_INTERNAL. Blocks. */
gboolean image_part_sync(const ImagePlace *place, int fd, GError **error);
