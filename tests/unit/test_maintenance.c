/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a host takes guests: how it is begun, what of it a restart ends, who is refused. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/maintenance.h"

typedef struct {
    char *root;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->root = g_dir_make_tmp("maintenance-XXXXXX", NULL);
}

static void
remove_all(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
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
}

static void
begin(Fixture *fixture, const char *reason, gboolean lasting)
{
    g_autoptr(GError) error = NULL;

    maintenance_begin(fixture->root, reason, lasting, &error);
    g_assert_no_error(error);
}

/* What a restart of the host does to it. */
static void
restart_host(Fixture *fixture)
{
    g_autofree char *run = g_build_filename(fixture->root, "run", NULL);

    remove_all(run);
}

static void
test_guests_are_refused_with_the_reason_until_it_ends(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(maintenance_check(fixture->root, "guest 'web1'", &error));
    begin(fixture, "new memory", FALSE);
    g_assert_false(maintenance_check(fixture->root, "guest 'web1'", &error));
    g_assert_error(error, FAULT, FAULT_HOST_IN_MAINTENANCE);
    g_assert_cmpstr(fault_object(error), ==, "guest 'web1'");
    g_assert_nonnull(strstr(fault_cause(error), "new memory"));
    g_assert_true(maintenance_end(fixture->root, NULL));
    g_assert_true(maintenance_check(fixture->root, "guest 'web1'", NULL));
}

static void
test_restart_ends_it_unless_it_is_to_last(Fixture *fixture, const void *data)
{
    begin(fixture, "kernel", FALSE);
    restart_host(fixture);
    g_assert_null(maintenance_read(fixture->root));
    begin(fixture, "memory", TRUE);
    restart_host(fixture);
    g_autoptr(Maintenance) maintenance = maintenance_read(fixture->root);
    g_assert_nonnull(maintenance);
    g_assert_true(maintenance->lasting);
    g_assert_true(maintenance_end(fixture->root, NULL));
    g_assert_null(maintenance_read(fixture->root));
}

static void
test_beginning_again_replaces_the_reason_and_never_shortens_it(Fixture *fixture, const void *data)
{
    begin(fixture, "first", FALSE);
    begin(fixture, "second", TRUE);
    begin(fixture, "third", FALSE);
    restart_host(fixture);
    g_autofree char *reason = maintenance_reason(fixture->root);
    g_assert_cmpstr(reason, ==, "third");
}

static void
test_ending_what_never_began_is_no_error(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(maintenance_end(fixture->root, &error));
    g_assert_no_error(error);
}

static void
test_what_cannot_be_written_is_told(Fixture *fixture, const void *data)
{
    g_autofree char *run = g_build_filename(fixture->root, "run", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(run, "in the way", -1, NULL));
    g_assert_false(maintenance_begin(fixture->root, "x", FALSE, &error));
    g_assert_error(error, FAULT, FAULT_STORE_FAILED);
    g_assert_null(maintenance_read(fixture->root));
}

static void
add(const char *name, void (*test)(Fixture *fixture, const void *data))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/maintenance/refused", test_guests_are_refused_with_the_reason_until_it_ends);
    add("/maintenance/restart", test_restart_ends_it_unless_it_is_to_last);
    add("/maintenance/again", test_beginning_again_replaces_the_reason_and_never_shortens_it);
    add("/maintenance/end", test_ending_what_never_began_is_no_error);
    add("/maintenance/unwritable", test_what_cannot_be_written_is_told);
    return g_test_run();
}
