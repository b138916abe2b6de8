/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports of networks of VFs, asserted of the fake and of a real libvirtd alike; and what calls see
 * of a libvirtd that is restarted. */
#include <libvirt-glib/libvirt-glib.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <stdlib.h>

#include "fake/fake_hypervisor.h"

#define URI            "qemu:///system"
#define NETWORK        "blue"
#define VF             "0000:01:10.0"
#define VF_2           "0000:01:10.2"
#define FOREIGN_VF     "0000:01:10.4" /* not in the network */
#define PORT           "3c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a11"
#define PORT_2         "3c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a12"
#define GUEST          "9c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a99"
#define RETURN_SECONDS 60

static const char network_text[] =
    "<network><name>" NETWORK "</name><forward mode='hostdev' managed='yes'><driver name='vfio'/>"
    "<address type='pci' domain='0x0000' bus='0x01' slot='0x10' function='0x0'/>"
    "<address type='pci' domain='0x0000' bus='0x01' slot='0x10' function='0x2'/>"
    "</forward></network>";

typedef struct {
    Hypervisor *hypervisor;
    virConnectPtr connection; /* NULL: the fake */
} Side;

static void
set_up_fake(Side *side, gconstpointer unused)
{
    FakeHypervisor *fake = fake_hypervisor_new();

    side->hypervisor = fake_hypervisor_get(fake);
    fake_hypervisor_add_network(fake, NETWORK, VF);
    fake_hypervisor_add_network(fake, NETWORK, VF_2);
}

/* Waits for a libvirtd that has just been started. */
static void
set_up_libvirt(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    side->hypervisor = hypervisor_new_libvirt(URI, RETURN_SECONDS);
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(side->hypervisor, &error);
    g_assert_no_error(error);
    side->connection = virConnectOpen(URI);
    g_assert_nonnull(side->connection);
    virNetworkPtr network = virNetworkCreateXML(side->connection, network_text);
    g_assert_nonnull(network);
    virNetworkFree(network);
}

static void
tear_down(Side *side, gconstpointer unused)
{
    hypervisor_free(side->hypervisor);
    if (!side->connection)
        return;
    virConnectClose(side->connection);
    virConnectPtr fresh = virConnectOpen(URI); /* the other one may have been cut */
    virNetworkPtr network = virNetworkLookupByName(fresh, NETWORK);
    g_assert_cmpint(virNetworkDestroy(network), ==, 0);
    virNetworkFree(network);
    virConnectClose(fresh);
}

static gboolean
create(Side *side, const char *network, const char *uuid, const char *function, GError **error)
{
    NetworkPort port = { .network = (char *)network,
                         .uuid = (char *)uuid,
                         .owner = (char *)"web1",
                         .owner_uuid = (char *)GUEST,
                         .mac = (char *)"52:54:00:00:00:09",
                         .function = (char *)function };

    return hypervisor_create_network_port(side->hypervisor, &port, error);
}

/* There is exactly the port @uuid, for @function; NULL: there is none. */
static void
assert_port(Side *side, const char *uuid, const char *function)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) ports = hypervisor_list_network_ports(side->hypervisor, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(ports->len, ==, uuid ? 1 : 0);
    if (!uuid)
        return;
    const NetworkPort *port = ports->pdata[0];
    g_assert_cmpstr(port->network, ==, NETWORK);
    g_assert_cmpstr(port->uuid, ==, uuid);
    g_assert_cmpstr(port->owner, ==, "web1");
    g_assert_cmpstr(port->owner_uuid, ==, GUEST);
    g_assert_cmpstr(port->mac, ==, "52:54:00:00:00:09");
    g_assert_cmpstr(port->function, ==, function);
}

static void
test_port_is_listed_as_it_was_made_until_it_is_deleted(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    assert_port(side, NULL, NULL);
    g_assert_true(create(side, NETWORK, PORT, VF_2, &error));
    g_assert_no_error(error);
    assert_port(side, PORT, VF_2);
    for (unsigned repeat = 0; repeat < 2; repeat++) {
        g_assert_true(hypervisor_delete_network_port(side->hypervisor, NETWORK, PORT, &error));
        g_assert_no_error(error);
        assert_port(side, NULL, NULL);
    }
}

static void
test_function_has_one_port(Side *side, gconstpointer unused)
{
    static const char *const uuids[] = { PORT, PORT_2 };
    g_autoptr(GError) error = NULL;

    g_assert_true(create(side, NETWORK, PORT, VF, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(uuids); i++) {
        g_assert_false(create(side, NETWORK, uuids[i], VF, &error));
        g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
        g_clear_error(&error);
        assert_port(side, PORT, VF);
    }
}

static void
test_function_of_no_network_is_refused(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(create(side, NETWORK, PORT, FOREIGN_VF, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
    assert_port(side, NULL, NULL);
}

static void
test_missing_network_is_told(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(create(side, "nonesuch", PORT, VF, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
    g_clear_error(&error);
    g_assert_false(hypervisor_delete_network_port(side->hypervisor, "nonesuch", PORT, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

static void
kill_libvirtd(void)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(g_getenv("CONTRACT_LIBVIRT_PID"), &text, NULL, NULL));
    pid_t pid = (pid_t)g_ascii_strtoll(text, NULL, 10);
    g_assert_cmpint(pid, >, 1);
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
}

/* Only what was under way as it went may fail, and looking for a guest may not. */
static void
test_calls_wait_for_a_libvirtd_that_is_restarted(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(create(side, NETWORK, PORT, VF, NULL));
    kill_libvirtd();
    g_assert_null(hypervisor_get_guest(side->hypervisor, "nonesuch", &error));
    g_assert_error(error, FAULT, FAULT_GUEST_NOT_FOUND);
    assert_port(side, PORT, VF); /* libvirt remembers */
}

typedef void (*Test)(Side *side, gconstpointer unused);

static void
add(const char *name, const char *side, void (*set_up)(Side *, gconstpointer), Test test)
{
    g_autofree char *path = g_strdup_printf("/network-port/%s/%s", side, name);

    g_test_add(path, Side, NULL, set_up, test, tear_down);
}

static void
add_all(const char *side, void (*set_up)(Side *, gconstpointer))
{
    add("is-listed-until-it-is-deleted", side, set_up,
        test_port_is_listed_as_it_was_made_until_it_is_deleted);
    add("function-has-one-port", side, set_up, test_function_has_one_port);
    add("function-of-no-network-is-refused", side, set_up, test_function_of_no_network_is_refused);
    add("missing-network-is-told", side, set_up, test_missing_network_is_told);
}

static void
skip_libvirt(void)
{
    const char *missing = g_getenv("CONTRACT_LIBVIRT_MISSING");

    if (!missing)
        missing = "not run by tests/contract/with-libvirtd";
    if (g_getenv("REQUIRE_REAL")) {
        g_test_message("%s", missing);
        g_test_fail();
    } else {
        g_test_skip(missing);
    }
}

/* Also a loop that has not begun yet ends by it. */
static gboolean
quit_loop(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
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

    signal(SIGPIPE, SIG_IGN); /* as the daemons do: libvirt may write to a libvirtd that is gone */
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    gvir_event_register();
    GThread *thread = g_thread_new("loop", run_loop, loop);
    add_all("fake", set_up_fake);
    if (g_getenv("CONTRACT_LIBVIRT_PID")) {
        add_all("libvirt", set_up_libvirt);
        add("calls-wait-for-a-libvirtd-that-is-restarted", "libvirt", set_up_libvirt,
            test_calls_wait_for_a_libvirtd_that_is_restarted);
    } else {
        g_test_add_func("/network-port/libvirt/all", skip_libvirt);
    }
    int status = g_test_run();
    g_idle_add(quit_loop, loop);
    g_thread_join(thread);
    return status;
}
