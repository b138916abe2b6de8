/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of one lease: made together, all recorded before any can be seen, and removed again. */
#pragma once

#include "common/lease_store.h"
#include "storprep/image_owner.h"
#include "storprep/target_request.h"

#define TARGET_ASSET "target" /* kind of the assets; their key is the path */

/*
 * The assets for @request, state "planned": GPtrArray of LeaseAsset *. Each detail holds the shape,
 * the image directory, the pool that it is a volume of, if any, and the part name (see
 * image_target.h); once the file is there its state is "made" and the detail has its identity too.
 * FAULT_TARGET_REFUSED. Pure.
 */
GPtrArray *target_files_plan(const TargetRequest *request, const char *const *directories,
                             GError **error);

/*
 * Makes every file of @lease, whose assets are as planned, durable and @owner's. They are filled a
 * few at a time, while what they are is recorded, and are durable when this returns; after the
 * first error no more are begun, and what there is is left to target_files_remove(). The assets
 * then also say what the files are like untouched, which is left to the caller to record.
 * FAULT_TARGET_EXISTS, FAULT_TARGET_REFUSED, FAULT_NO_SPACE, FAULT_PROGRAM_FAILED,
 * FAULT_IMAGE_INVALID, FAULT_STORE_FAILED. Blocks.
 */
gboolean target_files_make(LeaseStore *store, Lease *lease, const ImageOwner *owner,
                           GError **error);

/* Records that what is written to the files of @lease from now on is ours, until
 * target_files_account(). FAULT_STORE_FAILED. */
gboolean target_files_fill(LeaseStore *store, Lease *lease, GError **error);
/* Records that whatever has been written to the files of @lease so far is no guest's.
 * FAULT_STORE_FAILED, FAULT_INTERNAL. Blocks. */
gboolean target_files_account(LeaseStore *store, Lease *lease, GError **error);
/* Whether one of them was written to since by who knows whom. One that cannot be looked at was not:
 * target_files_remove() looks again. Blocks. */
gboolean target_files_are_written(const Lease *lease);

/*
 * Removes what target_files_make() left, whenever it was interrupted; @lease as the store has it
 * now. With @keep only unfinished files go: the finished ones belong to the guest. Goes on after an
 * error and returns the first. FAULT_TARGET_REFUSED for a file that was written to since, which is
 * left. A repeat is harmless. Blocks.
 */
gboolean target_files_remove(const Lease *lease, gboolean keep, GError **error);

/*
 * Opens the finished file of @asset for reading and writing. FAULT_TARGET_REFUSED if it is not
 * there, or another one is in its place.
 */
gboolean target_file_open(const LeaseAsset *asset, FileDescriptor *ret_fd, GError **error);
/* That every file of @lease, which somebody has filled, is still the one that was made, of its
 * shape and sound, and durable. FAULT_TARGET_REFUSED, FAULT_IMAGE_INVALID, FAULT_NO_SPACE. Blocks.
 */
gboolean target_files_seal(const Lease *lease, GError **error);

/* What an asset's detail has: how it is made (borrowing names), what lies below
 * it, and the image directory (borrowed). */
ImageRecipe target_asset_recipe(const LeaseAsset *asset);
const json_t *target_asset_chain(const LeaseAsset *asset); /* borrowed; NULL: none */
const char *target_asset_root(const LeaseAsset *asset);
