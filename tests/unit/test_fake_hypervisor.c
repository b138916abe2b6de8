/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of the hypervisor in memory, where it does more than the contract asks. */
#include <string.h>

#include "common/domain_xml.h"
#include "fake/fake_hypervisor.h"

#define UUID "3f1f3c0a-6f3e-4f6b-9c59-0d7f5f4a1b11"

static const char domain[] =
    "<domain><name>web1</name><uuid>" UUID "</uuid><devices>"
    "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='0x10' "
    "function='2'/></source><alias name='hostdev0'/></hostdev></devices></domain>";

typedef struct {
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    HypervisorWatch *watch;
} Fixture;

static void
set_up(Fixture *fixture, const void *unused)
{
    fixture->fake = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake);
    fake_hypervisor_add_guest(fixture->fake, domain, GUEST_STATE_RUNNING, TRUE);
    fixture->watch = hypervisor_watch_new(fixture->hypervisor, UUID);
}

static void
tear_down(Fixture *fixture, const void *unused)
{
    hypervisor_watch_free(fixture->watch);
    hypervisor_free(fixture->hypervisor);
}

static void
assert_next(Fixture *fixture, HypervisorEventType type, const char *alias)
{
    g_autoptr(HypervisorEvent) event = hypervisor_watch_next(fixture->watch, 0, NULL, NULL);

    g_assert_nonnull(event);
    g_assert_cmpint(event->type, ==, type);
    g_assert_cmpstr(event->alias, ==, alias);
}

static void
assert_quiet(Fixture *fixture)
{
    g_assert_null(hypervisor_watch_next(fixture->watch, 0, NULL, NULL));
}

static void
assert_devices(Fixture *fixture, guint live, guint configured)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(fixture->hypervisor, UUID, &error);
    g_assert_no_error(error);
    g_autoptr(DomainXml) now = domain_xml_parse(guest->xml, NULL);
    g_autoptr(DomainXml) later = domain_xml_parse(guest->inactive_xml, NULL);

    g_assert_cmpuint(now->passthrough->len, ==, live);
    g_assert_cmpuint(later->passthrough->len, ==, configured);
}

/* A device that the guest does not have. */
#define OTHER                                                                                      \
    "<hostdev mode='subsystem' type='pci' managed='yes'><source>"                                  \
    "<address domain='0x0000' bus='0x01' slot='0x10' function='0x4'/></source></hostdev>"

static gboolean
detach(Fixture *fixture, const char *device, DeviceScope scope)
{
    return hypervisor_detach_device(fixture->hypervisor, UUID, device, scope, NULL);
}

static void
test_willing_guest_lets_go_at_once(Fixture *fixture, const void *unused)
{
    g_assert_true(detach(fixture, "hostdev0", DEVICE_LIVE));
    assert_next(fixture, HYPERVISOR_EVENT_DEVICE_REMOVED, "hostdev0");
    assert_devices(fixture, 0, 1);
}

static void
test_refusal_keeps_the_device(Fixture *fixture, const void *unused)
{
    fake_hypervisor_set_unplug(fixture->fake, "hostdev0", FAKE_UNPLUG_REFUSED);
    g_assert_true(detach(fixture, "hostdev0", DEVICE_LIVE));
    assert_next(fixture, HYPERVISOR_EVENT_DEVICE_REFUSED, "hostdev0");
    assert_devices(fixture, 1, 1);
}

static void
test_silent_guest_may_let_go_later(Fixture *fixture, const void *unused)
{
    fake_hypervisor_set_unplug(fixture->fake, "hostdev0", FAKE_UNPLUG_SILENT);
    g_assert_true(detach(fixture, "hostdev0", DEVICE_LIVE));
    g_assert_true(detach(fixture, "hostdev0", DEVICE_LIVE));
    assert_quiet(fixture);
    assert_devices(fixture, 1, 1);
    fake_hypervisor_finish_unplug(fixture->fake, UUID, "hostdev0");
    assert_next(fixture, HYPERVISOR_EVENT_DEVICE_REMOVED, "hostdev0");
    assert_devices(fixture, 0, 1);
    fake_hypervisor_finish_unplug(fixture->fake, UUID, "hostdev0");
    assert_quiet(fixture);
}

static void
test_configuration_is_apart_from_the_live_guest(Fixture *fixture, const void *unused)
{
    g_assert_true(hypervisor_attach_device(fixture->hypervisor, UUID, OTHER, DEVICE_CONFIG, NULL));
    assert_devices(fixture, 1, 2);
    g_assert_true(detach(fixture, OTHER, DEVICE_CONFIG));
    g_assert_false(detach(fixture, OTHER, DEVICE_CONFIG));
    assert_quiet(fixture);
}

static void
test_attached_device_gets_an_alias(Fixture *fixture, const void *unused)
{
    g_assert_true(hypervisor_attach_device(fixture->hypervisor, UUID, OTHER, DEVICE_LIVE, NULL));
    g_assert_false(hypervisor_attach_device(fixture->hypervisor, UUID, OTHER, DEVICE_LIVE, NULL));
    g_autoptr(Guest) guest = hypervisor_get_guest(fixture->hypervisor, UUID, NULL);
    g_autoptr(DomainXml) now = domain_xml_parse(guest->xml, NULL);
    const DomainPassthrough *added = now->passthrough->pdata[1];
    g_assert_true(detach(fixture, added->alias, DEVICE_LIVE));
    assert_devices(fixture, 1, 1);
}

static void
test_states_emit_their_events(Fixture *fixture, const void *unused)
{
    fake_hypervisor_set_state(fixture->fake, UUID, GUEST_STATE_PAUSED);
    fake_hypervisor_set_state(fixture->fake, UUID, GUEST_STATE_RUNNING);
    fake_hypervisor_remove_guest(fixture->fake, UUID);
    assert_next(fixture, HYPERVISOR_EVENT_SUSPENDED, "");
    assert_next(fixture, HYPERVISOR_EVENT_RESUMED, "");
    assert_next(fixture, HYPERVISOR_EVENT_STOPPED, "");
    assert_quiet(fixture);
}

static void
test_chosen_call_fails_once(Fixture *fixture, const void *unused)
{
    g_autoptr(GError) error = NULL;

    fake_hypervisor_fail(fixture->fake, "detach_device", 2, FAULT_GUEST_BUSY);
    fake_hypervisor_set_unplug(fixture->fake, "hostdev0", FAKE_UNPLUG_SILENT);
    g_assert_true(detach(fixture, "hostdev0", DEVICE_LIVE));
    g_assert_false(
        hypervisor_detach_device(fixture->hypervisor, UUID, "hostdev0", DEVICE_LIVE, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
    g_assert_true(detach(fixture, "hostdev0", DEVICE_LIVE));
}

static void
test_calls_are_remembered_in_order(Fixture *fixture, const void *unused)
{
    detach(fixture, "hostdev0", DEVICE_LIVE | DEVICE_CONFIG);
    hypervisor_abort_job(fixture->hypervisor, UUID, NULL);
    const char *const *calls = fake_hypervisor_calls(fixture->fake);

    g_assert_cmpstr(calls[0], ==, "detach_device hostdev0 live|config");
    g_assert_cmpstr(calls[1], ==, "abort_job");
    g_assert_null(calls[2]);
}

static char *
answer(const char *uuid, const char *command, void *reply)
{
    return g_strdup(reply);
}

static void
assert_agent_fails(Fixture *fixture, FaultCode code)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(hypervisor_agent_command(fixture->hypervisor, UUID, "{}", 1, &error));
    g_assert_cmpint(fault_code(error), ==, code);
}

static void
test_agent_answers_refuses_or_is_silent(Fixture *fixture, const void *unused)
{
    char good[] = "{\"return\":{}}", bad[] = "{\"error\":{\"class\":\"GenericError\"}}";

    fake_hypervisor_set_agent(fixture->fake, answer, good);
    g_autofree char *reply = hypervisor_agent_command(fixture->hypervisor, UUID, "{}", 1, NULL);
    g_assert_cmpstr(reply, ==, good);
    fake_hypervisor_set_agent(fixture->fake, answer, bad);
    assert_agent_fails(fixture, FAULT_AGENT_FAILED);
    fake_hypervisor_set_agent(fixture->fake, answer, NULL);
    assert_agent_fails(fixture, FAULT_AGENT_UNAVAILABLE);
    fake_hypervisor_set_agent(fixture->fake, answer, good);
    fake_hypervisor_set_state(fixture->fake, UUID, GUEST_STATE_SHUT_OFF);
    assert_agent_fails(fixture, FAULT_AGENT_UNAVAILABLE);
}

static void
test_networks_are_listed_with_their_functions(Fixture *fixture, const void *unused)
{
    fake_hypervisor_add_network(fixture->fake, "blue", "pf0");
    fake_hypervisor_add_network(fixture->fake, "blue", "pf1");
    const char *const expected[] = { "pf0", "pf1", NULL };
    g_autoptr(GPtrArray) networks = hypervisor_list_networks(fixture->hypervisor, NULL);

    g_assert_cmpuint(networks->len, ==, 1);
    const HypervisorNetwork *network = networks->pdata[0];
    g_assert_cmpstr(network->name, ==, "blue");
    g_assert_cmpstrv(network->functions, expected);
}

#define ADD(name, function)                                                                        \
    g_test_add("/fake-hypervisor/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("willing-guest-lets-go-at-once", test_willing_guest_lets_go_at_once);
    ADD("refusal-keeps-the-device", test_refusal_keeps_the_device);
    ADD("silent-guest-may-let-go-later", test_silent_guest_may_let_go_later);
    ADD("configuration-is-apart-from-the-live-guest",
        test_configuration_is_apart_from_the_live_guest);
    ADD("attached-device-gets-an-alias", test_attached_device_gets_an_alias);
    ADD("states-emit-their-events", test_states_emit_their_events);
    ADD("chosen-call-fails-once", test_chosen_call_fails_once);
    ADD("calls-are-remembered-in-order", test_calls_are_remembered_in_order);
    ADD("agent-answers-refuses-or-is-silent", test_agent_answers_refuses_or_is_silent);
    ADD("networks-are-listed-with-their-functions", test_networks_are_listed_with_their_functions);
    return g_test_run();
}
