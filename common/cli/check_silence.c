/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/check_silence.h"

#include "common/fault.h"

typedef struct {
    const Peer *peer; /* borrowed */
    Service service;
    GError *error;
} Entry;

struct CheckSilence {
    GMutex lock;
    GPtrArray *entries; /* of Entry * */
};

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_error_free(entry->error);
    g_free(entry);
}

CheckSilence *
check_silence_new(void)
{
    CheckSilence *silence = g_new0(CheckSilence, 1);

    g_mutex_init(&silence->lock);
    silence->entries = g_ptr_array_new_with_free_func(entry_free);
    return silence;
}

void
check_silence_free(CheckSilence *silence)
{
    if (!silence)
        return;
    g_ptr_array_unref(silence->entries);
    g_mutex_clear(&silence->lock);
    g_free(silence);
}

void
check_silence_note(CheckSilence *silence, const Peer *peer, Service service, const GError *error)
{
    FaultCode code = fault_code(error);

    if (!silence || (code != FAULT_PEER_UNREACHABLE && code != FAULT_DAEMON_UNAVAILABLE &&
                     code != FAULT_TIMED_OUT))
        return;
    Entry *entry = g_new0(Entry, 1);
    *entry = (Entry) { peer, service, g_error_copy(error) };
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&silence->lock);
    g_ptr_array_add(silence->entries, entry);
}

GError *
check_silence_find(CheckSilence *silence, const Peer *peer, Service service)
{
    if (!silence)
        return NULL;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&silence->lock);
    for (guint i = 0; i < silence->entries->len; i++) {
        const Entry *entry = silence->entries->pdata[i];

        if (entry->peer == peer && entry->service == service)
            return g_error_copy(entry->error);
    }
    return NULL;
}
