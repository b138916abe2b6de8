/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what is known of the visits of guests, by lease. */
#include "storprep/target_visit.h"

struct TargetVisits {
    HypervisorWatch *watch;
    GMutex lock;          /* guards all below, and the order of what is heard */
    GHashTable *expected; /* id of a lease to Entry * */
    guint64 breaks;       /* how often libvirt was away */
};

typedef struct {
    char *uuid;
    Visit visit;
    gboolean parted;    /* libvirt ended while it was coming, and it has not been seen since */
    gint64 missed_usec; /* monotonic, when it was missed first while it was coming; 0: it was not */
} Entry;

static void
entry_free(void *data)
{
    Entry *entry = data;

    g_free(entry->uuid);
    g_free(entry);
}

static void
entry_set(Entry *entry, Visit visit)
{
    entry->visit = visit;
    entry->parted = FALSE;
    entry->missed_usec = 0;
}

TargetVisits *
target_visits_new(Hypervisor *hypervisor)
{
    TargetVisits *visits = g_new0(TargetVisits, 1);

    visits->watch = hypervisor_watch_new(hypervisor, NULL);
    g_mutex_init(&visits->lock);
    visits->expected = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    return visits;
}

void
target_visits_free(TargetVisits *visits)
{
    if (!visits)
        return;
    hypervisor_watch_free(visits->watch);
    g_hash_table_unref(visits->expected);
    g_mutex_clear(&visits->lock);
    g_free(visits);
}

static void
hear_of_guest(Entry *entry, HypervisorEventType type)
{
    switch (type) {
    case HYPERVISOR_EVENT_COMING:
        if (entry->visit != VISIT_STAYED)
            entry_set(entry, VISIT_COMING);
        break;
    case HYPERVISOR_EVENT_RESUMED:
    case HYPERVISOR_EVENT_SUSPENDED:
        entry_set(entry, VISIT_STAYED);
        break;
    case HYPERVISOR_EVENT_STOPPED:
        if (entry->visit == VISIT_COMING)
            entry_set(entry, VISIT_FAILED);
        break;
    case HYPERVISOR_EVENT_UNDEFINED:
    case HYPERVISOR_EVENT_DEVICE_REMOVED:
    case HYPERVISOR_EVENT_DEVICE_REFUSED:
    case HYPERVISOR_EVENT_AGENT_CONNECTED:
    case HYPERVISOR_EVENT_RESTARTED:
    case HYPERVISOR_EVENT_RECONNECTED:
        break;
    }
}

/* While libvirt is away nothing arrives, since it is libvirt that lets a guest go on; when it comes
 * back, it ends what was coming in. */
static void
hear_of_libvirt(Entry *entry, HypervisorEventType type)
{
    if (entry->visit == VISIT_STAYED)
        return;
    if (type == HYPERVISOR_EVENT_RESTARTED)
        entry->parted = entry->visit == VISIT_COMING;
    else if (!entry->parted)
        entry_set(entry, VISIT_UNKNOWN);
}

static void
hear(TargetVisits *visits, const HypervisorEvent *event)
{
    GHashTableIter iterator;
    void *value;

    visits->breaks += !*event->uuid;
    g_hash_table_iter_init(&iterator, visits->expected);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        Entry *entry = value;

        if (!*event->uuid)
            hear_of_libvirt(entry, event->type);
        else if (g_ascii_strcasecmp(entry->uuid, event->uuid) == 0)
            hear_of_guest(entry, event->type);
    }
}

/* With the lock. */
static void
hear_all(TargetVisits *visits)
{
    HypervisorEvent *event;

    while ((event = hypervisor_watch_next(visits->watch, 0, NULL, NULL))) {
        hear(visits, event);
        hypervisor_event_free(event);
    }
}

/* With the lock. */
static Entry *
look_up(TargetVisits *visits, const char *id)
{
    hear_all(visits);
    return g_hash_table_lookup(visits->expected, id);
}

void
target_visits_expect(TargetVisits *visits, const char *id, const char *uuid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&visits->lock);
    Entry *entry = g_new0(Entry, 1);

    hear_all(visits); /* to what was before */
    entry->uuid = g_strdup(uuid);
    g_hash_table_replace(visits->expected, g_strdup(id), entry);
}

void
target_visits_forget(TargetVisits *visits, const char *id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&visits->lock);

    g_hash_table_remove(visits->expected, id);
}

void
target_visits_listen(TargetVisits *visits)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&visits->lock);

    hear_all(visits);
}

guint64
target_visits_breaks(TargetVisits *visits)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&visits->lock);

    hear_all(visits);
    return visits->breaks;
}

void
target_visits_see(TargetVisits *visits, const char *id, guint64 breaks)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&visits->lock);
    Entry *entry = look_up(visits, id);

    if (entry && visits->breaks == breaks &&
        (entry->visit == VISIT_UNKNOWN || entry->visit == VISIT_COMING))
        entry_set(entry, VISIT_COMING);
}

/* With the lock: whether libvirt has kept silent for too long. */
static gboolean
is_left_open(Entry *entry)
{
    gint64 now_usec = g_get_monotonic_time();

    if (entry->missed_usec == 0)
        entry->missed_usec = now_usec;
    return now_usec - entry->missed_usec > TARGET_VISIT_WORD_SECONDS * G_USEC_PER_SEC;
}

Visit
target_visits_miss(TargetVisits *visits, const char *id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&visits->lock);
    Entry *entry = look_up(visits, id);

    if (entry && entry->parted)
        entry_set(entry, VISIT_FAILED);
    else if (entry && entry->visit == VISIT_COMING && is_left_open(entry))
        entry_set(entry, VISIT_UNKNOWN);
    return entry ? entry->visit : VISIT_UNKNOWN;
}

void
target_visits_close(TargetVisits *visits, const char *id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&visits->lock);
    Entry *entry = look_up(visits, id);

    if (entry && entry->visit == VISIT_FAILED)
        entry_set(entry, VISIT_UNKNOWN);
}
