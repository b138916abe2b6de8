/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of leases without asking the disk is what the disk would tell. */
#include <string.h>

#include "common/lease_store.h"
#include "common/limits.h"

#define MINUTE 60

typedef struct {
    LeaseStore *store;
    char *id; /* of its first lease, which holds function a */
    guint64 generation;
} Fixture;

static Lease *
create(LeaseStore *store, const char *token)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    json_auto_t *request = json_object();
    const Lease draft = { .kind = (char *)"reservation",
                          .owner = (char *)"tester",
                          .token = (char *)token,
                          .guest_name = (char *)"web1",
                          .guest_uuid = (char *)"6f1c2f6e-1111-4222-8333-944445555666",
                          .state = (char *)"reserved",
                          .request = request,
                          .assets = assets };

    g_ptr_array_add(assets, lease_asset_new("function", token, "reserved", NULL));
    Lease *lease = lease_store_create(store, &draft, MINUTE, FAULT_FUNCTION_BUSY, NULL, &error);
    g_assert_no_error(error);
    return lease;
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    fixture->store = lease_store_open(":memory:", NULL);
    g_autoptr(Lease) lease = create(fixture->store, "a");

    fixture->id = g_strdup(lease->id);
    fixture->generation = lease->generation;
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    lease_store_free(fixture->store);
    g_free(fixture->id);
}

static guint
count_known(Fixture *fixture)
{
    g_autoptr(GPtrArray) leases = lease_store_recall(fixture->store);

    g_assert_nonnull(leases);
    return leases->len;
}

static void
list(Fixture *fixture)
{
    g_autoptr(GPtrArray) leases = lease_store_list(fixture->store, NULL);

    g_assert_nonnull(leases);
}

static void
test_knows_what_was_listed(Fixture *fixture, gconstpointer unused)
{
    g_assert_null(lease_store_recall(fixture->store));
    g_autoptr(GPtrArray) listed = lease_store_list(fixture->store, NULL);
    g_autoptr(GPtrArray) known = lease_store_recall(fixture->store);
    g_assert_cmpuint(known->len, ==, 1);
    const Lease *lease = known->pdata[0];
    g_assert_cmpstr(lease->id, ==, fixture->id);
    g_assert_cmpstr(lease->state, ==, "reserved");
    g_assert_nonnull(lease_find_asset(lease, "function", "a"));
    /* Time goes on for what is only remembered, too. */
    g_assert_cmpint(lease->remaining_usec, <=, ((Lease *)listed->pdata[0])->remaining_usec);
    g_assert_cmpint(lease->remaining_usec, >, 0);
}

static gboolean
renew(Fixture *fixture)
{
    return lease_store_renew(fixture->store, fixture->id, fixture->generation, MINUTE, NULL);
}

static gboolean
set_state(Fixture *fixture)
{
    return lease_store_set_state(fixture->store, fixture->id, "degraded", "why", NULL);
}

static gboolean
settle(Fixture *fixture)
{
    g_autoptr(Lease) lease = lease_store_get(fixture->store, fixture->id, 0, NULL);

    return lease_store_settle(fixture->store, lease, "attached", FAULT_FUNCTION_BUSY, NULL);
}

static gboolean
put_asset(Fixture *fixture)
{
    g_autoptr(LeaseAsset) asset = lease_asset_new("function", "b", "reserved", NULL);

    return lease_store_put_asset(fixture->store, fixture->id, asset, FAULT_FUNCTION_BUSY, NULL);
}

static gboolean
replace_asset(Fixture *fixture)
{
    g_autoptr(LeaseAsset) old = lease_asset_new("function", "b", "reserved", NULL);
    g_autoptr(LeaseAsset) successor = lease_asset_new("function", "c", "reserved", NULL);

    return lease_store_replace_asset(fixture->store, fixture->id, old, successor,
                                     FAULT_FUNCTION_BUSY, NULL);
}

static gboolean
drop_asset(Fixture *fixture)
{
    return lease_store_drop_asset(fixture->store, fixture->id, "function", "c", NULL);
}

static gboolean
add(Fixture *fixture)
{
    g_autoptr(Lease) lease = create(fixture->store, "another");

    return lease != NULL;
}

static gboolean
end(Fixture *fixture)
{
    return lease_store_remove(fixture->store, fixture->id, NULL);
}

static void
test_each_change_is_seen_at_once(Fixture *fixture, gconstpointer unused)
{
    gboolean (*const changes[])(Fixture *) = { renew,         set_state,  settle, put_asset,
                                               replace_asset, drop_asset, add,    end };

    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        list(fixture);
        g_assert_cmpuint(count_known(fixture), >, 0);
        g_assert_true(changes[i](fixture));
        g_assert_null(lease_store_recall(fixture->store));
    }
    list(fixture);
    g_assert_cmpuint(count_known(fixture), ==, 1);
}

static void
test_change_that_fails_changes_nothing_known(Fixture *fixture, gconstpointer unused)
{
    list(fixture);
    g_assert_false(lease_store_remove(fixture->store, "no such lease", NULL));
    list(fixture);
    g_assert_cmpuint(count_known(fixture), ==, 1);
}

static void
test_few_are_known_and_many_are_not(Fixture *fixture, gconstpointer unused)
{
    for (int i = 1; i < LIMIT_BRIEF_ENTRIES; i++) {
        g_autofree char *token = g_strdup_printf("more %d", i);
        g_autoptr(Lease) lease = create(fixture->store, token);
    }
    list(fixture);
    g_assert_cmpuint(count_known(fixture), ==, LIMIT_BRIEF_ENTRIES);
    g_assert_true(add(fixture));
    list(fixture);
    g_assert_null(lease_store_recall(fixture->store));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/lease-memory/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("knows-what-was-listed", test_knows_what_was_listed);
    ADD("each-change-is-seen-at-once", test_each_change_is_seen_at_once);
    ADD("change-that-fails-changes-nothing-known", test_change_that_fails_changes_nothing_known);
    ADD("few-are-known-and-many-are-not", test_few_are_known_and_many_are_not);
    return g_test_run();
}
