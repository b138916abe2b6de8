/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/call_turns.h"

#include "common/limits.h"

void
call_turns_init(CallTurns *turns)
{
    *turns = (CallTurns) { 0 };
    g_mutex_init(&turns->lock);
    g_cond_init(&turns->changed);
}

void
call_turns_clear(CallTurns *turns)
{
    g_mutex_clear(&turns->lock);
    g_cond_clear(&turns->changed);
}

/* With the lock. */
static gboolean
has_place(const CallTurns *turns, CallKind kind)
{
    const unsigned *running = turns->running;
    unsigned places = LIMIT_HYPERVISOR_CALLS - MIN(running[CALL_URGENT], LIMIT_HYPERVISOR_CALLS);
    gboolean is_free = running[CALL_SHORT] + running[CALL_SLOW] < MAX(places, 1);

    switch (kind) {
    case CALL_SHORT:
        return is_free;
    case CALL_SLOW:
        return is_free && running[CALL_SLOW] + 1 < MAX(places, 2);
    case CALL_URGENT:
        return TRUE;
    }
    g_return_val_if_reached(TRUE);
}

CallTurn
call_turn_begin(CallTurns *turns, CallKind kind)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&turns->lock);

    while (!has_place(turns, kind))
        g_cond_wait(&turns->changed, &turns->lock);
    turns->running[kind]++;
    return (CallTurn) { turns, kind };
}

void
call_turn_end(CallTurn *turn)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&turn->turns->lock);

    turn->turns->running[turn->kind]--;
    g_cond_broadcast(&turn->turns->changed);
}
