/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the order of moves. */
#include "common/cli/schedule.h"

static gboolean
comes_before(const PlacementGuest *a, const PlacementGuest *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->seconds > b->seconds;
}

int
schedule_next(const Placement *placement, const ScheduleLimits *limits, const ScheduleState *state)
{
    const PlacementGuest *best = NULL;
    int number = -1;

    if (state->leaving >= limits->out)
        return -1;
    for (guint i = 0; i < placement->guests->len; i++) {
        const PlacementGuest *guest = placement->guests->pdata[i];

        if (!state->waiting[i] || guest->host == PLACEMENT_NOWHERE ||
            state->coming[guest->host] >= limits->in)
            continue;
        if (!best || comes_before(guest, best)) {
            best = guest;
            number = (int)i;
        }
    }
    return number;
}

/* A drain that is played through. */
typedef struct {
    const Placement *placement;
    gboolean *waiting;
    unsigned *coming;
    double *ends; /* by guest; < 0: it does not move now */
    unsigned leaving;
    double now;
} Play;

static void
begin_all(Play *play, const ScheduleLimits *limits)
{
    for (;;) {
        const ScheduleState state = { play->waiting, play->coming, play->leaving };
        int next = schedule_next(play->placement, limits, &state);

        if (next < 0)
            return;
        const PlacementGuest *guest = play->placement->guests->pdata[next];
        play->waiting[next] = FALSE;
        play->coming[guest->host]++;
        play->leaving++;
        play->ends[next] = play->now + guest->seconds;
    }
}

/* FALSE if nothing moves. */
static gboolean
end_first(Play *play)
{
    const PlacementGuest *guest;
    int first = -1;

    for (guint i = 0; i < play->placement->guests->len; i++) {
        if (play->ends[i] >= 0 && (first < 0 || play->ends[i] < play->ends[first]))
            first = (int)i;
    }
    if (first < 0)
        return FALSE;
    guest = play->placement->guests->pdata[first];
    play->now = play->ends[first];
    play->ends[first] = -1;
    play->coming[guest->host]--;
    play->leaving--;
    return TRUE;
}

double
schedule_seconds(const Placement *placement, const ScheduleLimits *limits)
{
    guint guests = placement->guests->len;
    g_autofree gboolean *waiting = g_new(gboolean, guests + 1);
    g_autofree unsigned *coming = g_new0(unsigned, placement->hosts->len + 1);
    g_autofree double *ends = g_new(double, guests + 1);
    Play play = { .placement = placement, .waiting = waiting, .coming = coming, .ends = ends };

    for (guint i = 0; i < guests; i++) {
        waiting[i] = TRUE;
        ends[i] = -1;
    }
    do
        begin_all(&play, limits);
    while (end_first(&play));
    return play.now;
}
