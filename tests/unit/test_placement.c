/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placing guests: all that can fit together do, and what is left out is what matters least. */
#include <string.h>

#include "common/cli/placement.h"

#define GIB (1ULL << 30)

static PlacementGuest *
add_guest(Placement *placement, const char *name, guint64 memory, guint64 functions)
{
    PlacementGuest *guest = placement_add_guest(placement, name);

    guest->priority = 1;
    placement_need(placement, guest, "memory", memory);
    placement_need(placement, guest, "blue", functions);
    return guest;
}

static void
add_host(Placement *placement, const char *name, guint64 memory, guint64 functions)
{
    PlacementHost *host = placement_add_host(placement, name);

    placement_offer(placement, host, "memory", memory);
    placement_offer(placement, host, "blue", functions);
}

static void
test_spreads_the_load(void)
{
    g_autoptr(Placement) placement = placement_new();
    unsigned there[3] = { 0 };

    for (int i = 0; i < 3; i++)
        add_host(placement, "host", 8 * GIB, 8);
    for (int i = 0; i < 6; i++)
        add_guest(placement, "web", GIB, 1);
    g_assert_true(placement_solve(placement));
    for (guint i = 0; i < 6; i++)
        there[((PlacementGuest *)placement->guests->pdata[i])->host]++;
    for (int i = 0; i < 3; i++)
        g_assert_cmpuint(there[i], ==, 2);
}

/* Spreading alone would put the small ones on both hosts and leave no room for the large one. */
static void
test_goes_back_on_decisions_until_all_fit(void)
{
    g_autoptr(Placement) placement = placement_new();

    add_host(placement, "host2", 10 * GIB, 10);
    add_host(placement, "host3", 7 * GIB, 10);
    add_guest(placement, "a", 6 * GIB, 1);
    add_guest(placement, "b", 4 * GIB, 1);
    add_guest(placement, "c", 4 * GIB, 1);
    add_guest(placement, "d", 3 * GIB, 1);
    g_assert_true(placement_solve(placement));
    g_assert_cmpfloat(placement_fullness(placement, 0), ==, 1.0);
    g_assert_cmpfloat(placement_fullness(placement, 1), ==, 1.0);
}

static void
test_leaves_out_what_matters_least_and_says_why(void)
{
    g_autoptr(Placement) placement = placement_new();

    add_host(placement, "host2", 16 * GIB, 2);
    PlacementGuest *low = add_guest(placement, "low", 8 * GIB, 2);
    PlacementGuest *high = add_guest(placement, "high", GIB, 1);
    low->priority = 2;
    high->priority = 0;
    g_assert_false(placement_solve(placement));
    g_assert_cmpint(high->host, ==, 0);
    g_assert_null(high->reason);
    g_assert_cmpint(low->host, ==, PLACEMENT_NOWHERE);
    g_assert_cmpstr(low->reason, ==, "host2: blue: 2 needed, 1 left of 2");
}

static void
test_groups_stay_together_or_apart(void)
{
    g_autoptr(Placement) placement = placement_new();

    add_host(placement, "host2", 16 * GIB, 8);
    add_host(placement, "host3", 16 * GIB, 8);
    PlacementGuest *one = add_guest(placement, "one", GIB, 1);
    PlacementGuest *two = add_guest(placement, "two", GIB, 1);
    PlacementGuest *left = add_guest(placement, "left", GIB, 1);
    PlacementGuest *right = add_guest(placement, "right", GIB, 1);
    PlacementGuest *third = add_guest(placement, "third", GIB, 1);
    one->together = g_strdup("app");
    two->together = g_strdup("app");
    left->apart = g_strdup("dns");
    right->apart = g_strdup("dns");
    third->apart = g_strdup("dns");
    third->priority = 2;
    g_assert_false(placement_solve(placement));
    g_assert_cmpint(one->host, ==, two->host);
    g_assert_cmpint(left->host, !=, right->host);
    g_assert_cmpint(third->host, ==, PLACEMENT_NOWHERE);
    g_assert_nonnull(strstr(third->reason, "group 'dns'"));
}

static void
test_follows_and_avoids_groups_that_are_there_already(void)
{
    g_autoptr(Placement) placement = placement_new();

    add_host(placement, "host2", 16 * GIB, 8);
    add_host(placement, "host3", 4 * GIB, 8);
    PlacementHost *host3 = placement->hosts->pdata[1];
    g_hash_table_add(host3->together, g_strdup("app"));
    g_hash_table_add(host3->apart, g_strdup("dns"));
    PlacementGuest *follows = add_guest(placement, "follows", GIB, 1);
    PlacementGuest *avoids = add_guest(placement, "avoids", GIB, 1);
    PlacementGuest *large = add_guest(placement, "large", 8 * GIB, 1);
    follows->together = g_strdup("app");
    avoids->apart = g_strdup("dns");
    large->together = g_strdup("app");
    large->priority = 2;
    g_assert_false(placement_solve(placement));
    g_assert_cmpint(avoids->host, ==, 0);
    g_assert_nonnull(strstr(large->reason, "its group 'app', which stays together, is on host3"));
    large->together[0] = 'x';
    g_assert_true(placement_solve(placement));
    g_assert_cmpint(follows->host, ==, 1);
}

static void
test_obstacles_are_the_reason(void)
{
    g_autoptr(Placement) placement = placement_new();

    add_host(placement, "host2", 16 * GIB, 8);
    add_host(placement, "host3", 0, 8);
    PlacementGuest *guest = add_guest(placement, "web", GIB, 1);
    placement_bar(guest, 0, "processor lacks avx512");
    placement_bar(guest, 0, "second");
    g_assert_false(placement_solve(placement));
    g_assert_cmpstr(guest->reason, ==,
                    "host2: processor lacks avx512; host3: memory: 1073741824 needed, 0 left of 0");
}

static void
test_another_place_is_found_for_one(void)
{
    g_autoptr(Placement) placement = placement_new();
    const gboolean barred[3] = { TRUE, FALSE, FALSE };

    add_host(placement, "host2", 8 * GIB, 8);
    add_host(placement, "host3", GIB, 8);
    add_host(placement, "host4", 4 * GIB, 8);
    PlacementGuest *guest = add_guest(placement, "web", 2 * GIB, 1);
    g_assert_true(placement_solve(placement));
    g_assert_cmpint(guest->host, ==, 0);
    g_assert_true(placement_place_elsewhere(placement, 0, barred));
    g_assert_cmpint(guest->host, ==, 2);
    g_assert_false(placement_place_elsewhere(placement, 0, (gboolean[]) { TRUE, TRUE, TRUE }));
    g_assert_cmpint(guest->host, ==, 2);
}

/* Random small instances against all placements that there are. */

#define HOSTS_MAX  3
#define GUESTS_MAX 6

static const char *const groups[] = { "a", "b" };

static Placement *
random_instance(void)
{
    Placement *placement = placement_new();
    int hosts = g_test_rand_int_range(1, HOSTS_MAX + 1);
    int guests = g_test_rand_int_range(1, GUESTS_MAX + 1);

    for (int i = 0; i < hosts; i++)
        add_host(placement, "host", (guint64)g_test_rand_int_range(0, 12),
                 (guint64)g_test_rand_int_range(0, 8));
    for (int i = 0; i < guests; i++) {
        PlacementGuest *guest = add_guest(placement, "guest", (guint64)g_test_rand_int_range(0, 6),
                                          (guint64)g_test_rand_int_range(0, 4));
        guest->priority = (unsigned)g_test_rand_int_range(0, PLACEMENT_PRIORITIES);
        if (g_test_rand_int_range(0, 4) == 0)
            guest->together = g_strdup(groups[g_test_rand_int_range(0, 2)]);
        if (g_test_rand_int_range(0, 4) == 0)
            guest->apart = g_strdup(groups[g_test_rand_int_range(0, 2)]);
        if (g_test_rand_int_range(0, 5) == 0)
            placement_bar(guest, (guint)g_test_rand_int_range(0, hosts), "barred");
    }
    return placement;
}

/* Whether the hosts of all guests are what may be, and for together: either all or none of them. */
static gboolean
is_valid(const Placement *placement, const int *hosts)
{
    guint64 memory[HOSTS_MAX] = { 0 }, functions[HOSTS_MAX] = { 0 };

    for (guint i = 0; i < placement->guests->len; i++) {
        const PlacementGuest *guest = placement->guests->pdata[i];

        for (guint k = 0; k < i; k++) {
            const PlacementGuest *other = placement->guests->pdata[k];
            if ((guest->together && !g_strcmp0(guest->together, other->together) &&
                 hosts[i] != hosts[k]) ||
                (guest->apart && !g_strcmp0(guest->apart, other->apart) && hosts[i] >= 0 &&
                 hosts[i] == hosts[k]))
                return FALSE;
        }
        if (hosts[i] < 0)
            continue;
        const PlacementHost *host = placement->hosts->pdata[hosts[i]];
        if ((guint)hosts[i] < guest->obstacles->len && guest->obstacles->pdata[hosts[i]])
            return FALSE;
        memory[hosts[i]] += g_array_index(guest->needs, guint64, 0);
        functions[hosts[i]] += g_array_index(guest->needs, guint64, 1);
        if (memory[hosts[i]] > g_array_index(host->offers, guint64, 0) ||
            functions[hosts[i]] > g_array_index(host->offers, guint64, 1))
            return FALSE;
    }
    return TRUE;
}

static unsigned
worth(const Placement *placement, const int *hosts)
{
    static const unsigned worths[] = { 100, 10, 1 };
    unsigned sum = 0;

    for (guint i = 0; i < placement->guests->len; i++) {
        const PlacementGuest *guest = placement->guests->pdata[i];
        sum += hosts[i] < 0 ? 0 : worths[guest->priority];
    }
    return sum;
}

static unsigned
best_worth(const Placement *placement, int *hosts, guint decided)
{
    unsigned best = 0;

    if (decided == placement->guests->len)
        return is_valid(placement, hosts) ? worth(placement, hosts) : 0;
    for (int host = -1; host < (int)placement->hosts->len; host++) {
        hosts[decided] = host;
        best = MAX(best, best_worth(placement, hosts, decided + 1));
    }
    return best;
}

static void
test_is_as_good_as_trying_everything(void)
{
    for (int round = 0; round < 300; round++) {
        g_autoptr(Placement) placement = random_instance();
        int hosts[GUESTS_MAX], tried[GUESTS_MAX];
        gboolean all = placement_solve(placement);
        gboolean none_missing = TRUE;

        for (guint i = 0; i < placement->guests->len; i++) {
            const PlacementGuest *guest = placement->guests->pdata[i];
            hosts[i] = guest->host;
            none_missing = none_missing && guest->host >= 0;
            g_assert_true((guest->host < 0) == (guest->reason != NULL));
        }
        g_assert_cmpint(all, ==, none_missing);
        g_assert_true(is_valid(placement, hosts));
        g_assert_cmpuint(worth(placement, hosts), ==, best_worth(placement, tried, 0));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/placement/spreads", test_spreads_the_load);
    g_test_add_func("/placement/goes-back", test_goes_back_on_decisions_until_all_fit);
    g_test_add_func("/placement/priority", test_leaves_out_what_matters_least_and_says_why);
    g_test_add_func("/placement/groups", test_groups_stay_together_or_apart);
    g_test_add_func("/placement/groups-there",
                    test_follows_and_avoids_groups_that_are_there_already);
    g_test_add_func("/placement/obstacles", test_obstacles_are_the_reason);
    g_test_add_func("/placement/elsewhere", test_another_place_is_found_for_one);
    g_test_add_func("/placement/brute-force", test_is_as_good_as_trying_everything);
    return g_test_run();
}
