/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/move_world.h"

#include <string.h>

#include "common/cli/gate.h"

#define UUID WORLD_UUID

typedef struct {
    World *world;
    const char *host;
    gboolean is_source;
} FakeHost;

World *
world_new(void)
{
    World *world = g_new0(World, 1);

    g_mutex_init(&world->lock);
    g_cond_init(&world->described);
    world->calls = g_ptr_array_new_with_free_func(g_free);
    world->notes = g_ptr_array_new_with_free_func(g_free);
    world->cancellable = g_cancellable_new();
    world->source_state = "running";
    world->state_after_migrate = "running";
    return world;
}

void
world_free(World *world)
{
    g_ptr_array_unref(world->calls);
    g_ptr_array_unref(world->notes);
    g_object_unref(world->cancellable);
    json_decref(world->targets);
    json_decref(world->sent);
    for (size_t i = 0; i < G_N_ELEMENTS(world->tokens); i++)
        g_free(world->tokens[i]);
    g_mutex_clear(&world->lock);
    g_cond_clear(&world->described);
    g_free(world);
}

/* The leases by what makes them; their place is also their identity. */
static int
lease_of(const char *host, Service service)
{
    if (g_strcmp0(host, "host1") == 0)
        return 0;
    return service == SERVICE_STORAGE ? 1 : 2;
}

static json_t *
lease_object(int lease, const char *token)
{
    static const char *const names[] = { "S1", "D2", "D1" };

    return json_pack("{s:s, s:i, s:s}", "lease", names[lease], "generation", 7, "token", token);
}

static json_t *
describe_network(const FakeHost *host)
{
    const World *world = host->world;
    json_t *vnics = json_array();

    if (!world->no_vnics)
        json_array_append_new(vnics, json_pack("{s:s, s:s, s:s?}", "alias", "hostdev0", "function",
                                               host->is_source ? "0000:01:10.2" : "0000:01:10.4",
                                               "bond", world->no_bond ? NULL : "bond0"));
    return json_pack("{s:{s:s, s:s}, s:s, s:o, s:[{s:s, s:s}], s:b, s:s, s:o*}", "guest", "name",
                     "web1", "uuid", UUID, "state", "running", "vnics", vnics, "bonds", "name",
                     "bond0", "active", host->is_source ? "eth0" : "eth1", "agent",
                     !world->no_agent, "agentError", "not connected", "hooks",
                     world->has_hooks ? json_pack("[s, s]", "before_migration", "after_migration")
                                      : NULL);
}

static json_t *
add_base(const World *world, json_t *storage)
{
    if (world->has_local)
        json_object_set_new(storage, "localState",
                            json_pack("[{s:s, s:s, s:b, s:s}, {s:s, s:s, s:b, s:s}]", "kind",
                                      "nvram", "path", "/nvram", "migrates", 1, "remedy", "copy it",
                                      "kind", "medium", "path", "/seed.iso", "migrates", 0,
                                      "remedy", "copy it"));
    if (world->in_pool)
        json_object_set_new(json_array_get(json_object_get(storage, "disks"), 0), "pool",
                            json_string("images"));
    if (world->has_base)
        json_object_set_new(json_array_get(json_object_get(storage, "disks"), 0), "backing",
                            json_pack("[{s:s, s:s}]", "path", "/images/base", "format", "raw"));
    return storage;
}

static json_t *
describe_storage(const FakeHost *host, GError **error)
{
    const World *world = host->world;
    const char *state = host->is_source ? world->source_state : world->destination_state;

    if (world->silent_after_migrate && world->migrated) {
        fault_set(error, FAULT_PEER_UNREACHABLE, host->host, "wait", "silent");
        return NULL;
    }
    if (!state) {
        fault_set(error, FAULT_GUEST_NOT_FOUND, "guest '" UUID "'", "look elsewhere", "unknown");
        return NULL;
    }
    return add_base(
        world, json_pack("{s:{s:s, s:s}, s:s, s:b, s:[{s:s, s:s, s:s, s:i, s:s, s:s}, {s:s, s:s}]}",
                         "guest", "name", "web1", "uuid", UUID, "state", state, "migrating", 0,
                         "disks", "target", "vda", "path", "/images/a.qcow2", "format", "qcow2",
                         "virtualSizeBytes", 1048576, "migration",
                         world->impossible_disk   ? "impossible"
                         : world->nothing_to_copy ? "none"
                                                  : "copy",
                         "reason", "encrypted", "target", "sda", "migration", "none"));
}

static json_t *
describe(const FakeHost *host, Service service, GError **error)
{
    if (service == SERVICE_NETWORK)
        return describe_network(host);
    if (!host->is_source) {
        host->world->destination_described = TRUE;
        g_cond_broadcast(&host->world->described);
    }
    return describe_storage(host, error);
}

static void
wait_for_destination(World *world)
{
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (!world->destination_described && !world->waited_in_vain)
        world->waited_in_vain = !g_cond_wait_until(&world->described, &world->lock, deadline);
}

static json_t *
check(const FakeHost *host, const PeerCall *call)
{
    World *world = host->world;
    gboolean blocked =
        call->service == SERVICE_STORAGE && g_strcmp0(host->host, world->blocked) == 0;

    world->logins += json_is_true(json_object_get(call->parameters, "login"));
    if (world->check_waits && host->is_source)
        wait_for_destination(world);
    if (!blocked)
        return json_object();
    return json_pack("{s:[{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}]}", "results", "check",
                     "host.memory-enough", "title", "t", "object", "thing 7", "severity", "blocker",
                     "outcome", "failed", "evidence", "is broken", "remedy", "mend it", "source",
                     "a book");
}

static json_t *
make_lease(const FakeHost *host, const PeerCall *call)
{
    int lease = lease_of(host->host, call->service);
    const char *token = json_string_value(json_object_get(call->parameters, "token"));

    g_free(host->world->tokens[lease]);
    host->world->tokens[lease] = g_strdup(token);
    return lease_object(lease, token);
}

static json_t *
list_leases(const FakeHost *host, Service service)
{
    int lease = lease_of(host->host, service);
    json_t *leases = json_array();

    if (host->world->tokens[lease])
        json_array_append_new(leases, lease_object(lease, host->world->tokens[lease]));
    return json_pack("{s:o}", "leases", leases);
}

static json_t *
release(const FakeHost *host, Service service, GError **error)
{
    int lease = lease_of(host->host, service);
    gboolean gone = host->is_source && g_strcmp0(host->world->source_state, "running") != 0;

    if (!host->world->tokens[lease]) {
        fault_set(error, FAULT_LEASE_NOT_FOUND, "lease", "", "not found");
        return NULL;
    }
    g_clear_pointer(&host->world->tokens[lease], g_free);
    if (service == SERVICE_STORAGE)
        return json_pack("{s:b}", "kept", 0);
    return json_pack("{s:s, s:{s:s}}", "job", "r", "result", "outcome",
                     gone ? "freed" : "returned");
}

static json_t *
migrate(World *world, const json_t *parameters)
{
    json_decref(world->sent);
    world->sent = json_incref(json_object_get(parameters, "sentDisks"));
    world->migrated = TRUE;
    world->source_state = world->undefines ? NULL : "shutoff";
    world->destination_state = world->state_after_migrate;
    return json_pack("{s:s, s:{s:i}}", "job", "m", "result", "downtimeMilliseconds", 120);
}

static json_t *
attach(World *world, GError **error)
{
    if (world->reservation_over) {
        fault_set(error, FAULT_LEASE_NOT_FOUND, "lease D1", "", "not found");
        return NULL;
    }
    return json_pack("{s:s, s:{s:[s], s:b, s:[{s:s, s:s}]}}", "job", "a", "result", "functions",
                     "0000:01:10.4", "degraded", world->attach_degraded, "bonds", "name", "bond0",
                     "active", "eth1");
}

static json_t *
act(const FakeHost *host, const PeerCall *call, GError **error)
{
    World *world = host->world;
    const char *method = call->method;

    if (strcmp(method, "Describe") == 0)
        return describe(host, call->service, error);
    if (strcmp(method, "Check") == 0)
        return check(host, call);
    if (strcmp(method, "ListLeases") == 0)
        return list_leases(host, call->service);
    if (strcmp(method, "CreateTargets") == 0) {
        json_decref(world->targets);
        world->targets = json_incref(json_object_get(call->parameters, "targets"));
    }
    if (strcmp(method, "Reserve") == 0 || strcmp(method, "CreateTargets") == 0)
        return json_pack("{s:o}", "lease", make_lease(host, call));
    if (strcmp(method, "Detach") == 0)
        return json_pack("{s:s, s:{s:o}}", "job", "d", "result", "lease", make_lease(host, call));
    if (strcmp(method, "RunHooks") == 0)
        return json_pack("{s:s, s:{s:i}}", "job", "h", "result", "count", 1);
    if (strcmp(method, "SetUpBond") == 0) {
        world->no_bond = FALSE;
        return json_pack("{s:s, s:{s:s}}", "job", "b", "result", "name", "bond0");
    }
    if (strcmp(method, "Release") == 0)
        return release(host, call->service, error);
    if (strcmp(method, "OpenTargets") == 0)
        return json_pack("{s:[{s:s, s:s, s:i}]}", "targets", "path", "/images/a.qcow2", "socket",
                         "/run/a.nbd", "virtualSizeBytes", 1048576);
    if (strcmp(method, "SendDisks") == 0)
        return json_pack("{s:s, s:{s:[{s:s, s:s, s:i, s:i}], s:i}}", "job", "s", "result", "disks",
                         "target", "vda", "path", "/images/a.qcow2", "inode", 7,
                         "modifiedNanoseconds", 8, "diskBytes", 1048576);
    if (strcmp(method, "Migrate") == 0)
        return migrate(world, call->parameters);
    if (strcmp(method, "DigestImages") == 0)
        return json_pack("{s:s, s:{s:[{s:s, s:i, s:s}]}}", "job", "g", "result", "images", "path",
                         "/images/base", "sizeBytes", 4096, "digest", "d1");
    if (strcmp(method, "Attach") == 0)
        return attach(world, error);
    return json_object();
}

static gboolean
is_recorded(const char *method)
{
    return strcmp(method, "Renew") != 0 && strcmp(method, "Describe") != 0 &&
           strcmp(method, "ListLeases") != 0 && strcmp(method, "Check") != 0;
}

static json_t *
fake_call_locked(const FakeHost *host, const PeerCall *call, GError **error)
{
    World *world = host->world;
    g_autofree char *name = g_strdup_printf("%s %s%s", host->host, call->method,
                                            strcmp(call->method, "Release") != 0 ? ""
                                            : call->service == SERVICE_NETWORK   ? " network"
                                                                                 : " storage");
    gboolean fails = g_strcmp0(name, world->fail) == 0;

    if (is_recorded(call->method))
        g_ptr_array_add(world->calls, g_strdup(name));
    if (!fails)
        return act(host, call, error);
    if (world->act_though_failing)
        json_decref(act(host, call, NULL));
    fault_set(error, world->code, "thing", "mend it", "broken on purpose");
    return NULL;
}

/* Who is dead makes no call and hears no answer. Renewals come when they come, and count for none.
 */
static json_t *
answer_the_living(const FakeHost *host, const PeerCall *call, GError **error)
{
    World *world = host->world;
    unsigned number = world->made += strcmp(call->method, "Renew") != 0;

    if (world->dies_at == 0 || number < world->dies_at)
        return fake_call_locked(host, call, error);
    if (number == world->dies_at && world->dies_late && strcmp(call->method, "Renew") != 0)
        json_decref(fake_call_locked(host, call, NULL));
    fault_set(error, FAULT_PEER_UNREACHABLE, host->host, "mend it", "the coordinator is dead");
    return NULL;
}

static json_t *
fake_call(void *self, const PeerCall *call, GError **error)
{
    FakeHost *host = self;
    World *world = host->world;

    g_mutex_lock(&world->lock);
    json_t *reply = answer_the_living(host, call, error);
    g_mutex_unlock(&world->lock);
    g_autofree char *name = g_strdup_printf("%s %s", host->host, call->method);
    if (g_strcmp0(name, world->cancel_at) == 0)
        g_cancellable_cancel(world->cancellable);
    return reply;
}

static const PeerOps fake_ops = { .call = fake_call, .free = g_free };

static Peer *
fake_host(World *world, const char *name)
{
    FakeHost *host = g_new0(FakeHost, 1);

    host->world = world;
    host->host = name;
    host->is_source = strcmp(name, "host1") == 0;
    return peer_new(name, &fake_ops, host);
}

static void
on_event(const MoveEvent *event, void *data)
{
}

static void
on_progress(const MoveProgress *progress, void *data)
{
}

static void
on_waiting(MoveStep step, const char *what, void *data)
{
}

static void
on_note(const char *sentence, void *data)
{
    g_ptr_array_add(((World *)data)->notes, g_strdup(sentence));
}

static const MoveObserver observer = { on_event, on_progress, on_waiting, on_note };

MoveResult *
world_run_checked(World *world, gboolean login_known)
{
    g_autoptr(Peer) source = fake_host(world, "host1");
    g_autoptr(Peer) destination = fake_host(world, "host2");
    const Gate gate = { .source = source,
                        .destination = destination,
                        .guest = "web1",
                        .login_known = login_known,
                        .cancellable = world->cancellable };
    const MoveRequest request = { .guest = "web1", .lease_seconds = 1, .gate = &gate };

    return move_run(&request, source, destination, &observer, world, world->cancellable);
}

MoveResult *
world_run_with(World *world, const MoveRequest *request)
{
    g_autoptr(Peer) source = fake_host(world, "host1");
    g_autoptr(Peer) destination = fake_host(world, "host2");

    return move_run(request, source, destination, &observer, world, world->cancellable);
}

MoveResult *
world_run(World *world)
{
    return world_run_with(world, &(MoveRequest) { .guest = "web1", .lease_seconds = 1 });
}

/* Compares all calls from the @from-th on, joined by ", ". */
void
world_assert_calls(const World *world, guint from, const char *expected)
{
    g_autoptr(GString) joined = g_string_new(NULL);

    for (guint i = from; i < world->calls->len; i++)
        g_string_append_printf(joined, "%s%s", i > from ? ", " : "",
                               (const char *)g_ptr_array_index(world->calls, i));
    g_assert_cmpstr(joined->str, ==, expected);
}

void
world_assert_nothing_held(const World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(world->tokens); i++)
        g_assert_null(world->tokens[i]);
}
