/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing what a guest is to be on its destination, and for a plan of its migration. */
#include "storprep/destination_xml.h"

#include <string.h>

#include "common/fault.h"
#include "fake/fake_hypervisor.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

static const char domain[] =
    "<domain type='kvm'><name>web1</name><uuid>" UUID "</uuid><devices>"
    "<disk type='file' device='disk'><source file='/images/a.qcow2' index='1'/>"
    "<backingStore type='file'><source file='/images/base'/></backingStore><target "
    "dev='vda'/></disk>"
    "<disk type='network'><source protocol='rbd' name='p/i'/><target dev='vdb'/></disk>"
    "<interface type='network'><source network='lan' portid='7' bridge='virbr0'/></interface>"
    "<interface type='bridge'><source bridge='br0'/></interface>"
    "<interface type='network'><source network='other'/></interface></devices></domain>";

static char *
change(const char *disks, const char *networks, gboolean all, GError **error)
{
    json_auto_t *disk_paths = json_loads(disks, 0, NULL);
    json_auto_t *network_changes = json_loads(networks, 0, NULL);
    const DestinationChange wanted = { disk_paths, network_changes };

    return destination_xml_change(domain, &wanted, all, error);
}

static void
test_what_is_named_is_changed_and_nothing_else(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *made =
        change("[{\"target\": \"vda\", \"path\": \"/srv/a&b.qcow2\"}]",
               "[{\"from\": \"lan\", \"to\": \"blue\"}, {\"from\": \"br0\", \"to\": \"br1\"}]",
               TRUE, &error);

    g_assert_no_error(error);
    g_assert_nonnull(strstr(made, "<source file=\"/srv/a&amp;b.qcow2\"/>"));
    g_assert_null(strstr(made, "backingStore"));
    g_assert_nonnull(strstr(made, "<source network=\"blue\"/>"));
    g_assert_nonnull(strstr(made, "<source bridge=\"br1\"/>"));
    g_assert_nonnull(strstr(made, "<source network=\"other\"/>"));
    g_assert_nonnull(strstr(made, "<source protocol=\"rbd\" name=\"p/i\"/>"));
}

static void
test_what_the_guest_does_not_have_is_refused_by_name(void)
{
    static const struct {
        const char *disks, *networks, *object;
        gboolean only_if_all;
    } cases[] = {
        { "[{\"target\": \"vdz\", \"path\": \"/a\"}]", "[]", "vdz", TRUE },
        { "[]", "[{\"from\": \"green\", \"to\": \"blue\"}]", "green", TRUE },
        { "[{\"target\": \"vdb\", \"path\": \"/a\"}]", "[]", "vdb", FALSE },
        { "[{\"target\": \"vda\", \"path\": \"a\"}]", "[]", "vda", FALSE },
        { "[]", "[{\"from\": \"lan\", \"to\": \"\"}]", "lan", FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (int all = 0; all <= 1; all++) {
            g_autoptr(GError) error = NULL;
            g_autofree char *made = change(cases[i].disks, cases[i].networks, all, &error);

            if (!all && cases[i].only_if_all) {
                g_assert_no_error(error);
                continue;
            }
            g_assert_null(made);
            g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
            g_assert_nonnull(strstr(fault_object(error), cases[i].object));
        }
    }
}

typedef struct {
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    MigrationPlan *plan;
    json_t *paths;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->fake = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake);
    fake_hypervisor_add_guest(fixture->fake, domain, GUEST_STATE_RUNNING, TRUE);
    fixture->plan = g_new0(MigrationPlan, 1);
    fixture->plan->guest_uuid = g_strdup(UUID);
    fixture->plan->copy_disks = g_strsplit("vda", ",", -1);
    fixture->plan->persist = TRUE;
    fixture->paths = json_pack("[{s:s, s:s}]", "target", "vda", "path", "/srv/b.qcow2");
}

static void
tear_down(Fixture *fixture, const void *data)
{
    migration_plan_free(fixture->plan);
    hypervisor_free(fixture->hypervisor);
    json_decref(fixture->paths);
}

static gboolean
apply(Fixture *fixture, GError **error)
{
    const DestinationChange wanted = { fixture->paths, NULL };

    return destination_xml_plan(fixture->plan, fixture->hypervisor, &wanted, error);
}

static void
test_both_definitions_are_changed(Fixture *fixture, const void *data)
{
    g_assert_true(apply(fixture, NULL));
    g_assert_nonnull(strstr(fixture->plan->destination_xml, "/srv/b.qcow2"));
    g_assert_nonnull(strstr(fixture->plan->persistent_xml, "/srv/b.qcow2"));
}

static void
test_guest_that_is_not_to_be_defined_there_has_one_definition(Fixture *fixture, const void *data)
{
    fixture->plan->persist = FALSE;
    g_assert_true(apply(fixture, NULL));
    g_assert_nonnull(fixture->plan->destination_xml);
    g_assert_null(fixture->plan->persistent_xml);
}

static void
test_without_a_change_libvirt_s_own_definition_counts(Fixture *fixture, const void *data)
{
    json_array_clear(fixture->paths);
    g_assert_true(apply(fixture, NULL));
    g_assert_null(fixture->plan->destination_xml);
}

static void
test_path_of_a_disk_that_stays_behind_is_refused(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&fixture->plan->copy_disks[0], g_free);
    g_assert_false(apply(fixture, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    fixture->plan->unsafe = TRUE;
    g_assert_true(apply(fixture, NULL));
}

static void
test_definition_of_the_caller_s_own_excludes_changes(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    fixture->plan->persistent_xml = g_strdup("<domain/>");
    g_assert_false(apply(fixture, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
}

static void
test_libvirt_that_tells_no_definition_fails_the_plan(Fixture *fixture, const void *data)
{
    for (unsigned nth = 1; nth <= 2; nth++) {
        g_autoptr(GError) error = NULL;

        g_clear_pointer(&fixture->plan->destination_xml, g_free);
        fake_hypervisor_fail(fixture->fake, "get_definition", nth, FAULT_HYPERVISOR_UNAVAILABLE);
        g_assert_false(apply(fixture, &error));
        g_assert_error(error, FAULT, FAULT_HYPERVISOR_UNAVAILABLE);
    }
}

#define ADD(path, function)                                                                        \
    g_test_add("/destination-xml/" path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/destination-xml/changed", test_what_is_named_is_changed_and_nothing_else);
    g_test_add_func("/destination-xml/unknown",
                    test_what_the_guest_does_not_have_is_refused_by_name);
    ADD("both", test_both_definitions_are_changed);
    ADD("transient", test_guest_that_is_not_to_be_defined_there_has_one_definition);
    ADD("unchanged", test_without_a_change_libvirt_s_own_definition_counts);
    ADD("stays-behind", test_path_of_a_disk_that_stays_behind_is_refused);
    ADD("own", test_definition_of_the_caller_s_own_excludes_changes);
    ADD("silent", test_libvirt_that_tells_no_definition_fails_the_plan);
    return g_test_run();
}
