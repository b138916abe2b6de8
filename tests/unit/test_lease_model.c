/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients that do at random what the lease store allows, while it crashes: what they are told can
 * be told by the rules alone, in some order. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fake/database_audit.h"
#include "fake/faulty_disk.h"
#include "fake/lease_model.h"

/*
 * Theory of operation. In a round each client asks one question, all at once. Some order of them
 * must explain all answers and what the store holds afterwards, by the model: so it is
 * linearizable. Every few rounds the disk fails, or the process or the power dies. A question that
 * was answered with FAULT_STORE_FAILED may have taken effect or not, and may yet do so by a crash,
 * with those of the same round that failed, too: their record can be in the log, where the next one
 * that is written takes its place.
 *
 * MODEL_SEED=N in the environment repeats the questions and faults of a run; the threads' order is
 * their own. FULL=1: a million questions.
 */
#define CLIENTS        3
#define SOME_QUESTIONS 25000 /* of each test */
#define ALL_QUESTIONS  500000
#define FAULT_PERIOD   8  /* rounds, on average */
#define POINTS_MAX     16 /* as many as a round has when all goes well */
#define AUDIT_PERIOD   500

typedef struct World World;

typedef struct {
    World *world;
    GThread *thread;
    ModelQuestion question;
    ModelAnswer answer;
    unsigned rounds; /* that it has done */
} Client;

struct World {
    char *directory, *path;
    Injector *injector;
    FaultyDisk *disk;
    GRand *random;
    LeaseStore *store;
    LeaseModel model;             /* what the store holds */
    unsigned slots;               /* that are asked about */
    ModelQuestion limbo[CLIENTS]; /* may yet take effect */
    unsigned limbos;
    Client clients[CLIENTS];
    unsigned crashes;
    GMutex lock; /* guards all below */
    GCond changed;
    unsigned round, working;
    gboolean over;
};

/* The clients. */

static gboolean
await_round(Client *client)
{
    World *world = client->world;

    g_mutex_lock(&world->lock);
    while (client->rounds == world->round && !world->over)
        g_cond_wait(&world->changed, &world->lock);
    client->rounds = world->round;
    gboolean goes_on = !world->over;
    g_mutex_unlock(&world->lock);
    return goes_on;
}

static void *
run_client(void *data)
{
    Client *client = data;
    World *world = client->world;

    while (await_round(client)) {
        client->answer = lease_model_ask_store(world->store, &client->question);
        g_mutex_lock(&world->lock);
        world->working--;
        g_cond_broadcast(&world->changed);
        g_mutex_unlock(&world->lock);
    }
    return NULL;
}

static void
play_round(World *world)
{
    g_mutex_lock(&world->lock);
    world->round++;
    world->working = CLIENTS;
    g_cond_broadcast(&world->changed);
    while (world->working > 0)
        g_cond_wait(&world->changed, &world->lock);
    g_mutex_unlock(&world->lock);
}

/* The questions. */

static unsigned
choose(World *world, unsigned count)
{
    return (unsigned)g_rand_int_range(world->random, 0, (gint32)count);
}

static ModelQuestion
make_question(World *world)
{
    /* Creating is as frequent as all that ends leases. */
    static const ModelKind kinds[] = { MODEL_CREATE, MODEL_CREATE, MODEL_CREATE,    MODEL_GET,
                                       MODEL_RENEW,  MODEL_PUT,    MODEL_SET_STATE, MODEL_DROP,
                                       MODEL_REMOVE, MODEL_REMOVE, MODEL_REPLACE,   MODEL_HELD };
    ModelQuestion question = { .kind = kinds[choose(world, G_N_ELEMENTS(kinds))],
                               .slot = choose(world, world->slots),
                               .word = choose(world, 2),
                               .first = choose(world, MODEL_FUNCTIONS),
                               .second = choose(world, MODEL_FUNCTIONS) };
    const ModelLease *lease = &world->model.leases[question.slot];

    g_strlcpy(question.id, *lease->id ? lease->id : "none", sizeof question.id);
    question.generation = choose(world, 4) == 0 ? choose(world, 2) : lease->generation;
    for (unsigned i = choose(world, 3); i < 3; i++)
        question.functions |= 1u << choose(world, MODEL_FUNCTIONS);
    return question;
}

static gboolean
is_change(const ModelQuestion *question)
{
    return question->kind != MODEL_GET && question->kind != MODEL_HELD;
}

static gboolean
is_uncertain(const Client *client)
{
    return client->answer.code == FAULT_STORE_FAILED;
}

/* The proof. */

/* Whether the clients that are not in @asked, in some order, lead from @model to @after. */
static gboolean
explains(const World *world, const LeaseModel *model, unsigned asked, LeaseModel *after)
{
    LeaseModel end = *model;

    if (asked == (1u << CLIENTS) - 1) {
        if (!lease_model_match(&end, after))
            return FALSE;
        *after = end;
        return TRUE;
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        const Client *client = &world->clients[i];
        unsigned then = asked | 1u << i;
        LeaseModel next = *model;

        if (asked & 1u << i)
            continue;
        ModelAnswer answer = lease_model_ask(&next, &client->question,
                                             is_uncertain(client) ? NULL : &client->answer);
        if ((is_uncertain(client) || model_answer_equal(&answer, &client->answer)) &&
            explains(world, &next, then, after))
            return TRUE;
        if (is_uncertain(client) && explains(world, model, then, after))
            return TRUE;
    }
    return FALSE;
}

static void
print_model(const char *name, const LeaseModel *model)
{
    g_print("# %s:", name);
    for (unsigned i = 0; i < MODEL_SLOTS; i++) {
        if (model->leases[i].exists)
            g_print(" [%u: %s generation %" G_GUINT64_FORMAT " request %x state %u]", i,
                    model->leases[i].id, model->leases[i].generation, model->leases[i].request,
                    model->leases[i].state);
    }
    for (unsigned i = 0; i < MODEL_FUNCTIONS; i++)
        g_print(" %u of %d (%u)", i, model->holder[i], model->detail[i]);
    g_print("\n");
}

static void
tell(const World *world)
{
    g_print("# round %u\n", world->round);
    for (unsigned i = 0; i < world->limbos; i++)
        g_print("# limbo: question %d about slot %u\n", (int)world->limbo[i].kind,
                world->limbo[i].slot);
    for (unsigned i = 0; i < CLIENTS; i++) {
        const Client *client = &world->clients[i];

        g_print("# client %u: question %d about slot %u (%s), functions %x, %u to %u: answer %d, "
                "generation %" G_GUINT64_FORMAT ", functions %x\n",
                i, (int)client->question.kind, client->question.slot, client->question.id,
                client->question.functions, client->question.first, client->question.second,
                client->answer.code, client->answer.generation, client->answer.functions);
    }
}

/* Nobody is told that the database failed when it did not. */
static void
check_failures(const World *world, gboolean struck)
{
    for (unsigned i = 0; i < CLIENTS && !struck; i++) {
        if (is_uncertain(&world->clients[i])) {
            tell(world);
            g_error("round %u: the store fails without a fault", world->round);
        }
    }
}

/* The same if some of what is in limbo and not in @taken takes effect before that, in some order.
 */
static gboolean
explains_after_all(const World *world, const LeaseModel *model, unsigned taken, LeaseModel *after)
{
    if (explains(world, model, 0, after))
        return TRUE;
    for (unsigned i = 0; i < world->limbos; i++) {
        LeaseModel next = *model;

        if (taken & 1u << i)
            continue;
        (void)lease_model_ask(&next, &world->limbo[i], NULL);
        if (explains_after_all(world, &next, taken | 1u << i, after))
            return TRUE;
    }
    return FALSE;
}

static void
prove(World *world, gboolean crashed)
{
    LeaseModel after = lease_model_read(world->store);

    if (!(crashed ? explains_after_all(world, &world->model, 0, &after)
                  : explains(world, &world->model, 0, &after))) {
        tell(world);
        print_model("before", &world->model);
        print_model("after", &after);
        g_error("round %u: no order explains that", world->round);
    }
    after.last_generation = MAX(after.last_generation, world->model.last_generation);
    world->model = after;
}

static void
note_limbo(World *world, gboolean crashed)
{
    ModelQuestion failed[CLIENTS];
    unsigned count = 0;

    for (unsigned i = 0; i < CLIENTS; i++) {
        const Client *client = &world->clients[i];

        if (is_change(&client->question) && is_uncertain(client))
            failed[count++] = client->question;
        else if (is_change(&client->question) && client->answer.code == 0 &&
                 !client->answer.existing)
            world->limbos = 0;
    }
    if (crashed)
        world->limbos = 0;
    else if (count > 0) {
        memcpy(world->limbo, failed, sizeof failed);
        world->limbos = count;
    }
}

/* The faults. */

static void
open_store(World *world)
{
    g_autoptr(GError) error = NULL;

    world->store = lease_store_open(world->path, &error);
    g_assert_no_error(error);
}

static void
arm(World *world)
{
    Injection what = INJECT_KILL + choose(world, INJECTIONS - INJECT_KILL);
    unsigned point = 1 + choose(world, POINTS_MAX);

    if (choose(world, FAULT_PERIOD) == 0)
        injector_arm(world->injector, what, point);
}

/* Whether there was a crash. */
static gboolean
recover(World *world)
{
    gboolean crashed = injector_is_dead(world->injector);

    if (crashed) {
        lease_store_free(world->store);
        if (injector_has_cut_power(world->injector))
            faulty_disk_cut(world->disk, world->random);
    }
    injector_arm(world->injector, INJECT_NOTHING, 0);
    if (crashed)
        open_store(world);
    world->crashes += crashed;
    return crashed;
}

/* The run. */

static void
run_rounds(World *world, unsigned count)
{
    for (unsigned round = 0; round < count; round++) {
        for (unsigned i = 0; i < CLIENTS; i++)
            world->clients[i].question = make_question(world);
        unsigned before = injector_strikes(world->injector);
        arm(world);
        play_round(world);
        check_failures(world, injector_strikes(world->injector) > before);
        gboolean crashed = recover(world);
        prove(world, crashed);
        note_limbo(world, crashed);
        if (round % AUDIT_PERIOD == 0)
            database_audit_free(database_audit_new(world->path));
    }
}

static World *
world_new(guint32 seed, unsigned slots)
{
    World *world = g_new0(World, 1);

    world->directory = g_dir_make_tmp("model-XXXXXX", NULL);
    world->path = g_build_filename(world->directory, "leases.db", NULL);
    world->injector = injector_new();
    world->disk = faulty_disk_new(world->path, world->injector);
    world->random = g_rand_new_with_seed(seed);
    world->slots = slots;
    world->model = lease_model_new();
    g_mutex_init(&world->lock);
    g_cond_init(&world->changed);
    open_store(world);
    for (unsigned i = 0; i < CLIENTS; i++) {
        world->clients[i].world = world;
        world->clients[i].thread = g_thread_new("client", run_client, &world->clients[i]);
    }
    return world;
}

static void
world_free(World *world)
{
    g_mutex_lock(&world->lock);
    world->over = TRUE;
    g_cond_broadcast(&world->changed);
    g_mutex_unlock(&world->lock);
    for (unsigned i = 0; i < CLIENTS; i++)
        g_thread_join(world->clients[i].thread);
    lease_store_free(world->store);
    faulty_disk_free(world->disk);
    injector_free(world->injector);
    g_rand_free(world->random);
    g_assert_cmpint(g_remove(world->path), ==, 0);
    g_assert_cmpint(g_rmdir(world->directory), ==, 0);
    g_mutex_clear(&world->lock);
    g_cond_clear(&world->changed);
    g_free(world->directory);
    g_free(world->path);
    g_free(world);
}

/* One slot: the clients meet at each step of a lease. Many: each of their leases is in the way of
 * others. */
static void
test_answers_can_be_told_by_the_rules(const void *data)
{
    unsigned slots = GPOINTER_TO_UINT(data);
    const char *wanted = g_getenv("MODEL_SEED");
    guint32 seed = wanted ? (guint32)g_ascii_strtoull(wanted, NULL, 10) : g_random_int();
    gboolean full = g_strcmp0(g_getenv("FULL"), "1") == 0;
    unsigned rounds = ((full ? ALL_QUESTIONS : SOME_QUESTIONS) + CLIENTS - 1) / CLIENTS;

    g_print("# MODEL_SEED=%u repeats this\n", seed);
    World *world = world_new(seed, slots);
    run_rounds(world, rounds);
    g_print("# %u questions, %u faults, %u of them crashes\n", rounds * CLIENTS,
            injector_strikes(world->injector), world->crashes);
    g_assert_cmpuint(world->crashes, >, rounds / FAULT_PERIOD / 20);
    world_free(world);
}

int
main(int argc, char **argv)
{
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/lease-model/one-lease", GUINT_TO_POINTER(1),
                         test_answers_can_be_told_by_the_rules);
    g_test_add_data_func("/lease-model/many-leases", GUINT_TO_POINTER(MODEL_SLOTS),
                         test_answers_can_be_told_by_the_rules);
    return g_test_run();
}
