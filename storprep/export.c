/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns exports: what is asked of the NFS server, and when that may be taken back. */
#include "storprep/export.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/export_client.h"
#include "storprep/file_system.h"
#include "storprep/firewall_hole.h"
#include "storprep/image_place.h"
#include "storprep/nfs_server.h"

#define EXPORT_KIND "export"
#define BTRFS_TYPE  0x9123683e
#define ZFS_TYPE    0x2fc12fc1

/* The request. */

static gboolean
refuse(GError **error, FaultCode code, const char *path, const char *remedy, const char *cause)
{
    g_autofree char *object = g_strdup_printf("directory '%s'", path);

    fault_set(error, code, object, remedy, "%s", cause);
    return FALSE;
}

static char *
resolve(int fd, const char *path, GError **error)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *resolved = g_file_read_link(link, NULL);

    if (!resolved)
        refuse(error, FAULT_INTERNAL, path, NULL, "cannot find out where it is");
    return g_steal_pointer(&resolved);
}

/*
 * The file system's identity for file handles, where the server cannot find one itself: for those
 * on no block device of their own (overlayfs, tmpfs). From the path alone, so that handles outlive
 * a restart. See fsid= in exports(5).
 */
static char *
make_fsid(int fd, const char *path)
{
    g_autofree char *digest = NULL;
    struct statfs system;
    struct stat status;

    if (fstat(fd, &status) < 0 || fstatfs(fd, &system) < 0 || major(status.st_dev) != 0 ||
        system.f_type == BTRFS_TYPE || system.f_type == ZFS_TYPE)
        return g_strdup("");
    digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, path, -1);
    return g_strdup_printf(",fsid=%.8s-%.4s-%.4s-%.4s-%.12s", digest, digest + 8, digest + 12,
                           digest + 16, digest + 20);
}

static gboolean
check_file_system(int fd, const char *path, GError **error)
{
    struct statfs system;
    const char *name = NULL;

    if (fstatfs(fd, &system) == 0)
        name = file_system_shared_name((guint64)system.f_type & G_MAXUINT32);
    return !name || refuse(error, FAULT_SHARE_REFUSED, path,
                           "export it on the host that stores it, and mount it from there",
                           "it is on a network file system itself");
}

static char *
make_squash(json_t *parameters, const QemuConf *conf, GError **error)
{
    uid_t uid;
    gid_t gid;

    if (g_strcmp0(json_string_value(json_object_get(parameters, "squash")), "none") == 0)
        return g_strdup("no_root_squash");
    if (!qemu_conf_ids(conf, &uid, &gid, error))
        return NULL;
    return g_strdup_printf("all_squash,anonuid=%u,anongid=%u", uid, gid);
}

static char *
make_options(json_t *parameters, const QemuConf *conf, int fd, const char *path, GError **error)
{
    g_autofree char *squash = make_squash(parameters, conf, error);
    g_autofree char *fsid = make_fsid(fd, path);

    if (!squash)
        return NULL;
    return g_strdup_printf("rw,sync,no_subtree_check,sec=sys,%s%s", squash, fsid);
}

static LeaseAsset *
plan_asset(const ShareRequest *request, const char *client, const char *path, const char *options)
{
    g_autofree char *subject = g_strdup_printf("%s:%s", client, path);

    return share_asset_new(EXPORT_KIND, subject,
                           json_pack("{s:s, s:s, s:s, s:O}", "client", client, "path", path,
                                     "options", options, "directory",
                                     json_object_get(request->json, "directory")));
}

/* A host that is named twice counts once. */
static void
add_asset(ShareRequest *request, LeaseAsset *asset)
{
    for (guint i = 0; i < request->assets->len; i++) {
        if (g_str_equal(share_subject(request->assets->pdata[i]), share_subject(asset))) {
            lease_asset_free(asset);
            return;
        }
    }
    g_ptr_array_add(request->assets, asset);
}

static gboolean
add_client(ShareRequest *request, const ShareHost *host, const char *client, const char *path,
           const char *options, GError **error)
{
    g_autofree char *canonical = NULL;

    if (!export_client_check(client, host->networks, error) ||
        !(canonical = nfs_server_canonical_client(host->server, client, error)) ||
        !export_client_check(canonical, host->networks, error))
        return FALSE;
    add_asset(request, plan_asset(request, canonical, path, options));
    return TRUE;
}

static gboolean
add_clients(ShareRequest *request, const ShareHost *host, json_t *clients, const char *path,
            const char *options, GError **error)
{
    size_t count = json_array_size(clients);

    if (count == 0 || count > LIMIT_EXPORT_HOSTS) {
        fault_set(error, count ? FAULT_LIMIT_EXCEEDED : FAULT_INVALID_ARGUMENT, "hosts",
                  "name the hosts that need the directory", "%zu hosts, not 1-%d", count,
                  LIMIT_EXPORT_HOSTS);
        return FALSE;
    }
    for (size_t i = 0; i < count; i++) {
        if (!add_client(request, host, json_string_value(json_array_get(clients, i)), path, options,
                        error))
            return FALSE;
    }
    return TRUE;
}

ShareRequest *
export_request_new(json_t *parameters, const ShareHost *host, const QemuConf *conf, GError **error)
{
    const char *directory = json_string_value(json_object_get(parameters, "directory"));
    g_autoptr(ShareRequest) request = share_request_new(EXPORT_KIND, parameters, error);
    g_auto(FileDescriptor) fd = -1;
    g_autofree char *path = NULL;
    g_autofree char *options = NULL;

    if (!request || !image_place_open_directory(directory, host->directories, &fd, error) ||
        !(path = resolve(fd, directory, error)) || !check_file_system(fd, path, error) ||
        !(options = make_options(parameters, conf, fd, path, error)) ||
        !add_clients(request, host, json_object_get(parameters, "hosts"), path, options, error))
        return NULL;
    if (json_is_true(json_object_get(parameters, "openFirewall")))
        g_ptr_array_add(request->assets, firewall_hole_new());
    return g_steal_pointer(&request);
}

const char *
export_path(const Lease *lease)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (g_str_equal(asset->kind, EXPORT_KIND))
            return share_text(asset, "path");
    }
    return "";
}

/* The export. */

/* Sets *ret_found to the options that the server has for it now, or NULL. */
static gboolean
find(const ShareHost *host, const LeaseAsset *asset, char **ret_options, GError **error)
{
    g_autoptr(GPtrArray) exports = nfs_server_list(host->server, error);
    const NfsExport *share;

    if (!exports)
        return FALSE;
    share = nfs_export_find(exports, share_text(asset, "client"), share_text(asset, "path"));
    *ret_options = share ? g_strdup(share->options) : NULL;
    return TRUE;
}

/* Whether @listed serves as well as what was asked for: fsid= is the server's own affair. */
static gboolean
is_as_asked(const LeaseAsset *asset, const char *listed)
{
    g_auto(GStrv) wanted = g_strsplit(share_text(asset, "options"), ",", -1);

    for (char **option = wanted; *option; option++) {
        if (!g_str_has_prefix(*option, "fsid=") && !nfs_export_has_option(listed, *option))
            return FALSE;
    }
    return TRUE;
}

static gboolean
refuse_unfit(const LeaseAsset *asset, const char *listed, GError **error)
{
    g_autofree char *object = g_strdup_printf("export '%s'", share_subject(asset));

    fault_set(error, FAULT_SHARE_UNFIT, object,
              "change it in /etc/exports and run 'exportfs -r', or remove it there and ask again",
              "it is exported already, but with '%s' instead of '%s'", listed,
              share_text(asset, "options"));
    return FALSE;
}

/* Exports it and remembers how the server lists it, which tells it from anybody else's. */
static gboolean
add(const ShareHost *host, LeaseAsset *asset, GError **error)
{
    g_autofree char *listed = NULL;
    g_autofree char *object = g_strdup_printf("export '%s'", share_subject(asset));

    if (!nfs_server_add(host->server, share_text(asset, "client"), share_text(asset, "path"),
                        share_text(asset, "options"), error) ||
        !find(host, asset, &listed, error))
        return FALSE;
    if (!listed) {
        fault_set(error, FAULT_SHARE_UNAVAILABLE, object, "see what 'exportfs -v' lists",
                  "the server accepted it, but does not list it");
        return FALSE;
    }
    share_note(asset, SHARE_MADE, json_pack("{s:s}", "listed", listed));
    return TRUE;
}

/* Of another lease, or left from a crash between record and deed. */
static gboolean
is_known(const ShareHost *host, const Lease *lease, const LeaseAsset *asset, gboolean *ret_known,
         GError **error)
{
    g_autoptr(LeaseAsset) other = NULL;

    if (!share_find_other(host, lease, asset, &other, error))
        return FALSE;
    *ret_known = other != NULL;
    return TRUE;
}

static gboolean
make(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    g_autofree char *listed = NULL;
    gboolean known;

    if (!nfs_server_check(host->server, error) || !find(host, asset, &listed, error))
        return FALSE;
    if (!listed)
        return share_record(host, lease, asset, SHARE_MAKING, NULL, error) &&
               add(host, asset, error);
    if (!is_as_asked(asset, listed))
        return refuse_unfit(asset, listed, error);
    if (!is_known(host, lease, asset, &known, error))
        return FALSE;
    share_note(asset, known ? SHARE_MADE : SHARE_FOREIGN, json_pack("{s:s}", "listed", listed));
    return TRUE;
}

static gboolean
check_unused(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    g_autofree char *object = g_strdup_printf("export '%s'", share_subject(asset));
    g_autofree char *user = NULL;
    g_autofree char *guest = NULL;

    if (!nfs_server_find_user(host->server, share_text(asset, "path"), &user, error) ||
        !share_find_guest(host, share_text(asset, "directory"), TRUE, &guest, error))
        return FALSE;
    if (user)
        fault_set(error, FAULT_SHARE_BUSY, object, "move or stop the guests that use it first",
                  "client %s has files of it open", user);
    else if (guest)
        fault_set(error, FAULT_SHARE_BUSY, object, "wait for the end of that migration",
                  "guest '%s' with an image in it is being migrated", guest);
    return !user && !guest;
}

static gboolean
undo(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    const char *recorded = share_text(asset, "listed");
    g_autofree char *listed = NULL;

    if (!find(host, asset, &listed, error))
        return FALSE;
    if (!listed)
        return TRUE;
    if (*recorded ? !g_str_equal(recorded, listed) : !is_as_asked(asset, listed)) {
        g_warning("export '%s' is not the one that was made here: it is left alone",
                  share_subject(asset));
        return TRUE;
    }
    return nfs_server_remove(host->server, share_text(asset, "client"), share_text(asset, "path"),
                             error);
}

static gboolean
restore(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    g_autofree char *listed = NULL;

    if (!find(host, asset, &listed, error))
        return FALSE;
    if (listed)
        return TRUE;
    if (!nfs_server_check(host->server, error) || !add(host, asset, error))
        return FALSE;
    g_message("exported '%s' again", share_subject(asset));
    return TRUE;
}

const ShareKind export_kind = {
    .kind = EXPORT_KIND,
    .make = make,
    .check_unused = check_unused,
    .undo = undo,
    .restore = restore,
};
