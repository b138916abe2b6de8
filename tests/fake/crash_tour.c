/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/crash_tour.h"

#define LATER_POINTS 40 /* more than a recovery has */

static unsigned struck;

static gboolean
is_full(void)
{
    return g_strcmp0(g_getenv("FULL"), "1") == 0;
}

/* Each kind of fault comes at each moment of the recovery, in turns. */
static void
choose_later(CrashPlay *play, unsigned turn)
{
    play->later = INJECT_KILL + turn % (INJECTIONS - INJECT_KILL);
    play->later_point = 1 + turn / 3 % LATER_POINTS;
}

static unsigned
run(CrashPlay play, CrashPlayer player, const void *data)
{
    g_test_message("%s at point %u, later %s at point %u", injection_name(play.what), play.point,
                   injection_name(play.later), play.later_point);
    unsigned strikes = player(&play, data);

    struck += strikes;
    return strikes;
}

/* FALSE: there is no such point. */
static gboolean
run_point(CrashPlay play, unsigned turn, CrashPlayer player, const void *data)
{
    if (is_full() && run(play, player, data) == 0)
        return FALSE;
    if (is_full() || turn % 2 == 1)
        choose_later(&play, turn);
    return run(play, player, data) > 0;
}

void
crash_tour_run(unsigned stride, CrashPlayer player, const void *data)
{
    unsigned step = is_full() ? 1 : stride, turn = 0;

    for (Injection what = INJECT_KILL; what < INJECTIONS; what++) {
        for (unsigned point = 1 + turn % step;; point += step, turn++) {
            if (!run_point((CrashPlay) { .what = what, .point = point }, turn, player, data))
                break;
        }
    }
}

static void
test_total(const void *wanted)
{
    g_print("# %u points were struck\n", struck);
    g_assert_cmpuint(struck, >=, GPOINTER_TO_UINT(wanted));
}

void
crash_tour_add_total(const char *path, unsigned some, unsigned all)
{
    g_test_add_data_func(path, GUINT_TO_POINTER(is_full() ? all : some), test_total);
}
