/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of leases: exclusive, all or nothing, idempotent, fenced, durable. */
#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lease_store.h"
#include "common/limits.h"

#define GUEST_UUID "6f1c2f6e-1111-4222-8333-944445555666"
#define MINUTE     60

typedef struct {
    char *directory;
    char *path;
    LeaseStore *store;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    fixture->directory = g_dir_make_tmp("leases-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->path = g_build_filename(fixture->directory, "leases.db", NULL);
    fixture->store = lease_store_open(fixture->path, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };

    lease_store_free(fixture->store);
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(fixture->path, suffixes[i], NULL);
        g_unlink(file);
    }
    g_rmdir(fixture->directory);
    g_free(fixture->path);
    g_free(fixture->directory);
}

/* A reservation of the functions in @keys, separated by spaces. */
static Lease *
draft(const char *token, const char *keys)
{
    Lease *lease = g_new0(Lease, 1);
    g_auto(GStrv) parts = g_strsplit(keys, " ", -1);

    lease->kind = g_strdup("reservation");
    lease->owner = g_strdup("tester");
    lease->token = g_strdup(token);
    lease->guest_name = g_strdup("web1");
    lease->guest_uuid = g_strdup(GUEST_UUID);
    lease->state = g_strdup("reserved");
    lease->request = json_pack("{s:s}", "keys", keys);
    lease->assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    for (char **part = parts; *part && **part; part++)
        g_ptr_array_add(lease->assets, lease_asset_new("function", *part, "reserved",
                                                       json_pack("{s:s}", "note", *part)));
    return lease;
}

static Lease *
create(LeaseStore *store, const char *token, const char *keys, GError **error)
{
    g_autoptr(Lease) wanted = draft(token, keys);

    return lease_store_create(store, wanted, MINUTE, FAULT_FUNCTION_BUSY, NULL, error);
}

static Lease *
must_create(LeaseStore *store, const char *token, const char *keys)
{
    g_autoptr(GError) error = NULL;
    Lease *lease = create(store, token, keys, &error);

    g_assert_no_error(error);
    return lease;
}

static guint
count(LeaseStore *store)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(store, &error);

    g_assert_no_error(error);
    return leases->len;
}

static void
test_lease_is_what_was_asked(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(Lease) lease = must_create(fixture->store, "t1", "a b");

    g_assert_cmpstr(lease->owner, ==, "tester");
    g_assert_cmpstr(lease->guest_uuid, ==, GUEST_UUID);
    g_assert_cmpstr(lease->state, ==, "reserved");
    g_assert_cmpstr(lease->reason, ==, "");
    g_assert_true(g_uuid_string_is_valid(lease->id));
    g_assert_cmpint(lease->remaining_usec, <=, MINUTE * G_USEC_PER_SEC);
    g_assert_cmpint(lease->remaining_usec, >, 0);
    g_assert_cmpuint(lease->assets->len, ==, 2);
    const LeaseAsset *asset = lease_find_asset(lease, "function", "b");
    g_assert_cmpstr(json_string_value(json_object_get(asset->detail, "note")), ==, "b");
    g_assert_null(lease_find_asset(lease, "image", "b"));
}

static void
test_lease_may_hold_nothing(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) empty = draft("t1", "");

    g_clear_pointer(&empty->assets, g_ptr_array_unref);
    g_clear_pointer(&empty->request, json_decref);
    g_assert_null(lease_find_asset(empty, "function", "a"));
    g_autoptr(Lease) copy = lease_copy(empty);
    g_assert_cmpuint(copy->assets->len, ==, 0);
    g_autoptr(Lease) lease =
        lease_store_create(fixture->store, empty, MINUTE, FAULT_FUNCTION_BUSY, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(lease->assets->len, ==, 0);
    g_assert_true(json_is_object(lease->request));
    lease_free(NULL);
    lease_asset_free(NULL);
}

static void
test_asset_has_one_holder_and_a_refusal_takes_nothing(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) first = must_create(fixture->store, "t1", "b");

    g_assert_null(create(fixture->store, "t2", "a b c", &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_BUSY);
    g_assert_nonnull(strstr(error->message, "function b"));
    g_assert_nonnull(strstr(error->message, first->id));
    g_assert_nonnull(strstr(error->message, "tester"));
    g_autoptr(Lease) rest = must_create(fixture->store, "t3", "a c");
    g_assert_cmpuint(count(fixture->store), ==, 2);
}

static void
test_repeat_gets_the_same_lease(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    gboolean existing = FALSE;
    g_autoptr(Lease) first = must_create(fixture->store, "t1", "a");
    g_autoptr(Lease) wanted = draft("t1", "a");
    g_autoptr(Lease) again =
        lease_store_create(fixture->store, wanted, MINUTE, FAULT_FUNCTION_BUSY, &existing, &error);

    g_assert_no_error(error);
    g_assert_true(existing);
    g_assert_cmpstr(again->id, ==, first->id);
    g_assert_cmpuint(again->generation, ==, first->generation);
    g_assert_cmpuint(count(fixture->store), ==, 1);
}

static void
test_same_token_for_something_else_is_a_conflict(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) first = must_create(fixture->store, "t1", "a");

    g_assert_null(create(fixture->store, "t1", "b", &error));
    g_assert_error(error, FAULT, FAULT_LEASE_CONFLICT);
    g_assert_cmpuint(count(fixture->store), ==, 1);
}

static void
test_generations_never_repeat(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) first = must_create(fixture->store, "t1", "a");

    g_assert_true(lease_store_remove(fixture->store, first->id, &error));
    g_autoptr(Lease) second = must_create(fixture->store, "t1", "a");
    g_assert_cmpuint(second->generation, >, first->generation);
    g_assert_null(lease_store_get(fixture->store, second->id, first->generation, &error));
    g_assert_error(error, FAULT, FAULT_STALE_GENERATION);
    g_clear_error(&error);
    g_assert_null(lease_store_get(fixture->store, first->id, first->generation, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
}

static void
test_renewal_needs_the_generation_and_moves_the_deadline(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = must_create(fixture->store, "t1", "a");

    g_assert_true(lease_store_renew(fixture->store, lease->id, lease->generation, 3600, &error));
    g_autoptr(Lease) renewed = lease_store_get(fixture->store, lease->id, 0, &error);
    g_assert_cmpint(renewed->remaining_usec, >, 3000LL * G_USEC_PER_SEC);
    g_assert_false(
        lease_store_renew(fixture->store, lease->id, lease->generation + 1, 3600, &error));
    g_assert_error(error, FAULT, FAULT_STALE_GENERATION);
}

static void
test_changes_are_read_back(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = must_create(fixture->store, "t1", "a b");
    g_autoptr(LeaseAsset) changed =
        lease_asset_new("function", "a", "unplugged", json_pack("{s:i}", "step", 2));

    g_assert_true(
        lease_store_put_asset(fixture->store, lease->id, changed, FAULT_FUNCTION_BUSY, &error));
    g_assert_true(lease_store_drop_asset(fixture->store, lease->id, "function", "b", &error));
    g_assert_true(lease_store_set_state(fixture->store, lease->id, "degraded", "why", &error));
    g_assert_no_error(error);
    g_autoptr(Lease) read = lease_store_get(fixture->store, lease->id, 0, &error);
    g_assert_cmpstr(read->state, ==, "degraded");
    g_assert_cmpstr(read->reason, ==, "why");
    g_assert_cmpuint(read->assets->len, ==, 1);
    g_assert_cmpstr(lease_find_asset(read, "function", "a")->state, ==, "unplugged");
    g_assert_true(lease_store_set_state(fixture->store, lease->id, "reserved", NULL, &error));
    g_autoptr(Lease) sound = lease_store_get(fixture->store, lease->id, 0, &error);
    g_assert_cmpstr(sound->reason, ==, "");
}

static void
test_changing_what_is_not_there_is_an_error(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(lease_store_set_state(fixture->store, "nope", "x", "", &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(lease_store_remove(fixture->store, "nope", &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
}

static void
test_lease_outlives_a_killed_process(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    int status;

    g_clear_pointer(&fixture->store, lease_store_free);
    pid_t child = fork();
    if (child == 0) {
        LeaseStore *store = lease_store_open(fixture->path, NULL);
        Lease *lease = store ? create(store, "t1", "a", NULL) : NULL;
        if (lease)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    /* The child drew the same random numbers as we shall. */
    g_autofree char *drawn = g_uuid_string_random();
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    fixture->store = lease_store_open(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(count(fixture->store), ==, 1);
    g_assert_null(create(fixture->store, "t2", "a", &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_BUSY);
}

static void
test_damaged_database_is_refused_and_kept(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *kept = NULL;
    const char *rubbish = "this is not a database, but somebody may still want it";

    g_clear_pointer(&fixture->store, lease_store_free);
    g_assert_true(g_file_set_contents(fixture->path, rubbish, -1, NULL));
    g_assert_null(lease_store_open(fixture->path, &error));
    g_assert_error(error, FAULT, FAULT_STORE_FAILED);
    g_assert_nonnull(strstr(error->message, fixture->path));
    g_assert_true(g_file_get_contents(fixture->path, &kept, NULL, NULL));
    g_assert_cmpstr(kept, ==, rubbish);
}

/* Runs @sql on the database behind the store's back. */
static void
tamper(Fixture *fixture, const char *sql)
{
    sqlite3 *database = NULL;

    g_assert_cmpint(sqlite3_open(fixture->path, &database), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(database, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(database);
}

static void
reopen(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&fixture->store, lease_store_free);
    fixture->store = lease_store_open(fixture->path, &error);
    g_assert_no_error(error);
}

static void
test_lease_of_an_earlier_boot_has_expired(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = must_create(fixture->store, "t1", "a");

    tamper(fixture, "UPDATE lease SET boot_id='earlier'");
    reopen(fixture);
    g_autoptr(Lease) stale = lease_store_get(fixture->store, lease->id, lease->generation, &error);
    g_assert_no_error(error);
    g_assert_cmpint(stale->remaining_usec, <=, 0);
    g_assert_null(create(fixture->store, "t2", "a", NULL));
    g_assert_true(lease_store_renew(fixture->store, lease->id, lease->generation, MINUTE, &error));
    g_autoptr(Lease) renewed = lease_store_get(fixture->store, lease->id, 0, &error);
    g_assert_cmpint(renewed->remaining_usec, >, 0);
}

static void
test_generations_go_on_after_reopening(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(Lease) first = must_create(fixture->store, "t1", "a");

    g_assert_true(lease_store_remove(fixture->store, first->id, NULL));
    reopen(fixture);
    g_autoptr(Lease) second = must_create(fixture->store, "t1", "a");
    g_assert_cmpuint(second->generation, >, first->generation);
}

static void
test_database_of_a_later_version_is_refused(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    tamper(fixture, "PRAGMA user_version=99");
    g_clear_pointer(&fixture->store, lease_store_free);
    g_assert_null(lease_store_open(fixture->path, &error));
    g_assert_error(error, FAULT, FAULT_STORE_FAILED);
    g_assert_nonnull(strstr(error->message, "99"));
}

/* What was recorded for undo must not turn into nothing. */
static void
test_damaged_record_is_reported(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = must_create(fixture->store, "t1", "a");

    tamper(fixture, "UPDATE asset SET detail='{\"cut'");
    g_assert_null(lease_store_get(fixture->store, lease->id, 0, &error));
    g_assert_error(error, FAULT, FAULT_STORE_FAILED);
    g_assert_nonnull(strstr(error->message, lease->id));
}

/* One damaged record must not stop the care for all others; what it holds is nobody else's. */
static void
test_damaged_record_leaves_the_others_usable(Fixture *fixture, gconstpointer unused)
{
    static const char *const damages[] = { "UPDATE asset SET detail='{\"cut' WHERE key='a'",
                                           "UPDATE lease SET request='[]' WHERE token='t1'" };

    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Lease) damaged = must_create(fixture->store, "t1", "a");
        g_autoptr(Lease) sound = must_create(fixture->store, "t2", "b");
        g_autoptr(Lease) rival = draft("t3", "a");

        tamper(fixture, damages[i]);
        g_autofree char *warning = g_strdup_printf("*%s*", damaged->id);
        g_test_expect_message("migprep", G_LOG_LEVEL_WARNING, warning);
        for (int repeat = 0; repeat < 2; repeat++) {
            g_autoptr(GPtrArray) leases = lease_store_list(fixture->store, &error);
            g_assert_no_error(error);
            g_assert_cmpuint(leases->len, ==, 1);
            g_assert_cmpstr(((Lease *)leases->pdata[0])->id, ==, sound->id);
        }
        g_test_assert_expected_messages();
        g_autoptr(GHashTable) held = lease_store_held(fixture->store, "function", &error);
        g_assert_no_error(error);
        g_assert_cmpstr(g_hash_table_lookup(held, "a"), ==, damaged->id);
        g_assert_cmpstr(g_hash_table_lookup(held, "b"), ==, sound->id);
        g_assert_null(
            lease_store_create(fixture->store, rival, MINUTE, FAULT_FUNCTION_BUSY, NULL, &error));
        g_clear_error(&error);
        g_assert_true(lease_store_remove(fixture->store, damaged->id, &error));
        g_assert_true(lease_store_remove(fixture->store, sound->id, &error));
    }
}

static void
test_assets_left_by_hand_are_nobodys(Fixture *fixture, gconstpointer unused)
{
    for (char token[] = "a"; *token <= 'd'; ++*token)
        lease_free(must_create(fixture->store, token, token));
    tamper(fixture, "DELETE FROM lease WHERE token IN ('b', 'd')");
    g_autoptr(GPtrArray) leases = lease_store_list(fixture->store, NULL);
    g_assert_cmpuint(leases->len, ==, 2);
    g_assert_nonnull(lease_find_asset(leases->pdata[0], "function", "a"));
    g_assert_nonnull(lease_find_asset(leases->pdata[1], "function", "c"));
}

static void
test_asset_of_a_lease_that_ended_is_refused(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = must_create(fixture->store, "t1", "a");
    g_autoptr(LeaseAsset) asset = lease_asset_new("function", "b", "reserved", NULL);

    g_assert_true(lease_store_remove(fixture->store, lease->id, &error));
    g_assert_false(
        lease_store_put_asset(fixture->store, lease->id, asset, FAULT_FUNCTION_BUSY, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
}

static void
test_asset_of_another_lease_is_not_taken_over(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) first = must_create(fixture->store, "t1", "a");
    g_autoptr(Lease) second = must_create(fixture->store, "t2", "b");
    g_autoptr(LeaseAsset) wanted = lease_asset_new("function", "a", "reserved", NULL);

    g_assert_false(
        lease_store_put_asset(fixture->store, second->id, wanted, FAULT_FUNCTION_BUSY, &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_BUSY);
    g_clear_error(&error);
    g_assert_false(lease_store_drop_asset(fixture->store, second->id, "function", "a", &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
    g_autoptr(Lease) holder = lease_store_get(fixture->store, first->id, 0, NULL);
    g_assert_cmpuint(holder->assets->len, ==, 1);
}

static void
test_asset_gives_its_place_to_another_or_keeps_it(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = must_create(fixture->store, "t1", "a b");
    g_autoptr(Lease) other = must_create(fixture->store, "t2", "c");
    const LeaseAsset *old = lease_find_asset(lease, "function", "a");
    g_autoptr(LeaseAsset) taken = lease_asset_new("function", "c", "reserved", NULL);
    g_autoptr(LeaseAsset) unheld = lease_asset_new("function", "d", "reserved", NULL);

    g_assert_false(lease_store_replace_asset(fixture->store, lease->id, old, taken,
                                             FAULT_FUNCTION_BUSY, &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_BUSY);
    g_clear_error(&error);
    g_autoptr(Lease) as_before = lease_store_get(fixture->store, lease->id, 0, NULL);
    g_assert_nonnull(lease_find_asset(as_before, "function", "a"));

    g_assert_true(lease_store_replace_asset(fixture->store, lease->id, old, unheld,
                                            FAULT_FUNCTION_BUSY, &error));
    g_assert_no_error(error);
    g_autoptr(Lease) after = lease_store_get(fixture->store, lease->id, 0, NULL);
    g_assert_cmpuint(after->assets->len, ==, 2);
    g_assert_null(lease_find_asset(after, "function", "a"));
    g_assert_nonnull(lease_find_asset(after, "function", "d"));
    g_assert_false(lease_store_replace_asset(fixture->store, lease->id, old, taken,
                                             FAULT_FUNCTION_BUSY, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
}

static void
test_place_that_takes_no_files_is_reported(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(lease_store_open("/proc/self/leases.db", &error));
    g_assert_error(error, FAULT, FAULT_STORE_FAILED);
    g_assert_nonnull(strstr(error->message, "/proc/self"));
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

/* The child's end of a full disk: its files may not grow any more. Its exit status tells which
 * expectation failed. */
static int
fill_disk(Fixture *fixture)
{
    struct rlimit nothing = { 0, 0 }, before;
    g_autoptr(GError) error = NULL;
    g_autoptr(LeaseStore) store = lease_store_open(fixture->path, NULL);

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    nothing.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_FSIZE, &nothing);
    g_autoptr(Lease) refused = create(store, "t2", "b", &error);
    if (refused || fault_code(error) != FAULT_STORE_FAILED)
        return 1;
    setrlimit(RLIMIT_FSIZE, &before);
    g_autoptr(GPtrArray) leases = lease_store_list(store, NULL);
    if (!leases || leases->len != 1)
        return 2;
    g_autoptr(Lease) accepted = create(store, "t2", "b", NULL);
    return accepted ? 0 : 3;
}

static void
test_full_disk_refuses_and_loses_nothing(Fixture *fixture, gconstpointer unused)
{
    int status;

    lease_free(must_create(fixture->store, "t1", "a")); /* the child would be said to leak it */
    g_clear_pointer(&fixture->store, lease_store_free);
    pid_t child = fork();
    if (child == 0)
        _exit(fill_disk(fixture));
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    reopen(fixture);
    g_assert_cmpuint(count(fixture->store), ==, 2);
}

/* What eight threads share that all want the last function. */
typedef struct {
    LeaseStore *store;
    gint next;
    gint winners;
} Race;

static gpointer
race(gpointer data)
{
    Race *shared = data;
    g_autofree char *token = g_strdup_printf("t%d", g_atomic_int_add(&shared->next, 1));
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = create(shared->store, token, "last", &error);

    if (lease)
        g_atomic_int_inc(&shared->winners);
    else
        g_assert_error(error, FAULT, FAULT_FUNCTION_BUSY);
    return NULL;
}

static void
test_one_of_many_wins_the_last_asset(Fixture *fixture, gconstpointer unused)
{
    Race shared = { .store = fixture->store };
    GThread *threads[8];

    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("race", race, &shared);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(shared.winners, ==, 1);
    g_assert_cmpuint(count(fixture->store), ==, 1);
}

static void
test_number_of_leases_has_a_limit(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LeaseStore) store = lease_store_open(":memory:", &error);

    for (int i = 0; i < LIMIT_LEASES; i++) {
        g_autofree char *token = g_strdup_printf("t%d", i);
        g_autoptr(Lease) lease = must_create(store, token, "");
    }
    g_assert_null(create(store, "one more", "", &error));
    g_assert_error(error, FAULT, FAULT_LIMIT_EXCEEDED);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/lease-store/as-asked", test_lease_is_what_was_asked);
    ADD("/lease-store/holds-nothing", test_lease_may_hold_nothing);
    ADD("/lease-store/exclusive", test_asset_has_one_holder_and_a_refusal_takes_nothing);
    ADD("/lease-store/idempotent", test_repeat_gets_the_same_lease);
    ADD("/lease-store/conflict", test_same_token_for_something_else_is_a_conflict);
    ADD("/lease-store/generations", test_generations_never_repeat);
    ADD("/lease-store/renew", test_renewal_needs_the_generation_and_moves_the_deadline);
    ADD("/lease-store/changes", test_changes_are_read_back);
    ADD("/lease-store/not-there", test_changing_what_is_not_there_is_an_error);
    ADD("/lease-store/durable", test_lease_outlives_a_killed_process);
    ADD("/lease-store/damaged", test_damaged_database_is_refused_and_kept);
    ADD("/lease-store/earlier-boot", test_lease_of_an_earlier_boot_has_expired);
    ADD("/lease-store/generations-after-reopening", test_generations_go_on_after_reopening);
    ADD("/lease-store/later-version", test_database_of_a_later_version_is_refused);
    ADD("/lease-store/damaged-record", test_damaged_record_is_reported);
    ADD("/lease-store/damaged-record-among-others", test_damaged_record_leaves_the_others_usable);
    ADD("/lease-store/lease-removed-by-hand", test_assets_left_by_hand_are_nobodys);
    ADD("/lease-store/asset-of-an-ended-lease", test_asset_of_a_lease_that_ended_is_refused);
    ADD("/lease-store/asset-of-another-lease", test_asset_of_another_lease_is_not_taken_over);
    ADD("/lease-store/asset-gives-its-place", test_asset_gives_its_place_to_another_or_keeps_it);
    ADD("/lease-store/full-disk", test_full_disk_refuses_and_loses_nothing);
    g_test_add_func("/lease-store/no-place", test_place_that_takes_no_files_is_reported);
    ADD("/lease-store/race", test_one_of_many_wins_the_last_asset);
    ADD("/lease-store/limit", test_number_of_leases_has_a_limit);
    return g_test_run();
}
