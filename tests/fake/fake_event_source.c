/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_event_source.h"

typedef struct {
    FakeObserver observer;
    void *data;
} Entry;

struct FakeEventSource {
    GMutex lock; /* held while observers are at work */
    GArray *entries;
};

FakeEventSource *
fake_event_source_new(void)
{
    FakeEventSource *source = g_new0(FakeEventSource, 1);

    g_mutex_init(&source->lock);
    source->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    return source;
}

void
fake_event_source_free(FakeEventSource *source)
{
    g_array_unref(source->entries);
    g_mutex_clear(&source->lock);
    g_free(source);
}

void
fake_event_source_add(FakeEventSource *source, FakeObserver observer, void *data)
{
    Entry entry = { observer, data };
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&source->lock);

    g_array_append_val(source->entries, entry);
}

void
fake_event_source_remove(FakeEventSource *source, void *data)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&source->lock);

    for (guint i = source->entries->len; i > 0; i--) {
        if (g_array_index(source->entries, Entry, i - 1).data == data)
            g_array_remove_index(source->entries, i - 1);
    }
}

void
fake_event_source_emit(FakeEventSource *source, const HypervisorEvent *event)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&source->lock);

    for (guint i = 0; i < source->entries->len; i++) {
        const Entry *entry = &g_array_index(source->entries, Entry, i);

        entry->observer(event, entry->data);
    }
}
