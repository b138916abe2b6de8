/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns probe files. Their directory may be an NFS server's, so all dealings with it go through
 * storprep-nfs. */
#include "storprep/probe_file.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_place.h"
#include "storprep/nfs_program.h"

#define PROBE_KIND "probe"
#define PREFIX     ".migprep-probe-"

gboolean
probe_file_is_name(const char *name)
{
    return g_str_has_prefix(name, PREFIX) && g_uuid_string_is_valid(name + strlen(PREFIX));
}

char *
probe_file_name_new(void)
{
    g_autofree char *unique = g_uuid_string_random();

    return g_strconcat(PREFIX, unique, NULL);
}

/* The image directory that @directory is, or lies below. */
static const char *
find_root(const char *directory, const char *const *directories, GError **error)
{
    g_autofree char *below = g_strconcat(directory, "/x", NULL);

    return image_place_root(below, directories, error);
}

ShareRequest *
probe_file_request_new(json_t *parameters, const ShareHost *host, GError **error)
{
    const char *directory = json_string_value(json_object_get(parameters, "directory"));
    g_autoptr(ShareRequest) request = share_request_new(PROBE_KIND, parameters, error);
    g_autofree char *name = probe_file_name_new();
    g_autofree char *nonce = g_uuid_string_random();
    g_autofree char *path = NULL;
    const char *root;

    if (!request || !(root = find_root(directory, host->directories, error)))
        return NULL;
    path = g_build_filename(directory, name, NULL);
    g_ptr_array_add(request->assets,
                    share_asset_new(PROBE_KIND, path,
                                    json_pack("{s:s, s:s, s:s, s:s}", "root", root, "directory",
                                              directory, "name", name, "nonce", nonce)));
    return g_steal_pointer(&request);
}

const char *
probe_file_name(const Lease *lease)
{
    return lease->assets->len ? share_text(lease->assets->pdata[0], "name") : "";
}

const char *
probe_file_nonce(const Lease *lease)
{
    return lease->assets->len ? share_text(lease->assets->pdata[0], "nonce") : "";
}

static json_t *
run(const char *verb, const char *root, const char *directory, const char *name, const char *nonce,
    GError **error)
{
    const char *arguments[] = { verb, root, directory, name, nonce, NULL };
    g_autofree char *object = g_strdup_printf("directory '%s'", directory);
    json_t *reply = NULL;
    int status;

    return nfs_program_run(arguments, PROBE_SECONDS, object, &status, &reply, error) ? reply : NULL;
}

static gboolean
run_on(const char *verb, const LeaseAsset *asset, GError **error)
{
    json_auto_t *reply = run(verb, share_text(asset, "root"), share_text(asset, "directory"),
                             share_text(asset, "name"), share_text(asset, "nonce"), error);

    return reply != NULL;
}

json_t *
probe_file_find(const char *directory, const char *name, const char *nonce,
                const char *const *directories, GError **error)
{
    const char *root = find_root(directory, directories, error);

    if (!root)
        return NULL;
    if (!probe_file_is_name(name) || strlen(nonce) > LIMIT_NAME_BYTES) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "name", "give name and nonce as PlaceProbe did",
                  "it is not the name of a probe file");
        return NULL;
    }
    return run("find", root, directory, name, nonce, error);
}

static gboolean
make(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    return share_record(host, lease, asset, SHARE_MAKING, NULL, error) &&
           run_on("place", asset, error) &&
           share_record(host, lease, asset, SHARE_MADE, NULL, error);
}

static gboolean
check_unused(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    return TRUE;
}

static gboolean
undo(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    return run_on("drop", asset, error);
}

const ShareKind probe_kind = {
    .kind = PROBE_KIND,
    .make = make,
    .check_unused = check_unused,
    .undo = undo,
};
