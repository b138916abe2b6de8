/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/drain_world.h"

#include <string.h>

#include "common/cli/drain_survey.h"

#define MEETING_USEC (20 * G_USEC_PER_SEC)

typedef struct {
    DrainWorld *world;
    int number;
} FakeHost;

static const char *const host_names[] = { "host1", "host2", "host3" };

static DrainWorldGuest *
find(DrainWorld *world, const PeerCall *call)
{
    const char *name = json_string_value(json_object_get(call->parameters, "guest"));

    for (guint i = 0; name && i < world->count; i++) {
        if (strcmp(world->guests[i].name, name) == 0)
            return &world->guests[i];
    }
    return NULL;
}

static json_t *
refuse(FaultCode code, GError **error)
{
    fault_set(error, code, "thing", "mend it", "refused on purpose");
    return NULL;
}

static json_t *
list_guests(const DrainWorld *world, int host)
{
    json_t *guests = json_array();

    for (guint i = 0; i < world->count; i++) {
        if (world->guests[i].host == host)
            json_array_append_new(guests, json_pack("{s:{s:s, s:s}, s:s}", "guest", "name",
                                                    world->guests[i].name, "uuid",
                                                    world->guests[i].name, "state", "running"));
    }
    return json_pack("{s:o}", "guests", guests);
}

static json_t *
describe(const FakeHost *host, const DrainWorldGuest *guest, GError **error)
{
    if (!guest || guest->host != host->number)
        return refuse(FAULT_GUEST_NOT_FOUND, error);
    return json_pack("{s:{s:s, s:s}, s:s, s:b, s:[], s:[], s:[], s:b}", "guest", "name",
                     guest->name, "uuid", guest->name, "state", "running", "migrating", 0, "disks",
                     "vnics", "bonds", "agent", 1);
}

static void
add_value(json_t *values, const char *name, const char *value)
{
    if (value)
        json_array_append_new(values, json_pack("{s:s, s:s}", "name", name, "value", value));
}

static json_t *
get_policy(const DrainWorldGuest *guest)
{
    json_t *values = json_array();

    add_value(values, "mode", guest->mode);
    add_value(values, "fallback", guest->fallback);
    add_value(values, "priority", guest->priority);
    return json_pack("{s:o}", "values", values);
}

static json_t *
check(const FakeHost *host, const PeerCall *call)
{
    const json_t *facts = json_object_get(call->parameters, "facts");
    const char *role = json_string_value(json_object_get(call->parameters, "role"));
    const char *name = json_string_value(json_object_get(facts, "uuid"));
    json_t *results = json_array();

    for (guint i = 0; name && i < host->world->count; i++) {
        const DrainWorldGuest *guest = &host->world->guests[i];

        if (strcmp(guest->name, name) == 0 && strcmp(role, "destination") == 0 &&
            g_strcmp0(guest->blocked_on, host_names[host->number]) == 0)
            json_array_append_new(results, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "check",
                                                     "host.cpu-compatible", "object", "cpu",
                                                     "severity", "blocker", "outcome", "failed",
                                                     "evidence", "differs", "remedy", "none"));
    }
    return json_pack("{s:o, s:[], s:{s:s?, s:I, s:i}}", "results", results, "invalidatedBy",
                     "facts", "uuid", json_string_value(json_object_get(call->parameters, "guest")),
                     "memoryBytes", (json_int_t)(1 << 30), "processors", 1);
}

/* With the lock, which is given up while it waits for others. */
static void
meet(DrainWorld *world, int to)
{
    gint64 deadline = g_get_monotonic_time() + MEETING_USEC;

    world->inside[0]++;
    world->inside[to]++;
    world->most[0] = MAX(world->most[0], world->inside[0]);
    world->most[to] = MAX(world->most[to], world->inside[to]);
    g_cond_broadcast(&world->changed);
    while (world->most[0] < world->meet &&
           g_cond_wait_until(&world->changed, &world->lock, deadline))
        continue;
    world->inside[0]--;
    world->inside[to]--;
}

static json_t *
migrate(DrainWorld *world, const PeerCall *call, GError **error)
{
    const char *uri = json_string_value(json_object_get(call->parameters, "destinationUri"));
    DrainWorldGuest *guest = find(world, call);
    int to = strstr(uri, "host3") ? 2 : 1;

    g_ptr_array_add(world->calls, g_strdup_printf("Migrate %s %s", guest->name, host_names[to]));
    meet(world, to);
    if (g_strcmp0(world->cancel_at, guest->name) == 0) {
        g_mutex_unlock(&world->lock);
        g_cancellable_cancel(world->stop);
        g_mutex_lock(&world->lock);
    }
    if (guest->failures > 0) {
        guest->failures--;
        return refuse(FAULT_MIGRATION_FAILED, error);
    }
    g_assert_cmpint(guest->host, ==, 0); /* nobody leaves twice */
    guest->host = to;
    return json_pack("{s:s, s:{s:i}}", "job", "m", "result", "downtimeMilliseconds", 1);
}

static json_t *
stop_guest(DrainWorld *world, const PeerCall *call, GError **error)
{
    DrainWorldGuest *guest = find(world, call);
    const char *how = json_string_value(json_object_get(call->parameters, "how"));

    g_ptr_array_add(world->calls, g_strdup_printf("StopGuest %s %s", guest->name, how));
    if (guest->stubborn)
        return refuse(FAULT_TIMED_OUT, error);
    g_assert_cmpint(guest->host, ==, 0);
    guest->host = -1;
    return json_pack("{s:s, s:{}}", "job", "s", "result");
}

static json_t *
list_jobs(DrainWorld *world, const FakeHost *host)
{
    if (host->number != 0 || world->migrating_answers == 0)
        return json_pack("{s:[]}", "jobs");
    world->migrating_answers--;
    return json_pack("{s:[{s:s, s:s, s:s}]}", "jobs", "kind", "Migrate", "state", "running",
                     "subject", "x");
}

static json_t *
list_leases(DrainWorld *world, const FakeHost *host, const PeerCall *call)
{
    if (call->service == SERVICE_STORAGE && host->number == 1 && world->leftover_answers > 0) {
        world->leftover_answers--;
        return json_pack("{s:[{s:s, s:{s:s, s:s}}]}", "leases", "kind", "targets", "guest", "name",
                         "a", "uuid", "a");
    }
    if (call->service != SERVICE_NETWORK || host->number != 1 || world->busy_answers == 0)
        return json_pack("{s:[]}", "leases");
    world->busy_answers--;
    return json_pack("{s:[{s:s, s:{s:s}}, {s:s, s:{s:s}}]}", "leases", "kind", "reservation",
                     "guest", "uuid", "x", "kind", "reservation", "guest", "uuid", "y");
}

static json_t *
answer(const FakeHost *host, const PeerCall *call, GError **error)
{
    DrainWorld *world = host->world;
    const char *method = call->method;

    if (g_strcmp0(world->unreachable, host_names[host->number]) == 0)
        return refuse(FAULT_PEER_UNREACHABLE, error);
    if (strcmp(method, "ListGuests") == 0)
        return list_guests(world, host->number);
    if (strcmp(method, "Describe") == 0)
        return describe(host, find(world, call), error);
    if (strcmp(method, "GetPolicy") == 0)
        return get_policy(find(world, call));
    if (strcmp(method, "Check") == 0)
        return check(host, call);
    if (strcmp(method, "DescribeHost") == 0)
        return json_pack("{s:i, s:I, s:[], s:[], s:[], s:n}", "processors", 8,
                         "availableMemoryBytes", (json_int_t)(4LL << 30), "hugePages", "volumes",
                         "guests", "maintenance");
    if (strcmp(method, "ListPhysicalNetworks") == 0)
        return json_pack("{s:[]}", "networks");
    if (strcmp(method, "ListJobs") == 0)
        return list_jobs(world, host);
    if (strcmp(method, "ListLeases") == 0)
        return list_leases(world, host, call);
    if (strcmp(method, "Migrate") == 0)
        return migrate(world, call, error);
    if (strcmp(method, "StopGuest") == 0)
        return stop_guest(world, call, error);
    return json_object();
}

/* Who is dead makes no call and hears no answer. */
static json_t *
answer_the_living(const FakeHost *host, const PeerCall *call, GError **error)
{
    DrainWorld *world = host->world;
    unsigned number = ++world->made;

    if (world->dies_at == 0 || number < world->dies_at)
        return answer(host, call, error);
    if (number == world->dies_at && world->dies_late)
        json_decref(answer(host, call, NULL));
    return refuse(FAULT_PEER_UNREACHABLE, error);
}

static json_t *
fake_call(void *self, const PeerCall *call, GError **error)
{
    const FakeHost *host = self;

    g_mutex_lock(&host->world->lock);
    json_t *reply = answer_the_living(host, call, error);
    g_mutex_unlock(&host->world->lock);
    return reply;
}

static const PeerOps fake_ops = { .call = fake_call, .free = g_free };

DrainWorld *
drain_world_new(guint count)
{
    DrainWorld *world = g_new0(DrainWorld, 1);

    g_mutex_init(&world->lock);
    g_cond_init(&world->changed);
    world->count = count;
    world->calls = g_ptr_array_new_with_free_func(g_free);
    world->events = g_ptr_array_new_with_free_func(g_free);
    world->stop = g_cancellable_new();
    world->cancel = g_cancellable_new();
    world->destinations = g_ptr_array_new();
    for (guint i = 0; i < count; i++)
        world->guests[i].name[0] = (char)('a' + (int)i);
    for (int i = 0; i < DRAIN_WORLD_HOSTS; i++) {
        FakeHost *host = g_new0(FakeHost, 1);

        *host = (FakeHost) { world, i };
        world->peers[i] = peer_new(host_names[i], &fake_ops, host);
        if (i > 0)
            g_ptr_array_add(world->destinations, world->peers[i]);
    }
    return world;
}

void
drain_world_free(DrainWorld *world)
{
    for (int i = 0; i < DRAIN_WORLD_HOSTS; i++)
        peer_free(world->peers[i]);
    g_ptr_array_unref(world->calls);
    g_ptr_array_unref(world->events);
    g_ptr_array_unref(world->destinations);
    g_object_unref(world->stop);
    g_object_unref(world->cancel);
    g_mutex_clear(&world->lock);
    g_cond_clear(&world->changed);
    g_free(world);
}

DrainPlan *
drain_world_plan(DrainWorld *world, const DrainRules *rules)
{
    const DrainQuestion question = { .source = world->peers[0],
                                     .destinations = world->destinations };
    g_autoptr(GError) error = NULL;
    DrainPlan *plan = drain_survey(&question, rules, &error);

    g_assert_no_error(error);
    return plan;
}

static void
note(const DrainEvent *event, void *data)
{
    DrainWorld *world = data;
    gboolean over = event->kind == DRAIN_EVENT_OVER;

    if (event->kind == DRAIN_EVENT_STEP || event->kind == DRAIN_EVENT_NOTE)
        return;
    g_ptr_array_add(world->events,
                    g_strdup_printf("%s %s%s%s%s%s", drain_event_name(event->kind),
                                    event->guest->name, over ? " " : "",
                                    over ? drain_outcome_name(event->outcome) : "",
                                    event->host ? " " : "", event->host ? event->host : ""));
}

DrainResult *
drain_world_run(DrainWorld *world, DrainPlan *plan)
{
    const DrainTask task = {
        .plan = plan,
        .source = world->peers[0],
        .destinations = world->destinations,
        .fallback = -1,
        .shutdown_seconds = 1,
        .lease_seconds = 1,
        .retry_msec = 1,
        .stop = world->stop,
        .cancel = world->cancel,
        .tell = note,
        .data = world,
    };

    return drain_run(&task);
}

gboolean
drain_world_saw(const GPtrArray *words, const char *word)
{
    for (guint i = 0; i < words->len; i++) {
        if (strcmp(words->pdata[i], word) == 0)
            return TRUE;
    }
    return FALSE;
}
