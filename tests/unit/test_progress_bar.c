/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/progress_bar.h"

#include <string.h>

#define GIB (1024ULL * 1024 * 1024)

static const MoveProgress half = {
    .memory_total_bytes = 1 * GIB,
    .memory_remaining_bytes = GIB / 2,
    .disk_total_bytes = 3 * GIB,
    .disk_remaining_bytes = 3 * GIB / 2,
    .rate_bytes_per_second = GIB / 4,
    .seconds_left = 8,
};

static void
test_counts_memory_and_disk_together(void)
{
    g_assert_cmpuint(progress_bar_percent(&half), ==, 50);
}

static void
test_shows_size_rate_and_time_left(void)
{
    g_autofree char *line = progress_bar_format(&half, 100);

    g_assert_cmpstr(line, ==,
                    "[###############...............]   50 %  2.0 GiB of 4.0 GiB  256.0 MiB/s  "
                    "about 8 s left");
}

static void
test_fits_every_width(void)
{
    for (unsigned columns = 0; columns <= 120; columns++) {
        g_autofree char *line = progress_bar_format(&half, columns);
        g_assert_cmpuint(strlen(line), <=, columns);
    }
}

static void
test_drops_the_bar_before_the_numbers(void)
{
    g_autofree char *line = progress_bar_format(&half, 60);

    g_assert_true(g_str_has_prefix(line, " 50 %  2.0 GiB of 4.0 GiB"));
}

static void
test_says_starting_while_sizes_are_unknown(void)
{
    const MoveProgress nothing = { 0 };
    g_autofree char *line = progress_bar_format(&nothing, 80);

    g_assert_cmpuint(progress_bar_percent(&nothing), ==, 0);
    g_assert_cmpstr(line, ==, "starting");
}

static void
test_is_not_done_before_all_is_sent(void)
{
    MoveProgress almost = half;

    almost.memory_remaining_bytes = 1;
    almost.disk_remaining_bytes = 0;
    g_assert_cmpuint(progress_bar_percent(&almost), ==, 99);
    almost.memory_remaining_bytes = 0;
    g_assert_cmpuint(progress_bar_percent(&almost), ==, 100);
}

static void
test_survives_more_remaining_than_there_is(void)
{
    MoveProgress odd = half;

    odd.memory_remaining_bytes = G_MAXUINT64;
    odd.disk_remaining_bytes = G_MAXUINT64;
    g_autofree char *line = progress_bar_format(&odd, 100);
    g_assert_cmpuint(progress_bar_percent(&odd), ==, 0);
    g_assert_nonnull(strstr(line, "about 8 s left"));
}

static void
test_names_the_phase_and_what_the_guest_dirties(void)
{
    MoveProgress progress = half;

    progress.phase = "postcopy";
    progress.dirty_rate_bytes_per_second = GIB / 1024;
    progress.seconds_left = -1;
    g_autofree char *line = progress_bar_format(&progress, 120);
    g_assert_nonnull(strstr(line, "postcopy   50 %"));
    g_assert_nonnull(strstr(line, "1.0 MiB/s dirtied"));
    g_assert_null(strstr(line, "left"));
    const MoveProgress queued = { .phase = "queued" };
    g_autofree char *waiting = progress_bar_format(&queued, 80);
    g_assert_cmpstr(waiting, ==, "queued");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/progress-bar/counts-memory-and-disk-together",
                    test_counts_memory_and_disk_together);
    g_test_add_func("/progress-bar/shows-size-rate-and-time-left",
                    test_shows_size_rate_and_time_left);
    g_test_add_func("/progress-bar/fits-every-width", test_fits_every_width);
    g_test_add_func("/progress-bar/drops-the-bar-before-the-numbers",
                    test_drops_the_bar_before_the_numbers);
    g_test_add_func("/progress-bar/says-starting-while-sizes-are-unknown",
                    test_says_starting_while_sizes_are_unknown);
    g_test_add_func("/progress-bar/is-not-done-before-all-is-sent",
                    test_is_not_done_before_all_is_sent);
    g_test_add_func("/progress-bar/survives-more-remaining-than-there-is",
                    test_survives_more_remaining_than_there_is);
    g_test_add_func("/progress-bar/names-the-phase-and-what-the-guest-dirties",
                    test_names_the_phase_and_what_the_guest_dirties);
    return g_test_run();
}
