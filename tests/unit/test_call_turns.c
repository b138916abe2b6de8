/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many calls are under way at once, whatever they wait for. */
#include "common/call_turns.h"
#include "common/limits.h"

/* Threads that want a turn each, hold it until they are let go, and are counted meanwhile. */
typedef struct {
    CallTurns turns;
    GMutex lock; /* guards all below */
    GCond changed;
    unsigned holding, most;
    unsigned let_go;
} Crowd;

static void
crowd_init(Crowd *crowd)
{
    *crowd = (Crowd) { 0 };
    g_mutex_init(&crowd->lock);
    g_cond_init(&crowd->changed);
    call_turns_init(&crowd->turns);
}

static void
crowd_clear(Crowd *crowd)
{
    call_turns_clear(&crowd->turns);
    g_mutex_clear(&crowd->lock);
    g_cond_clear(&crowd->changed);
}

static void
hold(Crowd *crowd, CallKind kind)
{
    g_auto(CallTurn) turn = call_turn_begin(&crowd->turns, kind);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crowd->lock);

    crowd->holding++;
    crowd->most = MAX(crowd->most, crowd->holding);
    g_cond_broadcast(&crowd->changed);
    while (crowd->let_go == 0)
        g_cond_wait(&crowd->changed, &crowd->lock);
    crowd->let_go--;
    crowd->holding--;
}

static gpointer
ask(gpointer crowd)
{
    hold(crowd, CALL_SHORT);
    return NULL;
}

static gpointer
talk(gpointer crowd)
{
    hold(crowd, CALL_SLOW);
    return NULL;
}

static gpointer
move(gpointer crowd)
{
    hold(crowd, CALL_URGENT);
    return NULL;
}

static void
wait_until_holding(Crowd *crowd, unsigned count)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crowd->lock);

    while (crowd->holding < count)
        g_cond_wait(&crowd->changed, &crowd->lock);
}

static void
let_go(Crowd *crowd, unsigned count)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crowd->lock);

    crowd->let_go += count;
    g_cond_broadcast(&crowd->changed);
}

/* Starts @count of @work, lets them through one after the other; the most that held a turn. */
static unsigned
crowd_through(Crowd *crowd, GThreadFunc work, unsigned count)
{
    g_autofree GThread **threads = g_new0(GThread *, count);

    for (unsigned i = 0; i < count; i++)
        threads[i] = g_thread_new("call", work, crowd);
    wait_until_holding(crowd, 1);
    let_go(crowd, count);
    for (unsigned i = 0; i < count; i++)
        g_thread_join(threads[i]);
    return crowd->most;
}

static void
test_few_calls_are_under_way_at_once(void)
{
    Crowd crowd;

    crowd_init(&crowd);
    g_assert_cmpuint(crowd_through(&crowd, ask, 40), <=, LIMIT_HYPERVISOR_CALLS);
    crowd_clear(&crowd);
}

static void
test_slow_calls_leave_a_place_to_short_ones(void)
{
    GThread *threads[LIMIT_HYPERVISOR_CALLS + 1];
    Crowd crowd;

    crowd_init(&crowd);
    for (unsigned i = 0; i < LIMIT_HYPERVISOR_CALLS; i++)
        threads[i] = g_thread_new("slow", talk, &crowd);
    wait_until_holding(&crowd, LIMIT_HYPERVISOR_CALLS - 1);
    threads[LIMIT_HYPERVISOR_CALLS] = g_thread_new("short", ask, &crowd);
    wait_until_holding(&crowd, LIMIT_HYPERVISOR_CALLS);
    g_assert_cmpuint(crowd.most, ==, LIMIT_HYPERVISOR_CALLS);
    let_go(&crowd, G_N_ELEMENTS(threads));
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    crowd_clear(&crowd);
}

static void
test_migrations_wait_for_nobody_and_stop_nobody(void)
{
    GThread *threads[LIMIT_HYPERVISOR_CALLS + 3];
    Crowd crowd;

    crowd_init(&crowd);
    for (unsigned i = 0; i < LIMIT_HYPERVISOR_CALLS + 2; i++)
        threads[i] = g_thread_new("move", move, &crowd);
    wait_until_holding(&crowd, LIMIT_HYPERVISOR_CALLS + 2);
    threads[LIMIT_HYPERVISOR_CALLS + 2] = g_thread_new("slow", talk, &crowd);
    wait_until_holding(&crowd, LIMIT_HYPERVISOR_CALLS + 3);
    let_go(&crowd, G_N_ELEMENTS(threads));
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    crowd_clear(&crowd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/call-turns/few", test_few_calls_are_under_way_at_once);
    g_test_add_func("/call-turns/slow", test_slow_calls_leave_a_place_to_short_ones);
    g_test_add_func("/call-turns/urgent", test_migrations_wait_for_nobody_and_stop_nobody);
    return g_test_run();
}
