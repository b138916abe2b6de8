/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/hypervisor_gate.h"

#include "common/fault.h"

typedef struct {
    Hypervisor *target;
    HypervisorDoor door;
} HypervisorGate;

static FakeGateState
ask(const HypervisorGate *gate, GError **error)
{
    FakeGateState state = gate->door.gate(gate->door.gate_data);

    if (state != FAKE_GATE_OPEN)
        fault_set(error, FAULT_HYPERVISOR_UNAVAILABLE, "libvirt", "wait until it is back",
                  "the connection is lost");
    return state;
}

/* A call sets one error: its own, or that its answer is lost. */
static GError **
errors_of(FakeGateState state, GError **error)
{
    return state == FAKE_GATE_OPEN ? error : NULL;
}

static gboolean
check(const HypervisorGate *gate, const char *xml, GError **error)
{
    return !gate->door.check || gate->door.check(xml, gate->door.check_data, error);
}

static Guest *
get_guest(void *self, const char *guest, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN ? hypervisor_get_guest(gate->target, guest, error)
                                              : NULL;
}

static GPtrArray *
list_guests(void *self, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN ? hypervisor_list_guests(gate->target, error) : NULL;
}

static gboolean
detach_device(void *self, const char *uuid, const char *alias_or_xml, DeviceScope scope,
              GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_detach_device(gate->target, uuid, alias_or_xml, scope,
                                    errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static gboolean
attach_device(void *self, const char *uuid, const char *xml, DeviceScope scope, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           (!(scope & DEVICE_LIVE) || check(gate, xml, errors_of(state, error))) &&
           hypervisor_attach_device(gate->target, uuid, xml, scope, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static gboolean
update_device(void *self, const char *uuid, const char *xml, DeviceScope scope, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_update_device(gate->target, uuid, xml, scope, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static char *
agent_command(void *self, const char *uuid, const char *command, unsigned timeout_seconds,
              GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);
    g_autofree char *reply =
        state == FAKE_GATE_SHUT
            ? NULL
            : hypervisor_agent_command(gate->target, uuid, command, timeout_seconds,
                                       errors_of(state, error));

    return state == FAKE_GATE_OPEN ? g_steal_pointer(&reply) : NULL;
}

static gboolean
migrate(void *self, const char *uuid, const MigrationRequest *request, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_migrate(gate->target, uuid, request, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static gboolean
get_progress(void *self, const char *uuid, MigrationProgress *ret_progress, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN &&
           hypervisor_get_progress(gate->target, uuid, ret_progress, error);
}

static gboolean
abort_job(void *self, const char *uuid, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_abort_job(gate->target, uuid, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static gboolean
start_post_copy(void *self, const char *uuid, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_start_post_copy(gate->target, uuid, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static gboolean
suspend(void *self, const char *uuid, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_suspend(gate->target, uuid, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static gboolean
save(void *self, const char *uuid, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_save(gate->target, uuid, errors_of(state, error)) && state == FAKE_GATE_OPEN;
}

static gboolean
shut_down(void *self, const char *uuid, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_shut_down(gate->target, uuid, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static gboolean
start(void *self, const char *uuid, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_start(gate->target, uuid, errors_of(state, error)) && state == FAKE_GATE_OPEN;
}

static gboolean
set_metadata(void *self, const char *uuid, const char *uri, const char *prefix, const char *xml,
             DeviceScope scope, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_set_metadata(gate->target, uuid, uri, prefix, xml, scope,
                                   errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static GPtrArray *
list_networks(void *self, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN ? hypervisor_list_networks(gate->target, error)
                                              : NULL;
}

static GPtrArray *
list_network_ports(void *self, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN ? hypervisor_list_network_ports(gate->target, error)
                                              : NULL;
}

static gboolean
create_network_port(void *self, const NetworkPort *port, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_create_network_port(gate->target, port, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static gboolean
delete_network_port(void *self, const char *network, const char *uuid, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_delete_network_port(gate->target, network, uuid, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static char *
get_definition(void *self, const char *uuid, gboolean persistent, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN
               ? hypervisor_get_definition(gate->target, uuid, persistent, error)
               : NULL;
}

static gboolean
create_pool(void *self, const StoragePool *pool, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_create_pool(gate->target, pool, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static gboolean
destroy_pool(void *self, const char *name, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_destroy_pool(gate->target, name, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static char *
find_volume(void *self, const char *pool, const char *volume, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN
               ? hypervisor_find_volume(gate->target, pool, volume, error)
               : NULL;
}

static gboolean
refresh_pool(void *self, const char *name, GError **error)
{
    const HypervisorGate *gate = self;
    FakeGateState state = ask(gate, error);

    return state != FAKE_GATE_SHUT &&
           hypervisor_refresh_pool(gate->target, name, errors_of(state, error)) &&
           state == FAKE_GATE_OPEN;
}

static HypervisorHost *
get_host(void *self, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN ? hypervisor_get_host(gate->target, error) : NULL;
}

static gboolean
compare_processor(void *self, const HypervisorMachine *machine, const char *xml,
                  char **ret_obstacle, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN &&
           hypervisor_compare_processor(gate->target, machine, xml, ret_obstacle, error);
}

static GuestCondition *
inspect_guest(void *self, const char *uuid, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN ? hypervisor_inspect_guest(gate->target, uuid, error)
                                              : NULL;
}

static GPtrArray *
list_pools(void *self, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN ? hypervisor_list_pools(gate->target, error) : NULL;
}

static gboolean
measure_dirty_rate(void *self, const char *uuid, unsigned seconds, guint64 *ret_bytes_per_second,
                   GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN &&
           hypervisor_measure_dirty_rate(gate->target, uuid, seconds, ret_bytes_per_second, error);
}

static char *
baseline_processor(void *self, const char *const *processors, GError **error)
{
    const HypervisorGate *gate = self;

    return ask(gate, error) == FAKE_GATE_OPEN
               ? hypervisor_baseline_processor(gate->target, processors, error)
               : NULL;
}

Hypervisor *
hypervisor_gate_new(Hypervisor *target, const HypervisorDoor *door)
{
    static const HypervisorOps ops = {
        .get_guest = get_guest,
        .list_guests = list_guests,
        .detach_device = detach_device,
        .attach_device = attach_device,
        .update_device = update_device,
        .agent_command = agent_command,
        .migrate = migrate,
        .get_progress = get_progress,
        .abort_job = abort_job,
        .start_post_copy = start_post_copy,
        .suspend = suspend,
        .save = save,
        .shut_down = shut_down,
        .start = start,
        .set_metadata = set_metadata,
        .list_networks = list_networks,
        .list_network_ports = list_network_ports,
        .create_network_port = create_network_port,
        .delete_network_port = delete_network_port,
        .get_definition = get_definition,
        .create_pool = create_pool,
        .destroy_pool = destroy_pool,
        .find_volume = find_volume,
        .refresh_pool = refresh_pool,
        .get_host = get_host,
        .compare_processor = compare_processor,
        .inspect_guest = inspect_guest,
        .list_pools = list_pools,
        .measure_dirty_rate = measure_dirty_rate,
        .baseline_processor = baseline_processor,
        .free = g_free,
    };
    HypervisorGate *self = g_new0(HypervisorGate, 1);

    *self = (HypervisorGate) { target, *door };
    return hypervisor_new(&ops, self);
}
