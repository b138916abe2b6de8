/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of looking after many leases at once. */
#include "storprep/lease_errands.h"

/* The linker leads all of ours here. It stands still unless it is told otherwise. */
gint64 __wrap_g_get_monotonic_time(void);

static gint now_seconds = 1000;

gint64
__wrap_g_get_monotonic_time(void)
{
    return g_atomic_int_get(&now_seconds) * (gint64)G_USEC_PER_SEC;
}

/* Errands that begin with "h" hang until they are let go. */
typedef struct {
    GMutex lock;
    GCond changed;
    unsigned hanging, most; /* most: at once */
    gboolean released;
    GString *done; /* their ids, and "!" where the guest had resumed */
} Workers;

static void
run(const char *id, gboolean resumed, void *data)
{
    Workers *workers = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&workers->lock);

    if (*id == 'h') {
        workers->hanging++;
        workers->most = MAX(workers->most, workers->hanging);
        g_cond_broadcast(&workers->changed);
        while (!workers->released)
            g_cond_wait(&workers->changed, &workers->lock);
        workers->hanging--;
    }
    g_string_append_printf(workers->done, "%s%s ", id, resumed ? "!" : "");
    g_cond_broadcast(&workers->changed);
}

static void
set_up(Workers *workers, const void *data)
{
    g_mutex_init(&workers->lock);
    g_cond_init(&workers->changed);
    workers->done = g_string_new(NULL);
}

static void
tear_down(Workers *workers, const void *data)
{
    g_string_free(workers->done, TRUE);
    g_cond_clear(&workers->changed);
    g_mutex_clear(&workers->lock);
}

static void
await_hanging(Workers *workers, unsigned count)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&workers->lock);

    while (workers->hanging < count)
        g_cond_wait(&workers->changed, &workers->lock);
}

static void
await_done(Workers *workers, const char *ids)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&workers->lock);

    while (!g_str_equal(workers->done->str, ids))
        g_cond_wait(&workers->changed, &workers->lock);
}

static void
release(Workers *workers)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&workers->lock);

    workers->released = TRUE;
    g_cond_broadcast(&workers->changed);
}

static void
test_one_that_hangs_holds_up_nobody(Workers *workers, const void *data)
{
    g_autoptr(LeaseErrands) errands = lease_errands_new(run, workers);

    lease_errands_ask(errands, "h", FALSE);
    await_hanging(workers, 1);
    lease_errands_ask(errands, "a", FALSE);
    await_done(workers, "a ");
    lease_errands_ask(errands, "a", FALSE);
    await_done(workers, "a a ");
    release(workers);
    lease_errands_await(errands);
    g_assert_cmpstr(workers->done->str, ==, "a a h ");
}

static void
test_asked_for_meanwhile_it_is_looked_at_once_more(Workers *workers, const void *data)
{
    g_autoptr(LeaseErrands) errands = lease_errands_new(run, workers);

    lease_errands_ask(errands, "h", FALSE);
    await_hanging(workers, 1);
    lease_errands_ask(errands, "h", TRUE);
    lease_errands_ask(errands, "h", FALSE);
    release(workers);
    lease_errands_await(errands);
    g_assert_cmpstr(workers->done->str, ==, "h h! ");
    g_assert_cmpuint(workers->most, ==, 1);
}

/* From the @first-th on. */
static void
ask_hanging(LeaseErrands *errands, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        g_autofree char *id = g_strdup_printf("h%u", i);

        lease_errands_ask(errands, id, FALSE);
    }
}

static void
test_so_many_at_once_and_no_more(Workers *workers, const void *data)
{
    g_autoptr(LeaseErrands) errands = lease_errands_new(run, workers);

    ask_hanging(errands, 0, 2 * LEASE_ERRANDS_AT_ONCE);
    await_hanging(workers, LEASE_ERRANDS_AT_ONCE);
    release(workers);
    lease_errands_await(errands);
    g_assert_cmpuint(workers->most, ==, LEASE_ERRANDS_AT_ONCE);
}

/* However many leases a dead server has. */
static void
test_those_that_hang_take_no_places_for_good(Workers *workers, const void *data)
{
    g_autoptr(LeaseErrands) errands = lease_errands_new(run, workers);

    ask_hanging(errands, 0, LEASE_ERRANDS_AT_ONCE);
    await_hanging(workers, LEASE_ERRANDS_AT_ONCE);
    g_atomic_int_add(&now_seconds, LEASE_ERRANDS_PROMPT_SECONDS);
    lease_errands_ask(errands, "a", FALSE);
    await_done(workers, "a ");
    release(workers);
    lease_errands_await(errands);
}

static void
test_threads_have_an_end(Workers *workers, const void *data)
{
    g_autoptr(LeaseErrands) errands = lease_errands_new(run, workers);
    unsigned hanging = 0;

    while (hanging < LEASE_ERRANDS_THREADS) {
        ask_hanging(errands, hanging, LEASE_ERRANDS_AT_ONCE);
        hanging += LEASE_ERRANDS_AT_ONCE;
        await_hanging(workers, hanging);
        g_atomic_int_add(&now_seconds, LEASE_ERRANDS_PROMPT_SECONDS);
    }
    ask_hanging(errands, hanging, LEASE_ERRANDS_AT_ONCE);
    release(workers);
    lease_errands_await(errands);
    g_assert_cmpuint(workers->most, ==, LEASE_ERRANDS_THREADS);
}

static void
test_what_is_not_begun_ends_with_the_daemon(Workers *workers, const void *data)
{
    LeaseErrands *errands = lease_errands_new(run, workers);

    release(workers);
    ask_hanging(errands, 0, 100);
    lease_errands_free(errands);
    g_assert_cmpuint(workers->hanging, ==, 0);
}

static void
add(const char *name, void (*test)(Workers *, const void *))
{
    g_test_add(name, Workers, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/lease-errands/hangs", test_one_that_hangs_holds_up_nobody);
    add("/lease-errands/meanwhile", test_asked_for_meanwhile_it_is_looked_at_once_more);
    add("/lease-errands/at-once", test_so_many_at_once_and_no_more);
    add("/lease-errands/not-for-good", test_those_that_hang_take_no_places_for_good);
    add("/lease-errands/threads", test_threads_have_an_end);
    add("/lease-errands/end", test_what_is_not_begun_ends_with_the_daemon);
    return g_test_run();
}
