/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every LegProbe does, asserted of the fake and of packet sockets on two virtual devices in a
 * network namespace of their own. */
#include <sched.h>
#include <string.h>

#include "common/fault.h"
#include "fake/fake_leg_probe.h"

#define ADDRESS "192.0.2.1" /* of the device at the other end */
#define NOBODY  "192.0.2.9"
#define WAIT    300 /* milliseconds, for what does not come */

typedef struct {
    LegProbe *probe;
    FakeLegProbe *fake; /* NULL: the real one */
} Side;

static unsigned
patience_msec(void)
{
    const char *slowness = g_getenv("TEST_SLOWNESS");

    return 10000 * (slowness ? (unsigned)CLAMP(g_ascii_strtoull(slowness, NULL, 10), 1, 100) : 1);
}

static void
run(const char *command)
{
    g_auto(GStrv) argv = g_strsplit(command, " ", -1);
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
}

/* "near" and "far" are the two ends of a cable; ADDRESS is at the far one. Near is the port of a
 * bridge, as a guest's tap is. */
static gboolean
lay_cable(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        return FALSE;
    run("ip link add near address 02:00:00:00:00:01 type veth peer name far address "
        "02:00:00:00:00:02");
    run("ip address add " ADDRESS "/24 dev far");
    run("ip link add hub type bridge");
    run("ip link set near master hub");
    run("ip link set hub up");
    run("ip link set near up");
    run("ip link set far up");
    return TRUE;
}

static void
set_up_fake(Side *side, const void *unused)
{
    side->fake = fake_leg_probe_new();
    side->probe = fake_leg_probe_get(side->fake);
}

static void
set_up_real(Side *side, const void *unused)
{
    side->probe = leg_probe_new_packet();
}

static void
tear_down(Side *side, const void *unused)
{
    leg_probe_free(side->probe);
}

static gboolean
ask(Side *side, const char *address, unsigned timeout_msec)
{
    const char *const addresses[] = { NOBODY, address, NULL };
    g_autoptr(GError) error = NULL;
    gboolean answered = FALSE;

    g_assert_true(
        leg_probe_ask(side->probe, "near", addresses, timeout_msec, NULL, &answered, &error));
    g_assert_no_error(error);
    return answered;
}

static void
test_who_is_there_answers(Side *side, const void *unused)
{
    g_assert_true(ask(side, ADDRESS, patience_msec()));
}

static void
test_who_is_not_there_does_not(Side *side, const void *unused)
{
    if (side->fake)
        fake_leg_probe_set_silent(side->fake, "near");
    g_assert_false(ask(side, NOBODY, WAIT));
}

static void
test_asking_leaves_no_trace(Side *side, const void *unused)
{
    g_autofree char *table = NULL;

    g_assert_true(ask(side, ADDRESS, patience_msec()));
    g_assert_true(g_file_get_contents("/proc/thread-self/net/arp", &table, NULL, NULL));
    g_assert_null(strstr(table, "02:00:00:00:00:01"));
}

static void *
speak(void *until_heard)
{
    const char *const addresses[] = { NOBODY, NULL };
    g_autoptr(LegProbe) probe = leg_probe_new_packet();
    gboolean answered = FALSE;

    g_assert_true(
        leg_probe_ask(probe, "far", addresses, patience_msec(), until_heard, &answered, NULL));
    return NULL;
}

static void
test_who_speaks_is_heard(void)
{
    g_autoptr(LegProbe) probe = leg_probe_new_packet();
    g_autoptr(GCancellable) until_heard = g_cancellable_new();
    gboolean heard = FALSE;
    GThread *thread = g_thread_new("speak", speak, until_heard);

    g_assert_true(
        leg_probe_hear(probe, "near", "02:00:00:00:00:02", patience_msec(), NULL, &heard, NULL));
    g_assert_true(heard);
    /* What it sends itself is not heard. */
    g_assert_true(leg_probe_hear(probe, "far", "02:00:00:00:00:02", WAIT, NULL, &heard, NULL));
    g_assert_false(heard);
    g_cancellable_cancel(until_heard);
    g_thread_join(thread);
}

static void
test_missing_device_is_named(void)
{
    const char *const addresses[] = { NOBODY, NULL };
    g_autoptr(LegProbe) probe = leg_probe_new_packet();
    g_autoptr(GError) error = NULL;
    gboolean answered = FALSE;

    g_assert_false(leg_probe_ask(probe, "nonesuch", addresses, WAIT, NULL, &answered, &error));
    g_assert_error(error, FAULT, FAULT_INTERNAL);
    g_assert_nonnull(strstr(error->message, "nonesuch"));
}

static void
test_cancelled_waiting_ends(void)
{
    const char *const addresses[] = { NOBODY, NULL };
    g_autoptr(LegProbe) probe = leg_probe_new_packet();
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    gboolean answered = TRUE;

    g_cancellable_cancel(cancellable);
    g_assert_true(leg_probe_ask(probe, "near", addresses, G_MAXINT, cancellable, &answered, NULL));
    g_assert_false(answered);
}

#define ADD(name, function)                                                                        \
    g_test_add("/fake/" name, Side, NULL, set_up_fake, function, tear_down);                       \
    if (real)                                                                                      \
    g_test_add("/packet/" name, Side, NULL, set_up_real, function, tear_down)

static void
skip_real(void)
{
    if (g_getenv("REQUIRE_REAL"))
        g_assert_not_reached(); /* must be root */
    else
        g_test_skip("a network namespace cannot be made: not root");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gboolean real = lay_cable();
    ADD("who-is-there-answers", test_who_is_there_answers);
    ADD("who-is-not-there-does-not", test_who_is_not_there_does_not);
    if (!real) {
        g_test_add_func("/packet/all", skip_real);
        return g_test_run();
    }
    g_test_add("/packet/asking-leaves-no-trace", Side, NULL, set_up_real,
               test_asking_leaves_no_trace, tear_down);
    g_test_add_func("/packet/who-speaks-is-heard", test_who_speaks_is_heard);
    g_test_add_func("/packet/missing-device-is-named", test_missing_device_is_named);
    g_test_add_func("/packet/cancelled-waiting-ends", test_cancelled_waiting_ends);
    return g_test_run();
}
