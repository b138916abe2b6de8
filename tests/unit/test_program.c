/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* External programs: what they get, what they may print, and how they end. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "common/program.h"

#define PATIENCE 20

static gboolean
run_script(const char *script, const char *input, unsigned timeout, GCancellable *cancellable,
           ProgramResult *result, GError **error)
{
    const char *const argv[] = { "sh", "-c", script, NULL };

    return program_run(argv, input, timeout, cancellable, result, error);
}

static void
test_output_and_status_come_back(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(ProgramResult) result = { 0 };

    g_assert_true(
        run_script("echo out; echo err >&2; exit 7", NULL, PATIENCE, NULL, &result, &error));
    g_assert_no_error(error);
    g_assert_cmpint(result.exit_status, ==, 7);
    g_assert_cmpstr(result.output, ==, "out\n");
    g_assert_cmpstr(result.error_text, ==, "err\n");
}

static void
test_program_gets_only_what_it_needs(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(ProgramResult) result = { 0 };
    int leaked = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, on purpose */

    g_setenv("SECRET", "x", TRUE);
    g_assert_true(
        run_script("env | sed 's/=.*//' | sort | tr '\\n' ' '; ls /proc/self/fd | wc -l; cat",
                   "typed", PATIENCE, NULL, &result, &error));
    g_assert_no_error(error);
    g_assert_null(strstr(result.output, "SECRET"));
    g_assert_nonnull(strstr(result.output, "LANG"));
    g_assert_nonnull(strstr(result.output, "\n4\ntyped") ? result.output
                                                         : strstr(result.output, " 4\ntyped"));
    close(leaked);
}

static void
test_missing_program_is_named(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(ProgramResult) result = { 0 };
    const char *const argv[] = { "no-such-program", NULL };

    g_assert_false(program_run(argv, NULL, PATIENCE, NULL, &result, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_nonnull(strstr(error->message, "no-such-program"));
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
test_deadline_ends_children_too(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(ProgramResult) result = { 0 };
    g_autofree char *name = g_strdup_printf("/tmp/program-test-%d", getpid());
    g_autofree char *script = g_strdup_printf("sleep 1000 & echo $! > %s; wait", name);
    g_autofree char *pid = NULL;

    g_assert_false(run_script(script, NULL, 1, NULL, &result, &error));
    g_assert_error(error, FAULT, FAULT_TIMED_OUT);
    g_assert_true(g_file_get_contents(name, &pid, NULL, NULL));
    unlink(name);
    /* Killed, if perhaps not reaped yet by its new parent. */
    gint64 deadline = g_get_monotonic_time() + PATIENCE * G_USEC_PER_SEC;
    g_autofree char *status_file = g_strdup_printf("/proc/%s/stat", g_strchomp(pid));
    for (;;) {
        g_autofree char *status = NULL;
        if (!g_file_get_contents(status_file, &status, NULL, NULL) || strstr(status, ") Z "))
            break;
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        g_usleep(1000);
    }
}

static void
test_output_has_a_limit(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(ProgramResult) result = { 0 };
    g_autofree char *fits =
        g_strdup_printf("head -c %d /dev/zero | tr '\\0' x", LIMIT_PROGRAM_OUTPUT_BYTES);
    g_autofree char *too_much =
        g_strdup_printf("head -c %d /dev/zero | tr '\\0' x", LIMIT_PROGRAM_OUTPUT_BYTES + 1);

    g_assert_true(run_script(fits, NULL, PATIENCE, NULL, &result, &error));
    g_assert_cmpuint(strlen(result.output), ==, LIMIT_PROGRAM_OUTPUT_BYTES);
    program_result_clear(&result);
    g_assert_false(run_script(too_much, NULL, PATIENCE, NULL, &result, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
}

static gpointer
cancel(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return NULL;
}

static void
test_cancelling_ends_it(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(ProgramResult) result = { 0 };
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    GThread *thread = g_thread_new("cancel", cancel, cancellable);

    g_assert_false(run_script("sleep 1000", NULL, PATIENCE, cancellable, &result, &error));
    g_assert_error(error, FAULT, FAULT_CANCELLED);
    g_thread_join(thread);
}

/* As ssh does that goes to the background: its child may not have left the process group yet. */
static void
test_what_is_left_in_the_background_goes_on(void)
{
    static const char *const argv[] = { "sh", "-c", "sleep 100 > /dev/null 2>&1 & echo $!", NULL };
    g_auto(ProgramResult) result = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_true(program_run_leaving(argv, NULL, PATIENCE, NULL, &result, &error));
    g_assert_no_error(error);
    pid_t pid = (pid_t)g_ascii_strtoll(result.output, NULL, 10);
    g_assert_cmpint(pid, >, 1);
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/program/background", test_what_is_left_in_the_background_goes_on);
    g_test_add_func("/program/result", test_output_and_status_come_back);
    g_test_add_func("/program/surroundings", test_program_gets_only_what_it_needs);
    g_test_add_func("/program/missing", test_missing_program_is_named);
    g_test_add_func("/program/deadline", test_deadline_ends_children_too);
    g_test_add_func("/program/limit", test_output_has_a_limit);
    g_test_add_func("/program/cancel", test_cancelling_ends_it);
    return g_test_run();
}
