/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the sum of what is needed, promised and free on each file system. */
#include "storprep/target_space.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/fault.h"
#include "storprep/target_files.h"

/* One file system that the lease's targets go to. */
typedef struct {
    dev_t device;
    char *directory; /* of the first target there */
    guint64 available_bytes;
    guint64 needed_bytes;
    guint64 promised_bytes;
    unsigned sharers; /* directories that are on it, where those are what is asked about */
} Volume;

static void
volume_free(void *data)
{
    Volume *volume = data;

    g_free(volume->directory);
    g_free(volume);
}

static Volume *
find_volume(const GPtrArray *volumes, dev_t device)
{
    for (guint i = 0; i < volumes->len; i++) {
        Volume *volume = volumes->pdata[i];

        if (volume->device == device)
            return volume;
    }
    return NULL;
}

/* Opens the directory of @asset's file and tells which file system it is on. */
static gboolean
open_asset(const LeaseAsset *asset, ImagePlace *ret_place, dev_t *ret_device, GError **error)
{
    const char *directories[] = { target_asset_root(asset), NULL };
    struct stat status = { 0 };

    if (!image_place_open(asset->key, directories, ret_place, error))
        return FALSE;
    fstat(ret_place->directory_fd, &status);
    *ret_device = status.st_dev;
    return TRUE;
}

static guint64
asset_maximum_bytes(const LeaseAsset *asset)
{
    ImageRecipe recipe = target_asset_recipe(asset);

    return image_shape_maximum_bytes(&recipe.shape);
}

static gboolean
add_needed(GPtrArray *volumes, const LeaseAsset *asset, GError **error)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    struct statvfs status = { 0 };
    Volume *volume;
    dev_t device;

    if (!open_asset(asset, &place, &device, error))
        return FALSE;
    volume = find_volume(volumes, device);
    if (!volume) {
        fstatvfs(place.directory_fd, &status);
        volume = g_new0(Volume, 1);
        volume->device = device;
        volume->directory = g_strdup(place.directory);
        volume->available_bytes = (guint64)status.f_bavail * status.f_frsize;
        g_ptr_array_add(volumes, volume);
    }
    volume->needed_bytes += asset_maximum_bytes(asset);
    return TRUE;
}

/* What a file of another lease may still grow by. A directory that is gone promises nothing. */
static void
add_promised(GPtrArray *volumes, const LeaseAsset *asset)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    guint64 maximum = asset_maximum_bytes(asset);
    guint64 written = 0;
    struct stat status;
    Volume *volume;
    dev_t device;

    if (!open_asset(asset, &place, &device, NULL) || !(volume = find_volume(volumes, device)))
        return;
    if (fstatat(place.directory_fd, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        written = (guint64)status.st_blocks * 512;
    volume->promised_bytes += maximum > written ? maximum - written : 0;
}

/* NULL if the directory is not there. */
static Volume *
add_directory(GPtrArray *volumes, const char *directory)
{
    struct statvfs space;
    struct stat status;
    Volume *volume;

    if (stat(directory, &status) < 0 || statvfs(directory, &space) < 0)
        return NULL;
    volume = find_volume(volumes, status.st_dev);
    if (!volume) {
        volume = g_new0(Volume, 1);
        volume->device = status.st_dev;
        volume->directory = g_strdup(directory);
        volume->available_bytes = (guint64)space.f_bavail * space.f_frsize;
        g_ptr_array_add(volumes, volume);
    }
    volume->sharers++;
    return volume;
}

guint64 *
target_space_list(const char *const *directories, const GPtrArray *leases)
{
    guint count = g_strv_length((char **)directories);
    g_autoptr(GPtrArray) volumes = g_ptr_array_new_with_free_func(volume_free);
    g_autofree Volume **places = g_new0(Volume *, count + 1);
    guint64 *space = g_new0(guint64, count + 1);

    for (guint i = 0; i < count; i++)
        places[i] = add_directory(volumes, directories[i]);
    for (guint i = 0; i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        for (guint j = 0; j < lease->assets->len; j++)
            add_promised(volumes, lease->assets->pdata[j]);
    }
    for (guint i = 0; i < count; i++) {
        const Volume *place = places[i];

        if (place && place->available_bytes > place->promised_bytes)
            space[i] = (place->available_bytes - place->promised_bytes) / place->sharers;
    }
    return space;
}

static gboolean
check_volume(const Volume *volume, GError **error)
{
    g_autofree char *object = g_strdup_printf("directory '%s'", volume->directory);

    if (volume->available_bytes >= volume->promised_bytes &&
        volume->available_bytes - volume->promised_bytes >= volume->needed_bytes)
        return TRUE;
    fault_set(error, FAULT_NO_SPACE, object, "free space there, or move the guest elsewhere",
              "%" G_GUINT64_FORMAT " bytes are needed, %" G_GUINT64_FORMAT
              " are available, %" G_GUINT64_FORMAT " of them promised to other moves",
              volume->needed_bytes, volume->available_bytes, volume->promised_bytes);
    return FALSE;
}

gboolean
target_space_check(const Lease *lease, const GPtrArray *leases, GError **error)
{
    g_autoptr(GPtrArray) volumes = g_ptr_array_new_with_free_func(volume_free);

    for (guint i = 0; i < lease->assets->len; i++) {
        if (!add_needed(volumes, lease->assets->pdata[i], error))
            return FALSE;
    }
    for (guint i = 0; i < leases->len; i++) {
        const Lease *other = leases->pdata[i];

        for (guint j = 0; j < other->assets->len && !g_str_equal(other->id, lease->id); j++)
            add_promised(volumes, other->assets->pdata[j]);
    }
    for (guint i = 0; i < volumes->len; i++) {
        if (!check_volume(volumes->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}
