/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of moves: who is next, within the limits of both sides. */
#include "common/cli/schedule.h"

static Placement *
three_guests(void)
{
    static const struct {
        const char *name;
        unsigned priority;
        double seconds;
        int host;
    } guests[] = { { "low", 2, 90, 0 }, { "short", 0, 10, 0 }, { "long", 0, 30, 0 } };
    Placement *placement = placement_new();

    placement_add_host(placement, "host2");
    placement_add_host(placement, "host3");
    for (size_t i = 0; i < G_N_ELEMENTS(guests); i++) {
        PlacementGuest *guest = placement_add_guest(placement, guests[i].name);
        guest->priority = guests[i].priority;
        guest->seconds = guests[i].seconds;
        guest->host = guests[i].host;
    }
    return placement;
}

static void
test_important_ones_first_then_long_ones(void)
{
    g_autoptr(Placement) placement = three_guests();
    gboolean waiting[] = { TRUE, TRUE, TRUE };
    unsigned coming[] = { 0, 0 };
    const ScheduleLimits limits = { 2, 2 };
    ScheduleState state = { waiting, coming, 0 };

    g_assert_cmpint(schedule_next(placement, &limits, &state), ==, 2);
    waiting[2] = FALSE;
    g_assert_cmpint(schedule_next(placement, &limits, &state), ==, 1);
    waiting[1] = FALSE;
    g_assert_cmpint(schedule_next(placement, &limits, &state), ==, 0);
    state.leaving = 2;
    g_assert_cmpint(schedule_next(placement, &limits, &state), ==, -1);
}

static void
test_full_destination_does_not_hold_up_another(void)
{
    g_autoptr(Placement) placement = three_guests();
    gboolean waiting[] = { TRUE, TRUE, TRUE };
    unsigned coming[] = { 2, 1 };
    const ScheduleLimits limits = { 4, 2 };
    const ScheduleState state = { waiting, coming, 3 };

    g_assert_cmpint(schedule_next(placement, &limits, &state), ==, -1);
    ((PlacementGuest *)placement->guests->pdata[0])->host = 1;
    g_assert_cmpint(schedule_next(placement, &limits, &state), ==, 0);
}

static void
test_time_is_that_of_moves_beside_each_other(void)
{
    g_autoptr(Placement) placement = three_guests();

    g_assert_cmpfloat(schedule_seconds(placement, &(ScheduleLimits) { 1, 1 }), ==, 130);
    g_assert_cmpfloat(schedule_seconds(placement, &(ScheduleLimits) { 2, 2 }), ==, 100);
    g_assert_cmpfloat(schedule_seconds(placement, &(ScheduleLimits) { 2, 1 }), ==, 130);
    ((PlacementGuest *)placement->guests->pdata[0])->host = PLACEMENT_NOWHERE;
    g_assert_cmpfloat(schedule_seconds(placement, &(ScheduleLimits) { 2, 2 }), ==, 30);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schedule/order", test_important_ones_first_then_long_ones);
    g_test_add_func("/schedule/limits", test_full_destination_does_not_hold_up_another);
    g_test_add_func("/schedule/time", test_time_is_that_of_moves_beside_each_other);
    return g_test_run();
}
