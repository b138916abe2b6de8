/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that do not go together: each pair is refused by name, and nothing else is. */
#include <string.h>

#include "common/fault.h"
#include "storprep/migration_plan.h"

typedef struct {
    const char *options; /* as the refusal names them; NULL: they go together */
    MigrationMode mode;
    gboolean copies, incremental, transient, undefines, tunnelled, has_xml, removes, sent;
    struct {
        PolicyKey key;
        guint64 value;
    } asked[3]; /* up to the first whose key and value are 0 */
} Case;

#define ASK_TIMEOUT(seconds)                                                                       \
    {                                                                                              \
        POLICY_TIMEOUT, seconds                                                                    \
    }
#define ASK_ON_TIMEOUT(action)                                                                     \
    {                                                                                              \
        POLICY_ON_TIMEOUT, action                                                                  \
    }
#define ASK_PARALLEL(count)                                                                        \
    {                                                                                              \
        POLICY_PARALLEL, count                                                                     \
    }
#define ASK_COMPRESSION(how)                                                                       \
    {                                                                                              \
        POLICY_COMPRESSION, how                                                                    \
    }
#define ASK_TLS                                                                                    \
    {                                                                                              \
        POLICY_TLS, TRUE                                                                           \
    }

static const Case cases[] = {
    { "tunnelled and offline", .mode = MIGRATION_OFFLINE, .tunnelled = TRUE },
    { "tunnelled and copyDisks", .tunnelled = TRUE, .copies = TRUE },
    { "tunnelled and tls", .tunnelled = TRUE, .asked = { ASK_TLS } },
    { "tunnelled and parallelConnections", .tunnelled = TRUE, .asked = { ASK_PARALLEL(2) } },
    { "tunnelled and onTimeout postcopy", .tunnelled = TRUE,
      .asked = { ASK_TIMEOUT(1), ASK_ON_TIMEOUT(TIMEOUT_POSTCOPY) } },
    { "tunnelled and compression zstd", .tunnelled = TRUE,
      .asked = { ASK_COMPRESSION(COMPRESSION_ZSTD) } },
    { "onTimeout postcopy and parallelConnections",
      .asked = { ASK_TIMEOUT(1), ASK_ON_TIMEOUT(TIMEOUT_POSTCOPY), ASK_PARALLEL(2) } },
    { "onTimeout postcopy and compression zstd",
      .asked = { ASK_TIMEOUT(1), ASK_ON_TIMEOUT(TIMEOUT_POSTCOPY),
                 ASK_COMPRESSION(COMPRESSION_ZSTD) } },
    { "compression xbzrle and parallelConnections",
      .asked = { ASK_COMPRESSION(COMPRESSION_XBZRLE), ASK_PARALLEL(2) } },
    { "onTimeout and a mode that is not live", .mode = MIGRATION_SUSPENDED,
      .asked = { ASK_TIMEOUT(1), ASK_ON_TIMEOUT(TIMEOUT_SUSPEND) } },
    { "onTimeout without timeoutSeconds", .asked = { ASK_ON_TIMEOUT(TIMEOUT_ABORT) } },
    { "timeoutSeconds without onTimeout", .asked = { ASK_TIMEOUT(1) } },
    { "offline and not persistent", .mode = MIGRATION_OFFLINE, .transient = TRUE },
    { "incremental and offline", .mode = MIGRATION_OFFLINE, .copies = TRUE, .incremental = TRUE },
    { "incremental without copyDisks", .incremental = TRUE },
    { "removeSourceDisks without copyDisks", .undefines = TRUE, .removes = TRUE },
    { "removeSourceDisks without copyDisks", .mode = MIGRATION_OFFLINE, .copies = TRUE,
      .undefines = TRUE, .removes = TRUE },
    { NULL, .mode = MIGRATION_OFFLINE, .copies = TRUE, .undefines = TRUE, .removes = TRUE,
      .sent = TRUE },
    { "removeSourceDisks without undefineSource", .copies = TRUE, .removes = TRUE },
    { NULL, .copies = TRUE, .undefines = TRUE, .removes = TRUE },
    { NULL, .copies = TRUE, .transient = TRUE, .removes = TRUE },
    { "undefineSource without persistent", .transient = TRUE, .undefines = TRUE },
    { "persistentXml without persistent", .transient = TRUE, .has_xml = TRUE },
    { NULL, .copies = TRUE, .incremental = TRUE, .undefines = TRUE, .has_xml = TRUE },
    { NULL, .copies = TRUE, .asked = { ASK_TLS, ASK_PARALLEL(4) } },
    { NULL, .tunnelled = TRUE, .asked = { ASK_COMPRESSION(COMPRESSION_XBZRLE), ASK_PARALLEL(1) } },
    { NULL, .asked = { ASK_COMPRESSION(COMPRESSION_ZSTD), ASK_PARALLEL(4) } },
    { NULL, .mode = MIGRATION_OFFLINE, .copies = TRUE,
      .asked = { ASK_COMPRESSION(COMPRESSION_XBZRLE), ASK_PARALLEL(2) } },
    { NULL, .copies = TRUE,
      .asked = { ASK_TIMEOUT(1), ASK_ON_TIMEOUT(TIMEOUT_POSTCOPY), ASK_TLS } },
    { NULL, .transient = TRUE, .mode = MIGRATION_SUSPENDED },
};

static void
check_case(const Case *one, PolicyLevel level, GError **error)
{
    static char *no_disks[] = { NULL }, *disks[] = { "vda", NULL };
    json_auto_t *sent = one->sent ? json_array() : NULL;
    MigrationPlan plan = {
        .mode = one->mode,
        .copy_disks = one->copies ? disks : no_disks,
        .incremental = one->incremental,
        .persist = !one->transient,
        .undefine_source = one->undefines,
        .tunnelled = one->tunnelled,
        .remove_source_disks = one->removes,
        .sent_disks = sent,
        .persistent_xml = one->has_xml ? "<domain/>" : NULL,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(one->asked); i++) {
        if (!one->asked[i].key && !one->asked[i].value)
            continue;
        plan.policy.values[one->asked[i].key] = one->asked[i].value;
        plan.policy.levels[one->asked[i].key] = level;
    }
    g_assert_cmpint(migration_conflict_check(&plan, error), ==, *error == NULL);
}

static void
test_each_pair_is_refused_by_name(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        check_case(&cases[i], POLICY_LEVEL_REQUEST, &error);
        g_assert_cmpstr(error ? fault_object(error) : NULL, ==, cases[i].options);
        if (!error)
            continue;
        g_assert_cmpint(fault_code(error), ==, FAULT_INVALID_ARGUMENT);
        g_assert_cmpstr(fault_cause(error), !=, "");
        g_assert_cmpstr(fault_remedy(error), !=, "");
    }
}

/* A standing policy for live moves says nothing about those that are not. */
static void
test_standing_policy_for_live_moves_hinders_no_other(void)
{
    const Case suspended = { .mode = MIGRATION_SUSPENDED,
                             .asked = { ASK_TIMEOUT(9), ASK_ON_TIMEOUT(TIMEOUT_POSTCOPY) } };
    const Case spare = { .asked = { ASK_TIMEOUT(9) } };
    g_autoptr(GError) error = NULL;

    check_case(&suspended, POLICY_LEVEL_GUEST, &error);
    g_assert_no_error(error);
    check_case(&spare, POLICY_LEVEL_GLOBAL, &error);
    g_assert_no_error(error);
}

static unsigned
choose(MigrationMode mode, guint64 asked, guint64 compression, gboolean tunnelled,
       unsigned megabits)
{
    MigrationPlan plan = { .mode = mode, .tunnelled = tunnelled };

    plan.policy.values[POLICY_PARALLEL] = asked;
    plan.policy.values[POLICY_COMPRESSION] = compression;
    migration_plan_choose_connections(&plan, megabits);
    return plan.parallel_connections;
}

static void
test_one_connection_for_each_ten_gigabits(void)
{
    g_assert_cmpuint(choose(MIGRATION_LIVE, 0, COMPRESSION_NONE, FALSE, 0), ==, 0);
    g_assert_cmpuint(choose(MIGRATION_LIVE, 0, COMPRESSION_NONE, FALSE, 19999), ==, 0);
    g_assert_cmpuint(choose(MIGRATION_LIVE, 0, COMPRESSION_NONE, FALSE, 25000), ==, 2);
    g_assert_cmpuint(choose(MIGRATION_LIVE, 0, COMPRESSION_NONE, FALSE, 100000), ==, 10);
    g_assert_cmpuint(choose(MIGRATION_LIVE, 0, COMPRESSION_NONE, FALSE, 800000), ==, 16);
    g_assert_cmpuint(choose(MIGRATION_LIVE, 3, COMPRESSION_NONE, FALSE, 100000), ==, 3);
    g_assert_cmpuint(choose(MIGRATION_LIVE, 1, COMPRESSION_NONE, FALSE, 100000), ==, 0);
    g_assert_cmpuint(choose(MIGRATION_LIVE, 0, COMPRESSION_ZSTD, FALSE, 1000), ==, 1);
    g_assert_cmpuint(choose(MIGRATION_LIVE, 0, COMPRESSION_XBZRLE, FALSE, 100000), ==, 0);
    g_assert_cmpuint(choose(MIGRATION_LIVE, 0, COMPRESSION_NONE, TRUE, 100000), ==, 0);
    g_assert_cmpuint(choose(MIGRATION_SUSPENDED, 0, COMPRESSION_NONE, FALSE, 40000), ==, 4);
    g_assert_cmpuint(choose(MIGRATION_OFFLINE, 8, COMPRESSION_ZSTD, FALSE, 100000), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migration-conflict/each-pair-is-refused-by-name",
                    test_each_pair_is_refused_by_name);
    g_test_add_func("/migration-conflict/standing-policy-for-live-moves-hinders-no-other",
                    test_standing_policy_for_live_moves_hinders_no_other);
    g_test_add_func("/migration-conflict/one-connection-for-each-ten-gigabits",
                    test_one_connection_for_each_ten_gigabits);
    return g_test_run();
}
