/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what the kinds of shares have in common: their records, and the guests that use them. */
#include "storprep/share_kind.h"

#include <string.h>

#include "common/domain_xml.h"
#include "storprep/pool_volume.h"
#include "storprep/target_files.h"

LeaseAsset *
share_asset_new(const char *kind, const char *subject, json_t *detail)
{
    /* Keys are unique among leases, subjects are not: several may need the same share. */
    g_autofree char *unique = g_uuid_string_random();
    g_autofree char *key = g_strdup_printf("%s %s", subject, unique);

    json_object_set_new(detail, "subject", json_string(subject));
    return lease_asset_new(kind, key, SHARE_PLANNED, detail);
}

const char *
share_text(const LeaseAsset *asset, const char *name)
{
    const char *text = json_string_value(json_object_get(asset->detail, name));

    return text ? text : "";
}

const char *
share_subject(const LeaseAsset *asset)
{
    return share_text(asset, "subject");
}

gboolean
share_is_ours(const LeaseAsset *asset)
{
    return g_str_equal(asset->state, SHARE_MAKING) || g_str_equal(asset->state, SHARE_MADE);
}

void
share_note(LeaseAsset *asset, const char *state, json_t *more)
{
    json_t *detail = json_copy(asset->detail);

    if (more) {
        json_object_update(detail, more);
        json_decref(more);
    }
    json_decref(asset->detail);
    asset->detail = detail;
    char *noted = g_strdup(state); /* which may be the asset's own */
    g_free(asset->state);
    asset->state = noted;
}

gboolean
share_record(const ShareHost *host, const Lease *lease, LeaseAsset *asset, const char *state,
             json_t *more, GError **error)
{
    g_autoptr(LeaseAsset) changed =
        lease_asset_new(asset->kind, asset->key, asset->state, json_incref(asset->detail));

    share_note(changed, state, more);
    if (!lease_store_put_asset(host->store, lease->id, changed, FAULT_LEASE_CONFLICT, error))
        return FALSE;
    share_note(asset, state, json_incref(changed->detail));
    return TRUE;
}

static const LeaseAsset *
find_ours(const Lease *lease, const LeaseAsset *like)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (g_str_equal(asset->kind, like->kind) && share_is_ours(asset) &&
            g_str_equal(share_subject(asset), share_subject(like)))
            return asset;
    }
    return NULL;
}

/* @id 0: any. */
static gboolean
has_id(const LeaseAsset *asset, guint64 id)
{
    return id == 0 || (guint64)json_integer_value(json_object_get(asset->detail, "id")) == id;
}

gboolean
share_find_other_with_id(const ShareHost *host, const Lease *lease, const LeaseAsset *asset,
                         guint64 id, LeaseAsset **ret_other, GError **error)
{
    g_autoptr(GPtrArray) all = lease_store_list(host->store, error);
    const LeaseAsset *found = NULL;

    if (!all)
        return FALSE;
    for (guint i = 0; i < all->len && !found; i++) {
        const Lease *other = all->pdata[i];

        if (!g_str_equal(other->id, lease->id))
            found = find_ours(other, asset);
        if (found && !has_id(found, id))
            found = NULL;
    }
    *ret_other = NULL;
    if (found)
        *ret_other =
            lease_asset_new(found->kind, found->key, found->state, json_deep_copy(found->detail));
    return TRUE;
}

gboolean
share_find_other(const ShareHost *host, const Lease *lease, const LeaseAsset *asset,
                 LeaseAsset **ret_other, GError **error)
{
    return share_find_other_with_id(host, lease, asset, 0, ret_other, error);
}

/* Guests' images below a directory. */

typedef struct {
    Hypervisor *hypervisor; /* borrowed */
    const char *directory;  /* borrowed */
    GPtrArray *pools;       /* of StoragePool *; NULL: no disk was a volume yet */
} Search;

static void
search_clear(Search *search)
{
    g_clear_pointer(&search->pools, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Search, search_clear)

static gboolean
is_at_or_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    return strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

/* Sets *ret_place to where the disk's image is: its file, or the directory of its pool. "" for
 * elsewhere: of a pool that has been stopped since nobody knows, but QEMU has the image open. */
static gboolean
find_place(Search *search, const DomainDisk *disk, const char **ret_place, GError **error)
{
    const char *place = disk->source;

    if (disk->pool) {
        if (!search->pools && !(search->pools = hypervisor_list_pools(search->hypervisor, error)))
            return FALSE;
        place = pool_volume_directory(search->pools, disk->pool);
    }
    *ret_place = place ? place : "";
    return TRUE;
}

/* What cannot be read is taken for a user. */
static gboolean
is_user(Search *search, const Guest *guest, gboolean *ret_is_user, GError **error)
{
    g_autoptr(DomainXml) domain = domain_xml_parse(guest->xml, NULL);
    gboolean found = !domain;

    for (guint i = 0; domain && i < domain->disks->len && !found; i++) {
        const char *place;

        if (!find_place(search, domain->disks->pdata[i], &place, error))
            return FALSE;
        found = is_at_or_below(place, search->directory);
    }
    *ret_is_user = found;
    return TRUE;
}

static gboolean
has_file_below(const Lease *lease, const char *directory)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        const char *path = g_str_equal(asset->kind, TARGET_ASSET)      ? asset->key
                           : g_str_equal(asset->kind, probe_kind.kind) ? share_subject(asset)
                                                                       : "";

        if (is_at_or_below(path, directory))
            return TRUE;
    }
    return FALSE;
}

gboolean
share_find_tenant(const ShareHost *host, const char *directory, char **ret_lease, GError **error)
{
    g_autoptr(GPtrArray) all = lease_store_list(host->store, error);

    if (!all)
        return FALSE;
    *ret_lease = NULL;
    for (guint i = 0; i < all->len && !*ret_lease; i++) {
        const Lease *lease = all->pdata[i];

        if (has_file_below(lease, directory))
            *ret_lease = g_strdup(lease->id);
    }
    return TRUE;
}

gboolean
share_find_guest(const ShareHost *host, const char *directory, gboolean only_moving,
                 char **ret_guest, GError **error)
{
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(host->hypervisor, error);
    g_auto(Search) search = { .hypervisor = host->hypervisor, .directory = directory };
    gboolean found = FALSE;

    if (!guests)
        return FALSE;
    *ret_guest = NULL;
    for (guint i = 0; i < guests->len && !found; i++) {
        const Guest *guest = guests->pdata[i];

        if (guest->state == GUEST_STATE_SHUT_OFF || (only_moving && !guest->has_job))
            continue;
        if (!is_user(&search, guest, &found, error))
            return FALSE;
        if (found)
            *ret_guest = g_strdup(guest->name);
    }
    return TRUE;
}
