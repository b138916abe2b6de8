/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns probe files, and who deals with their directory, which may be an NFS server's. */
#include "storprep/probe_file.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_place.h"
#include "storprep/local_path.h"
#include "storprep/nfs_program.h"
#include "storprep/probe_deed.h"

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

ShareRequest *
probe_file_request_new(json_t *parameters, const ShareHost *host, GError **error)
{
    const char *directory = json_string_value(json_object_get(parameters, "directory"));
    g_autoptr(ShareRequest) request = share_request_new(PROBE_KIND, parameters, error);
    g_autofree char *name = probe_file_name_new();
    g_autofree char *nonce = g_uuid_string_random();
    g_autofree char *path = NULL;
    const char *root;
    LeaseAsset *asset;

    if (!request || !(root = image_place_root_of_directory(directory, host->directories, error)))
        return NULL;
    path = g_build_filename(directory, name, NULL);
    asset = share_asset_new(PROBE_KIND, path,
                            json_pack("{s:s, s:s, s:s, s:s}", "root", root, "directory", directory,
                                      "name", name, "nonce", nonce));
    /* Nobody else's file can have that name, so it is not looked for first. */
    share_note(asset, SHARE_MAKING, NULL);
    g_ptr_array_add(request->assets, asset);
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

typedef struct {
    const char *verb; /* of storprep-nfs */
    json_t *(*run)(const Probe *probe, GError **error);
} Deed;

static const Deed place = { "place", probe_deed_place };
static const Deed find = { "find", probe_deed_find };
static const Deed drop = { "drop", probe_deed_drop };

/* In a program of its own unless the directory is certainly this host's. */
static json_t *
run(const Deed *deed, const Probe *probe, GError **error)
{
    const char *arguments[] = { deed->verb,  probe->root,  probe->directory,
                                probe->name, probe->nonce, NULL };
    g_autofree char *object = g_strdup_printf("directory '%s'", probe->directory);
    json_t *reply = NULL;
    int status;

    if (local_path_is(probe->directory, NULL))
        return deed->run(probe, error);
    return nfs_program_run(arguments, PROBE_SECONDS, object, &status, &reply, error) ? reply : NULL;
}

static gboolean
run_on(const Deed *deed, const LeaseAsset *asset, GError **error)
{
    const Probe probe = { share_text(asset, "root"), share_text(asset, "directory"),
                          share_text(asset, "name"), share_text(asset, "nonce") };
    json_auto_t *reply = run(deed, &probe, error);

    return reply != NULL;
}

json_t *
probe_file_find(const char *directory, const char *name, const char *nonce,
                const char *const *directories, GError **error)
{
    const char *root = image_place_root_of_directory(directory, directories, error);

    if (!root)
        return NULL;
    if (!probe_file_is_name(name) || strlen(nonce) > LIMIT_NAME_BYTES) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "name", "give name and nonce as PlaceProbe did",
                  "it is not the name of a probe file");
        return NULL;
    }
    return run(&find, &(Probe) { root, directory, name, nonce }, error);
}

static gboolean
make(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    if (!run_on(&place, asset, error))
        return FALSE;
    share_note(asset, SHARE_MADE, NULL);
    return TRUE;
}

static gboolean
check_unused(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    return TRUE;
}

static gboolean
undo(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    return run_on(&drop, asset, error);
}

const ShareKind probe_kind = {
    .kind = PROBE_KIND,
    .make = make,
    .check_unused = check_unused,
    .undo = undo,
};
