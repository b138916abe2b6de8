/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/tally.h"

#include <string.h>

#include "common/limits.h"

struct Tally {
    GMutex lock;
    GTree *counts; /* "what how" -> guint64 *, both owned */
};

static int
compare(gconstpointer a, gconstpointer b, gpointer unused)
{
    return strcmp(a, b);
}

Tally *
tally_new(void)
{
    Tally *tally = g_new0(Tally, 1);

    g_mutex_init(&tally->lock);
    tally->counts = g_tree_new_full(compare, NULL, g_free, g_free);
    return tally;
}

void
tally_free(Tally *tally)
{
    if (!tally)
        return;
    g_tree_unref(tally->counts);
    g_mutex_clear(&tally->lock);
    g_free(tally);
}

void
tally_add(Tally *tally, const char *what, const char *how)
{
    char *key = g_strconcat(what, " ", how, NULL);

    g_mutex_lock(&tally->lock);
    guint64 *count = g_tree_lookup(tally->counts, key);
    if (!count && g_tree_nnodes(tally->counts) < LIMIT_TALLY) {
        count = g_new0(guint64, 1);
        g_tree_insert(tally->counts, g_steal_pointer(&key), count);
    }
    if (count)
        (*count)++;
    g_mutex_unlock(&tally->lock);
    g_free(key);
}

typedef struct {
    void (*tell)(const char *what, const char *how, guint64 count, void *data);
    void *data;
} Visit;

static gboolean
visit_one(gpointer key, gpointer value, gpointer data)
{
    const Visit *visit = data;
    const char *space = strchr(key, ' ');
    g_autofree char *what = g_strndup(key, (gsize)(space - (const char *)key));

    visit->tell(what, space + 1, *(guint64 *)value, visit->data);
    return FALSE;
}

void
tally_each(Tally *tally, void (*tell)(const char *what, const char *how, guint64 count, void *data),
           void *data)
{
    Visit visit = { tell, data };

    g_mutex_lock(&tally->lock);
    g_tree_foreach(tally->counts, visit_one, &visit);
    g_mutex_unlock(&tally->lock);
}
