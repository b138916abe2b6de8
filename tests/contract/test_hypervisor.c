/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every implementation of HypervisorOps does, asserted of the fake and of libvirt's own test
 * driver alike. */
#include <libvirt-glib/libvirt-glib.h>
#include <string.h>

#include "fake/fake_hypervisor.h"

#define NAME     "test"
#define UUID     "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define PATIENCE 20

static const char domain[] = "<domain type='test'><name>" NAME "</name><uuid>" UUID "</uuid>"
                             "<memory>8192</memory><os><type>hvm</type></os><devices/></domain>";
static const char device[] =
    "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
    "<address domain='0' bus='0x7e' slot='0x1f' function='7'/></source></hostdev>";

static Hypervisor *
open_fake(void)
{
    FakeHypervisor *fake = fake_hypervisor_new();

    fake_hypervisor_add_guest(fake, domain, GUEST_STATE_RUNNING, TRUE);
    return fake_hypervisor_get(fake);
}

static Hypervisor *
open_libvirt(void)
{
    return hypervisor_new_libvirt("test:///default");
}

typedef Hypervisor *(*Open)(void);

static void
test_guest_is_found_by_name_and_by_uuid(gconstpointer open)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Hypervisor) hypervisor = ((Open)open)();
    g_autoptr(Guest) by_name = hypervisor_get_guest(hypervisor, NAME, &error);
    g_assert_no_error(error);
    g_autoptr(Guest) by_uuid = hypervisor_get_guest(hypervisor, UUID, &error);
    g_assert_no_error(error);

    g_assert_cmpstr(by_name->uuid, ==, UUID);
    g_assert_cmpstr(by_uuid->name, ==, NAME);
    g_assert_cmpint(by_name->state, ==, GUEST_STATE_RUNNING);
    g_assert_true(by_name->persistent);
    g_assert_false(by_name->has_job);
    g_assert_nonnull(strstr(by_name->xml, "<domain"));
    g_assert_nonnull(strstr(by_name->inactive_xml, "<domain"));
}

static void
test_unknown_guest_is_its_own_error(gconstpointer open)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Hypervisor) hypervisor = ((Open)open)();

    g_assert_null(hypervisor_get_guest(hypervisor, "nonesuch", &error));
    g_assert_error(error, FAULT, FAULT_GUEST_NOT_FOUND);
    g_assert_nonnull(strstr(fault_object(error), "nonesuch"));
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
test_list_has_the_guest(gconstpointer open)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Hypervisor) hypervisor = ((Open)open)();
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(hypervisor, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(guests->len, ==, 1);
    g_assert_cmpstr(((Guest *)guests->pdata[0])->uuid, ==, UUID);
}

static void
test_agent_that_is_not_there_is_unavailable(gconstpointer open)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Hypervisor) hypervisor = ((Open)open)();

    g_assert_null(
        hypervisor_agent_command(hypervisor, UUID, "{\"execute\":\"guest-ping\"}", 1, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_UNAVAILABLE);
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
test_device_that_is_not_there_cannot_be_detached(gconstpointer open)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Hypervisor) hypervisor = ((Open)open)();

    g_assert_false(hypervisor_detach_device(hypervisor, UUID, device, DEVICE_CONFIG, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

static void
test_operations_on_an_unknown_guest_say_so(gconstpointer open)
{
    g_autoptr(Hypervisor) hypervisor = ((Open)open)();
    MigrationRequest request = { .destination_uri = "qemu+ssh://host2/system" };
    MigrationProgress progress;
    GError *errors[4] = { NULL };

    g_assert_false(hypervisor_attach_device(hypervisor, "nope", device, DEVICE_LIVE, &errors[0]));
    g_assert_false(hypervisor_migrate(hypervisor, "nope", &request, &errors[1]));
    g_assert_false(hypervisor_get_progress(hypervisor, "nope", &progress, &errors[2]));
    g_assert_false(hypervisor_abort_job(hypervisor, "nope", &errors[3]));
    for (gsize i = 0; i < G_N_ELEMENTS(errors); i++) {
        g_assert_error(errors[i], FAULT, FAULT_GUEST_NOT_FOUND);
        g_clear_error(&errors[i]);
    }
}

static void
add(const char *name, GTestDataFunc function)
{
    g_autofree char *fake = g_strdup_printf("/hypervisor/fake/%s", name);
    g_autofree char *libvirt = g_strdup_printf("/hypervisor/libvirt/%s", name);

    g_test_add_data_func(fake, (gconstpointer)open_fake, function);
    g_test_add_data_func(libvirt, (gconstpointer)open_libvirt, function);
}

static gpointer
run_loop(gpointer loop)
{
    g_main_loop_run(loop);
    return NULL;
}

int
main(int argc, char **argv)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);

    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    gvir_event_register();
    GThread *thread = g_thread_new("loop", run_loop, loop);
    add("by-name-and-uuid", test_guest_is_found_by_name_and_by_uuid);
    add("unknown-guest", test_unknown_guest_is_its_own_error);
    add("list", test_list_has_the_guest);
    add("no-agent", test_agent_that_is_not_there_is_unavailable);
    add("no-device", test_device_that_is_not_there_cannot_be_detached);
    add("unknown-guest-everywhere", test_operations_on_an_unknown_guest_say_so);
    int status = g_test_run();
    g_main_loop_quit(loop);
    g_thread_join(thread);
    return status;
}
