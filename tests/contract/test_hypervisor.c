/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every implementation of HypervisorOps does, asserted of the fake and of libvirt's own test
 * driver alike. */
#include <libvirt-glib/libvirt-glib.h>
#include <libvirt/libvirt.h>
#include <string.h>

#include "fake/fake_hypervisor.h"

#define NAME "test"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

static const char domain[] = "<domain type='test'><name>" NAME "</name><uuid>" UUID "</uuid>"
                             "<memory>8192</memory><os><type>hvm</type></os><devices/></domain>";
static const char device[] =
    "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
    "<address domain='0' bus='0x7e' slot='0x1f' function='7'/></source></hostdev>";

/* One of the two, and how to change its guest from outside. */
typedef struct {
    Hypervisor *hypervisor;
    FakeHypervisor *fake;     /* NULL: libvirt's */
    virConnectPtr connection; /* NULL: the fake's; else another one to the same test driver */
    HypervisorWatch *watch;
} Side;

static void
set_up_fake(Side *side, gconstpointer unused)
{
    side->fake = fake_hypervisor_new();
    side->hypervisor = fake_hypervisor_get(side->fake);
    fake_hypervisor_add_guest(side->fake, domain, GUEST_STATE_RUNNING, TRUE);
    side->watch = hypervisor_watch_new(side->hypervisor, UUID);
}

static void
set_up_libvirt(Side *side, gconstpointer unused)
{
    side->connection = virConnectOpen("test:///default");
    g_assert_nonnull(side->connection);
    side->hypervisor = hypervisor_new_libvirt("test:///default", 1);
    side->watch = hypervisor_watch_new(side->hypervisor, UUID);
}

static void
tear_down(Side *side, gconstpointer unused)
{
    hypervisor_watch_free(side->watch);
    hypervisor_free(side->hypervisor);
    if (side->connection)
        g_assert_cmpint(virConnectClose(side->connection), ==, 0);
}

static gint64
deadline(void)
{
    const char *slowness = g_getenv("TEST_SLOWNESS");
    double factor = slowness ? g_ascii_strtod(slowness, NULL) : 1;

    return g_get_monotonic_time() + (gint64)(20 * MAX(factor, 1) * G_TIME_SPAN_SECOND);
}

/* Suspends, resumes or stops the guest. */
static void
change(Side *side, GuestState state)
{
    if (side->fake) {
        fake_hypervisor_set_state(side->fake, UUID, state);
        return;
    }
    virDomainPtr guest = virDomainLookupByUUIDString(side->connection, UUID);
    int result = state == GUEST_STATE_PAUSED    ? virDomainSuspend(guest)
                 : state == GUEST_STATE_RUNNING ? virDomainResume(guest)
                                                : virDomainDestroy(guest);

    g_assert_cmpint(result, ==, 0);
    virDomainFree(guest);
}

/* The next event is of @type; that a connection was made does not count. */
static void
assert_event(Side *side, HypervisorEventType type)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HypervisorEvent) event = NULL;

    do {
        hypervisor_event_free(g_steal_pointer(&event));
        event = hypervisor_watch_next(side->watch, deadline(), NULL, &error);
        g_assert_no_error(error);
    } while (event->type == HYPERVISOR_EVENT_RECONNECTED);
    g_assert_cmpint(event->type, ==, type);
    g_assert_cmpstr(event->uuid, ==, UUID);
}

static void
assert_state(Side *side, GuestState state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(side->hypervisor, UUID, &error);

    g_assert_no_error(error);
    g_assert_cmpint(guest->state, ==, state);
}

static void
test_guest_is_found_by_name_and_by_uuid(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) by_name = hypervisor_get_guest(side->hypervisor, NAME, &error);
    g_assert_no_error(error);
    g_autoptr(Guest) by_uuid = hypervisor_get_guest(side->hypervisor, UUID, &error);
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
test_unknown_guest_is_its_own_error(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(hypervisor_get_guest(side->hypervisor, "nonesuch", &error));
    g_assert_error(error, FAULT, FAULT_GUEST_NOT_FOUND);
    g_assert_nonnull(strstr(fault_object(error), "nonesuch"));
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
test_list_has_the_guest(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(side->hypervisor, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(guests->len, ==, 1);
    g_assert_cmpstr(((Guest *)guests->pdata[0])->uuid, ==, UUID);
}

static void
test_agent_that_is_not_there_is_unavailable(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(hypervisor_agent_command(side->hypervisor, UUID, "{\"execute\":\"guest-ping\"}",
                                           1, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_UNAVAILABLE);
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
test_device_that_is_not_there_cannot_be_detached(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(hypervisor_detach_device(side->hypervisor, UUID, device, DEVICE_CONFIG, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

static void
test_operations_on_an_unknown_guest_say_so(Side *side, gconstpointer unused)
{
    MigrationRequest request = { .destination_uri = "qemu+ssh://host2/system" };
    MigrationProgress progress;
    GError *errors[7] = { NULL };

    g_assert_false(
        hypervisor_attach_device(side->hypervisor, "nope", device, DEVICE_LIVE, &errors[0]));
    g_assert_false(hypervisor_migrate(side->hypervisor, "nope", &request, &errors[1]));
    g_assert_false(hypervisor_get_progress(side->hypervisor, "nope", &progress, &errors[2]));
    g_assert_false(hypervisor_abort_job(side->hypervisor, "nope", &errors[3]));
    g_assert_false(hypervisor_start_post_copy(side->hypervisor, "nope", &errors[4]));
    g_assert_false(hypervisor_suspend(side->hypervisor, "nope", &errors[5]));
    g_assert_false(hypervisor_set_metadata(side->hypervisor, "nope", "https://example.org/", "x",
                                           NULL, DEVICE_CONFIG, &errors[6]));
    for (gsize i = 0; i < G_N_ELEMENTS(errors); i++) {
        g_assert_error(errors[i], FAULT, FAULT_GUEST_NOT_FOUND);
        g_clear_error(&errors[i]);
    }
}

static void
test_life_is_told_by_events(Side *side, gconstpointer unused)
{
    assert_state(side, GUEST_STATE_RUNNING);
    change(side, GUEST_STATE_PAUSED);
    assert_event(side, HYPERVISOR_EVENT_SUSPENDED);
    assert_state(side, GUEST_STATE_PAUSED);
    change(side, GUEST_STATE_RUNNING);
    assert_event(side, HYPERVISOR_EVENT_RESUMED);
    assert_state(side, GUEST_STATE_RUNNING);
    change(side, GUEST_STATE_SHUT_OFF);
    assert_event(side, HYPERVISOR_EVENT_STOPPED);
    assert_state(side, GUEST_STATE_SHUT_OFF);
}

static void
test_guest_that_is_off_has_no_live_devices(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    assert_state(side, GUEST_STATE_RUNNING);
    change(side, GUEST_STATE_SHUT_OFF);
    assert_event(side, HYPERVISOR_EVENT_STOPPED);
    g_assert_false(hypervisor_attach_device(side->hypervisor, UUID, device, DEVICE_LIVE, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
    g_clear_error(&error);
    g_assert_false(
        hypervisor_detach_device(side->hypervisor, UUID, "hostdev0", DEVICE_LIVE, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

static void
test_job_that_is_not_there_cannot_be_aborted(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(hypervisor_abort_job(side->hypervisor, UUID, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

static void
create_network(Side *side, const char *xml)
{
    virNetworkPtr network = virNetworkCreateXML(side->connection, xml);

    g_assert_nonnull(network);
    virNetworkFree(network);
}

static const HypervisorNetwork *
find_network(const GPtrArray *networks, const char *name)
{
    for (guint i = 0; i < networks->len; i++) {
        const HypervisorNetwork *network = networks->pdata[i];
        if (strcmp(network->name, name) == 0)
            return network;
    }
    g_assert_not_reached();
}

static void
test_networks_are_told_with_where_they_lead(Side *side, gconstpointer unused)
{
    const char *const expected[] = { "pf0", NULL };
    g_autoptr(GError) error = NULL;

    if (side->fake) {
        fake_hypervisor_add_network(side->fake, "blue", "pf0");
        fake_hypervisor_add_bridge(side->fake, "lan", "br0");
    } else {
        create_network(side, "<network><name>blue</name><forward mode='hostdev' managed='yes'>"
                             "<pf dev='pf0'/></forward></network>");
        create_network(side, "<network><name>lan</name><forward mode='bridge'/>"
                             "<bridge name='br0'/></network>");
    }
    g_autoptr(GPtrArray) networks = hypervisor_list_networks(side->hypervisor, &error);
    g_assert_no_error(error);
    const HypervisorNetwork *blue = find_network(networks, "blue");
    const HypervisorNetwork *lan = find_network(networks, "lan");
    g_assert_cmpstrv(blue->functions, expected);
    g_assert_null(blue->bridge);
    g_assert_null(lan->functions);
    g_assert_cmpstr(lan->bridge, ==, "br0");
}

static void
test_libvirt_that_is_not_there_is_unavailable(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Hypervisor) hypervisor = hypervisor_new_libvirt("test:///no/such/file", 1);

    g_assert_null(hypervisor_get_guest(hypervisor, NAME, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_UNAVAILABLE);
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

typedef void (*Test)(Side *side, gconstpointer unused);

static void
test_host_tells_what_it_offers(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HypervisorHost) host = hypervisor_get_host(side->hypervisor, &error);
    gboolean known = TRUE;

    g_assert_no_error(error);
    g_assert_cmpstr(host->type, !=, "");
    g_assert_cmpuint(host->version, >, 0);
    g_assert_cmpuint(host->processors, >, 0);
    g_assert_cmpuint(host->available_bytes, >, 0);
    g_assert_nonnull(host->huge_pages);
    g_assert_nonnull(host->uri);
    g_assert_true(hypervisor_host_knows_machine(host, NULL, "nonesuch", &known, &error));
    g_assert_no_error(error);
    g_assert_false(known);
}

static void
test_untroubled_guest_is_inspected(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GuestCondition) condition = hypervisor_inspect_guest(side->hypervisor, UUID, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(condition->snapshots, ==, 0);
    g_assert_null(condition->job_disk);
    if (side->fake) /* libvirt's test driver claims an error of each disk that it has */
        g_assert_null(condition->broken_disk);
    g_assert_nonnull(condition->messages);
    g_assert_null(hypervisor_inspect_guest(side->hypervisor, "nonesuch", &error));
    g_assert_error(error, FAULT, FAULT_GUEST_NOT_FOUND);
}

static void
test_definition_names_the_guest_in_both_forms(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    for (int persistent = 0; persistent <= 1; persistent++) {
        g_autofree char *xml =
            hypervisor_get_definition(side->hypervisor, UUID, persistent, &error);

        g_assert_no_error(error);
        g_assert_nonnull(strstr(xml, "<uuid>" UUID "</uuid>"));
    }
    g_assert_null(hypervisor_get_definition(side->hypervisor, "nonesuch", FALSE, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_NOT_FOUND);
}

static void
test_pools_are_listed_with_their_paths(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    if (side->fake) {
        fake_hypervisor_host(side->fake)->pool = "default-pool";
        fake_hypervisor_host(side->fake)->pool_path = "/default-pool";
    }
    g_autoptr(GPtrArray) pools = hypervisor_list_pools(side->hypervisor, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(pools->len, ==, 1);
    g_assert_cmpstr(((StoragePool *)pools->pdata[0])->name, ==, "default-pool");
    g_assert_cmpstr(((StoragePool *)pools->pdata[0])->path, ==, "/default-pool");
}

static void
test_netfs_pool_is_made_listed_and_gone(Side *side, gconstpointer unused)
{
    const StoragePool wanted = { .name = (char *)"netfs&pool",
                                 .source_host = (char *)"host1",
                                 .source_directory = (char *)"/srv/images",
                                 .path = (char *)"/images" };
    g_autoptr(GError) error = NULL;

    hypervisor_create_pool(side->hypervisor, &wanted, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) pools = hypervisor_list_pools(side->hypervisor, NULL);
    const StoragePool *found = pools->pdata[pools->len - 1];
    for (guint i = 0; i < pools->len; i++) {
        const StoragePool *pool = pools->pdata[i];
        found = g_str_equal(pool->name, wanted.name) ? pool : found;
    }
    g_assert_cmpstr(found->name, ==, wanted.name);
    g_assert_cmpstr(found->type, ==, "netfs");
    g_assert_cmpstr(found->source_host, ==, wanted.source_host);
    g_assert_cmpstr(found->source_directory, ==, wanted.source_directory);
    g_assert_cmpstr(found->path, ==, wanted.path);
    for (unsigned times = 0; times < 2; times++) {
        hypervisor_destroy_pool(side->hypervisor, wanted.name, &error);
        g_assert_no_error(error);
    }
    g_autoptr(GPtrArray) left = hypervisor_list_pools(side->hypervisor, NULL);
    g_assert_cmpuint(left->len, ==, pools->len - 1);
}

static void
test_pools_are_looked_into_for_volumes(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL, missing = NULL, nowhere = NULL;

    if (side->fake) {
        fake_hypervisor_host(side->fake)->pool = "default-pool";
        fake_hypervisor_host(side->fake)->pool_path = "/default-pool";
    }
    g_assert_true(hypervisor_refresh_pool(side->hypervisor, "default-pool", &error));
    g_assert_no_error(error);
    g_assert_false(hypervisor_refresh_pool(side->hypervisor, "nonesuch", &nowhere));
    g_assert_error(nowhere, FAULT, FAULT_HYPERVISOR_FAILED);
    g_assert_null(hypervisor_find_volume(side->hypervisor, "default-pool", "nonesuch", &missing));
    g_assert_error(missing, FAULT, FAULT_HYPERVISOR_FAILED);
}

static void
test_what_cannot_be_measured_is_an_error(Side *side, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    guint64 rate;

    g_assert_false(hypervisor_measure_dirty_rate(side->hypervisor, UUID, 1, &rate, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

static void
add(const char *name, Test function)
{
    g_autofree char *fake = g_strdup_printf("/hypervisor/fake/%s", name);
    g_autofree char *libvirt = g_strdup_printf("/hypervisor/libvirt/%s", name);

    g_test_add(fake, Side, NULL, set_up_fake, function, tear_down);
    g_test_add(libvirt, Side, NULL, set_up_libvirt, function, tear_down);
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
    add("life-is-told-by-events", test_life_is_told_by_events);
    add("off-means-no-live-devices", test_guest_that_is_off_has_no_live_devices);
    add("no-job", test_job_that_is_not_there_cannot_be_aborted);
    add("host", test_host_tells_what_it_offers);
    add("inspected", test_untroubled_guest_is_inspected);
    add("definition", test_definition_names_the_guest_in_both_forms);
    add("pools", test_pools_are_listed_with_their_paths);
    add("netfs-pool", test_netfs_pool_is_made_listed_and_gone);
    add("pool-volumes", test_pools_are_looked_into_for_volumes);
    add("dirty-rate", test_what_cannot_be_measured_is_an_error);
    add("networks", test_networks_are_told_with_where_they_lead);
    g_test_add_func("/hypervisor/libvirt/unavailable",
                    test_libvirt_that_is_not_there_is_unavailable);
    int status = g_test_run();
    g_idle_add(quit_loop, loop);
    g_thread_join(thread);
    return status;
}
