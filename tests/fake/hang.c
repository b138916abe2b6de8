/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/hang.h"

struct Hang {
    GMutex lock;
    GCond changed;
    unsigned to_come;
    gboolean ended;
};

Hang *
hang_new(unsigned calls)
{
    Hang *hang = g_new0(Hang, 1);

    hang->to_come = calls;
    g_mutex_init(&hang->lock);
    g_cond_init(&hang->changed);
    return hang;
}

void
hang_free(Hang *hang)
{
    g_mutex_clear(&hang->lock);
    g_cond_clear(&hang->changed);
    g_free(hang);
}

FakeGateState
hang_pass(void *data)
{
    Hang *hang = data;

    g_mutex_lock(&hang->lock);
    gboolean hangs = hang->to_come > 0;
    if (hangs)
        hang->to_come--;
    g_cond_broadcast(&hang->changed);
    while (hangs && !hang->ended)
        g_cond_wait(&hang->changed, &hang->lock);
    g_mutex_unlock(&hang->lock);
    return FAKE_GATE_OPEN;
}

void
hang_await(Hang *hang)
{
    g_mutex_lock(&hang->lock);
    while (hang->to_come > 0)
        g_cond_wait(&hang->changed, &hang->lock);
    g_mutex_unlock(&hang->lock);
}

void
hang_end(Hang *hang)
{
    g_mutex_lock(&hang->lock);
    hang->ended = TRUE;
    g_cond_broadcast(&hang->changed);
    g_mutex_unlock(&hang->lock);
}
