/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/lease_memory.h"

#include "common/lease_reader.h"
#include "common/limits.h"

struct LeaseMemory {
    GMutex lock;       /* guards the rest */
    GPtrArray *leases; /* of Lease *; NULL: not known */
    gint64 kept_usec;  /* lease_clock_usec(), when they were as they are there */
};

LeaseMemory *
lease_memory_new(void)
{
    LeaseMemory *memory = g_new0(LeaseMemory, 1);

    g_mutex_init(&memory->lock);
    return memory;
}

void
lease_memory_free(LeaseMemory *memory)
{
    if (!memory)
        return;
    lease_memory_forget(memory);
    g_mutex_clear(&memory->lock);
    g_free(memory);
}

static GPtrArray *
copy(const GPtrArray *leases, gint64 passed_usec)
{
    GPtrArray *copies = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);

    for (guint i = 0; i < leases->len; i++) {
        Lease *lease = lease_copy(leases->pdata[i]);

        lease->remaining_usec -= passed_usec;
        g_ptr_array_add(copies, lease);
    }
    return copies;
}

void
lease_memory_keep(LeaseMemory *memory, const GPtrArray *leases)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&memory->lock);

    if (memory->leases || leases->len > LIMIT_BRIEF_ENTRIES)
        return;
    memory->leases = copy(leases, 0);
    memory->kept_usec = lease_clock_usec();
}

void
lease_memory_forget(LeaseMemory *memory)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&memory->lock);

    g_clear_pointer(&memory->leases, g_ptr_array_unref);
}

GPtrArray *
lease_memory_recall(LeaseMemory *memory)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&memory->lock);

    return memory->leases ? copy(memory->leases, lease_clock_usec() - memory->kept_usec) : NULL;
}
