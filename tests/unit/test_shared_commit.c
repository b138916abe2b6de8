/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who writes at once shares a commit: all are told the truth, and only when it is on disk. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "common/lease_store.h"
#include "common/shared_commit.h"
#include "fake/faulty_disk.h"

#define GROUP_MAX 32 /* as shared_commit.h has it */
#define CROWD     40
#define READS     200
#define CALLERS   8
#define CALLS     40

typedef struct {
    char *directory, *path;
    Injector *injector;
    FaultyDisk *disk;
    Database *database;
    SharedCommit *commit; /* in front of @database, whose own turns nobody takes */
} Fixture;

/* A thread that writes a word. */
typedef struct {
    SharedCommit *commit;
    Database *database;
    const char *word;
    const char *instead; /* SQL in the place of that; or NULL */
    gboolean refused;    /* it looks, and takes its word back */
    GThread *thread;
    gboolean told_good;
    GError *told;
    gint64 seen; /* words */
} Member;

static void
set_up(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    fixture->directory = g_dir_make_tmp("commit-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->directory, "words.db", NULL);
    fixture->injector = injector_new();
    fixture->disk = faulty_disk_new(fixture->path, fixture->injector);
    fixture->database =
        database_open(fixture->path, "CREATE TABLE word (text TEXT PRIMARY KEY);", 1, &error);
    g_assert_no_error(error);
    fixture->commit = shared_commit_new(fixture->database);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    shared_commit_free(fixture->commit);
    database_free(fixture->database);
    faulty_disk_free(fixture->disk);
    injector_free(fixture->injector);
    g_assert_cmpint(g_remove(fixture->path), ==, 0);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
    g_free(fixture->path);
}

/* Of who has the database. */
static gint64
count_words(Database *database)
{
    sqlite3_stmt *statement = database_prepare(database, NULL, "SELECT count(*) FROM word", "");

    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
    gint64 count = sqlite3_column_int64(statement, 0);
    database_done(database, statement);
    return count;
}

static gint64
read_words(const Fixture *fixture)
{
    shared_commit_begin_reading(fixture->commit);
    gint64 count = count_words(fixture->database);
    shared_commit_end_reading(fixture->commit);
    return count;
}

static void
begin(Member *member)
{
    g_assert_true(shared_commit_begin(member->commit, NULL));
    sqlite3_stmt *statement =
        member->instead ? database_prepare(member->database, NULL, member->instead, "")
                        : database_prepare(member->database, NULL, "INSERT INTO word VALUES (?)",
                                           "s", member->word);
    g_assert_true(database_run(member->database, statement, NULL, NULL));
    member->seen = member->instead ? 0 : count_words(member->database);
}

static void
end(Member *member)
{
    if (member->refused)
        fault_set(&member->told, FAULT_FUNCTION_BUSY, member->word, NULL, "somebody has it");
    member->told_good = shared_commit_end(member->commit, !member->refused, &member->told);
}

static void *
write_word(void *data)
{
    begin(data);
    end(data);
    return NULL;
}

static Member
new_member(const Fixture *fixture, const char *word)
{
    return (Member) { .commit = fixture->commit, .database = fixture->database, .word = word };
}

/* The first of @members writes while the others wait, and then they do. @what strikes the first
 * commit. */
static void
write_at_once(const Fixture *fixture, Member *members, unsigned count, Injection what)
{
    begin(&members[0]);
    for (unsigned i = 1; i < count; i++)
        members[i].thread = g_thread_new("member", write_word, &members[i]);
    while (shared_commit_waiting(fixture->commit) < count - 1)
        g_thread_yield();
    injector_arm(fixture->injector, what, 1);
    end(&members[0]);
    for (unsigned i = 1; i < count; i++)
        g_thread_join(members[i].thread);
    injector_arm(fixture->injector, INJECT_NOTHING, 0);
}

/* 0: it went well. */
static void
assert_told(Member *member, int code)
{
    g_assert_cmpint(member->told_good, ==, code == 0);
    g_assert_cmpint(member->told ? (int)fault_code(member->told) : 0, ==, code);
    g_clear_error(&member->told);
}

static void
test_what_all_wrote_is_there(Fixture *fixture, const void *data)
{
    Member members[] = { new_member(fixture, "a"), new_member(fixture, "b"),
                         new_member(fixture, "c") };

    write_at_once(fixture, members, G_N_ELEMENTS(members), INJECT_NOTHING);
    for (unsigned i = 0; i < G_N_ELEMENTS(members); i++)
        assert_told(&members[i], 0);
    g_assert_cmpint(members[1].seen + members[2].seen, ==, 2 + 3);
    g_assert_cmpint(read_words(fixture), ==, 3);
}

static void
test_a_commit_that_fails_fails_all(Fixture *fixture, const void *data)
{
    Member members[] = { new_member(fixture, "a"), new_member(fixture, "b"),
                         new_member(fixture, "c") };
    Member later = new_member(fixture, "a");

    write_at_once(fixture, members, G_N_ELEMENTS(members), INJECT_EIO);
    for (unsigned i = 0; i < G_N_ELEMENTS(members); i++)
        assert_told(&members[i], FAULT_STORE_FAILED);
    g_assert_cmpint(read_words(fixture), ==, 0);
    write_word(&later);
    assert_told(&later, 0);
    g_assert_cmpint(later.seen, ==, 1);
}

static void
test_a_refusal_takes_back_its_own_alone(Fixture *fixture, const void *data)
{
    Member members[] = { new_member(fixture, "a"), new_member(fixture, "b"),
                         new_member(fixture, "c") };

    members[0].refused = members[2].refused = TRUE;
    write_at_once(fixture, members, G_N_ELEMENTS(members), INJECT_NOTHING);
    assert_told(&members[0], FAULT_FUNCTION_BUSY);
    assert_told(&members[1], 0);
    assert_told(&members[2], FAULT_FUNCTION_BUSY);
    g_assert_cmpint(read_words(fixture), ==, 1);
}

/* What made it refuse is not there after all. */
static void
test_a_refusal_is_not_told_of_what_failed(Fixture *fixture, const void *data)
{
    Member members[] = { new_member(fixture, "a"), new_member(fixture, "b") };

    members[1].refused = TRUE;
    write_at_once(fixture, members, G_N_ELEMENTS(members), INJECT_EIO);
    g_assert_cmpint(members[1].seen, ==, 2);
    assert_told(&members[0], FAULT_STORE_FAILED);
    assert_told(&members[1], FAULT_STORE_FAILED);
    g_assert_cmpint(read_words(fixture), ==, 0);
}

/* As SQLite does when it cannot go on. */
static void
test_a_transaction_that_is_given_up_fails_all(Fixture *fixture, const void *data)
{
    Member members[] = { new_member(fixture, "a"), new_member(fixture, "b") };

    members[1].instead = "ROLLBACK";
    write_at_once(fixture, members, G_N_ELEMENTS(members), INJECT_NOTHING);
    assert_told(&members[0], FAULT_STORE_FAILED);
    assert_told(&members[1], FAULT_STORE_FAILED);
    g_assert_cmpint(read_words(fixture), ==, 0);
}

static void
test_a_group_is_bounded(Fixture *fixture, const void *data)
{
    Member members[CROWD];
    g_autofree char *words = g_strnfill(CROWD, 'x');
    unsigned failed = 0;

    for (unsigned i = 0; i < CROWD; i++)
        members[i] = new_member(fixture, words + i);
    write_at_once(fixture, members, CROWD, INJECT_EIO);
    for (unsigned i = 0; i < CROWD; i++) {
        failed += !members[i].told_good;
        g_clear_error(&members[i].told);
    }
    g_assert_cmpuint(failed, ==, GROUP_MAX);
    g_assert_cmpint(read_words(fixture), ==, CROWD - GROUP_MAX);
}

static void *
read_all(void *data)
{
    return GINT_TO_POINTER((gint)read_words(data));
}

static void
test_who_reads_sees_no_part_of_a_group(Fixture *fixture, const void *data)
{
    for (unsigned i = 0; i < READS; i++) {
        g_autofree char *one = g_strdup_printf("a%u", i), *other = g_strdup_printf("b%u", i);
        Member members[] = { new_member(fixture, one), new_member(fixture, other) };

        begin(&members[0]);
        GThread *reader = g_thread_new("reader", read_all, fixture);
        members[1].thread = g_thread_new("member", write_word, &members[1]);
        while (shared_commit_waiting(fixture->commit) == 0)
            g_thread_yield();
        end(&members[0]);
        g_thread_join(members[1].thread);
        g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(reader)), ==, 2 * (i + 1));
        assert_told(&members[0], 0);
        assert_told(&members[1], 0);
    }
}

/* The lease store above it. */

typedef struct {
    LeaseStore *store;
    unsigned number, made, refused;
} Caller;

static Lease *
reserve(LeaseStore *store, const char *token, const char *const *keys, GError **error)
{
    g_autoptr(GPtrArray) assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    json_auto_t *request = json_object();
    const Lease draft = { .kind = (char *)"reservation",
                          .owner = (char *)"test",
                          .token = (char *)token,
                          .guest_name = (char *)"web1",
                          .guest_uuid = (char *)"",
                          .state = (char *)"reserved",
                          .request = request,
                          .assets = assets };

    for (; *keys; keys++)
        g_ptr_array_add(assets, lease_asset_new("function", *keys, "reserved", NULL));
    return lease_store_create(store, &draft, 60, FAULT_FUNCTION_BUSY, NULL, error);
}

/* Every other lease wants what the next caller's wants, too. */
static void *
reserve_again_and_again(void *data)
{
    Caller *caller = data;

    for (unsigned i = 0; i < CALLS; i++) {
        unsigned whose = i % 2 ? (caller->number + 1) % CALLERS : caller->number;
        g_autofree char *token = g_strdup_printf("%u-%u", caller->number, i);
        g_autofree char *own = g_strdup_printf("own %u-%u", caller->number, i);
        g_autofree char *shared = g_strdup_printf("shared %u-%u", whose, i / 2);
        const char *keys[] = { own, shared, NULL };
        g_autoptr(GError) error = NULL;
        g_autoptr(Lease) lease = reserve(caller->store, token, keys, &error);

        g_assert_true(lease || fault_code(error) == FAULT_FUNCTION_BUSY);
        caller->made += lease != NULL;
        caller->refused += lease == NULL;
    }
    return NULL;
}

static void
assert_holds(LeaseStore *store, unsigned leases)
{
    g_autoptr(GPtrArray) all = lease_store_list(store, NULL);
    g_autoptr(GHashTable) held = lease_store_held(store, "function", NULL);

    g_assert_cmpuint(all->len, ==, leases);
    g_assert_cmpuint(g_hash_table_size(held), ==, 2 * leases);
}

static void
test_one_of_two_gets_what_both_want(Fixture *fixture, const void *data)
{
    g_autofree char *path = g_build_filename(fixture->directory, "leases.db", NULL);
    LeaseStore *store = lease_store_open(path, NULL);
    Caller callers[CALLERS];
    GThread *threads[CALLERS];
    unsigned made = 0, refused = 0;

    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (Caller) { store, i, 0, 0 };
        threads[i] = g_thread_new("caller", reserve_again_and_again, &callers[i]);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        g_thread_join(threads[i]);
        made += callers[i].made;
        refused += callers[i].refused;
    }
    g_assert_cmpuint(made, ==, CALLERS * CALLS / 2);
    g_assert_cmpuint(refused, ==, CALLERS * CALLS / 2);
    assert_holds(store, made);
    lease_store_free(store);
    store = lease_store_open(path, NULL);
    assert_holds(store, made);
    lease_store_free(store);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
add(const char *name, void (*test)(Fixture *, const void *))
{
    g_autofree char *path = g_strconcat("/shared-commit/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    add("what-all-wrote-is-there", test_what_all_wrote_is_there);
    add("a-commit-that-fails-fails-all", test_a_commit_that_fails_fails_all);
    add("a-refusal-takes-back-its-own-alone", test_a_refusal_takes_back_its_own_alone);
    add("a-refusal-is-not-told-of-what-failed", test_a_refusal_is_not_told_of_what_failed);
    add("a-transaction-that-is-given-up-fails-all", test_a_transaction_that_is_given_up_fails_all);
    add("a-group-is-bounded", test_a_group_is_bounded);
    add("who-reads-sees-no-part-of-a-group", test_who_reads_sees_no_part_of_a_group);
    add("one-of-two-gets-what-both-want", test_one_of_two_gets_what_both_want);
    return g_test_run();
}
