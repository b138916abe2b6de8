/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's own policy in its metadata: read, changed, and nothing else touched. */
#include "storprep/guest_policy.h"

#include <glib/gstdio.h>
#include <string.h>

#include "common/fault.h"
#include "fake/fake_hypervisor.h"
#include "storprep/link_speed.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

static char *
domain(const char *metadata)
{
    return g_strdup_printf("<domain type='kvm'><name>web1</name><uuid>" UUID "</uuid>"
                           "<metadata>%s</metadata></domain>",
                           metadata);
}

static char *
policy(const char *values)
{
    g_autofree char *element =
        g_strdup_printf("<migprep:policy xmlns:migprep='" GUEST_POLICY_NAMESPACE "'>%s"
                        "</migprep:policy>",
                        values);

    return domain(element);
}

static void
test_reads_what_the_guest_says(void)
{
    g_autofree char *xml = policy("<max-downtime>300</max-downtime><colour>red</colour>"
                                  "<on-timeout>suspend</on-timeout>");
    g_autoptr(GError) error = NULL;
    PolicySettings settings;

    g_assert_true(guest_policy_read(xml, &settings, &error));
    g_assert_true(settings.is_set[POLICY_MAX_DOWNTIME]);
    g_assert_cmpuint(settings.values[POLICY_MAX_DOWNTIME], ==, 300);
    g_assert_cmpuint(settings.values[POLICY_ON_TIMEOUT], ==, TIMEOUT_SUSPEND);
    g_assert_false(settings.is_set[POLICY_TLS]);
}

static void
test_elements_of_others_say_nothing(void)
{
    static const char *const texts[] = {
        "",
        "<policy><tls>yes</tls></policy>",
        "<other:policy xmlns:other='https://example.org/'><tls>yes</tls></other:policy>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *xml = domain(texts[i]);
        PolicySettings settings;

        g_assert_true(guest_policy_read(xml, &settings, NULL));
        g_assert_false(settings.is_set[POLICY_TLS]);
    }
}

static void
test_a_value_that_is_none_is_named(void)
{
    g_autofree char *xml = policy("<tls>perhaps</tls>");
    g_autoptr(GError) error = NULL;
    PolicySettings settings;

    g_assert_false(guest_policy_read(xml, &settings, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_INVALID_ARGUMENT);
    g_assert_cmpstr(fault_object(error), ==, "guest 'web1': policy tls");
    g_assert_nonnull(strstr(fault_remedy(error), "migprep policy web1 tls=VALUE"));
}

static void
test_a_domain_that_cannot_be_read_says_nothing(void)
{
    g_autoptr(GError) reading = NULL, placing = NULL, changing = NULL;
    g_auto(GuestPlace) place = { 0 };
    PolicySettings settings;
    char *element = NULL;

    g_assert_false(guest_policy_read("<domain>", &settings, &reading));
    g_assert_error(reading, FAULT, FAULT_HYPERVISOR_FAILED);
    g_assert_false(guest_policy_read_place("<domain>", &place, &placing));
    g_assert_error(placing, FAULT, FAULT_HYPERVISOR_FAILED);
    g_assert_false(guest_policy_change("<domain>", "tls", "yes", &element, &changing));
    g_assert_error(changing, FAULT, FAULT_HYPERVISOR_FAILED);
    g_assert_null(element);
}

static void
test_changing_one_value_keeps_the_others(void)
{
    g_autofree char *xml = policy("<max-downtime>300</max-downtime><colour>a&amp;b</colour>");
    g_autofree char *element = NULL;

    g_assert_true(guest_policy_change(xml, "max-downtime", "500", &element, NULL));
    g_assert_cmpstr(element, ==,
                    "<policy><colour>a&amp;b</colour><max-downtime>500</max-downtime>"
                    "</policy>");
    g_clear_pointer(&element, g_free);
    g_assert_true(guest_policy_change(xml, "max-downtime", NULL, &element, NULL));
    g_assert_cmpstr(element, ==, "<policy><colour>a&amp;b</colour></policy>");
}

static void
test_nothing_left_is_no_element(void)
{
    g_autofree char *xml = policy("<tls>yes</tls>");
    g_autofree char *element = NULL;

    g_assert_true(guest_policy_change(xml, "tls", NULL, &element, NULL));
    g_assert_null(element);
}

static void
test_place_is_read_and_its_mistakes_are_named(void)
{
    static const struct {
        const char *name, *value;
        gboolean valid;
    } cases[] = {
        { "hosts", "host2 host3.example.org", TRUE },
        { "hosts", "-host2", FALSE },
        { "hosts", "", FALSE },
        { "together", "app", TRUE },
        { "apart", "two words", FALSE },
        { "nearby", "app", FALSE },
    };
    g_autofree char *xml = policy("<hosts>host2 host3</hosts><apart>dns</apart>");
    g_auto(GuestPlace) place = { 0 };

    g_assert_true(guest_policy_read_place(xml, &place, NULL));
    g_assert_cmpstr(place.values[GUEST_PLACE_HOSTS], ==, "host2 host3");
    g_assert_null(place.values[GUEST_PLACE_TOGETHER]);
    g_assert_cmpstr(place.values[GUEST_PLACE_APART], ==, "dns");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *element = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(guest_policy_change(xml, cases[i].name, cases[i].value, &element, &error),
                        ==, cases[i].valid);
        g_assert_cmpint(error != NULL, ==, !cases[i].valid);
    }
}

static void
assert_says(Hypervisor *hypervisor, guint64 downtime)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, UUID, NULL);
    const char *const texts[] = { guest->xml, guest->inactive_xml };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        PolicySettings settings;

        g_assert_true(guest_policy_read(texts[i], &settings, NULL));
        g_assert_cmpint(settings.is_set[POLICY_MAX_DOWNTIME], ==, downtime > 0);
        g_assert_cmpuint(settings.values[POLICY_MAX_DOWNTIME], ==, downtime);
    }
}

static void
test_running_and_defined_guest_both_get_it(void)
{
    static const struct {
        const char *value;
        guint64 downtime;
    } steps[] = { { "300", 300 }, { "400", 400 }, { NULL, 0 }, { "500", 500 } };
    g_autofree char *xml = domain("");
    FakeHypervisor *fake = fake_hypervisor_new();
    g_autoptr(Hypervisor) hypervisor = fake_hypervisor_get(fake);

    fake_hypervisor_add_guest(fake, xml, GUEST_STATE_RUNNING, TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, "web1", NULL);
        g_autoptr(GError) error = NULL;

        guest_policy_set(hypervisor, guest, "max-downtime", steps[i].value, &error);
        g_assert_no_error(error);
        assert_says(hypervisor, steps[i].downtime);
        g_assert_false(guest_policy_set(hypervisor, guest, "max-downtime", "x", NULL));
        assert_says(hypervisor, steps[i].downtime);
    }
}

static void
test_mistake_of_a_guest_without_a_name_is_told(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *element = NULL;

    g_assert_false(guest_policy_change("<domain/>", "mode", "x", &element, &error));
    g_assert_cmpstr(fault_object(error), ==, "guest '': policy mode");
}

static void
test_place_that_cannot_be_is_named(void)
{
    g_autofree char *xml = policy("<hosts>-host2</hosts>");
    g_auto(GuestPlace) place = { 0 };
    g_autofree char *element = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(guest_policy_read_place(xml, &place, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    g_assert_true(guest_policy_change(xml, "hosts", NULL, &element, NULL));
    g_assert_null(element);
}

static void
test_guest_gets_it_where_it_is(void)
{
    static const struct {
        GuestState state;
        gboolean persistent;
    } cases[] = { { GUEST_STATE_PAUSED, FALSE },
                  { GUEST_STATE_RUNNING, FALSE },
                  { GUEST_STATE_SHUT_OFF, TRUE },
                  { GUEST_STATE_CRASHED, TRUE } };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = domain("");
        FakeHypervisor *fake = fake_hypervisor_new();
        g_autoptr(Hypervisor) hypervisor = fake_hypervisor_get(fake);
        g_autoptr(GError) error = NULL;

        fake_hypervisor_add_guest(fake, xml, cases[i].state, cases[i].persistent);
        g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, "web1", NULL);
        g_assert_true(guest_policy_set(hypervisor, guest, "max-downtime", "300", &error));
        g_assert_no_error(error);
        fake_hypervisor_fail(fake, "set_metadata", 1, FAULT_HYPERVISOR_FAILED);
        g_assert_false(guest_policy_set(hypervisor, guest, "max-downtime", "300", &error));
    }
}

/* The other thing that a default comes from: the host's own end of the way. */
static void
test_link_speed_is_the_device_s(void)
{
    g_autofree char *directory = g_dir_make_tmp("class-XXXXXX", NULL);
    g_autofree char *device = g_build_filename(directory, "eth0", NULL);
    g_autofree char *file = g_build_filename(device, "speed", NULL);
    g_autofree char *host = link_speed_host("qemu+ssh://root@[2001:db8::1]:22/system");

    g_assert_cmpint(g_mkdir(device, 0700), ==, 0);
    g_assert_cmpuint(link_speed_of_device(directory, "eth0"), ==, 0);
    g_assert_true(g_file_set_contents(file, "25000\n", -1, NULL));
    g_assert_cmpuint(link_speed_of_device(directory, "eth0"), ==, 25000);
    g_assert_true(g_file_set_contents(file, "-1\n", -1, NULL));
    g_assert_cmpuint(link_speed_of_device(directory, "eth0"), ==, 0);
    g_assert_cmpstr(host, ==, "2001:db8::1");
    g_assert_cmpuint(link_speed_to("127.0.0.1"), ==, 0);
    g_unlink(file);
    g_rmdir(device);
    g_rmdir(directory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-policy/reads-what-the-guest-says", test_reads_what_the_guest_says);
    g_test_add_func("/guest-policy/elements-of-others-say-nothing",
                    test_elements_of_others_say_nothing);
    g_test_add_func("/guest-policy/unreadable", test_a_domain_that_cannot_be_read_says_nothing);
    g_test_add_func("/guest-policy/value-that-is-none-is-named",
                    test_a_value_that_is_none_is_named);
    g_test_add_func("/guest-policy/changing-one-value-keeps-the-others",
                    test_changing_one_value_keeps_the_others);
    g_test_add_func("/guest-policy/nothing-left-is-no-element", test_nothing_left_is_no_element);
    g_test_add_func("/guest-policy/running-and-defined-guest-both-get-it",
                    test_running_and_defined_guest_both_get_it);
    g_test_add_func("/guest-policy/place", test_place_is_read_and_its_mistakes_are_named);
    g_test_add_func("/guest-policy/no-name", test_mistake_of_a_guest_without_a_name_is_told);
    g_test_add_func("/guest-policy/no-place", test_place_that_cannot_be_is_named);
    g_test_add_func("/guest-policy/where-it-is", test_guest_gets_it_where_it_is);
    g_test_add_func("/link-speed/is-the-device-s", test_link_speed_is_the_device_s);
    return g_test_run();
}
