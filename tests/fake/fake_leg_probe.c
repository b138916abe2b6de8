/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_leg_probe.h"

struct FakeLegProbe {
    LegProbe *probe;
    GMutex lock;
    const char *silent;
    GHashTable *counts; /* device -> count */
};

static gboolean
answers(FakeLegProbe *fake, const char *device)
{
    g_mutex_lock(&fake->lock);
    unsigned count = GPOINTER_TO_UINT(g_hash_table_lookup(fake->counts, device));
    g_hash_table_insert(fake->counts, g_strdup(device), GUINT_TO_POINTER(count + 1));
    gboolean silent = g_strcmp0(fake->silent, device) == 0;
    g_mutex_unlock(&fake->lock);
    return !silent;
}

static gboolean
ask(void *self, const char *device, const char *const *addresses, unsigned timeout_msec,
    GCancellable *cancellable, gboolean *ret_answered, GError **error)
{
    *ret_answered = answers(self, device);
    return TRUE;
}

static gboolean
hear(void *self, const char *device, const char *mac, unsigned timeout_msec,
     GCancellable *cancellable, gboolean *ret_heard, GError **error)
{
    *ret_heard = answers(self, device);
    return TRUE;
}

static void
free_fake(void *self)
{
    FakeLegProbe *fake = self;

    g_hash_table_unref(fake->counts);
    g_mutex_clear(&fake->lock);
    g_free(fake);
}

FakeLegProbe *
fake_leg_probe_new(void)
{
    static const LegProbeOps ops = { ask, hear, free_fake };
    FakeLegProbe *fake = g_new0(FakeLegProbe, 1);

    g_mutex_init(&fake->lock);
    fake->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake->probe = leg_probe_new(&ops, fake);
    return fake;
}

LegProbe *
fake_leg_probe_get(FakeLegProbe *fake)
{
    return fake->probe;
}

void
fake_leg_probe_set_silent(FakeLegProbe *fake, const char *device)
{
    g_mutex_lock(&fake->lock);
    fake->silent = device;
    g_mutex_unlock(&fake->lock);
}

unsigned
fake_leg_probe_count(FakeLegProbe *fake, const char *device)
{
    g_mutex_lock(&fake->lock);
    unsigned count = GPOINTER_TO_UINT(g_hash_table_lookup(fake->counts, device));
    g_mutex_unlock(&fake->lock);
    return count;
}
