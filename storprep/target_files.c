/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what a lease remembers about its files, and the order of record and deed. */
#include "storprep/target_files.h"

#include "common/fault.h"
#include "storprep/image_target.h"

static json_t *
pack_detail(const ImageShape *shape, const char *root)
{
    g_autofree char *part = image_part_name_new();

    return json_pack("{s:s, s:I, s:i, s:i, s:i, s:b, s:b, s:s, s:s}", "format",
                     image_format_name(shape->format), "virtualSizeBytes",
                     (json_int_t)shape->virtual_size_bytes, "clusterSizeBytes",
                     (int)shape->cluster_size_bytes, "version", (int)shape->version, "refcountBits",
                     (int)shape->refcount_bits, "extendedL2", shape->extended_l2, "lazyRefcounts",
                     shape->lazy_refcounts, "root", root, "part", part);
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

ImageShape
target_asset_shape(const LeaseAsset *asset)
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

const char *
target_asset_root(const LeaseAsset *asset)
{
    return get_string(asset, "root");
}

GPtrArray *
target_files_plan(const TargetRequest *request, const char *const *directories, GError **error)
{
    g_autoptr(GPtrArray) assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);

    for (guint i = 0; i < request->images->len; i++) {
        const TargetImage *image = request->images->pdata[i];
        const char *root = image_place_root(image->path, directories, error);

        if (!root)
            return NULL;
        g_ptr_array_add(assets, lease_asset_new(TARGET_ASSET, image->path, "planned",
                                                pack_detail(&image->shape, root)));
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

static gboolean
record_identity(LeaseStore *store, const Lease *lease, const LeaseAsset *asset,
                const FileIdentity *identity, GError **error)
{
    json_t *detail = json_copy(asset->detail);
    g_autoptr(LeaseAsset) made = NULL;

    json_object_set_new(detail, "device", json_integer((json_int_t)identity->device));
    json_object_set_new(detail, "inode", json_integer((json_int_t)identity->inode));
    json_object_set_new(detail, "born", json_integer(identity->born_nsec));
    made = lease_asset_new(TARGET_ASSET, asset->key, "made", detail);
    return lease_store_put_asset(store, lease->id, made, FAULT_TARGET_EXISTS, error);
}

static gboolean
make_file(LeaseStore *store, const Lease *lease, const LeaseAsset *asset, GError **error)
{
    ImageShape shape = target_asset_shape(asset);
    const char *part = get_string(asset, "part");
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;
    FileIdentity identity;

    return open_place(asset, &place, error) && image_place_check_free(&place, error) &&
           image_part_create(&place, part, &fd, &identity, error) &&
           record_identity(store, lease, asset, &identity, error) &&
           image_part_fill(&place, fd, &shape, error) &&
           image_part_publish(&place, part, fd, error);
}

gboolean
target_files_make(LeaseStore *store, const Lease *lease, GError **error)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        if (!make_file(store, lease, lease->assets->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

/* Removes the file called @name, if it is ours, and says so if it is somebody else's. */
static gboolean
remove_name(const ImagePlace *place, const char *name, const FileIdentity *identity, GError **error)
{
    gboolean foreign;

    if (!image_place_remove(place, name, identity, &foreign, error))
        return FALSE;
    if (foreign)
        g_warning("'%s/%s' is not the file that was made here: it is left alone", place->directory,
                  name);
    return TRUE;
}

static gboolean
remove_file(const LeaseAsset *asset, gboolean keep, GError **error)
{
    const FileIdentity identity = {
        .device = (guint64)get_integer(asset, "device"),
        .inode = (guint64)get_integer(asset, "inode"),
        .born_nsec = get_integer(asset, "born"),
    };
    gboolean made = g_str_equal(asset->state, "made");
    g_auto(ImagePlace) place = { .directory_fd = -1 };

    /* Before the record of the identity there was only the part name, which nobody can guess. */
    return open_place(asset, &place, error) &&
           remove_name(&place, get_string(asset, "part"), made ? &identity : NULL, error) &&
           (keep || !made || remove_name(&place, place.name, &identity, error)) &&
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
