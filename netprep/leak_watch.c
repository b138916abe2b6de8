/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remembers which leaks were seen and told. */
#include "netprep/leak_watch.h"

#define PERIOD_SECONDS 60
#define SEEN_TO_TELL   2 /* times in a row */

struct LeakWatch {
    const NetworkHost *host;
    GHashTable *seen; /* "kind address" -> how often in a row; the thread's own */
    gboolean blind;   /* the last look failed */
    GMutex lock;      /* guards stop */
    GCond stopped;
    gboolean stop;
    GThread *thread;
};

LeakWatch *
leak_watch_new(const NetworkHost *host)
{
    LeakWatch *watch = g_new0(LeakWatch, 1);

    watch->host = host;
    watch->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&watch->lock);
    g_cond_init(&watch->stopped);
    return watch;
}

static void
tell(const LeakWatch *watch, const Leak *leak)
{
    g_autofree char *words = g_strdup_printf("virtual function %s is lost: %s; %s", leak->function,
                                             leak->detail, leak->remedy);

    bulletin_post(watch->host->bulletin, BULLETIN_LEAK, NULL, words);
}

/* Counts what is there in a new table, so that what is gone is forgotten. */
static unsigned
compare(LeakWatch *watch, const GPtrArray *leaks)
{
    GHashTable *now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    unsigned told = 0;

    for (guint i = 0; i < leaks->len; i++) {
        const Leak *leak = leaks->pdata[i];
        char *key = g_strdup_printf("%s %s", leak_kind_name(leak->kind), leak->function);
        int times = GPOINTER_TO_INT(g_hash_table_lookup(watch->seen, key)) + 1;

        if (times == SEEN_TO_TELL) {
            tell(watch, leak);
            told++;
        }
        g_hash_table_insert(now, key, GINT_TO_POINTER(MIN(times, SEEN_TO_TELL + 1)));
    }
    g_hash_table_unref(watch->seen);
    watch->seen = now;
    return told;
}

unsigned
leak_watch_look(LeakWatch *watch)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) leaks = leaks_survey(watch->host, &error);

    if (!leaks && !watch->blind)
        g_warning("cannot look for lost virtual functions: %s", error->message);
    watch->blind = !leaks;
    return leaks ? compare(watch, leaks) : 0;
}

/* TRUE when it is time for the next look, FALSE to end. */
static gboolean
wait_for_turn(LeakWatch *watch)
{
    gint64 deadline = g_get_monotonic_time() + PERIOD_SECONDS * G_USEC_PER_SEC;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&watch->lock);

    while (!watch->stop && g_cond_wait_until(&watch->stopped, &watch->lock, deadline))
        ;
    return !watch->stop;
}

static void *
run(void *data)
{
    while (wait_for_turn(data))
        leak_watch_look(data);
    return NULL;
}

void
leak_watch_run(LeakWatch *watch)
{
    watch->thread = g_thread_new("leaks", run, watch);
}

void
leak_watch_free(LeakWatch *watch)
{
    if (!watch)
        return;
    g_mutex_lock(&watch->lock);
    watch->stop = TRUE;
    g_cond_signal(&watch->stopped);
    g_mutex_unlock(&watch->lock);
    if (watch->thread)
        g_thread_join(watch->thread);
    g_hash_table_unref(watch->seen);
    g_cond_clear(&watch->stopped);
    g_mutex_clear(&watch->lock);
    g_free(watch);
}
