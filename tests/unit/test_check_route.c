/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both ends of a way are asked, each as little as is enough. */
#include <string.h>

#include "common/cli/check_routes.h"
#include "common/fault.h"

/* One host, and what it was asked. */
typedef struct {
    GMutex lock;
    gboolean silent;
    unsigned addresses, logins, passages, prepared;
    char *passage_facts;
} FakeHost;

static void
note(FakeHost *host, const PeerCall *call)
{
    const char *role = json_string_value(json_object_get(call->parameters, "role"));
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&host->lock);

    if (g_str_equal(role, "address")) {
        host->addresses++;
    } else if (json_is_true(json_object_get(call->parameters, "login"))) {
        host->logins++;
    } else {
        const json_t *name =
            json_object_get(json_object_get(call->parameters, "facts"), "hostName");

        host->passages++;
        g_free(host->passage_facts);
        host->passage_facts = g_strdup(json_string_value(name));
    }
}

static json_t *
answer(void *self, const PeerCall *call, GError **error)
{
    FakeHost *host = self;

    note(host, call);
    if (!host->silent)
        return json_pack("{s:[], s:{s:s}}", "results", "facts", "hostName", "host2.lan");
    fault_set(error, FAULT_PEER_UNREACHABLE, "host 'host2'", NULL, "No route to host");
    return NULL;
}

static void
prepare(void *self, Service service, GCancellable *cancellable)
{
    g_assert_cmpint(service, ==, SERVICE_NETWORK);
    ((FakeHost *)self)->prepared++;
}

static void
free_host(void *self)
{
    FakeHost *host = self;

    g_free(host->passage_facts);
    g_free(host);
}

typedef struct {
    FakeHost *source, *destination;
    CheckRoute route;
} World;

static World
world_new(gboolean login_known)
{
    static const PeerOps ops = { answer, prepare, free_host };
    World world = { .source = g_new0(FakeHost, 1), .destination = g_new0(FakeHost, 1) };

    world.route = (CheckRoute) { .source = peer_new("host1", &ops, world.source),
                                 .destination = peer_new("host2", &ops, world.destination),
                                 .login_known = login_known };
    return world;
}

static void
world_clear(World *world)
{
    peer_free(world->route.source);
    peer_free(world->route.destination);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

static void
test_source_goes_where_the_destination_says_that_it_is(void)
{
    g_auto(World) world = world_new(FALSE);
    g_autoptr(CheckRouteAnswers) answers = check_route_ask(&world.route);

    g_assert_cmpstr(world.source->passage_facts, ==, "host2.lan");
    g_assert_cmpuint(world.source->logins, ==, 1);
    g_assert_cmpuint(world.destination->prepared, ==, 1);
    g_assert_nonnull(answers->login.reply);
    g_assert_nonnull(answers->passage.reply);
}

/* Root's own ssh is libvirt's: it was let in just now. */
static void
test_login_that_this_command_made_is_not_made_again(void)
{
    g_auto(World) world = world_new(TRUE);
    g_autoptr(CheckRouteAnswers) answers = check_route_ask(&world.route);
    json_auto_t *results = check_question_results(&answers->login);
    const json_t *result = json_array_get(results, 0);

    g_assert_cmpuint(world.source->logins, ==, 0);
    g_assert_cmpuint(json_array_size(results), ==, 1);
    g_assert_cmpstr(json_string_value(json_object_get(result, "check")), ==, "host.ssh-login");
    g_assert_cmpstr(json_string_value(json_object_get(result, "outcome")), ==, "passed");
    g_assert_cmpstr(json_string_value(json_object_get(result, "host")), ==, "host1");
}

static void
test_source_says_why_nobody_is_let_in(void)
{
    g_auto(World) world = world_new(TRUE);

    world.destination->silent = TRUE;
    g_autoptr(CheckRouteAnswers) answers = check_route_ask(&world.route);
    g_assert_cmpuint(world.source->logins, ==, 1);
    g_assert_null(world.source->passage_facts);
    g_assert_cmpuint(world.source->passages, ==, 1);
    g_assert_nonnull(answers->passage.reply);
}

static void
test_way_is_tried_once_unless_a_guest_is_watched(void)
{
    g_auto(World) world = world_new(FALSE);
    g_autoptr(CheckRoutes) routes = check_routes_new();

    for (int i = 0; i < 3; i++) {
        g_autoptr(CheckRouteAnswers) answers = check_routes_ask(routes, &world.route);
        g_assert_nonnull(answers->passage.reply);
        g_assert_true(answers->passage.way == &answers->passage_way);
    }
    g_assert_cmpuint(world.source->passages, ==, 1);
    g_assert_cmpuint(world.destination->addresses, ==, 1);
    world.route.guest = "web1";
    world.route.measure_seconds = 1;
    g_autoptr(CheckRouteAnswers) watched = check_routes_ask(routes, &world.route);
    g_assert_cmpstr(watched->passage.guest, ==, "web1");
    g_assert_cmpuint(world.source->passages, ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/check-route/address", test_source_goes_where_the_destination_says_that_it_is);
    g_test_add_func("/check-route/login-known",
                    test_login_that_this_command_made_is_not_made_again);
    g_test_add_func("/check-route/not-let-in", test_source_says_why_nobody_is_let_in);
    g_test_add_func("/check-route/once", test_way_is_tried_once_unless_a_guest_is_watched);
    return g_test_run();
}
