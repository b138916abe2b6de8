/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns NFS mounts: what is mounted, how, and when that may be undone. */
#include "storprep/nfs_mount.h"

#include <string.h>
#include <sys/stat.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/export_client.h"
#include "storprep/mount_point.h"
#include "storprep/mount_table.h"
#include "storprep/nfs_pool.h"
#include "storprep/nfs_server.h"

#define MOUNT_KIND "mount"

/*
 * hard: a guest's write must wait for the server, never fail. proto=tcp and timeo (in 0.1 s) are as
 * nfs(5) has them for guests' disks; retry=0 leaves trying again to us. Without vers= mount.nfs
 * asks for 4.2 and goes down to 3.
 */
#define OPTIONS "rw,hard,proto=tcp,timeo=600,retrans=2,retry=0,nosuid,nodev"

/* The request. */

static gboolean
refuse(GError **error, FaultCode code, const char *path, const char *remedy, const char *cause)
{
    g_autofree char *object = g_strdup_printf("mount point '%s'", path);

    fault_set(error, code, object, remedy, "%s", cause);
    return FALSE;
}

static gboolean
check_export_path(const char *path, GError **error)
{
    g_autofree char *canonical = g_canonicalize_filename(path, "/");

    if (path[0] == '/' && strlen(path) <= LIMIT_PATH_BYTES && g_str_equal(path, canonical))
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "exportPath", "give exportPath as Export returned it",
              "it is not a plain absolute path");
    return FALSE;
}

/*
 * This host's own export may be mounted here, but not over the very directory that it exports: then
 * the server would find its own mount there, and when it next looks the directory up, wait for
 * itself and stop all clients (seen with exportfs -f on Linux 6.12).
 */
static gboolean
check_loop(const ShareHost *host, const char *server, const char *export_path, const char *path,
           GError **error)
{
    g_autoptr(MountEntry) entry = NULL;
    struct stat exported, mounted;
    g_autofree char *remedy = NULL;

    if (!mount_table_is_this_host(host->mounts, server))
        return TRUE;
    if (!mount_table_find(host->mounts, path, &entry, error))
        return FALSE;
    /* What is mounted there already may have a server that is gone: it must not be touched. */
    if (entry || stat(export_path, &exported) < 0 || stat(path, &mounted) < 0 ||
        exported.st_dev != mounted.st_dev || exported.st_ino != mounted.st_ino)
        return TRUE;
    remedy = g_strdup_printf("keep the images elsewhere, export that, and mount it at '%s' on both "
                             "hosts; or add '%s' to shared_filesystems in /etc/libvirt/qemu.conf "
                             "and restart libvirt",
                             path, path);
    return refuse(error, FAULT_SHARE_REFUSED, path, remedy,
                  "it is the exported directory itself: the server would wait for itself");
}

static char *
make_options(json_t *parameters)
{
    static const struct {
        const char *name, *option;
    } versions[] = {
        { "v4_2", ",vers=4.2" },
        { "v4_1", ",vers=4.1" },
        { "v4_0", ",vers=4.0" },
        { "v3", ",vers=3" },
    };
    const char *asked = json_string_value(json_object_get(parameters, "nfsVersion"));

    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        if (g_strcmp0(asked, versions[i].name) == 0)
            return g_strconcat(OPTIONS, versions[i].option, NULL);
    }
    return g_strdup(OPTIONS);
}

static LeaseAsset *
plan_asset(json_t *parameters, const char *server, const char *export_path, const char *path,
           const char *root)
{
    g_autofree char *part = mount_point_part_new();
    g_autofree char *options = make_options(parameters);
    g_autofree char *source =
        g_strdup_printf(strchr(server, ':') ? "[%s]:%s" : "%s:%s", server, export_path);

    return share_asset_new(MOUNT_KIND, path,
                           json_pack("{s:s, s:s, s:s, s:s, s:b}", "source", source, "options",
                                     options, "root", root, "part", part, "hide",
                                     json_is_true(json_object_get(parameters, "hideContent"))));
}

/* As libvirt has them, and short: no "/", which its files would take for a directory. */
static gboolean
is_pool_name(const char *name)
{
    return *name && strlen(name) <= LIMIT_NAME_BYTES && !strpbrk(name, "/\n");
}

static gboolean
add_pool(ShareRequest *request, json_t *parameters, GError **error)
{
    const char *name = json_string_value(json_object_get(parameters, "pool"));

    if (!name)
        return TRUE;
    if (!is_pool_name(name)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "pool", "give a short name without '/'",
                  "it is no name for a storage pool");
        return FALSE;
    }
    g_ptr_array_add(request->assets,
                    nfs_pool_new(name, json_string_value(json_object_get(parameters, "server")),
                                 json_string_value(json_object_get(parameters, "exportPath")),
                                 json_string_value(json_object_get(parameters, "path"))));
    return TRUE;
}

ShareRequest *
nfs_mount_request_new(json_t *parameters, const ShareHost *host, GError **error)
{
    const char *server = json_string_value(json_object_get(parameters, "server"));
    const char *export_path = json_string_value(json_object_get(parameters, "exportPath"));
    const char *path = json_string_value(json_object_get(parameters, "path"));
    static const char *const no_networks[] = { NULL };
    g_autoptr(ShareRequest) request = share_request_new(MOUNT_KIND, parameters, error);
    const char *root;

    if (!request || !export_client_check(server, no_networks, error) ||
        !check_export_path(export_path, error) ||
        !(root = image_place_root_of_directory(path, host->directories, error)) ||
        !check_loop(host, server, export_path, path, error))
        return NULL;
    g_ptr_array_add(request->assets, plan_asset(parameters, server, export_path, path, root));
    return add_pool(request, parameters, error) ? g_steal_pointer(&request) : NULL;
}

const char *
nfs_mount_options(const Lease *lease)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (g_str_equal(asset->kind, MOUNT_KIND))
            return share_text(asset, "listed");
    }
    return "";
}

/* The mount. */

static const char *
target_of(const LeaseAsset *asset)
{
    return share_subject(asset);
}

/* Sets *ret_entry to our source's mount at the target, or NULL if there is none;
 * FAULT_SHARE_UNFIT if other network storage is mounted there. */
static gboolean
find(const ShareHost *host, const LeaseAsset *asset, MountEntry **ret_entry, GError **error)
{
    g_autoptr(MountEntry) entry = NULL;

    if (!mount_table_find(host->mounts, target_of(asset), &entry, error))
        return FALSE;
    if (entry && !mount_entry_is_nfs_of(entry, share_text(asset, "source"))) {
        if (g_str_has_prefix(entry->type, "nfs")) {
            g_autofree char *cause = g_strdup_printf("'%s' is mounted there", entry->source);

            return refuse(error, FAULT_SHARE_UNFIT, target_of(asset),
                          "unmount that first, or use another directory", cause);
        }
        g_clear_pointer(&entry, mount_entry_free);
    }
    *ret_entry = g_steal_pointer(&entry);
    return TRUE;
}

static void
note_mounted(LeaseAsset *asset, const char *state, const MountEntry *entry)
{
    share_note(asset, state,
               json_pack("{s:I, s:s}", "id", (json_int_t)entry->id, "listed",
                         entry->options ? entry->options : ""));
}

/* The new directory is recorded before it gets its name; until then it is known by its part name,
 * which is recorded since the beginning. */
static gboolean
make_point(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    const char *directories[] = { share_text(asset, "root"), NULL };
    FileIdentity identity;

    return mount_point_make(target_of(asset), directories, share_text(asset, "part"), &identity,
                            error) &&
           share_record(host, lease, asset, SHARE_MAKING,
                        json_pack("{s:i, s:I, s:I, s:I}", "id", 0, "device",
                                  (json_int_t)identity.device, "inode", (json_int_t)identity.inode,
                                  "born", identity.born_nsec),
                        error) &&
           mount_point_publish(target_of(asset), directories, share_text(asset, "part"), error);
}

static gboolean
prepare_point(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    const char *directories[] = { share_text(asset, "root"), NULL };
    gboolean exists;

    if (!mount_point_check(target_of(asset), directories,
                           json_is_true(json_object_get(asset->detail, "hide")), &exists, error))
        return FALSE;
    return exists
               ? share_record(host, lease, asset, SHARE_MAKING, json_pack("{s:i}", "id", 0), error)
               : make_point(host, lease, asset, error);
}

static gboolean
mount_it(const ShareHost *host, LeaseAsset *asset, GError **error)
{
    g_autoptr(MountEntry) entry = NULL;

    if (!mount_table_mount(host->mounts, share_text(asset, "source"), target_of(asset),
                           share_text(asset, "options"), error) ||
        !find(host, asset, &entry, error))
        return FALSE;
    if (!entry)
        return refuse(error, FAULT_SHARE_UNAVAILABLE, target_of(asset),
                      "see what 'findmnt' shows there", "mounting succeeded, but nothing is there");
    note_mounted(asset, SHARE_MADE, entry);
    return TRUE;
}

static gboolean
refuse_found(const LeaseAsset *asset, const char *found, const char *remedy, GError **error)
{
    g_autofree char *cause = g_strdup_printf("what is mounted there already is mounted %s", found);

    return refuse(error, FAULT_SHARE_UNFIT, target_of(asset), remedy, cause);
}

/* "vers=4.1", or NULL if any will do. Owned by the caller. */
static char *
asked_version(const LeaseAsset *asset)
{
    const char *version = strstr(share_text(asset, "options"), "vers=");

    return version ? g_strndup(version, strcspn(version, ",")) : NULL;
}

/* Whether what is there serves as well as what was asked for. How long it waits for the server, how
 * it caches and the like is its owner's affair. */
static gboolean
check_found(const LeaseAsset *asset, const MountEntry *entry, GError **error)
{
    const char *options = entry->options ? entry->options : "";
    const char *danger = mount_options_danger(options);
    g_autofree char *version = asked_version(asset);
    g_autofree char *remedy = NULL;
    g_autofree char *found = NULL;

    if (entry->read_only || g_strcmp0(danger, "ro") == 0) {
        remedy = g_strdup_printf("mount -o remount,rw '%s'", target_of(asset));
        return refuse_found(asset, "read-only", remedy, error);
    }
    if (danger) {
        found = g_strdup_printf("with '%s', which is not safe for images of guests", danger);
        return refuse_found(asset, found,
                            "unmount it, or mount it anew with rw,hard, without nolock and "
                            "local_lock",
                            error);
    }
    if (!version || nfs_export_has_option(options, version))
        return TRUE;
    found = g_strdup_printf("with '%s', which is not '%s' as asked for", options, version);
    return refuse_found(asset, found, "ask for its version or for none, or unmount it first",
                        error);
}

static gboolean
make(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    g_autoptr(MountEntry) entry = NULL;
    g_autoptr(LeaseAsset) other = NULL;

    if (!mount_table_check(host->mounts, error) || !find(host, asset, &entry, error))
        return FALSE;
    if (!entry)
        return prepare_point(host, lease, asset, error) && mount_it(host, asset, error);
    if (!check_found(asset, entry, error))
        return FALSE;
    if (!share_find_other_with_id(host, lease, asset, entry->id, &other, error) ||
        (!other && !share_find_other(host, lease, asset, &other, error)))
        return FALSE;
    /* Whoever ends last removes the mount point, too. */
    if (other)
        share_note(asset, SHARE_MADE, json_deep_copy(other->detail));
    else
        note_mounted(asset, SHARE_FOREIGN, entry);
    return TRUE;
}

static gboolean
refuse_used(const LeaseAsset *asset, const char *remedy, const char *user, const char *how,
            GError **error)
{
    g_autofree char *object = g_strdup_printf("mount point '%s'", target_of(asset));

    if (user)
        fault_set(error, FAULT_SHARE_BUSY, object, remedy, "%s %s", user, how);
    return !user;
}

static gboolean
check_leases(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    g_autofree char *lease = NULL;

    return share_find_tenant(host, target_of(asset), &lease, error) &&
           refuse_used(asset, "release that lease first", lease, "is a lease of files in it",
                       error);
}

static gboolean
check_guests(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    g_autofree char *guest = NULL;
    g_autofree char *user = NULL;

    if (!share_find_guest(host, target_of(asset), FALSE, &guest, error))
        return FALSE;
    if (guest)
        user = g_strdup_printf("guest '%s'", guest);
    return refuse_used(asset, "move or stop that guest first", user, "has an image in it", error);
}

static gboolean
check_processes(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    g_autofree char *user = NULL;

    return mount_table_find_user(host->mounts, target_of(asset), &user, error) &&
           refuse_used(asset, "end that process first", user, "has files open", error);
}

static gboolean
check_unused(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    g_autoptr(MountEntry) entry = NULL;

    if (!mount_table_find(host->mounts, target_of(asset), &entry, error))
        return FALSE;
    if (!entry || !mount_entry_is_nfs_of(entry, share_text(asset, "source")))
        return TRUE;
    return check_leases(host, asset, error) && check_guests(host, asset, error) &&
           check_processes(host, asset, error);
}

static gboolean
remove_point(const LeaseAsset *asset, GError **error)
{
    const char *directories[] = { share_text(asset, "root"), NULL };
    const json_t *detail = asset->detail;
    const FileIdentity identity = {
        .device = (guint64)json_integer_value(json_object_get(detail, "device")),
        .inode = (guint64)json_integer_value(json_object_get(detail, "inode")),
        .born_nsec = json_integer_value(json_object_get(detail, "born")),
    };

    if (g_str_equal(target_of(asset), directories[0]))
        return TRUE; /* an image directory, which is never made here */
    return mount_point_remove(target_of(asset), directories, share_text(asset, "part"),
                              identity.inode ? &identity : NULL, error);
}

/* Ours is what was recorded; or, when that was not possible any more, what was not there when it
 * was recorded that it would be. */
static gboolean
undo(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    guint64 id = (guint64)json_integer_value(json_object_get(asset->detail, "id"));
    g_autoptr(MountEntry) entry = NULL;

    if (!mount_table_find(host->mounts, target_of(asset), &entry, error))
        return FALSE;
    if (entry && mount_entry_is_nfs_of(entry, share_text(asset, "source"))) {
        if (id && entry->id != id) {
            g_warning("what is mounted at '%s' was not mounted here: it is left alone",
                      target_of(asset));
            return TRUE;
        }
        if (!mount_table_unmount(host->mounts, entry, error))
            return FALSE;
    }
    return remove_point(asset, error);
}

static gboolean
discard(const LeaseAsset *asset, GError **error)
{
    const char *directories[] = { share_text(asset, "root"), NULL };
    g_auto(ImagePlace) place = { .directory_fd = -1 };

    /* Where no directory can be opened none was made. */
    return !image_place_open(target_of(asset), directories, &place, NULL) ||
           remove_point(asset, error);
}

/* What another lease has mounted again is this one's as well: whoever ends last takes it away. */
static gboolean
adopt(const ShareHost *host, const Lease *lease, LeaseAsset *asset, const MountEntry *entry,
      GError **error)
{
    g_autoptr(LeaseAsset) other = NULL;

    if ((guint64)json_integer_value(json_object_get(asset->detail, "id")) == entry->id)
        return TRUE;
    if (!share_find_other_with_id(host, lease, asset, entry->id, &other, error))
        return FALSE;
    if (other)
        share_note(asset, SHARE_MADE, json_deep_copy(other->detail));
    return TRUE;
}

static gboolean
restore(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    g_autoptr(MountEntry) entry = NULL;

    if (!find(host, asset, &entry, error))
        return FALSE;
    if (entry && g_str_equal(asset->state, SHARE_MADE))
        return adopt(host, lease, asset, entry, error);
    if (entry) { /* since a restoring that was interrupted */
        note_mounted(asset, SHARE_MADE, entry);
        return TRUE;
    }
    if (!mount_table_check(host->mounts, error) || !prepare_point(host, lease, asset, error) ||
        !mount_it(host, asset, error))
        return FALSE;
    g_message("mounted '%s' at '%s' again", share_text(asset, "source"), target_of(asset));
    return TRUE;
}

const ShareKind mount_kind = {
    .kind = MOUNT_KIND,
    .make = make,
    .check_unused = check_unused,
    .undo = undo,
    .discard = discard,
    .restore = restore,
};
