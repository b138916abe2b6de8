/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clock of a migration's timeout, and the figures of its progress. */
#include "storprep/convergence.h"

#include "storprep/migration_progress.h"

#define SECOND G_USEC_PER_SEC

static const MigrationProgress disks = { .active = TRUE, .disk_total_bytes = 10 };
static const MigrationProgress memory = { .active = TRUE, .memory_total_bytes = 10 };

static Convergence
within(guint64 seconds, TimeoutAction action, MigrationMode mode)
{
    Policy policy = policy_new();

    policy.values[POLICY_TIMEOUT] = seconds;
    policy.values[POLICY_ON_TIMEOUT] = (guint64)action;
    return convergence_new(&policy, mode);
}

static void
test_time_counts_from_the_first_memory(void)
{
    Convergence convergence = within(30, TIMEOUT_POSTCOPY, MIGRATION_LIVE);

    g_assert_false(convergence_is_due(&convergence, &disks, 1 * SECOND));
    g_assert_false(convergence_is_due(&convergence, &disks, 500 * SECOND));
    g_assert_false(convergence_is_due(&convergence, &memory, 500 * SECOND));
    g_assert_false(convergence_is_due(&convergence, &memory, 530 * SECOND - 1));
    g_assert_true(convergence_is_due(&convergence, &memory, 530 * SECOND));
    g_assert_cmpint(convergence.action, ==, TIMEOUT_POSTCOPY);
}

static void
test_due_until_acted_and_never_again(void)
{
    Convergence convergence = within(1, TIMEOUT_SUSPEND, MIGRATION_LIVE);

    g_assert_false(convergence_is_due(&convergence, &memory, 1 * SECOND));
    g_assert_true(convergence_is_due(&convergence, &memory, 2 * SECOND));
    g_assert_true(convergence_is_due(&convergence, &memory, 3 * SECOND));
    convergence.acted = TRUE;
    g_assert_false(convergence_is_due(&convergence, &memory, 4 * SECOND));
}

/* P9: without a policy of its own a guest is left to run, however long it takes. */
static void
test_nothing_is_ever_due_without_a_policy_for_it(void)
{
    Convergence none[] = {
        within(0, TIMEOUT_CONTINUE, MIGRATION_LIVE),
        within(9, TIMEOUT_CONTINUE, MIGRATION_LIVE),
        within(0, TIMEOUT_SUSPEND, MIGRATION_LIVE),
        within(9, TIMEOUT_SUSPEND, MIGRATION_SUSPENDED),
        within(9, TIMEOUT_ABORT, MIGRATION_OFFLINE),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
        g_assert_false(convergence_is_due(&none[i], &memory, 1));
        g_assert_false(convergence_is_due(&none[i], &memory, G_MAXINT64));
    }
}

static void
test_waits_no_longer_than_until_it_is_due(void)
{
    Convergence convergence = within(3, TIMEOUT_ABORT, MIGRATION_LIVE);

    g_assert_cmpint(convergence_wait(&convergence, 10 * SECOND, SECOND), ==, SECOND);
    convergence_is_due(&convergence, &memory, 10 * SECOND);
    g_assert_cmpint(convergence_wait(&convergence, 11 * SECOND, SECOND), ==, SECOND);
    g_assert_cmpint(convergence_wait(&convergence, 13 * SECOND - 5, SECOND), ==, 5);
    g_assert_cmpint(convergence_wait(&convergence, 14 * SECOND, SECOND), ==, SECOND);
}

static void
test_phase_is_what_libvirt_counts(void)
{
    const MigrationProgress nothing = { .active = TRUE };
    const MigrationProgress both = { .memory_total_bytes = 1, .disk_total_bytes = 1 };

    g_assert_cmpint(migration_phase_of(&nothing), ==, MIGRATION_PHASE_PREPARING);
    g_assert_cmpint(migration_phase_of(&disks), ==, MIGRATION_PHASE_DISKS);
    g_assert_cmpint(migration_phase_of(&memory), ==, MIGRATION_PHASE_MEMORY);
    g_assert_cmpint(migration_phase_of(&both), ==, MIGRATION_PHASE_MEMORY);
}

static void
test_time_left_is_what_is_gained_on_the_guest(void)
{
    MigrationProgress progress = { .memory_total_bytes = 1000,
                                   .memory_remaining_bytes = 900,
                                   .disk_total_bytes = 100,
                                   .disk_remaining_bytes = 1,
                                   .rate_bytes_per_second = 110,
                                   .dirty_rate_bytes_per_second = 10 };

    g_assert_cmpint(migration_seconds_left(&progress), ==, 10);
    progress.dirty_rate_bytes_per_second = 110;
    g_assert_cmpint(migration_seconds_left(&progress), ==, -1);
    progress.rate_bytes_per_second = 0;
    g_assert_cmpint(migration_seconds_left(&progress), ==, -1);
}

static void
test_every_figure_is_told(void)
{
    static const struct {
        const char *name;
        json_int_t value;
    } figures[] = {
        { "memoryTotalBytes", 1 },     { "memoryRemainingBytes", 2 },
        { "diskTotalBytes", 3 },       { "diskRemainingBytes", 4 },
        { "rateBytesPerSecond", 15 },  { "dirtyRateBytesPerSecond", 6 },
        { "downtimeMilliseconds", 7 }, { "iteration", 9 },
        { "throttlePercent", 10 },     { "secondsLeft", 1 },
    };
    const MigrationProgress progress = { TRUE, 1, 2, 3, 4, 15, 6, 7, 8, 9, 10 };
    json_auto_t *told = migration_progress_pack(MIGRATION_PHASE_POSTCOPY, &progress);

    g_assert_cmpstr(json_string_value(json_object_get(told, "phase")), ==, "postcopy");
    g_assert_cmpuint(json_object_size(told), ==, G_N_ELEMENTS(figures) + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(figures); i++)
        g_assert_cmpint(json_integer_value(json_object_get(told, figures[i].name)), ==,
                        figures[i].value);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convergence/time-counts-from-the-first-memory",
                    test_time_counts_from_the_first_memory);
    g_test_add_func("/convergence/due-until-acted-and-never-again",
                    test_due_until_acted_and_never_again);
    g_test_add_func("/convergence/nothing-is-due-without-a-policy-for-it",
                    test_nothing_is_ever_due_without_a_policy_for_it);
    g_test_add_func("/convergence/waits-no-longer-than-until-it-is-due",
                    test_waits_no_longer_than_until_it_is_due);
    g_test_add_func("/progress/phase-is-what-libvirt-counts", test_phase_is_what_libvirt_counts);
    g_test_add_func("/progress/time-left-is-what-is-gained-on-the-guest",
                    test_time_left_is_what_is_gained_on_the_guest);
    g_test_add_func("/progress/every-figure-is-told", test_every_figure_is_told);
    return g_test_run();
}
