/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In whose turn the calls of several users are run when all workers are busy, and what needs none.
 */
#include <grp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/limits.h"
#include "varlink_peer.h"

static const char description[] = "interface org.example.test\n"
                                  "method Wait() -> ()\n"
                                  "method Note(text: string) -> ()\n"
                                  "method GetMood(of: string) -> (told: string)\n";

typedef struct {
    Serving serving;
    GMutex lock; /* guards the rest */
    GCond changed;
    guint waiting; /* calls that came to Wait */
    guint may_go;  /* so many of them */
    json_t *notes;
} Fixture;

static void
run_wait(VarlinkCall *call, json_t *parameters, void *context)
{
    Fixture *fixture = context;

    g_mutex_lock(&fixture->lock);
    fixture->waiting++;
    g_cond_broadcast(&fixture->changed);
    while (fixture->may_go == 0)
        g_cond_wait(&fixture->changed, &fixture->lock);
    fixture->may_go--;
    g_mutex_unlock(&fixture->lock);
    varlink_call_reply(call, NULL);
}

static void
run_note(VarlinkCall *call, json_t *parameters, void *context)
{
    Fixture *fixture = context;

    g_mutex_lock(&fixture->lock);
    json_array_append(fixture->notes, json_object_get(parameters, "text"));
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
    varlink_call_reply(call, NULL);
}

static void
run_get_mood(VarlinkCall *call, json_t *parameters, void *context)
{
    varlink_call_reply(call, json_pack("{s:s}", "told", "by a worker"));
}

static gboolean
get_mood_at_once(VarlinkCall *call, json_t *parameters, void *context)
{
    const char *whose = json_string_value(json_object_get(parameters, "of"));

    if (strcmp(whose, "friend") != 0)
        return FALSE;
    varlink_call_reply(call, json_pack("{s:s}", "told", "at once"));
    return TRUE;
}

static const VarlinkMethod methods[] = {
    { "Wait", run_wait }, { "Note", run_note }, { "GetMood", run_get_mood }, { 0 }
};
static const VarlinkBrief brief[] = { { "GetMood", get_mood_at_once }, { 0 } };

static void
set_up(Fixture *fixture, gconstpointer group)
{
    g_mutex_init(&fixture->lock);
    g_cond_init(&fixture->changed);
    fixture->notes = json_array();
    fixture->serving.group = group;
    fixture->serving.brief = brief;
    serving_start(&fixture->serving, description, methods, fixture);
}

static void
let_go(Fixture *fixture, guint count)
{
    g_mutex_lock(&fixture->lock);
    fixture->may_go = count;
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    let_go(fixture, LIMIT_WORKERS);
    serving_stop(&fixture->serving);
    json_decref(fixture->notes);
    g_mutex_clear(&fixture->lock);
    g_cond_clear(&fixture->changed);
}

static void
await(Fixture *fixture, guint waiting, gsize notes)
{
    gint64 deadline_usec = g_get_monotonic_time() + patience_usec();

    g_mutex_lock(&fixture->lock);
    while (fixture->waiting < waiting || json_array_size(fixture->notes) < notes)
        g_assert_true(g_cond_wait_until(&fixture->changed, &fixture->lock, deadline_usec));
    g_mutex_unlock(&fixture->lock);
}

#define CALL(method, parameters)                                                                   \
    "{\"method\":\"org.example.test." method "\",\"parameters\":" parameters "}"
#define NOTE_OF_ONE    CALL("Note", "{\"text\":\"one\"}")
#define NOTE_OF_OTHERS CALL("Note", "{\"text\":\"other\"}")
#define CALLS_OF_ONE   100

/* What was sent before two answers has been queued: these need no worker. */
static void
await_queued(Fixture *fixture)
{
    for (int i = 0; i < 2; i++) {
        int fd = peer_connect(&fixture->serving);

        peer_send(fd, CALL("Nothing", "{}"));
        g_autofree char *reply = peer_receive(fd);
        g_assert_nonnull(strstr(reply, "MethodNotFound"));
        close(fd);
    }
}

#define OTHER_USER 65534

/* A connection of another user, who is in @fixture's group; the credentials are this thread's only.
 */
static gpointer
connect_as_other(gpointer data)
{
    Fixture *fixture = data;
    const gid_t group = getgrnam(fixture->serving.group)->gr_gid;

    g_assert_cmpint(syscall(SYS_setgroups, 1, &group), ==, 0);
    g_assert_cmpint(syscall(SYS_setresuid, OTHER_USER, OTHER_USER, OTHER_USER), ==, 0);
    return GINT_TO_POINTER(peer_connect(&fixture->serving));
}

static gsize
position_of(Fixture *fixture, const char *text)
{
    gsize position = 0;

    while (strcmp(json_string_value(json_array_get(fixture->notes, position)), text) != 0)
        position++;
    return position;
}

/* One worker alone does all that waits, so the order of notes is that of turns. */
static void
test_user_with_one_call_does_not_wait_for_all_of_another(Fixture *fixture, gconstpointer unused)
{
    int fds[LIMIT_WORKERS + CALLS_OF_ONE];

    if (geteuid() != 0) {
        g_test_skip("only root can be somebody else");
        return;
    }
    g_assert_cmpint(chmod(fixture->serving.directory, 0755), ==, 0);
    int other = GPOINTER_TO_INT(g_thread_join(g_thread_new("other", connect_as_other, fixture)));
    for (int i = 0; i < LIMIT_WORKERS + CALLS_OF_ONE; i++) {
        fds[i] = peer_connect(&fixture->serving);
        peer_send(fds[i], i < LIMIT_WORKERS ? CALL("Wait", "{}") : NOTE_OF_ONE);
        if (i == LIMIT_WORKERS - 1)
            await(fixture, LIMIT_WORKERS, 0);
    }
    await_queued(fixture);
    peer_send(other, NOTE_OF_OTHERS);
    await_queued(fixture);
    let_go(fixture, 1);
    await(fixture, 0, CALLS_OF_ONE + 1);
    g_assert_cmpuint(position_of(fixture, "other"), <=, 1);
    for (int i = 0; i < LIMIT_WORKERS + CALLS_OF_ONE; i++)
        close(fds[i]);
    close(other);
}

static void
occupy_workers(Fixture *fixture, int *fds)
{
    for (int i = 0; i < LIMIT_WORKERS; i++) {
        fds[i] = peer_connect(&fixture->serving);
        peer_send(fds[i], CALL("Wait", "{}"));
    }
    await(fixture, LIMIT_WORKERS, 0);
}

static void
assert_told(int fd, const char *words)
{
    g_autofree char *reply = peer_receive(fd);

    g_assert_nonnull(strstr(reply, words));
}

static void
test_what_is_known_needs_no_worker_and_the_rest_one(Fixture *fixture, gconstpointer unused)
{
    int fds[LIMIT_WORKERS];
    int known = peer_connect(&fixture->serving), unknown = peer_connect(&fixture->serving);

    occupy_workers(fixture, fds);
    peer_send(unknown, CALL("GetMood", "{\"of\":\"stranger\"}"));
    peer_send(known, CALL("GetMood", "{\"of\":\"friend\"}"));
    assert_told(known, "\"at once\"");
    peer_send(known, CALL("GetMood", "{\"of\":7}"));
    assert_told(known, "InvalidParameter");
    let_go(fixture, LIMIT_WORKERS);
    assert_told(unknown, "\"by a worker\"");
    close(known);
    close(unknown);
    for (int i = 0; i < LIMIT_WORKERS; i++)
        close(fds[i]);
}

static void
test_service_says_who_it_is_while_all_workers_are_busy(Fixture *fixture, gconstpointer unused)
{
    int fds[LIMIT_WORKERS];

    occupy_workers(fixture, fds);
    int fd = peer_connect(&fixture->serving);
    peer_send(fd, "{\"method\":\"org.varlink.service.GetInfo\"}");
    g_autofree char *reply = peer_receive(fd);
    g_assert_nonnull(strstr(reply, "\"product\":\"test\""));
    close(fd);
    for (int i = 0; i < LIMIT_WORKERS; i++)
        close(fds[i]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/varlink-turns/user-with-one-call-does-not-wait-for-all-of-another", Fixture,
               "daemon", set_up, test_user_with_one_call_does_not_wait_for_all_of_another,
               tear_down);
    g_test_add("/varlink-turns/service-says-who-it-is-while-all-workers-are-busy", Fixture, NULL,
               set_up, test_service_says_who_it_is_while_all_workers_are_busy, tear_down);
    g_test_add("/varlink-turns/what-is-known-needs-no-worker-and-the-rest-one", Fixture, NULL,
               set_up, test_what_is_known_needs_no_worker_and_the_rest_one, tear_down);
    return g_test_run();
}
