/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks before it changes, and takes what is so already for success. */
#include "netprep/bridge_fdb.h"

#include <errno.h>
#include <string.h>

struct BridgeFdb {
    const FdbOps *ops;
    void *self;
};

BridgeFdb *
bridge_fdb_new(const FdbOps *ops, void *self)
{
    BridgeFdb *fdb = g_new0(BridgeFdb, 1);

    fdb->ops = ops;
    fdb->self = self;
    return fdb;
}

void
bridge_fdb_free(BridgeFdb *fdb)
{
    if (!fdb)
        return;
    fdb->ops->free(fdb->self);
    g_free(fdb);
}

static void
set_failed(const char *port, const char *what, int status, GError **error)
{
    g_autofree char *object = g_strdup_printf("network device %s", port);

    fault_set(error, FAULT_INTERNAL, object, "look at `bridge fdb show`", "%s: %s", what,
              g_strerror(-status));
}

static GArray *
list_entries(BridgeFdb *fdb, const char *port, GError **error)
{
    GArray *entries = NULL;
    int status = fdb->ops->list(fdb->self, port, &entries);

    if (status < 0)
        set_failed(port, "its forwarding entries cannot be read", status, error);
    return entries;
}

gboolean
bridge_fdb_accepts(BridgeFdb *fdb, const char *port, const guint8 *mac, gboolean *ret_accepts,
                   GError **error)
{
    g_autoptr(GArray) entries = list_entries(fdb, port, error);
    gboolean accepts = FALSE;

    if (!entries)
        return FALSE;
    for (guint i = 0; i < entries->len; i++) {
        const FdbEntry *entry = &g_array_index(entries, FdbEntry, i);

        accepts |= entry->self && memcmp(entry->mac, mac, sizeof(entry->mac)) == 0;
    }
    *ret_accepts = accepts;
    return TRUE;
}

gboolean
bridge_fdb_accept(BridgeFdb *fdb, const char *port, const guint8 *mac, gboolean *ret_added,
                  GError **error)
{
    int status = fdb->ops->add(fdb->self, port, mac);

    if (status < 0 && status != -EEXIST) {
        set_failed(port, "it takes no entry for a guest's MAC address", status, error);
        return FALSE;
    }
    *ret_added = status == 0;
    return TRUE;
}

static gboolean
remove_entry(BridgeFdb *fdb, const char *port, const FdbEntry *entry, GError **error)
{
    int status = fdb->ops->remove(fdb->self, port, entry);

    if (status == 0 || status == -ENOENT || status == -ENODEV)
        return TRUE;
    set_failed(port, "it keeps an entry for a guest's MAC address", status, error);
    return FALSE;
}

gboolean
bridge_fdb_refuse(BridgeFdb *fdb, const char *port, const guint8 *mac, GError **error)
{
    FdbEntry entry = { .self = TRUE };

    memcpy(entry.mac, mac, sizeof(entry.mac));
    return remove_entry(fdb, port, &entry, error);
}

gboolean
bridge_fdb_forget(BridgeFdb *fdb, const char *port, const guint8 *mac, unsigned *ret_count,
                  GError **error)
{
    g_autoptr(GArray) entries = list_entries(fdb, port, error);
    unsigned count = 0;

    if (!entries)
        return FALSE;
    for (guint i = 0; i < entries->len; i++) {
        const FdbEntry *entry = &g_array_index(entries, FdbEntry, i);

        if (!entry->learned || memcmp(entry->mac, mac, sizeof(entry->mac)) != 0)
            continue;
        if (!remove_entry(fdb, port, entry, error))
            return FALSE;
        count++;
    }
    if (ret_count)
        *ret_count = count;
    return TRUE;
}
