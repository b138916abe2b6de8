/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/injector.h"

#include <errno.h>

struct Injector {
    GMutex lock; /* guards all below */
    Injection what;
    unsigned strike_at, points, strikes;
    gboolean dead, power_cut;
};

static const char *const names[] = {
    [INJECT_NOTHING] = "nothing",
    [INJECT_KILL] = "kill",
    [INJECT_KILL_AFTER] = "kill-after",
    [INJECT_POWER_CUT] = "power-cut",
    [INJECT_LOST_ANSWER] = "lost-answer",
    [INJECT_EIO] = "eio",
    [INJECT_ENOSPC] = "enospc",
    [INJECT_ENOMEM] = "enomem",
    [INJECT_EINTR] = "eintr",
    [INJECT_SHORT_WRITE] = "short-write",
};

const char *
injection_name(Injection what)
{
    return names[what];
}

Injector *
injector_new(void)
{
    Injector *injector = g_new0(Injector, 1);

    g_mutex_init(&injector->lock);
    return injector;
}

void
injector_free(Injector *injector)
{
    g_mutex_clear(&injector->lock);
    g_free(injector);
}

void
injector_arm(Injector *injector, Injection what, unsigned point)
{
    g_mutex_lock(&injector->lock);
    injector->what = what;
    injector->strike_at = point;
    injector->points = 0;
    injector->dead = injector->power_cut = FALSE;
    g_mutex_unlock(&injector->lock);
}

void
injector_kill(Injector *injector)
{
    g_mutex_lock(&injector->lock);
    injector->dead = TRUE;
    g_mutex_unlock(&injector->lock);
}

gboolean
injector_is_dead(Injector *injector)
{
    g_mutex_lock(&injector->lock);
    gboolean dead = injector->dead;
    g_mutex_unlock(&injector->lock);
    return dead;
}

gboolean
injector_has_cut_power(Injector *injector)
{
    g_mutex_lock(&injector->lock);
    gboolean cut = injector->power_cut;
    g_mutex_unlock(&injector->lock);
    return cut;
}

unsigned
injector_strikes(Injector *injector)
{
    g_mutex_lock(&injector->lock);
    unsigned strikes = injector->strikes;
    g_mutex_unlock(&injector->lock);
    return strikes;
}

/* An error that cannot be told from another one at a point is not tried there. SQLite itself begins
 * again after EINTR. */
static gboolean
can_happen(Injection what, InjectorPoint point)
{
    switch (what) {
    case INJECT_NOTHING:
    case INJECTIONS:
        return FALSE;
    case INJECT_KILL:
    case INJECT_KILL_AFTER:
    case INJECT_POWER_CUT:
    case INJECT_LOST_ANSWER:
    case INJECT_EIO:
        return TRUE;
    case INJECT_ENOSPC:
    case INJECT_ENOMEM:
        return point != POINT_REMOTE;
    case INJECT_EINTR:
        return point == POINT_KERNEL;
    case INJECT_SHORT_WRITE:
        return point == POINT_WRITE;
    }
    g_return_val_if_reached(FALSE);
}

static int
error_number(Injection what)
{
    switch (what) {
    case INJECT_ENOSPC:
    case INJECT_SHORT_WRITE:
        return ENOSPC;
    case INJECT_ENOMEM:
        return ENOMEM;
    case INJECT_EINTR:
        return EINTR;
    case INJECT_NOTHING:
    case INJECT_KILL:
    case INJECT_KILL_AFTER:
    case INJECT_POWER_CUT:
    case INJECT_LOST_ANSWER:
    case INJECT_EIO:
    case INJECTIONS:
        return EIO;
    }
    g_return_val_if_reached(EIO);
}

/* With the lock. */
static Deed
strike(Injector *injector)
{
    Injection what = injector->what;

    injector->strikes++;
    injector->dead = what == INJECT_KILL || what == INJECT_KILL_AFTER || what == INJECT_POWER_CUT;
    injector->power_cut = what == INJECT_POWER_CUT;
    if (what == INJECT_KILL_AFTER || what == INJECT_LOST_ANSWER)
        return DEED_LOST;
    return what == INJECT_SHORT_WRITE ? DEED_HALF : DEED_FAILS;
}

Deed
injector_pass(Injector *injector, InjectorPoint point, int *ret_errno)
{
    Deed deed = DEED_DONE;

    g_mutex_lock(&injector->lock);
    *ret_errno = error_number(injector->what);
    if (injector->dead)
        deed = DEED_FAILS;
    else if (can_happen(injector->what, point) && ++injector->points == injector->strike_at)
        deed = strike(injector);
    g_mutex_unlock(&injector->lock);
    return deed;
}
