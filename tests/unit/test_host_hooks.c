/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks of a host: which ones run, in which order, with what, and what becomes of their failures.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli/host_hooks.h"
#include "common/fault.h"

#define ETC "etc/migprep/pre-drain.d"
#define LIB "usr/lib/migprep/pre-drain.d"

typedef struct {
    char *root;
    GString *said;
    ConfigHooks config;
    HostHooks hooks;
} Fixture;

static void
listen(const char *hook, const char *line, void *data)
{
    g_string_append_printf(data, "%s:%s;", hook, line);
}

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->root = g_dir_make_tmp("host-hooks-XXXXXX", NULL);
    fixture->said = g_string_new(NULL);
    fixture->config = (ConfigHooks) { .seconds = 60 };
    fixture->hooks = (HostHooks) { .root = fixture->root,
                                   .config = &fixture->config,
                                   .reason = "new memory",
                                   .destinations = "host2 host3",
                                   .tell = listen,
                                   .data = fixture->said };
}

static void
remove_all(const char *path)
{
    g_autoptr(GDir) directory =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_all(child);
    }
    g_remove(path);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    remove_all(fixture->root);
    g_free(fixture->root);
    g_string_free(fixture->said, TRUE);
}

/* Owned. */
static char *
add_hook(Fixture *fixture, const char *place, const char *name, const char *script, int mode)
{
    char *path = g_build_filename(fixture->root, place, name, NULL);
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *text = g_strconcat("#!/bin/sh\n", script, "\n", NULL);

    g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(chmod(path, (mode_t)mode), ==, 0);
    return path;
}

static void
add(Fixture *fixture, const char *place, const char *name, const char *script)
{
    g_free(add_hook(fixture, place, name, script, 0755));
}

static gboolean
run(Fixture *fixture, GError **error)
{
    return host_hooks_run(&fixture->hooks, HOST_HOOKS_PRE_DRAIN, NULL, error);
}

static void
assert_said(Fixture *fixture, const char *said)
{
    g_autoptr(GError) error = NULL;

    run(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(fixture->said->str, ==, said);
}

static void
test_none_is_fine(Fixture *fixture, const void *data)
{
    assert_said(fixture, "");
}

static void
test_names_order_them_and_etc_hides_lib(Fixture *fixture, const void *data)
{
    g_autofree char *hidden = g_build_filename(fixture->root, ETC, "40-d", NULL);

    add(fixture, ETC, "30-c", "echo etc");
    add(fixture, LIB, "10-a", "echo lib");
    add(fixture, LIB, "20-b", "echo lib");
    add(fixture, LIB, "40-d", "echo lib");
    add(fixture, ETC, "20-b", "echo etc");
    g_assert_cmpint(symlink("/dev/null", hidden), ==, 0);
    assert_said(fixture, "10-a:lib;20-b:etc;30-c:etc;");
}

static void
test_saved_copies_and_what_is_not_executable_are_passed_over(Fixture *fixture, const void *data)
{
    add(fixture, ETC, "10-a.dpkg-old", "echo old");
    add(fixture, ETC, "10-a~", "echo backup");
    g_free(add_hook(fixture, ETC, "20-off", "echo off", 0644));
    assert_said(fixture, "");
}

static void
test_they_are_told_what_goes_on(Fixture *fixture, const void *data)
{
    add(fixture, ETC, "a",
        "echo $MIGPREP_PHASE, $MIGPREP_REASON, $MIGPREP_DESTINATIONS, "
        "${MIGPREP_RESULT-unset}, ${MIGPREP_HOST:+host}, ${HOME-no home}");
    assert_said(fixture, "a:pre-drain, new memory, host2 host3, , host, no home;");
}

static void
test_output_cannot_play_with_the_journal(Fixture *fixture, const void *data)
{
    add(fixture, ETC, "a", "printf 'one\\033[2J\\001two\\n\\nthree\\377\\n'");
    assert_said(fixture, "a:one [2J two;a:three\357\277\275;");
}

static void
test_failure_stops_the_rest_and_is_named(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    add(fixture, ETC, "10-a", "echo no storage >&2; exit 3");
    add(fixture, ETC, "20-b", "echo next");
    g_assert_false(run(fixture, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_nonnull(strstr(fault_object(error), "pre-drain.d/10-a"));
    g_assert_cmpstr(fault_cause(error), ==, "failed with status 3: no storage");
    g_assert_cmpstr(fixture->said->str, ==, "10-a:no storage;");
}

static void
test_failure_may_be_ignored(Fixture *fixture, const void *data)
{
    fixture->config.ignore_failure = TRUE;
    add(fixture, ETC, "10-a", "exit 3");
    add(fixture, ETC, "20-b", "echo next");
    assert_said(fixture, "20-b:next;");
}

static void
test_deadline_ends_one(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    fixture->config.seconds = 1;
    add(fixture, ETC, "a", "sleep 1000");
    g_assert_false(run(fixture, &error));
    g_assert_error(error, FAULT, FAULT_TIMED_OUT);
}

static void
test_what_others_may_write_to_is_not_run(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = add_hook(fixture, ETC, "a", "echo run", 0757);

    g_assert_false(run(fixture, &error));
    g_assert_error(error, FAULT, FAULT_PERMISSION_DENIED);
    g_clear_error(&error);
    g_assert_cmpint(chmod(path, 0755), ==, 0);
    g_autofree char *directory = g_path_get_dirname(path);
    g_assert_cmpint(chmod(directory, 0775), ==, 0);
    g_assert_false(run(fixture, &error));
    g_assert_error(error, FAULT, FAULT_PERMISSION_DENIED);
    g_assert_cmpstr(fixture->said->str, ==, "");
}

static void
test_cancelling_is_never_ignored(Fixture *fixture, const void *data)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;

    fixture->config.ignore_failure = TRUE;
    add(fixture, ETC, "10-a", "sleep 1000");
    add(fixture, ETC, "20-b", "echo next");
    g_cancellable_cancel(cancellable);
    g_assert_false(host_hooks_run(&fixture->hooks, HOST_HOOKS_PRE_DRAIN, cancellable, &error));
    g_assert_error(error, FAULT, FAULT_CANCELLED);
    g_assert_cmpstr(fixture->said->str, ==, "");
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *fixture, const void *data);
    } tests[] = {
        { "/host-hooks/none", test_none_is_fine },
        { "/host-hooks/order", test_names_order_them_and_etc_hides_lib },
        { "/host-hooks/passed-over", test_saved_copies_and_what_is_not_executable_are_passed_over },
        { "/host-hooks/environment", test_they_are_told_what_goes_on },
        { "/host-hooks/output", test_output_cannot_play_with_the_journal },
        { "/host-hooks/abort", test_failure_stops_the_rest_and_is_named },
        { "/host-hooks/ignore", test_failure_may_be_ignored },
        { "/host-hooks/deadline", test_deadline_ends_one },
        { "/host-hooks/unsafe", test_what_others_may_write_to_is_not_run },
        { "/host-hooks/cancel", test_cancelling_is_never_ignored },
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run();
}
