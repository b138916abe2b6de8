/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy: what each level may say, who wins, and how it is read and written. */
#include "common/policy.h"

#include <string.h>

#include "common/fault.h"

static void
test_nearest_level_wins(void)
{
    Policy policy = policy_new();
    PolicySettings settings = { 0 };

    g_assert_cmpint(policy.levels[POLICY_MAX_DOWNTIME], ==, POLICY_LEVEL_DEFAULT);
    settings.is_set[POLICY_MAX_DOWNTIME] = TRUE;
    for (int level = POLICY_LEVEL_GLOBAL; level <= POLICY_LEVEL_REQUEST; level++) {
        settings.values[POLICY_MAX_DOWNTIME] = 100 + (guint64)level;
        policy_apply(&policy, (PolicyLevel)level, &settings);
        policy_apply(&policy, (PolicyLevel)level, NULL);
        g_assert_cmpuint(policy.values[POLICY_MAX_DOWNTIME], ==, 100 + (guint64)level);
        g_assert_cmpint(policy.levels[POLICY_MAX_DOWNTIME], ==, level);
        g_assert_cmpint(policy.levels[POLICY_BANDWIDTH], ==, POLICY_LEVEL_DEFAULT);
    }
}

static void
test_every_key_is_printed_as_it_is_read(void)
{
    static const char *const texts[POLICY_KEYS] = { "1",      "2000000", "255",      "yes",
                                                    "zstd",   "604800",  "postcopy", "no",
                                                    "pinned", "low",     "leave" };

    for (int key = 0; key < POLICY_KEYS; key++) {
        g_autofree char *mistake = NULL;
        PolicyKey found;
        guint64 value;

        g_assert_true(policy_key_from_name(policy_key_name((PolicyKey)key), &found));
        g_assert_cmpint(found, ==, key);
        g_assert_true(policy_parse(found, POLICY_LEVEL_GLOBAL, texts[key], &value, &mistake));
        g_autofree char *printed = policy_print(found, value);
        g_assert_cmpstr(printed, ==, texts[key]);
        g_assert_cmpstr(policy_key_summary(found), !=, "");
    }
}

static void
test_mistakes_say_what_is_wanted(void)
{
    static const struct {
        PolicyKey key;
        const char *text, *wanted;
    } cases[] = {
        { POLICY_BANDWIDTH, "1048577", "0 to 1048576" },
        { POLICY_MAX_DOWNTIME, "2000001", "0 to 2000000" },
        { POLICY_PARALLEL, "256", "0 to 255" },
        { POLICY_TIMEOUT, "604801", "0 to 604800" },
        { POLICY_TIMEOUT, "-1", "a number" },
        { POLICY_TIMEOUT, "", "a number" },
        { POLICY_TLS, "true", "yes or no" },
        { POLICY_COMPRESSION, "gzip", "none, xbzrle, zstd" },
        { POLICY_ON_TIMEOUT, "stop", "continue, abort, suspend, postcopy" },
    };
    PolicyKey key;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *mistake = NULL;
        guint64 value;

        g_assert_false(
            policy_parse(cases[i].key, POLICY_LEVEL_REQUEST, cases[i].text, &value, &mistake));
        g_assert_nonnull(strstr(mistake, cases[i].wanted));
    }
    g_assert_false(policy_key_from_name("downtime", &key));
}

/* P9: no configuration of hosts stops guests. */
static void
test_only_a_guest_or_a_request_may_stop_a_guest(void)
{
    for (int level = POLICY_LEVEL_DEFAULT; level <= POLICY_LEVEL_REQUEST; level++) {
        g_autofree char *mistake = NULL;
        guint64 value;

        g_assert_cmpint(
            policy_parse(POLICY_ON_TIMEOUT, (PolicyLevel)level, "suspend", &value, &mistake), ==,
            level >= POLICY_LEVEL_GUEST);
        g_assert_cmpint(mistake != NULL, ==, level < POLICY_LEVEL_GUEST);
        g_clear_pointer(&mistake, g_free);
        g_assert_cmpint(
            policy_parse(POLICY_FALLBACK, (PolicyLevel)level, "shutdown", &value, &mistake), ==,
            level >= POLICY_LEVEL_GUEST);
    }
}

static void
test_request_sets_only_what_it_names(void)
{
    json_auto_t *request = json_pack("{s:i, s:b, s:s, s:n}", "bandwidthMebibytes", 50,
                                     "autoConverge", 0, "compression", "xbzrle", "tls");
    g_autoptr(GError) error = NULL;
    PolicySettings settings;

    g_assert_true(policy_from_request(request, &settings, &error));
    g_assert_no_error(error);
    g_assert_true(settings.is_set[POLICY_BANDWIDTH]);
    g_assert_cmpuint(settings.values[POLICY_BANDWIDTH], ==, 50);
    g_assert_true(settings.is_set[POLICY_AUTO_CONVERGE]);
    g_assert_cmpuint(settings.values[POLICY_COMPRESSION], ==, COMPRESSION_XBZRLE);
    g_assert_false(settings.is_set[POLICY_TLS]);
    g_assert_false(settings.is_set[POLICY_MAX_DOWNTIME]);
    json_object_set_new(request, "tls", json_true());
    g_assert_true(policy_from_request(request, &settings, &error));
    g_assert_cmpuint(settings.values[POLICY_TLS], ==, TRUE);
    json_object_set_new(request, "tls", json_false());
    json_object_set_new(request, "compression", json_null());
    g_assert_true(policy_from_request(request, &settings, &error));
    g_assert_true(settings.is_set[POLICY_TLS]);
    g_assert_cmpuint(settings.values[POLICY_TLS], ==, FALSE);
    g_assert_false(settings.is_set[POLICY_COMPRESSION]);
    json_object_set_new(request, "timeoutSeconds", json_integer(-1));
    g_assert_false(policy_from_request(request, &settings, &error));
    g_assert_cmpstr(fault_object(error), ==, "timeoutSeconds");
}

static void
test_values_are_told_as_what_they_are(void)
{
    json_auto_t *number = policy_value_to_json(POLICY_BANDWIDTH, 7);
    json_auto_t *on = policy_value_to_json(POLICY_TLS, TRUE);
    json_auto_t *off = policy_value_to_json(POLICY_TLS, FALSE);
    json_auto_t *word = policy_value_to_json(POLICY_COMPRESSION, COMPRESSION_XBZRLE);

    g_assert_cmpint(json_integer_value(number), ==, 7);
    g_assert_true(json_is_true(on));
    g_assert_true(json_is_false(off));
    g_assert_cmpstr(json_string_value(word), ==, "xbzrle");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/nearest-level-wins", test_nearest_level_wins);
    g_test_add_func("/policy/values-are-told-as-what-they-are",
                    test_values_are_told_as_what_they_are);
    g_test_add_func("/policy/every-key-is-printed-as-it-is-read",
                    test_every_key_is_printed_as_it_is_read);
    g_test_add_func("/policy/mistakes-say-what-is-wanted", test_mistakes_say_what_is_wanted);
    g_test_add_func("/policy/only-a-guest-or-a-request-may-stop-a-guest",
                    test_only_a_guest_or_a_request_may_stop_a_guest);
    g_test_add_func("/policy/request-sets-only-what-it-names",
                    test_request_sets_only_what_it_names);
    return g_test_run();
}
