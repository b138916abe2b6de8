/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns opening the firewall on request, and closing what was opened. */
#include "storprep/firewall_hole.h"

#include "storprep/firewall.h"

#define FIREWALL_KIND "firewall"

LeaseAsset *
firewall_hole_new(void)
{
    return share_asset_new(FIREWALL_KIND, "firewall: nfs", json_object());
}

static gboolean
make(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    g_autoptr(LeaseAsset) other = NULL;
    gboolean open = TRUE;

    if (!share_find_other(host, lease, asset, &other, error) ||
        (firewall_is_active(host->firewall) && !firewall_is_open(host->firewall, &open, error)))
        return FALSE;
    if (!open && (!share_record(host, lease, asset, SHARE_MAKING, NULL, error) ||
                  !firewall_set_open(host->firewall, TRUE, error)))
        return FALSE;
    share_note(asset, open && !other ? SHARE_FOREIGN : SHARE_MADE, NULL);
    return TRUE;
}

static gboolean
check_unused(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    return TRUE; /* it goes with its export, which tells */
}

static gboolean
undo(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    gboolean open = FALSE, permanent = FALSE;

    if (!firewall_is_active(host->firewall))
        return TRUE;
    if (!firewall_is_open(host->firewall, &open, error) ||
        !firewall_is_permanent(host->firewall, &permanent, error))
        return FALSE;
    /* The administrator has opened it for good meanwhile. */
    return !open || permanent || firewall_set_open(host->firewall, FALSE, error);
}

/* Gone after a reload of the firewall. */
static gboolean
restore(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    gboolean open = FALSE;

    if (!firewall_is_active(host->firewall))
        return TRUE;
    return firewall_is_open(host->firewall, &open, error) &&
           (open || firewall_set_open(host->firewall, TRUE, error));
}

const ShareKind firewall_kind = {
    .kind = FIREWALL_KIND,
    .make = make,
    .check_unused = check_unused,
    .undo = undo,
    .restore = restore,
};
