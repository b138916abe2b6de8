/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The move's sequence against two hosts that only answer calls: which calls, in which order, and
 * what is undone when each of them fails. */
#include "common/cli/move.h"

#include <string.h>

#include "common/cli/exit_status.h"
#include "common/fault.h"

#define UUID "6f1c2f6e-1111-4222-8333-944445555666"

/* What the two hosts share: the record of calls, and where the guest is. */
typedef struct {
    GMutex lock;
    GPtrArray *calls; /* "host2 Reserve" in order; Renew and Describe left out */
    const char *fail; /* this call fails with @code */
    FaultCode code;
    gboolean act_though_failing; /* the answer is lost, the deed is done */
    const char *cancel_at;       /* this call cancels */
    GCancellable *cancellable;
    const char *source_state, *destination_state; /* NULL: unknown guest */
    const char *state_after_migrate;              /* of the destination */
    gboolean no_vnics, no_bond, no_agent, impossible_disk, attach_degraded, reservation_over;
    gboolean silent_after_migrate; /* neither host answers where the guest is */
    gboolean migrated;
    char *tokens[3]; /* of leases that exist: by call below */
    GPtrArray *notes;
} World;

typedef struct {
    World *world;
    const char *host;
    gboolean is_source;
} FakeHost;

static World *
world_new(void)
{
    World *world = g_new0(World, 1);

    g_mutex_init(&world->lock);
    world->calls = g_ptr_array_new_with_free_func(g_free);
    world->notes = g_ptr_array_new_with_free_func(g_free);
    world->cancellable = g_cancellable_new();
    world->source_state = "running";
    world->state_after_migrate = "running";
    return world;
}

static void
world_free(World *world)
{
    g_ptr_array_unref(world->calls);
    g_ptr_array_unref(world->notes);
    g_object_unref(world->cancellable);
    for (size_t i = 0; i < G_N_ELEMENTS(world->tokens); i++)
        g_free(world->tokens[i]);
    g_mutex_clear(&world->lock);
    g_free(world);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

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
    return json_pack("{s:{s:s, s:s}, s:s, s:o, s:[{s:s, s:s}], s:b, s:s}", "guest", "name", "web1",
                     "uuid", UUID, "state", "running", "vnics", vnics, "bonds", "name", "bond0",
                     "active", host->is_source ? "eth0" : "eth1", "agent", !world->no_agent,
                     "agentError", "not connected");
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
    return json_pack("{s:{s:s, s:s}, s:s, s:b, s:[{s:s, s:s, s:s, s:i, s:s, s:s}, {s:s, s:s}]}",
                     "guest", "name", "web1", "uuid", UUID, "state", state, "migrating", 0, "disks",
                     "target", "vda", "path", "/images/a.qcow2", "format", "qcow2",
                     "virtualSizeBytes", 1048576, "migration",
                     world->impossible_disk ? "impossible" : "copy", "reason", "encrypted",
                     "target", "sda", "migration", "none");
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
migrate(World *world)
{
    world->migrated = TRUE;
    world->source_state = "shutoff";
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
        return call->service == SERVICE_NETWORK ? describe_network(host)
                                                : describe_storage(host, error);
    if (strcmp(method, "ListLeases") == 0)
        return list_leases(host, call->service);
    if (strcmp(method, "Reserve") == 0 || strcmp(method, "CreateTargets") == 0)
        return json_pack("{s:o}", "lease", make_lease(host, call));
    if (strcmp(method, "Detach") == 0)
        return json_pack("{s:s, s:{s:o}}", "job", "d", "result", "lease", make_lease(host, call));
    if (strcmp(method, "SetUpBond") == 0) {
        world->no_bond = FALSE;
        return json_pack("{s:s, s:{s:s}}", "job", "b", "result", "name", "bond0");
    }
    if (strcmp(method, "Release") == 0)
        return release(host, call->service, error);
    if (strcmp(method, "Migrate") == 0)
        return migrate(world);
    if (strcmp(method, "Attach") == 0)
        return attach(world, error);
    return json_object();
}

static gboolean
is_recorded(const char *method)
{
    return strcmp(method, "Renew") != 0 && strcmp(method, "Describe") != 0 &&
           strcmp(method, "ListLeases") != 0;
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

static json_t *
fake_call(void *self, const PeerCall *call, GError **error)
{
    FakeHost *host = self;
    World *world = host->world;

    g_mutex_lock(&world->lock);
    json_t *reply = fake_call_locked(host, call, error);
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

static MoveResult *
run_with(World *world, const MoveRequest *request)
{
    g_autoptr(Peer) source = fake_host(world, "host1");
    g_autoptr(Peer) destination = fake_host(world, "host2");

    return move_run(request, source, destination, &observer, world, world->cancellable);
}

static MoveResult *
run(World *world)
{
    return run_with(world, &(MoveRequest) { .guest = "web1", .lease_seconds = 1 });
}

/* Compares all calls from the @from-th on, joined by ", ". */
static void
assert_calls(const World *world, guint from, const char *expected)
{
    g_autoptr(GString) joined = g_string_new(NULL);

    for (guint i = from; i < world->calls->len; i++)
        g_string_append_printf(joined, "%s%s", i > from ? ", " : "",
                               (const char *)g_ptr_array_index(world->calls, i));
    g_assert_cmpstr(joined->str, ==, expected);
}

static void
assert_nothing_held(const World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(world->tokens); i++)
        g_assert_null(world->tokens[i]);
}

static void
test_moves_in_the_promised_order(void)
{
    g_autoptr(World) world = world_new();
    g_autoptr(MoveResult) result = run(world);

    g_assert_no_error(result->error);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    assert_calls(world, 0,
                 "host2 ListFunctions, host2 Reserve, host2 CreateTargets, host1 Detach, "
                 "host1 Migrate, host2 Attach, host1 Release network");
    g_assert_cmpstr(result->guest, ==, "web1");
    g_assert_cmpint(result->downtime_msec, ==, 120);
    g_assert_cmpstr(json_string_value(json_array_get(result->functions, 0)), ==, "0000:01:10.4");
    g_assert_cmpstr(result->active_before, ==, "eth0");
    g_assert_cmpstr(result->active_after, ==, "eth1");
    g_assert_cmpuint(result->steps->len, ==, 8);
}

static void
test_skips_what_a_guest_without_vnics_does_not_need(void)
{
    g_autoptr(World) world = world_new();

    world->no_vnics = TRUE;
    world->no_agent = TRUE;
    g_autoptr(MoveResult) result = run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    assert_calls(world, 0, "host2 CreateTargets, host1 Migrate");
}

static void
test_refuses_before_anything_changes(void)
{
    static const struct {
        gboolean no_bond, no_agent, impossible_disk;
        const char *source, *destination;
        FaultCode code;
    } cases[] = {
        { TRUE, FALSE, FALSE, "running", NULL, FAULT_BOND_UNFIT },
        { FALSE, TRUE, FALSE, "running", NULL, FAULT_AGENT_UNAVAILABLE },
        { FALSE, FALSE, TRUE, "running", NULL, FAULT_DISK_UNSUPPORTED },
        { FALSE, FALSE, FALSE, "shutoff", NULL, FAULT_GUEST_NOT_RUNNING },
        { FALSE, FALSE, FALSE, "paused", NULL, FAULT_GUEST_NOT_RUNNING },
        { FALSE, FALSE, FALSE, NULL, NULL, FAULT_GUEST_NOT_FOUND },
        { FALSE, FALSE, FALSE, "running", "running", FAULT_GUEST_BUSY },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(World) world = world_new();
        world->no_bond = cases[i].no_bond;
        world->no_agent = cases[i].no_agent;
        world->impossible_disk = cases[i].impossible_disk;
        world->source_state = cases[i].source;
        world->destination_state = cases[i].destination;
        g_autoptr(MoveResult) result = run(world);
        g_assert_error(result->error, FAULT, (int)cases[i].code);
        g_assert_cmpstr(fault_remedy(result->error), !=, "");
        g_assert_true(result->restored);
        g_assert_cmpuint(world->calls->len, ==, 0);
    }
}

static void
test_sets_up_the_bond_first_if_told_to(void)
{
    g_autoptr(World) world = world_new();

    world->no_bond = TRUE;
    g_autoptr(MoveResult) result = run_with(
        world, &(MoveRequest) { .guest = "web1", .lease_seconds = 1, .set_up_bond = TRUE });
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    assert_calls(world, 0,
                 "host2 ListFunctions, host1 SetUpBond, host2 Reserve, host2 CreateTargets, "
                 "host1 Detach, host1 Migrate, host2 Attach, host1 Release network");
}

typedef struct {
    const char *call;
    guint position; /* of the first call after it */
    const char *undone;
} StepCase;

static const StepCase step_cases[] = {
    { "host2 ListFunctions", 1, "" },
    { "host2 Reserve", 2, "" },
    { "host2 CreateTargets", 3, "host2 Release network" },
    { "host1 Detach", 4, "host2 Release storage, host2 Release network" },
    { "host1 Migrate", 5, "host1 Release network, host2 Release storage, host2 Release network" },
};

static void
test_each_failing_step_undoes_those_before(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(step_cases); i++) {
        g_autoptr(World) world = world_new();
        world->fail = step_cases[i].call;
        world->code = FAULT_HYPERVISOR_FAILED;
        g_autoptr(MoveResult) result = run(world);
        g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_FAILED);
        g_assert_error(result->error, FAULT, FAULT_HYPERVISOR_FAILED);
        g_assert_true(result->restored);
        assert_calls(world, step_cases[i].position, step_cases[i].undone);
        assert_nothing_held(world);
    }
}

static void
test_leases_whose_answer_was_lost_are_found_and_undone(void)
{
    static const StepCase lost[] = {
        { "host2 Reserve", 2, "host2 Release network" },
        { "host2 CreateTargets", 3, "host2 Release storage, host2 Release network" },
        { "host1 Detach", 4,
          "host1 Release network, host2 Release storage, host2 Release network" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lost); i++) {
        g_autoptr(World) world = world_new();
        world->fail = lost[i].call;
        world->code = FAULT_TIMED_OUT;
        world->act_though_failing = TRUE;
        g_autoptr(MoveResult) result = run(world);
        g_assert_true(result->restored);
        assert_calls(world, lost[i].position, lost[i].undone);
        assert_nothing_held(world);
    }
}

static void
test_cancelling_during_each_step_undoes_it_and_those_before(void)
{
    static const StepCase cancelled[] = {
        { "host2 ListFunctions", 1, "" },
        { "host2 Reserve", 2, "host2 Release network" },
        { "host2 CreateTargets", 3, "host2 Release storage, host2 Release network" },
        { "host1 Detach", 4,
          "host1 Release network, host2 Release storage, host2 Release network" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cancelled); i++) {
        g_autoptr(World) world = world_new();
        world->cancel_at = cancelled[i].call;
        g_autoptr(MoveResult) result = run(world);
        g_assert_error(result->error, FAULT, FAULT_CANCELLED);
        g_assert_true(result->restored);
        assert_calls(world, cancelled[i].position, cancelled[i].undone);
        assert_nothing_held(world);
    }
}

static void
test_cancelling_after_the_guest_left_does_not_bring_it_back(void)
{
    g_autoptr(World) world = world_new();

    world->cancel_at = "host1 Migrate";
    g_autoptr(MoveResult) result = run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    g_assert_no_error(result->error);
    g_assert_cmpuint(world->notes->len, ==, 1);
    assert_calls(world, 5, "host2 Attach, host1 Release network");
}

static void
test_guest_on_destination_counts_more_than_a_failed_call(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host1 Migrate";
    world->code = FAULT_DAEMON_UNAVAILABLE;
    world->act_though_failing = TRUE;
    g_autoptr(MoveResult) result = run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    assert_calls(world, 5, "host2 Attach, host1 Release network");
}

static void
test_nothing_is_undone_while_nobody_knows_where_the_guest_is(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host1 Migrate";
    world->code = FAULT_MIGRATION_FAILED;
    world->act_though_failing = TRUE;
    world->silent_after_migrate = TRUE;
    g_autoptr(MoveResult) result = run(world);
    g_assert_error(result->error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    g_assert_false(result->restored);
    assert_calls(world, 5, "");
}

static void
test_guest_ended_on_either_side_leaves_its_files_alone(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host1 Migrate";
    world->code = FAULT_MIGRATION_FAILED;
    world->act_though_failing = TRUE;
    world->state_after_migrate = NULL;
    g_autoptr(MoveResult) result = run(world);
    g_assert_error(result->error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    assert_calls(world, 5, "");
}

static void
test_failing_undo_does_not_stop_the_rest(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host2 Release storage";
    world->code = FAULT_HYPERVISOR_FAILED;
    world->cancel_at = "host1 Detach";
    g_autoptr(MoveResult) result = run(world);
    g_assert_error(result->error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    g_assert_false(result->restored);
    g_assert_nonnull(strstr(result->error->message, "target files on host2"));
    g_assert_nonnull(strstr(fault_remedy(result->error), "migprep status --host host2"));
    assert_calls(world, 4, "host1 Release network, host2 Release storage, host2 Release network");
}

static void
test_functions_attached_before_we_asked_count(void)
{
    g_autoptr(World) world = world_new();

    world->reservation_over = TRUE;
    g_autoptr(MoveResult) result = run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    g_assert_cmpstr(json_string_value(json_array_get(result->functions, 0)), ==, "0000:01:10.4");
}

static void
test_failing_attach_leaves_the_guest_moved_but_degraded(void)
{
    for (int by_flag = 0; by_flag < 2; by_flag++) {
        g_autoptr(World) world = world_new();
        world->attach_degraded = by_flag;
        world->fail = by_flag ? NULL : "host2 Attach";
        world->code = FAULT_FUNCTION_FAILED;
        g_autoptr(MoveResult) result = run(world);
        g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_DEGRADED);
        g_assert_cmpint(exit_status_of(fault_code(result->error)), ==, EXIT_STATUS_DEGRADED);
        g_assert_nonnull(strstr(result->error->message, "runs on host2 on its VirtIO NIC"));
        assert_calls(world, 5, "host2 Attach, host1 Release network");
    }
}

static void
test_failing_finish_is_a_note_since_the_guest_has_moved(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host1 Release network";
    world->code = FAULT_FUNCTION_FAILED;
    g_autoptr(MoveResult) result = run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    g_assert_cmpuint(world->notes->len, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/move/in-the-promised-order", test_moves_in_the_promised_order);
    g_test_add_func("/move/skips-what-is-not-needed",
                    test_skips_what_a_guest_without_vnics_does_not_need);
    g_test_add_func("/move/refuses-before-anything-changes", test_refuses_before_anything_changes);
    g_test_add_func("/move/sets-up-the-bond-first", test_sets_up_the_bond_first_if_told_to);
    g_test_add_func("/move/each-failing-step-undoes-those-before",
                    test_each_failing_step_undoes_those_before);
    g_test_add_func("/move/lost-answers-are-undone",
                    test_leases_whose_answer_was_lost_are_found_and_undone);
    g_test_add_func("/move/cancelling-undoes",
                    test_cancelling_during_each_step_undoes_it_and_those_before);
    g_test_add_func("/move/cancelling-too-late",
                    test_cancelling_after_the_guest_left_does_not_bring_it_back);
    g_test_add_func("/move/guest-on-destination-counts",
                    test_guest_on_destination_counts_more_than_a_failed_call);
    g_test_add_func("/move/nothing-undone-while-unknown",
                    test_nothing_is_undone_while_nobody_knows_where_the_guest_is);
    g_test_add_func("/move/guest-ended-leaves-files",
                    test_guest_ended_on_either_side_leaves_its_files_alone);
    g_test_add_func("/move/failing-undo-goes-on", test_failing_undo_does_not_stop_the_rest);
    g_test_add_func("/move/attached-before-we-asked",
                    test_functions_attached_before_we_asked_count);
    g_test_add_func("/move/failing-attach-is-degraded",
                    test_failing_attach_leaves_the_guest_moved_but_degraded);
    g_test_add_func("/move/failing-finish-is-a-note",
                    test_failing_finish_is_a_note_since_the_guest_has_moved);
    return g_test_run();
}
