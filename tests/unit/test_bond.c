/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's bond: hostile reports are refused, unfit bonds are named, changes are proven. */
#include "fake/network_fixture.h"
#include "netprep/bond.h"
#include "netprep/bond_setup.h"
#include "netprep/guest_report.h"

#define PORTS_BEYOND 65

static const char fit[] =
    "{\"interfaces\":["
    "{\"name\":\"virtio\",\"driver\":\"virtio_net\",\"pciPath\":\"03.0\",\"carrier\":true,"
    "\"master\":\"bond0\"},"
    "{\"name\":\"vf\",\"driver\":\"igbvf\",\"pciPath\":\"04.0\",\"carrier\":true,"
    "\"master\":\"bond0\"}],"
    "\"bonds\":[{\"name\":\"bond0\",\"mode\":\"active-backup\",\"active\":\"vf\",\"primary\":null,"
    "\"monitorIntervalMilliseconds\":100,\"ports\":[\"virtio\",\"vf\"]}]}";

static const DomainXml *
domain(NetworkFixture *fixture, GuestView **ret_view)
{
    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    *ret_view = guest_view_read(fixture->host->hypervisor, FIXTURE_UUID, NULL);
    g_assert_nonnull(*ret_view);
    return (*ret_view)->live;
}

static char *
replace(const char *text, const char *from, const char *to)
{
    g_auto(GStrv) parts = g_strsplit(text, from, -1);

    g_assert_cmpuint(g_strv_length(parts), >, 1);
    return g_strjoinv(to, parts);
}

static gboolean
pair(const char *text, GError **error)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GuestView) view = NULL;
    const DomainXml *live = domain(fixture, &view);
    g_autoptr(GuestReport) report = guest_report_parse("web1", text, error);
    g_autoptr(Vnic) vnic = g_new0(Vnic, 1);

    g_assert_nonnull(report);
    vnic->alias = g_strdup("hostdev0");
    vnic->function = g_strdup(FIXTURE_VF);
    vnic->guest_path = g_strdup("04.0");
    if (!bond_pair(report, live, vnic, error))
        return FALSE;
    g_assert_cmpstr(vnic->bond, ==, "bond0");
    g_assert_cmpstr(vnic->backup, ==, "virtio");
    return TRUE;
}

static void
test_fit_bond_is_paired(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(pair(fit, &error));
    g_assert_no_error(error);
}

static void
test_unfit_bonds_are_refused_with_a_remedy(void)
{
    static const struct {
        const char *from, *to, *cause;
    } cases[] = {
        { "\"pciPath\":\"04.0\"", "\"pciPath\":\"05.0\"", "no network device" },
        { "igbvf\",\"pciPath\":\"04.0\",\"carrier\":true,\"master\":\"bond0\"",
          "igbvf\",\"pciPath\":\"04.0\",\"carrier\":true,\"master\":null", "in no bond" },
        { "active-backup", "balance-rr", "another mode" },
        { "\"monitorIntervalMilliseconds\":100", "\"monitorIntervalMilliseconds\":0",
          "does not watch" },
        { "[\"virtio\",\"vf\"]", "[\"vf\"]", "no VirtIO" },
        { "\"pciPath\":\"03.0\"", "\"pciPath\":\"09.0\"", "no VirtIO" },
        { "\"pciPath\":\"03.0\",\"carrier\":true", "\"pciPath\":\"03.0\",\"carrier\":false",
          "no carrier" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = replace(fit, cases[i].from, cases[i].to);
        g_autoptr(GError) error = NULL;

        g_assert_false(pair(text, &error));
        g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
        g_assert_nonnull(strstr(fault_cause(error), cases[i].cause));
        g_assert_cmpstr(fault_remedy(error), !=, "");
    }
}

static void
test_hostile_reports_are_refused(void)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        { "\"name\":\"virtio\"", "\"name\":\"../../x\"" },
        { "\"name\":\"virtio\"", "\"name\":\"a\\u0007b\"" },
        { "\"name\":\"virtio\"", "\"name\":7" },
        { "\"name\":\"bond0\",\"mode\"", "\"name\":\"a-very-long-bond-name\",\"mode\"" },
        { "\"carrier\":true", "\"carrier\":\"yes\"" },
        { "\"pciPath\":\"03.0\"", "\"pciPath\":\"0x3\"" },
        { "active-backup", "b\xc3\xa4" },
        { ":100", ":-1" },
        { ":100", ":99999999999" },
        { "[\"virtio\",\"vf\"]", "\"virtio\"" },
        { "[\"virtio\",\"vf\"]", "[\"virtio\",\"\"]" },
        { "{\"interfaces\":[", "{\"interfaces\":[[]," },
        { "\"bonds\":", "\"bands\":" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = replace(fit, cases[i].from, cases[i].to);
        g_autoptr(GError) error = NULL;

        g_assert_null(guest_report_parse("web1", text, &error));
        g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    }
}

static void
test_oversized_reports_are_refused(void)
{
    g_autoptr(GString) ports = g_string_new("[\"p\"");
    g_autoptr(GError) error = NULL;

    for (unsigned i = 1; i < PORTS_BEYOND; i++)
        g_string_append(ports, ",\"p\"");
    g_string_append(ports, "]");
    g_autofree char *text = replace(fit, "[\"virtio\",\"vf\"]", ports->str);
    g_assert_null(guest_report_parse("web1", text, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    g_assert_null(guest_report_parse("web1", "[]", NULL));
    g_assert_null(guest_report_parse("web1", "", NULL));
}

static void
test_a_lying_guest_is_found_out(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GuestView) view = NULL;
    g_autoptr(GError) error = NULL;

    (void)domain(fixture, &view);
    BondAccess access = bond_access(fixture->host, view, NULL);
    fake_guest_set_stubborn(fixture->guest, TRUE);
    g_assert_false(bond_use(&access, "bond0", "virtio", &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
}

static void
test_what_the_guest_says_of_its_failure_is_passed_on_clean(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GuestView) view = NULL;
    g_autoptr(GError) error = NULL;

    (void)domain(fixture, &view);
    BondAccess access = bond_access(fixture->host, view, NULL);
    fake_guest_fail(fixture->guest, "use", 1);
    g_assert_false(bond_use(&access, "bond0", "virtio", &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    g_assert_nonnull(strstr(error->message, "told to fail"));
}

static void
test_a_silent_agent_is_unavailable(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GuestView) view = NULL;
    g_autoptr(GError) error = NULL;

    (void)domain(fixture, &view);
    BondAccess access = bond_access(fixture->host, view, NULL);
    fake_guest_set_silent(fixture->guest, TRUE);
    g_assert_null(bond_report(&access, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_UNAVAILABLE);
}

static json_t *
set_up(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Job) job = bond_setup_start(fixture->host, "web1", &(BondSetupRequest) { 0 }, error);

    return job ? job_wait(job, error) : NULL;
}

static void
test_missing_bond_is_set_up_once(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    fake_guest_set_bonded(fixture->guest, FALSE);
    json_auto_t *bond = set_up(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(json_string_value(json_object_get(bond, "name")), ==, "bond0");
    json_auto_t *again = set_up(fixture, &error);
    g_assert_no_error(error);
    g_assert_true(json_equal(bond, again));
    g_assert_cmpuint(fake_guest_count(fixture->guest, "create-bond"), ==, 1);
}

static void
test_failed_set_up_is_an_error(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    fake_guest_set_bonded(fixture->guest, FALSE);
    fake_guest_fail(fixture->guest, "create-bond", 1);
    g_assert_null(set_up(fixture, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bond/fit-bond-is-paired", test_fit_bond_is_paired);
    g_test_add_func("/bond/unfit-bonds-are-refused-with-a-remedy",
                    test_unfit_bonds_are_refused_with_a_remedy);
    g_test_add_func("/bond/hostile-reports-are-refused", test_hostile_reports_are_refused);
    g_test_add_func("/bond/oversized-reports-are-refused", test_oversized_reports_are_refused);
    g_test_add_func("/bond/a-lying-guest-is-found-out", test_a_lying_guest_is_found_out);
    g_test_add_func("/bond/failure-in-the-guest-is-passed-on-clean",
                    test_what_the_guest_says_of_its_failure_is_passed_on_clean);
    g_test_add_func("/bond/a-silent-agent-is-unavailable", test_a_silent_agent_is_unavailable);
    g_test_add_func("/bond/missing-bond-is-set-up-once", test_missing_bond_is_set_up_once);
    g_test_add_func("/bond/failed-set-up-is-an-error", test_failed_set_up_is_an_error);
    return g_test_run();
}
