/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what a lease remembers about its files, and the order of record and deed. */
#include "storprep/target_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/parallel.h"
#include "storprep/lease_book.h"

/* Filling waits for programs and disks; more at once gain nothing, on any number of processors. */
#define WORKERS_MAX 8

/* One file in the making. */
typedef struct {
    const LeaseAsset *asset; /* borrowed */
    ImagePlace place;
    FileDescriptor fd;
    FileIdentity identity;
} Part;

typedef struct {
    LeaseStore *store;
    const Lease *lease;
    GArray *parts; /* of Part */
    const ImageOwner *owner;
    gint next;   /* the first that nobody has begun to fill */
    gint failed; /* then no more are begun */
} Batch;

static json_t *
pack_detail(const ImageRecipe *recipe, const char *root)
{
    const ImageShape *shape = &recipe->shape;
    g_autofree char *part = image_part_name_new();

    return json_pack("{s:s, s:I, s:i, s:i, s:i, s:b, s:b, s:s, s:s, s:s}", "format",
                     image_format_name(shape->format), "virtualSizeBytes",
                     (json_int_t)shape->virtual_size_bytes, "clusterSizeBytes",
                     (int)shape->cluster_size_bytes, "version", (int)shape->version, "refcountBits",
                     (int)shape->refcount_bits, "extendedL2", shape->extended_l2, "lazyRefcounts",
                     shape->lazy_refcounts, "root", root, "part", part, "preallocation",
                     image_allocation_name(recipe->allocation));
}

static json_int_t
get_integer(const LeaseAsset *asset, const char *name)
{
    return json_integer_value(json_object_get(asset->detail, name));
}

static const char *
get_string(const LeaseAsset *asset, const char *name)
{
    const char *value = json_string_value(json_object_get(asset->detail, name));

    return value ? value : "";
}

static ImageShape
get_shape(const LeaseAsset *asset)
{
    return (ImageShape) {
        .format =
            g_str_equal(get_string(asset, "format"), "raw") ? IMAGE_FORMAT_RAW : IMAGE_FORMAT_QCOW2,
        .virtual_size_bytes = (guint64)get_integer(asset, "virtualSizeBytes"),
        .cluster_size_bytes = (guint32)get_integer(asset, "clusterSizeBytes"),
        .version = (unsigned)get_integer(asset, "version"),
        .refcount_bits = (unsigned)get_integer(asset, "refcountBits"),
        .extended_l2 = json_is_true(json_object_get(asset->detail, "extendedL2")),
        .lazy_refcounts = json_is_true(json_object_get(asset->detail, "lazyRefcounts")),
    };
}

static FileIdentity
get_identity(const LeaseAsset *asset)
{
    return (FileIdentity) {
        .device = (guint64)get_integer(asset, "device"),
        .inode = (guint64)get_integer(asset, "inode"),
        .born_nsec = get_integer(asset, "born"),
    };
}

/* FALSE: it was not recorded, since the lease was not ready yet. */
static gboolean
get_stamp(const LeaseAsset *asset, FileStamp *ret_stamp)
{
    ret_stamp->size_bytes = (guint64)get_integer(asset, "sizeBytes");
    ret_stamp->modified_nsec = get_integer(asset, "modified");
    return json_object_get(asset->detail, "modified") != NULL;
}

static gboolean
is_being_filled(const LeaseAsset *asset)
{
    return json_is_true(json_object_get(asset->detail, "filling"));
}

const json_t *
target_asset_chain(const LeaseAsset *asset)
{
    return json_object_get(asset->detail, "backing");
}

ImageRecipe
target_asset_recipe(const LeaseAsset *asset)
{
    ImageRecipe recipe = { .shape = get_shape(asset) };
    const json_t *nearest = json_array_get(target_asset_chain(asset), 0);

    recipe.backing = json_string_value(json_object_get(nearest, "path"));
    if (recipe.backing)
        image_format_from_name(json_string_value(json_object_get(nearest, "format")),
                               &recipe.backing_format);
    image_allocation_from_name(get_string(asset, "preallocation"), &recipe.allocation);
    return recipe;
}

const char *
target_asset_root(const LeaseAsset *asset)
{
    return get_string(asset, "root");
}

static GPtrArray *
new_assets(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
}

GPtrArray *
target_files_plan(const TargetRequest *request, const char *const *directories, GError **error)
{
    g_autoptr(GPtrArray) assets = new_assets();

    for (guint i = 0; i < request->images->len; i++) {
        const TargetImage *image = request->images->pdata[i];
        const char *root = image_place_root(image->path, directories, error);

        if (!root)
            return NULL;
        json_t *detail = pack_detail(&image->recipe, root);

        if (image->chain)
            json_object_set(detail, "backing", image->chain);
        if (image->pool)
            json_object_set_new(detail, "pool", json_string(image->pool));
        g_ptr_array_add(assets, lease_asset_new(TARGET_ASSET, image->path, "planned", detail));
    }
    return g_steal_pointer(&assets);
}

/* The directory is the one of the time of planning, whatever the configuration says today. */
static gboolean
open_place(const LeaseAsset *asset, ImagePlace *ret_place, GError **error)
{
    const char *directories[] = { target_asset_root(asset), NULL };

    return image_place_open(asset->key, directories, ret_place, error);
}

/* Making. */

static void
part_clear(void *data)
{
    Part *part = data;

    image_place_clear(&part->place);
    file_descriptor_close(part->fd);
}

static gboolean
open_part(const LeaseAsset *asset, GArray *parts, GError **error)
{
    Part part = { .asset = asset, .place = { .directory_fd = -1 }, .fd = -1 };
    gboolean good =
        open_place(asset, &part.place, error) && image_place_check_free(&part.place, error) &&
        image_part_create(&part.place, get_string(asset, "part"), &part.fd, &part.identity, error);

    if (good)
        g_array_append_val(parts, part);
    else
        part_clear(&part);
    return good;
}

static gboolean
open_parts(const Lease *lease, GArray *parts, GError **error)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        if (!open_part(lease->assets->pdata[i], parts, error))
            return FALSE;
    }
    return TRUE;
}

/* Another asset with a copy of its detail. */
static LeaseAsset *
copy_asset(const LeaseAsset *asset)
{
    return lease_asset_new(asset->kind, asset->key, asset->state, json_copy(asset->detail));
}

static void
set_stamp(LeaseAsset *asset, const FileStamp *stamp)
{
    json_object_set_new(asset->detail, "sizeBytes", json_integer((json_int_t)stamp->size_bytes));
    json_object_set_new(asset->detail, "modified", json_integer(stamp->modified_nsec));
    json_object_del(asset->detail, "filling");
}

static LeaseAsset *
pack_made(const Part *part)
{
    json_t *detail = json_copy(part->asset->detail);

    json_object_set_new(detail, "device", json_integer((json_int_t)part->identity.device));
    json_object_set_new(detail, "inode", json_integer((json_int_t)part->identity.inode));
    json_object_set_new(detail, "born", json_integer(part->identity.born_nsec));
    return lease_asset_new(TARGET_ASSET, part->asset->key, "made", detail);
}

static GPtrArray *
pack_all_made(const GArray *parts)
{
    GPtrArray *made = new_assets();

    for (guint i = 0; i < parts->len; i++)
        g_ptr_array_add(made, pack_made(&g_array_index(parts, Part, i)));
    return made;
}

static gboolean
record_parts(LeaseStore *store, const Lease *lease, const GArray *parts, GError **error)
{
    g_autoptr(GPtrArray) made = pack_all_made(parts);

    return lease_store_put_assets(store, lease->id, made, FAULT_TARGET_EXISTS, error);
}

static gboolean
fill_part(const Batch *batch, const Part *part, GError **error)
{
    ImageRecipe recipe = target_asset_recipe(part->asset);

    return image_owner_give(batch->owner, &part->place, part->fd, error) &&
           image_part_fill(&part->place, part->fd, &recipe, error);
}

static gboolean
fill_parts(Batch *batch, GError **error)
{
    guint i;

    while (!g_atomic_int_get(&batch->failed) &&
           (i = (guint)g_atomic_int_add(&batch->next, 1)) < batch->parts->len) {
        if (!fill_part(batch, &g_array_index(batch->parts, Part, i), error))
            return FALSE;
    }
    return TRUE;
}

/* The first of several workers records, the others fill. What is filled before its identity is
 * recorded is known by its first name, which was recorded before it was made. */
static gboolean
work_on_parts(guint worker, void *data, GError **error)
{
    Batch *batch = data;
    gboolean good = worker == 0 ? record_parts(batch->store, batch->lease, batch->parts, error)
                                : fill_parts(batch, error);

    if (!good)
        g_atomic_int_set(&batch->failed, TRUE);
    return good;
}

static gboolean
publish_parts(const GArray *parts, GError **error)
{
    for (guint i = 0; i < parts->len; i++) {
        const Part *part = &g_array_index(parts, Part, i);

        if (!image_part_publish(&part->place, get_string(part->asset, "part"), part->fd, error))
            return FALSE;
    }
    return TRUE;
}

/* After all names were given: the first sync then takes most of them along, and each directory is
 * synced once. A file that has its name before it is durable is one of a lease that is not ready,
 * which a power cut ends. */
static gboolean
sync_parts(const GArray *parts, GError **error)
{
    g_autoptr(GHashTable) directories = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iterator;
    void *place;

    for (guint i = 0; i < parts->len; i++) {
        const Part *part = &g_array_index(parts, Part, i);

        if (!image_part_sync(&part->place, part->fd, error))
            return FALSE;
        g_hash_table_insert(directories, part->place.directory, (void *)&part->place);
    }
    g_hash_table_iter_init(&iterator, directories);
    while (g_hash_table_iter_next(&iterator, NULL, &place)) {
        if (!image_place_sync(place, error))
            return FALSE;
    }
    return TRUE;
}

/* What is written from now on is somebody else's. */
static gboolean
stamp_parts(const GArray *parts, Lease *lease, GError **error)
{
    g_autoptr(GPtrArray) made = pack_all_made(parts);
    FileStamp stamp;

    for (guint i = 0; i < parts->len; i++) {
        const Part *part = &g_array_index(parts, Part, i);

        if (!file_stamp_read(part->fd, part->place.path, &stamp, error))
            return FALSE;
        set_stamp(made->pdata[i], &stamp);
    }
    g_ptr_array_unref(lease->assets);
    lease->assets = g_steal_pointer(&made);
    return TRUE;
}

gboolean
target_files_make(LeaseStore *store, Lease *lease, const ImageOwner *owner, GError **error)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
    Batch batch = { .store = store, .lease = lease, .parts = parts, .owner = owner };
    guint workers = MIN(lease->assets->len, MIN(2 * g_get_num_processors(), WORKERS_MAX));

    g_array_set_clear_func(parts, part_clear);
    return open_parts(lease, parts, error) &&
           parallel_run(1 + workers, work_on_parts, &batch, error) && publish_parts(parts, error) &&
           sync_parts(parts, error) && stamp_parts(parts, lease, error);
}

/* Filling from elsewhere. */

gboolean
target_file_open(const LeaseAsset *asset, FileDescriptor *ret_fd, GError **error)
{
    const FileIdentity made = get_identity(asset);
    g_autofree char *object = g_strdup_printf("target '%s'", asset->key);
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;
    FileIdentity found;

    if (!open_place(asset, &place, error))
        return FALSE;
    fd = openat(place.directory_fd, place.name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && !file_identity_read(fd, asset->key, &found, error))
        return FALSE;
    if (fd < 0 || !g_str_equal(asset->state, "made") || !file_identity_equal(&made, &found)) {
        fault_set(error, FAULT_TARGET_REFUSED, object, "look who put it there, and move it away",
                  "it is not the file that was made here any more");
        return FALSE;
    }
    *ret_fd = fd;
    fd = -1;
    return TRUE;
}

static gboolean
seal_file(const LeaseAsset *asset, GError **error)
{
    const ImageShape shape = get_shape(asset);
    g_autofree char *object = g_strdup_printf("target '%s'", asset->key);
    g_auto(FileDescriptor) fd = -1;
    ImageHeader header;

    if (!target_file_open(asset, &fd, error) ||
        !image_header_read_fd(fd, asset->key, shape.format, &header, error))
        return FALSE;
    if (!image_shape_equal(&header.shape, &shape) || header.corrupt || header.has_data_file) {
        fault_set(error, FAULT_IMAGE_INVALID, object, "look for failing disks, then try again",
                  "it has not the shape any more that it was made with");
        return FALSE;
    }
    return fsync(fd) == 0 || image_place_fault(error, errno, asset->key, "cannot make it durable");
}

gboolean
target_files_seal(const Lease *lease, GError **error)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        if (!seal_file(lease->assets->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

/* Who wrote. */

/* Puts what @change makes of the assets of @lease into the store and into @lease. */
static gboolean
change_assets(LeaseStore *store, Lease *lease,
              gboolean (*change)(LeaseAsset *asset, GError **error), GError **error)
{
    g_autoptr(GPtrArray) changed = new_assets();

    for (guint i = 0; i < lease->assets->len; i++) {
        g_ptr_array_add(changed, copy_asset(lease->assets->pdata[i]));
        if (!change(changed->pdata[i], error))
            return FALSE;
    }
    if (!lease_store_put_assets(store, lease->id, changed, FAULT_TARGET_EXISTS, error))
        return FALSE;
    g_ptr_array_unref(lease->assets);
    lease->assets = g_steal_pointer(&changed);
    return TRUE;
}

static gboolean
begin_to_fill(LeaseAsset *asset, GError **error)
{
    json_object_set_new(asset->detail, "filling", json_true());
    return TRUE;
}

gboolean
target_files_fill(LeaseStore *store, Lease *lease, GError **error)
{
    return change_assets(store, lease, begin_to_fill, error);
}

static gboolean
find_file(const LeaseAsset *asset, FileStamp *ret_stamp, Find *ret_find, GError **error)
{
    const FileIdentity identity = get_identity(asset);
    g_auto(ImagePlace) place = { .directory_fd = -1 };

    return open_place(asset, &place, error) &&
           image_place_find(&place, &identity, ret_stamp, ret_find, error);
}

static gboolean
account(LeaseAsset *asset, GError **error)
{
    FileStamp stamp;
    Find find;

    if (!find_file(asset, &stamp, &find, error))
        return FALSE;
    if (find == FIND_OURS)
        set_stamp(asset, &stamp);
    return TRUE;
}

gboolean
target_files_account(LeaseStore *store, Lease *lease, GError **error)
{
    return change_assets(store, lease, account, error);
}

/* A lease that was ready before stamps were recorded has none: nothing is known of its files. */
static gboolean
is_written(const Lease *lease, const LeaseAsset *asset)
{
    FileStamp known, found;
    Find find;

    if (is_being_filled(asset) || !find_file(asset, &found, &find, NULL) || find != FIND_OURS)
        return FALSE;
    if (!get_stamp(asset, &known))
        return g_str_equal(lease->state, LEASE_READY);
    return !file_stamp_equal(&known, &found);
}

gboolean
target_files_are_written(const Lease *lease)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        if (is_written(lease, lease->assets->pdata[i]))
            return TRUE;
    }
    return FALSE;
}

/* Removing. */

/* What of a file that was to be removed was found not to be ours alone. */
static gboolean
tell_find(const ImagePlace *place, Find find, GError **error)
{
    g_autofree char *object = g_strdup_printf("target '%s'", place->path);

    switch (find) {
    case FIND_NOTHING:
    case FIND_OURS:
        break;
    case FIND_FOREIGN:
        g_warning("'%s' is not the file that was made here: it is left alone", place->path);
        break;
    case FIND_WRITTEN:
        fault_set(error, FAULT_TARGET_REFUSED, object, "look who did, and whether it is needed",
                  "it was written to while it was to be removed");
        return FALSE;
    }
    return TRUE;
}

/* The part name has an unfinished file, or, of one that was finished (and so has a stamp), what an
 * interrupted removal had aside. */
static gboolean
clear_part(const ImagePlace *place, const LeaseAsset *asset, gboolean finished, GError **error)
{
    const char *part = get_string(asset, "part");
    const FileIdentity identity = get_identity(asset);
    gboolean made = g_str_equal(asset->state, "made");
    Find find;

    if (finished)
        return image_place_put_back(place, part, error);
    /* Before the record of the identity there was only the part name, which nobody can guess. */
    return image_place_drop(place, part, made ? &identity : NULL, &find, error) &&
           tell_find(place, find, error);
}

static gboolean
remove_file(const LeaseAsset *asset, gboolean keep, GError **error)
{
    const FileIdentity identity = get_identity(asset);
    gboolean made = g_str_equal(asset->state, "made");
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    FileStamp stamp;
    gboolean finished = get_stamp(asset, &stamp);
    const FileStamp *untouched = finished && !is_being_filled(asset) ? &stamp : NULL;
    Find find;

    return open_place(asset, &place, error) && clear_part(&place, asset, finished, error) &&
           (keep || !made ||
            (image_place_remove(&place, get_string(asset, "part"), &identity, untouched, &find,
                                error) &&
             tell_find(&place, find, error))) &&
           image_place_sync(&place, error);
}

gboolean
target_files_remove(const Lease *lease, gboolean keep, GError **error)
{
    GError *first = NULL;

    for (guint i = 0; i < lease->assets->len; i++)
        remove_file(lease->assets->pdata[i], keep, first ? NULL : &first);
    if (first)
        g_propagate_error(error, first);
    return !first;
}
