/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forwarding entries in memory. */
#include "fake/fake_bridge_fdb.h"

#include <errno.h>
#include <string.h>

#include "netprep/function_settings.h"

typedef struct {
    char *port;
    FdbEntry entry;
} Row;

struct FakeBridgeFdb {
    GMutex lock;
    BridgeFdb *fdb;
    GPtrArray *rows; /* of Row * */
    unsigned calls, fail_from;
    int status;
};

static void
row_free(Row *row)
{
    g_free(row->port);
    g_free(row);
}

/* To be called with the lock; 0 or what this call fails with. */
static int
begin_call(FakeBridgeFdb *fake)
{
    fake->calls++;
    return fake->fail_from > 0 && fake->calls >= fake->fail_from ? fake->status : 0;
}

static Row *
find_row(FakeBridgeFdb *fake, const char *port, const FdbEntry *entry)
{
    for (guint i = 0; i < fake->rows->len; i++) {
        Row *row = fake->rows->pdata[i];

        if (g_str_equal(row->port, port) && row->entry.self == entry->self &&
            row->entry.vlan == entry->vlan &&
            memcmp(row->entry.mac, entry->mac, sizeof(entry->mac)) == 0)
            return row;
    }
    return NULL;
}

static void
add_row(FakeBridgeFdb *fake, const char *port, const FdbEntry *entry)
{
    Row *row = g_new0(Row, 1);

    row->port = g_strdup(port);
    row->entry = *entry;
    g_ptr_array_add(fake->rows, row);
}

static int
fake_list(void *self, const char *port, GArray **ret_entries)
{
    FakeBridgeFdb *fake = self;
    GArray *entries = g_array_new(FALSE, TRUE, sizeof(FdbEntry));

    g_mutex_lock(&fake->lock);
    int status = begin_call(fake);
    for (guint i = 0; i < fake->rows->len; i++) {
        const Row *row = fake->rows->pdata[i];

        if (g_str_equal(row->port, port))
            g_array_append_val(entries, row->entry);
    }
    g_mutex_unlock(&fake->lock);
    if (status == 0)
        *ret_entries = entries;
    else
        g_array_unref(entries);
    return status;
}

static int
fake_add(void *self, const char *port, const guint8 *mac)
{
    FakeBridgeFdb *fake = self;
    FdbEntry entry = { .self = TRUE };

    memcpy(entry.mac, mac, sizeof(entry.mac));
    g_mutex_lock(&fake->lock);
    int status = begin_call(fake);
    if (status == 0 && find_row(fake, port, &entry))
        status = -EEXIST;
    if (status == 0)
        add_row(fake, port, &entry);
    g_mutex_unlock(&fake->lock);
    return status;
}

static int
fake_remove(void *self, const char *port, const FdbEntry *entry)
{
    FakeBridgeFdb *fake = self;

    g_mutex_lock(&fake->lock);
    int status = begin_call(fake);
    Row *row = find_row(fake, port, entry);
    if (status == 0 && !row)
        status = -ENOENT;
    if (status == 0)
        g_ptr_array_remove(fake->rows, row);
    g_mutex_unlock(&fake->lock);
    return status;
}

static void
fake_free(void *self)
{
    FakeBridgeFdb *fake = self;

    g_ptr_array_unref(fake->rows);
    g_mutex_clear(&fake->lock);
    g_free(fake);
}

/* A second handle. */
typedef struct {
    FakeBridgeFdb *fake;
    FakeGate gate;
    void *data;
} Door;

static int
door_list(void *self, const char *port, GArray **ret_entries)
{
    const Door *door = self;

    return door->gate(door->data) == FAKE_GATE_OPEN ? fake_list(door->fake, port, ret_entries)
                                                    : -errno;
}

static int
door_add(void *self, const char *port, const guint8 *mac)
{
    const Door *door = self;
    FakeGateState state = door->gate(door->data);
    int number = errno;
    int status = state == FAKE_GATE_SHUT ? 0 : fake_add(door->fake, port, mac);

    return state == FAKE_GATE_OPEN ? status : -number;
}

static int
door_remove(void *self, const char *port, const FdbEntry *entry)
{
    const Door *door = self;
    FakeGateState state = door->gate(door->data);
    int number = errno;
    int status = state == FAKE_GATE_SHUT ? 0 : fake_remove(door->fake, port, entry);

    return state == FAKE_GATE_OPEN ? status : -number;
}

BridgeFdb *
fake_bridge_fdb_open(FakeBridgeFdb *fake, FakeGate gate, void *data)
{
    static const FdbOps ops = { door_list, door_add, door_remove, g_free };
    Door *door = g_new0(Door, 1);

    *door = (Door) { fake, gate, data };
    return bridge_fdb_new(&ops, door);
}

FakeBridgeFdb *
fake_bridge_fdb_new(void)
{
    static const FdbOps ops = { fake_list, fake_add, fake_remove, fake_free };
    FakeBridgeFdb *fake = g_new0(FakeBridgeFdb, 1);

    g_mutex_init(&fake->lock);
    fake->rows = g_ptr_array_new_with_free_func((GDestroyNotify)row_free);
    fake->fdb = bridge_fdb_new(&ops, fake);
    return fake;
}

BridgeFdb *
fake_bridge_fdb_get(FakeBridgeFdb *fake)
{
    return fake->fdb;
}

void
fake_bridge_fdb_put(FakeBridgeFdb *fake, const char *port, const FdbEntry *entry)
{
    g_mutex_lock(&fake->lock);
    add_row(fake, port, entry);
    g_mutex_unlock(&fake->lock);
}

unsigned
fake_bridge_fdb_count(FakeBridgeFdb *fake, const char *port, const char *mac, gboolean self)
{
    guint8 wanted[FUNCTION_MAC_BYTES];
    unsigned count = 0;

    g_assert_true(function_mac_from_text(mac, wanted));
    g_mutex_lock(&fake->lock);
    for (guint i = 0; i < fake->rows->len; i++) {
        const Row *row = fake->rows->pdata[i];

        if (g_str_equal(row->port, port) && row->entry.self == self &&
            memcmp(row->entry.mac, wanted, sizeof(wanted)) == 0)
            count++;
    }
    g_mutex_unlock(&fake->lock);
    return count;
}

void
fake_bridge_fdb_fail_from(FakeBridgeFdb *fake, unsigned call, int status)
{
    g_mutex_lock(&fake->lock);
    fake->status = status;
    fake->fail_from = status ? fake->calls + call : 0;
    g_mutex_unlock(&fake->lock);
}
