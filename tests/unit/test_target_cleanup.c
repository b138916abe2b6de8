/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the test of leases of targets that end while one of their file systems does not answer. */
#include <string.h>
#include <unistd.h>

#include "fake/target_fixture.h"

int __real_renameat2(int old_fd, const char *old_name, int fd, const char *name, unsigned flags);
int __wrap_renameat2(int old_fd, const char *old_name, int fd, const char *name, unsigned flags);

static struct {
    GMutex lock;
    GCond changed;
    gboolean dead;     /* the file system of what is called so */
    unsigned removing; /* who waits for it */
} server;

int
__wrap_renameat2(int old_fd, const char *old_name, int fd, const char *name, unsigned flags)
{
    g_mutex_lock(&server.lock);
    if (server.dead && g_str_equal(old_name, "dead.raw")) {
        server.removing++;
        g_cond_broadcast(&server.changed);
        while (server.dead)
            g_cond_wait(&server.changed, &server.lock);
    }
    g_mutex_unlock(&server.lock);
    return __real_renameat2(old_fd, old_name, fd, name, flags);
}

static void
set_dead(gboolean dead)
{
    g_mutex_lock(&server.lock);
    server.dead = dead;
    g_cond_broadcast(&server.changed);
    g_mutex_unlock(&server.lock);
}

static void
await_removing(void)
{
    g_mutex_lock(&server.lock);
    while (server.removing == 0)
        g_cond_wait(&server.changed, &server.lock);
    g_mutex_unlock(&server.lock);
}

static void
make(TargetFixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->images, name, NULL);
    json_t *asked = fixture_one_raw(fixture, name, path, 4096);
    g_autoptr(GError) error = NULL;

    json_object_set_new(asked, "timeoutSeconds", json_integer(1));
    lease_free(fixture_create_from(fixture, asked, &error));
    g_assert_no_error(error);
}

static void
await_leases(TargetFixture *fixture, unsigned count)
{
    gint64 until = fixture_deadline();

    while (fixture_count_leases(fixture) != count) { /* the daemon's own thread looks after them */
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(1000);
    }
}

static void
test_dead_file_system_delays_its_own_lease_only(TargetFixture *fixture, const void *data)
{
    set_dead(TRUE);
    make(fixture, "dead.raw");
    make(fixture, "other.raw");
    await_removing();
    await_leases(fixture, 1);
    make(fixture, "later.raw");
    await_leases(fixture, 1);
    g_assert_cmpuint(server.removing, ==, 1);
    set_dead(FALSE);
    await_leases(fixture, 0);
    fixture_assert_nothing_left(fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/target-cleanup/dead-file-system", TargetFixture, NULL, fixture_set_up,
               test_dead_file_system_delays_its_own_lease_only, fixture_tear_down);
    return g_test_run();
}
