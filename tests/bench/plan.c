/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long it takes to place guests on hosts; tests/bench/README.md says what is measured. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cli/schedule.h"

#define GUESTS   100
#define HOSTS    10
#define NETWORKS 4
#define GIB      (1ULL << 30)

/* Guests of many sizes, with a vNIC on each network; @percent: how much of what the hosts have they
 * need together. */
static Placement *
build(GRand *random, unsigned percent)
{
    Placement *placement = placement_new();
    guint64 memory = 0;

    for (int i = 0; i < GUESTS; i++) {
        PlacementGuest *guest = placement_add_guest(placement, "guest");
        guint64 size = (guint64)g_rand_int_range(random, 1, 33) * GIB;

        memory += size;
        guest->priority = (unsigned)g_rand_int_range(random, 0, PLACEMENT_PRIORITIES);
        guest->seconds = (double)size / 1e9;
        placement_need(placement, guest, "memory", size);
        placement_need(placement, guest, "processors", (guint64)g_rand_int_range(random, 1, 9));
        for (int network = 0; network < NETWORKS; network++)
            placement_need(placement, guest, (const char *[]) { "a", "b", "c", "d" }[network], 1);
    }
    for (int i = 0; i < HOSTS; i++) {
        PlacementHost *host = placement_add_host(placement, "host");

        placement_offer(placement, host, "memory", memory / HOSTS * 100 / percent);
        placement_offer(placement, host, "processors", 64);
        for (int network = 0; network < NETWORKS; network++)
            placement_offer(placement, host, (const char *[]) { "a", "b", "c", "d" }[network], 12);
    }
    return placement;
}

static int
compare(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;

    return one < other ? -1 : one > other;
}

static json_t *
measure(unsigned percent)
{
    enum { ROUNDS = 21 };
    double times[ROUNDS];
    unsigned placed = 0;
    g_autoptr(GRand) random = g_rand_new_with_seed(percent);

    for (int round = 0; round < ROUNDS; round++) {
        g_autoptr(Placement) placement = build(random, percent);
        gint64 start = g_get_monotonic_time();

        placed += placement_solve(placement);
        (void)schedule_seconds(placement, &(ScheduleLimits) { 2, 2 });
        times[round] = (double)(g_get_monotonic_time() - start) / 1000;
    }
    qsort(times, ROUNDS, sizeof *times, compare);
    return json_pack("{s:i, s:i, s:i, s:f, s:f}", "percentNeeded", (int)percent, "rounds", ROUNDS,
                     "allPlaced", (int)placed, "medianMilliseconds", times[ROUNDS / 2],
                     "maximumMilliseconds", times[ROUNDS - 1]);
}

int
main(void)
{
    json_t *figures = json_pack("{s:i, s:i, s:[o, o, o]}", "guests", GUESTS, "hosts", HOSTS,
                                "plans", measure(50), measure(95), measure(120));

    json_dumpf(figures, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(figures);
    return 0;
}
