/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of event watches: nothing missed, nothing foreign, bounded, cancellable. */
#include "common/fault.h"
#include "common/hypervisor.h"

#define PATIENCE_USEC (60 * G_TIME_SPAN_SECOND)

typedef struct {
    Hypervisor *hypervisor;
    gboolean freed;
} Fixture;

static void
note_freed(void *self)
{
    ((Fixture *)self)->freed = TRUE;
}

static void
set_up(Fixture *fixture, const void *unused)
{
    static const HypervisorOps ops = { .free = note_freed };

    fixture->hypervisor = hypervisor_new(&ops, fixture);
}

static void
tear_down(Fixture *fixture, const void *unused)
{
    hypervisor_free(fixture->hypervisor);
    g_assert_true(fixture->freed);
}

static void
emit(Fixture *fixture, HypervisorEventType type, const char *uuid, const char *alias)
{
    HypervisorEvent event = { .type = type, .uuid = (char *)uuid, .alias = (char *)alias };

    hypervisor_emit(fixture->hypervisor, &event);
}

static void
assert_next(HypervisorWatch *watch, HypervisorEventType type, const char *uuid, const char *alias)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HypervisorEvent) event =
        hypervisor_watch_next(watch, g_get_monotonic_time() + PATIENCE_USEC, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpint(event->type, ==, type);
    g_assert_cmpstr(event->uuid, ==, uuid);
    g_assert_cmpstr(event->alias, ==, alias);
}

/* Nothing is queued: a deadline in the past does not wait. */
static void
assert_empty(HypervisorWatch *watch)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(hypervisor_watch_next(watch, 0, NULL, &error));
    g_assert_error(error, FAULT, FAULT_TIMED_OUT);
}

static void
test_events_come_in_order(Fixture *fixture, const void *unused)
{
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(fixture->hypervisor, NULL);

    emit(fixture, HYPERVISOR_EVENT_DEVICE_REMOVED, "a", "hostdev0");
    emit(fixture, HYPERVISOR_EVENT_STOPPED, "b", "");
    assert_next(watch, HYPERVISOR_EVENT_DEVICE_REMOVED, "a", "hostdev0");
    assert_next(watch, HYPERVISOR_EVENT_STOPPED, "b", "");
    assert_empty(watch);
}

static void
test_watch_of_one_guest_hears_it_alone(Fixture *fixture, const void *unused)
{
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(fixture->hypervisor, "a");

    emit(fixture, HYPERVISOR_EVENT_RESUMED, "b", "");
    emit(fixture, HYPERVISOR_EVENT_RECONNECTED, "", "");
    emit(fixture, HYPERVISOR_EVENT_RESUMED, "a", "");
    assert_next(watch, HYPERVISOR_EVENT_RECONNECTED, "", "");
    assert_next(watch, HYPERVISOR_EVENT_RESUMED, "a", "");
    assert_empty(watch);
}

static void
test_every_watch_gets_its_copy(Fixture *fixture, const void *unused)
{
    g_autoptr(HypervisorWatch) first = hypervisor_watch_new(fixture->hypervisor, "a");
    g_autoptr(HypervisorWatch) second = hypervisor_watch_new(fixture->hypervisor, NULL);
    HypervisorWatch *gone = hypervisor_watch_new(fixture->hypervisor, NULL);

    hypervisor_watch_free(gone);
    emit(fixture, HYPERVISOR_EVENT_SUSPENDED, "a", "");
    assert_next(first, HYPERVISOR_EVENT_SUSPENDED, "a", "");
    assert_next(second, HYPERVISOR_EVENT_SUSPENDED, "a", "");
}

static void
test_watch_hears_nothing_from_before(Fixture *fixture, const void *unused)
{
    emit(fixture, HYPERVISOR_EVENT_STOPPED, "a", "");
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(fixture->hypervisor, "a");

    assert_empty(watch);
}

static void
test_full_queue_is_kept(Fixture *fixture, const void *unused)
{
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(fixture->hypervisor, NULL);

    for (int i = 0; i < HYPERVISOR_WATCH_EVENTS; i++)
        emit(fixture, HYPERVISOR_EVENT_RESUMED, "a", "");
    for (int i = 0; i < HYPERVISOR_WATCH_EVENTS; i++)
        assert_next(watch, HYPERVISOR_EVENT_RESUMED, "a", "");
    assert_empty(watch);
}

static void
test_overflow_says_that_events_were_lost(Fixture *fixture, const void *unused)
{
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(fixture->hypervisor, NULL);

    for (int i = 0; i < HYPERVISOR_WATCH_EVENTS + 1; i++)
        emit(fixture, HYPERVISOR_EVENT_RESUMED, "a", "");
    emit(fixture, HYPERVISOR_EVENT_STOPPED, "a", "");
    assert_next(watch, HYPERVISOR_EVENT_RECONNECTED, "", "");
    assert_next(watch, HYPERVISOR_EVENT_STOPPED, "a", "");
    assert_empty(watch);
}

static gpointer
emit_late(gpointer fixture)
{
    emit(fixture, HYPERVISOR_EVENT_AGENT_CONNECTED, "a", "");
    return NULL;
}

static void
test_waiting_reader_is_woken(Fixture *fixture, const void *unused)
{
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(fixture->hypervisor, "a");
    GThread *emitter = g_thread_new("emitter", emit_late, fixture);

    assert_next(watch, HYPERVISOR_EVENT_AGENT_CONNECTED, "a", "");
    g_thread_join(emitter);
}

static gpointer
cancel_late(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return NULL;
}

static void
test_waiting_reader_is_cancelled(Fixture *fixture, const void *unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(fixture->hypervisor, "a");
    GThread *canceller = g_thread_new("canceller", cancel_late, cancellable);

    g_assert_null(
        hypervisor_watch_next(watch, g_get_monotonic_time() + PATIENCE_USEC, cancellable, &error));
    g_assert_error(error, FAULT, FAULT_CANCELLED);
    g_thread_join(canceller);
}

/* An event that is there already is not lost to a cancellation. */
static void
test_queued_event_comes_before_cancellation(Fixture *fixture, const void *unused)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(fixture->hypervisor, "a");

    emit(fixture, HYPERVISOR_EVENT_DEVICE_REMOVED, "a", "hostdev0");
    g_cancellable_cancel(cancellable);
    g_autoptr(HypervisorEvent) event = hypervisor_watch_next(watch, 0, cancellable, NULL);
    g_assert_cmpint(event->type, ==, HYPERVISOR_EVENT_DEVICE_REMOVED);
}

#define ADD(name, function)                                                                        \
    g_test_add("/hypervisor/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("events-come-in-order", test_events_come_in_order);
    ADD("watch-of-one-guest-hears-it-alone", test_watch_of_one_guest_hears_it_alone);
    ADD("every-watch-gets-its-copy", test_every_watch_gets_its_copy);
    ADD("watch-hears-nothing-from-before", test_watch_hears_nothing_from_before);
    ADD("full-queue-is-kept", test_full_queue_is_kept);
    ADD("overflow-says-that-events-were-lost", test_overflow_says_that_events_were_lost);
    ADD("waiting-reader-is-woken", test_waiting_reader_is_woken);
    ADD("waiting-reader-is-cancelled", test_waiting_reader_is_cancelled);
    ADD("queued-event-comes-before-cancellation", test_queued_event_comes_before_cancellation);
    return g_test_run();
}
