/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of the proof that two hosts share a disk. */
#include <string.h>

#include "common/cli/shared_disks.h"
#include "common/fault.h"

#define IMAGE "/images/a.qcow2"

/* What both hosts have in common. */
typedef struct {
    GMutex lock;
    GCond placed;
    gboolean wait;      /* nobody finds a probe before both have placed theirs */
    gboolean in_vain;   /* which did not come to pass */
    GHashTable *probes; /* name -> directory number */
} Common;

/* One of two hosts. Those with the same directory number see the same directory. */
typedef struct {
    const char *name;
    int directory;
    json_int_t inode; /* of the image; 0: it is not there */
    int changes;      /* looks at the image that find it grown since the last one */
    Common *common;
    const char *fail; /* this method */
    FaultCode code;
    unsigned calls;
    Peer *peer;
} Host;

typedef struct {
    Common common;
    Host hosts[2];
    Survey survey;
} Fixture;

static json_t *
place_probe(Host *host, const json_t *parameters)
{
    const char *token = json_string_value(json_object_get(parameters, "token"));

    g_hash_table_insert(host->common->probes, g_strdup(token), GINT_TO_POINTER(host->directory));
    g_cond_broadcast(&host->common->placed);
    return json_pack("{s:{s:s, s:i}, s:s, s:s}", "lease", "lease", token, "generation", 1, "name",
                     token, "nonce", "n");
}

static json_t *
find_probe(Host *host, const json_t *parameters)
{
    const char *name = json_string_value(json_object_get(parameters, "name"));
    Common *common = host->common;
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (common->wait && !common->in_vain && g_hash_table_size(common->probes) < 2)
        common->in_vain = !g_cond_wait_until(&common->placed, &common->lock, deadline);
    common->wait = FALSE; /* the first goes on and drops its own */
    int directory = GPOINTER_TO_INT(g_hash_table_lookup(common->probes, name));

    return json_pack("{s:b}", "found", directory == host->directory);
}

static json_t *
identify(Host *host)
{
    int size = host->changes > 0 ? host->changes-- : 0;

    return json_pack("{s:[{s:s, s:b, s:I, s:i, s:s}]}", "images", "path", IMAGE, "found",
                     host->inode != 0, "inode", host->inode, "sizeBytes", 4096 + size, "headDigest",
                     "abc");
}

static json_t *
answer(void *self, const PeerCall *call, GError **error)
{
    Host *host = self;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&host->common->lock);

    host->calls++;
    if (g_strcmp0(host->fail, call->method) == 0) {
        fault_set(error, host->code, host->name, "mend it", "failed on purpose");
        return NULL;
    }
    if (strcmp(call->method, "PlaceProbe") == 0)
        return place_probe(host, call->parameters);
    if (strcmp(call->method, "FindProbe") == 0)
        return find_probe(host, call->parameters);
    if (strcmp(call->method, "IdentifyImages") == 0)
        return identify(host);
    g_assert_cmpstr(call->method, ==, "Release");
    g_assert_true(g_hash_table_remove(
        host->common->probes, json_string_value(json_object_get(call->parameters, "lease"))));
    return json_pack("{s:b}", "kept", 0);
}

static void
free_nothing(void *self)
{
}

static void
set_up(Fixture *fixture, const void *data)
{
    static const PeerOps ops = { .call = answer, .free = free_nothing };

    g_mutex_init(&fixture->common.lock);
    g_cond_init(&fixture->common.placed);
    fixture->common.probes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < 2; i++) {
        Host *host = &fixture->hosts[i];

        *host = (Host) { .name = i ? "host2" : "host1", .directory = 1, .inode = 7 };
        host->common = &fixture->common;
        host->peer = peer_new(host->name, &ops, host);
    }
    fixture->survey.disks = json_pack("[{s:s, s:s, s:s, s:b}]", "target", "vda", "path", IMAGE,
                                      "migration", "copy", "provable", 1);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    g_assert_cmpuint(g_hash_table_size(fixture->common.probes), ==, 0);
    g_hash_table_unref(fixture->common.probes);
    g_mutex_clear(&fixture->common.lock);
    g_cond_clear(&fixture->common.placed);
    for (int i = 0; i < 2; i++)
        peer_free(fixture->hosts[i].peer);
    json_decref(fixture->survey.disks);
}

static gboolean
prove(Fixture *fixture, GError **error)
{
    json_auto_t *there = shared_disks_look(fixture->hosts[1].peer, &fixture->survey, NULL, error);

    return there && shared_disks_prove(fixture->hosts[0].peer, fixture->hosts[1].peer,
                                       &fixture->survey, there, NULL, error);
}

static void
assert_migration(Fixture *fixture, const char *expected)
{
    const json_t *disk = json_array_get(fixture->survey.disks, 0);
    g_autoptr(GError) error = NULL;

    g_assert_true(prove(fixture, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(json_string_value(json_object_get(disk, "migration")), ==, expected);
}

static void
test_one_file_on_both_is_shared(Fixture *fixture, const void *data)
{
    assert_migration(fixture, "shared");
    g_assert_cmpuint(fixture->hosts[0].calls, ==, 4);
}

static void
test_both_ways_are_tried_at_once(Fixture *fixture, const void *data)
{
    fixture->common.wait = TRUE;
    assert_migration(fixture, "shared");
    g_assert_false(fixture->common.in_vain);
}

static void
test_a_path_that_the_destination_lacks_is_asked_for_once(Fixture *fixture, const void *data)
{
    fixture->hosts[1].inode = 0;
    assert_migration(fixture, "copy");
    g_assert_cmpuint(fixture->hosts[0].calls, ==, 0);
    g_assert_cmpuint(fixture->hosts[1].calls, ==, 1);
}

static void
test_two_directories_of_one_name_are_not_shared(Fixture *fixture, const void *data)
{
    fixture->hosts[1].directory = 2;
    assert_migration(fixture, "copy");
}

static void
test_another_file_in_the_same_directory_is_not_shared(Fixture *fixture, const void *data)
{
    fixture->hosts[1].inode = 8;
    assert_migration(fixture, "copy");
}

static void
test_an_image_that_is_written_to_is_looked_at_again(Fixture *fixture, const void *data)
{
    fixture->hosts[0].changes = 2;
    assert_migration(fixture, "shared");
}

static void
test_only_provable_disks_are_asked_about(Fixture *fixture, const void *data)
{
    json_object_set_new(json_array_get(fixture->survey.disks, 0), "provable", json_false());
    assert_migration(fixture, "copy");
    g_assert_cmpuint(fixture->hosts[1].calls, ==, 0);
}

/* Beside checks that may refuse the move. */
static void
test_looking_places_nothing(Fixture *fixture, const void *data)
{
    json_auto_t *there = shared_disks_look(fixture->hosts[1].peer, &fixture->survey, NULL, NULL);

    g_assert_cmpuint(json_array_size(there), ==, 1);
    g_assert_cmpuint(fixture->hosts[0].calls, ==, 0);
    g_assert_cmpuint(fixture->hosts[1].calls, ==, 1);
}

static void
test_a_host_without_such_a_directory_shares_nothing(Fixture *fixture, const void *data)
{
    fixture->hosts[1].fail = "IdentifyImages";
    fixture->hosts[1].code = FAULT_TARGET_REFUSED;
    assert_migration(fixture, "copy");
}

static void
test_what_cannot_be_found_out_is_an_error(Fixture *fixture, const void *data)
{
    static const struct {
        int host;
        const char *method;
    } failures[] = {
        { 0, "PlaceProbe" }, { 1, "FindProbe" },      { 1, "PlaceProbe" },
        { 0, "FindProbe" },  { 1, "IdentifyImages" }, { 0, "IdentifyImages" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
        Host *host = &fixture->hosts[failures[i].host];
        g_autoptr(GError) error = NULL;

        host->fail = failures[i].method;
        host->code = FAULT_TIMED_OUT;
        g_assert_false(prove(fixture, &error));
        g_assert_error(error, FAULT, FAULT_TIMED_OUT);
        g_assert_cmpuint(g_hash_table_size(fixture->common.probes), ==, 0);
        host->fail = NULL;
    }
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *, const void *);
    } tests[] = {
        { "/shared-disks/one-file", test_one_file_on_both_is_shared },
        { "/shared-disks/both-ways", test_both_ways_are_tried_at_once },
        { "/shared-disks/absent", test_a_path_that_the_destination_lacks_is_asked_for_once },
        { "/shared-disks/two-directories", test_two_directories_of_one_name_are_not_shared },
        { "/shared-disks/another-file", test_another_file_in_the_same_directory_is_not_shared },
        { "/shared-disks/written", test_an_image_that_is_written_to_is_looked_at_again },
        { "/shared-disks/provable", test_only_provable_disks_are_asked_about },
        { "/shared-disks/look", test_looking_places_nothing },
        { "/shared-disks/no-directory", test_a_host_without_such_a_directory_shares_nothing },
        { "/shared-disks/errors", test_what_cannot_be_found_out_is_an_error },
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run();
}
