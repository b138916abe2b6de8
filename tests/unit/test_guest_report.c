/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest says of its links is taken as agreed or not at all: the guest may be an attacker. */
#include "common/fault.h"
#include "netprep/guest_report.h"

#define LINK "\"name\": \"eth0\", \"carrier\": true"
#define BOND                                                                                       \
    "\"name\": \"bond0\", \"mode\": \"active-backup\", "                                           \
    "\"monitorIntervalMilliseconds\": 100, \"ports\": [\"eth0\"]"

static const char good[] =
    "{\"hooks\": [\"before_migration\", \"of_later_versions\"], \"interfaces\": [{" LINK
    ", \"driver\": \"igbvf\", \"pciPath\": \"02.3/00.0\", \"macAddress\": \"52:54:00:aa:00:01\","
    " \"master\": \"bond0\"}, {\"name\": \"eth1\", \"carrier\": false, \"driver\": null}],"
    " \"bonds\": [{" BOND ", \"gratuitousArp\": 1, \"upDelayMilliseconds\": 0,"
    " \"active\": \"eth0\", \"primary\": null, \"failOverMac\": \"none\"}]}";

static void
test_good_report_is_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GuestReport) report = guest_report_parse("web1", good, &error);

    g_assert_no_error(error);
    json_auto_t *hooks = guest_report_hooks_to_json(report);
    g_assert_cmpuint(json_array_size(hooks), ==, 1);
    g_assert_cmpstr(guest_report_find_path(report, "02.3/00.0")->name, ==, "eth0");
    g_assert_null(guest_report_find_path(report, "02.4"));
    g_assert_null(guest_report_find_path(report, NULL));
    g_assert_false(guest_report_find_link(report, "eth1")->carrier);
    g_assert_null(guest_report_find_link(report, "eth2"));
    g_assert_null(guest_report_find_link(report, NULL));
    g_assert_cmpstr(guest_report_find_bond(report, "bond0")->active, ==, "eth0");
    g_assert_null(guest_report_find_bond(report, "bond1"));
    g_assert_null(guest_report_find_bond(report, NULL));
    json_auto_t *bonds = guest_report_bonds_to_json(report);
    g_assert_cmpuint(json_array_size(bonds), ==, 1);
}

/* An older program tells nothing of it. */
static void
test_what_is_said_of_xdp(void)
{
    static const struct {
        const char *text;
        gboolean tells, has;
    } cases[] = { { "", FALSE, FALSE },
                  { ", \"xdp\": true", TRUE, TRUE },
                  { ", \"xdp\": false", TRUE, FALSE },
                  { ", \"xdp\": 1", FALSE, FALSE } };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strdup_printf("{\"interfaces\": [{" LINK "%s}], \"bonds\": []}", cases[i].text);
        g_autoptr(GuestReport) report = guest_report_parse("web1", text, NULL);
        const GuestInterface *link = guest_report_find_link(report, "eth0");

        g_assert_cmpint(link->tells_xdp, ==, cases[i].tells);
        g_assert_cmpint(link->has_xdp, ==, cases[i].has);
    }
}

static const char *const malformed_links[] = {
    "{}",
    "[]",
    "{\"name\": \"eth0\"}",
    "{\"name\": \"eth0\", \"carrier\": 1}",
    "{\"carrier\": true}",
    "{\"name\": 7, \"carrier\": true}",
    "{\"name\": null, \"carrier\": true}",
    "{\"name\": \"../etc\", \"carrier\": true}",
    "{" LINK ", \"driver\": \"two\\nlines\"}",
    "{" LINK ", \"driver\": \"gr\303\274n\"}",
    "{" LINK ", \"driver\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
    "{" LINK ", \"pciPath\": \"02.9\"}",
    "{" LINK ", \"macAddress\": \"52:54\"}",
    "{" LINK ", \"master\": \"a b\"}",
};

static const char *const malformed_bonds[] = {
    "7",
    "{}",
    "{" BOND ", \"gratuitousArp\": -1}",
    "{" BOND ", \"gratuitousArp\": 99999999999}",
    "{" BOND ", \"upDelayMilliseconds\": \"1\"}",
    "{" BOND ", \"failOverMac\": 1}",
    "{" BOND ", \"active\": \"\"}",
    "{" BOND ", \"primary\": \"a/b\"}",
    "{\"monitorIntervalMilliseconds\": -1}",
    "{\"monitorIntervalMilliseconds\": \"soon\"}",
    "{\"monitorIntervalMilliseconds\": 1, \"name\": \"bond0\"}",
    "{\"monitorIntervalMilliseconds\": 1, \"name\": \"bond0\", \"mode\": \"x\"}",
    "{\"monitorIntervalMilliseconds\": 1, \"name\": \"bond0\", \"mode\": \"x\", \"ports\": {}}",
    "{\"monitorIntervalMilliseconds\": 1, \"name\": \"bond0\", \"mode\": \"x\", \"ports\": [1]}",
    ("{\"monitorIntervalMilliseconds\": 1, \"name\": \"bond0\", \"mode\": \"x\", \"ports\": "
     "[\"/\"]}"),
};

static void
assert_refused(const char *text)
{
    g_autoptr(GError) error = NULL;

    g_test_message("%.200s", text);
    g_assert_null(guest_report_parse("web1", text, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
}

static void
test_malformed_reports_are_refused(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"interfaces\": {}, \"bonds\": []}",
        "{\"interfaces\": []}",
        "{\"interfaces\": [], \"bonds\": 1}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_refused(texts[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(malformed_links); i++) {
        g_autofree char *text =
            g_strdup_printf("{\"interfaces\": [%s], \"bonds\": []}", malformed_links[i]);

        assert_refused(text);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(malformed_bonds); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text =
            g_strdup_printf("{\"interfaces\": [], \"bonds\": [%s]}", malformed_bonds[i]);

        assert_refused(text);
        g_assert_null(guest_bond_parse("web1", malformed_bonds[i], &error));
        g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(guest_bond_parse("web1", "[]", &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    guest_bond_free(NULL);
}

static void
test_ways_to_steer_have_names(void)
{
    g_assert_cmpstr(guest_steering_name(GUEST_STEERING_PROGRAM), ==, "program");
    g_assert_cmpstr(guest_steering_name(GUEST_STEERING_FILES), ==, "files");
}

/* As many as there are phases are read, whatever a guest says. */
static void
test_hooks_are_known_or_passed_over(void)
{
    g_autoptr(GuestReport) report = guest_report_parse(
        "web1",
        "{\"interfaces\": [], \"bonds\": [], \"hooks\": [\"reboot\", 7, \"after_migration\", "
        "\"x\", \"before_migration\"]}",
        NULL);

    g_assert_nonnull(report);
    g_assert_cmpuint(report->hooks, ==, 1U << GUEST_HOOKS_AFTER_MIGRATION);
}

/* @count times @element. */
static char *
repeat(const char *element, unsigned count)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", element);
    return g_string_free(text, FALSE);
}

static void
test_numbers_of_things_are_bounded(void)
{
    g_autofree char *links = repeat("{" LINK "}", 1025);
    g_autofree char *bonds = repeat("{" BOND "}", 65);
    g_autofree char *ports = repeat("\"eth0\"", 65);
    char *texts[] = {
        g_strdup_printf("{\"interfaces\": [%s], \"bonds\": []}", links),
        g_strdup_printf("{\"interfaces\": [], \"bonds\": [%s]}", bonds),
        g_strdup_printf("{\"interfaces\": [], \"bonds\": [{\"monitorIntervalMilliseconds\": 1, "
                        "\"name\": \"b\", \"mode\": \"x\", \"ports\": [%s]}]}",
                        ports),
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        assert_refused(texts[i]);
        g_free(texts[i]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-report/good", test_good_report_is_read);
    g_test_add_func("/guest-report/xdp", test_what_is_said_of_xdp);
    g_test_add_func("/guest-report/malformed", test_malformed_reports_are_refused);
    g_test_add_func("/guest-report/steering", test_ways_to_steer_have_names);
    g_test_add_func("/guest-report/hooks", test_hooks_are_known_or_passed_over);
    g_test_add_func("/guest-report/bounds", test_numbers_of_things_are_bounded);
    return g_test_run();
}
