/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at sysfs for what passthrough needs, and at a guest for what it has. */
#include "netprep/passthrough_check.h"

#include "common/domain_baggage.h"
#include "common/domain_features.h"
#include "netprep/link_facts.h"
#include "netprep/vnic.h"

#define HOST "this host"

typedef struct {
    const NetworkHost *host; /* borrowed */
    FunctionInventory *inventory;
    GuestSubject *subject; /* NULL, like all that follows: the host itself is checked */
    const char *label;     /* borrowed, as the next two */
    const GuestView *view;
    const GPtrArray *vnics;
    DomainFeatures *features;
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    domain_features_free(context->features);
    function_inventory_unref(context->inventory);
    g_clear_pointer(&context->subject, guest_subject_unref);
    g_free(context);
}

static CheckReadiness
prepare_host(void *data, GError **error)
{
    Context *context = data;

    context->inventory = function_inventory_read(context->host->sysfs, NULL, error);
    return context->inventory ? CHECK_READY : CHECK_HINDERED;
}

/* Without a card that has virtual functions nothing of this is needed. */
static gboolean
needs_passthrough(const Context *context, CheckReport *report)
{
    if (context->inventory->physical_functions->len > 0)
        return TRUE;
    check_pass(report, HOST, "has no network card with SR-IOV, so nothing needs it");
    return FALSE;
}

static gboolean
has_groups(const char *sysfs)
{
    g_autofree char *path = g_build_filename(sysfs, "kernel", "iommu_groups", NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);

    return directory && g_dir_read_name(directory);
}

static void
check_iommu(void *data, CheckReport *report)
{
    const Context *context = data;

    if (!needs_passthrough(context, report))
        return;
    if (has_groups(context->host->sysfs))
        check_pass(report, HOST, "has IOMMU groups");
    else
        check_fail(report, HOST, NULL, "has no IOMMU groups");
}

static void
check_vfio(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autofree char *driver =
        g_build_filename(context->host->sysfs, "bus", "pci", "drivers", "vfio-pci", NULL);

    if (!needs_passthrough(context, report))
        return;
    if (g_file_test(driver, G_FILE_TEST_IS_DIR))
        check_pass(report, HOST, "has driver vfio-pci loaded");
    else
        check_fail(report, HOST, NULL, "has no driver vfio-pci loaded");
}

CheckGroup
passthrough_check_host(const NetworkHost *host)
{
    static const Check checks[] = { { "host.iommu-on", check_iommu },
                                    { "host.vfio-present", check_vfio },
                                    { 0 } };
    Context *context = g_new0(Context, 1);

    context->host = host;
    return (CheckGroup) { .object = HOST,
                          .checks = checks,
                          .prepare = prepare_host,
                          .context = context,
                          .free_context = context_free };
}

static CheckReadiness
prepare_guest(void *data, GError **error)
{
    Context *context = data;
    CheckReadiness readiness =
        guest_subject_read(context->subject, &context->view, &context->vnics, error);

    if (readiness != CHECK_READY)
        return readiness;
    context->features = domain_features_parse(context->view->guest->xml, error);
    if (context->features)
        context->inventory = function_inventory_read(context->host->sysfs, NULL, error);
    return context->inventory ? CHECK_READY : CHECK_HINDERED;
}

/* What a host device is, if a move cannot take it along; NULL for a VF of a network card. */
static char *
find_obstacle(const Context *context, const DomainHostDevice *device)
{
    if (!device->function)
        return g_strdup_printf("%s device %s", device->kind, device->label);
    if (function_inventory_find(context->inventory, device->function))
        return NULL;
    return g_strdup_printf("PCI device %s, which is no virtual function of a network card",
                           device->function);
}

static void
check_host_devices(void *data, CheckReport *report)
{
    const Context *context = data;
    gboolean found = FALSE;

    for (guint i = 0; i < context->features->host_devices->len; i++) {
        const DomainHostDevice *device = context->features->host_devices->pdata[i];
        g_autofree char *obstacle = find_obstacle(context, device);

        if (!obstacle)
            continue;
        g_autofree char *remedy =
            g_strdup_printf("virsh detach-device-alias GUEST %s --live --config", device->label);
        check_fail(report, context->label, remedy, "has %s", obstacle);
        found = TRUE;
    }
    if (!found)
        check_pass(report, context->label, "has no device of its host besides virtual functions");
}

static json_t *
names_to_json(char *const *names)
{
    json_t *array = json_array();

    for (char *const *name = names; *name; name++)
        json_array_append_new(array, json_string(*name));
    return array;
}

/* @network: of libvirt, reached through the bridge; NULL: the guest is on the bridge itself. */
static void
add_link(const Context *context, const char *network, const char *bridge, json_t *links)
{
    g_auto(BridgeFacts) facts = { 0 };

    if (*bridge && bridge_facts_read(context->host, bridge, &facts))
        json_array_append_new(links,
                              json_pack("{s:s, s:s*, s:i, s:s}", "name", bridge, "network", network,
                                        "mtu", (int)facts.mtu, "vlans", facts.vlans));
}

static json_t *
links_to_json(const Context *context)
{
    const DomainFeatures *features = context->features;
    json_t *links = json_array();

    for (char **name = features->bridges; *name; name++)
        add_link(context, NULL, *name, links);
    for (gsize i = 0; features->networks[i]; i++)
        add_link(context, features->networks[i], features->network_bridges[i], links);
    return links;
}

static json_t *
card_to_json(const Context *context, const char *network, const PhysicalFunction *port)
{
    g_autofree char *model = card_facts_model(context->host, port->address);
    g_autofree char *driver = function_control_driver(context->host->control, port->name);
    g_autofree char *firmware = function_control_firmware(context->host->control, port->name);

    return json_pack("{s:s, s:i, s:s?, s:s, s:s*, s:s*}", "network", network, "mtu", (int)port->mtu,
                     "model", model, "switchMode",
                     card_facts_switch_mode(context->host, port->name), "driver", driver,
                     "firmware", firmware);
}

/* The cards that the guest's VFs are of, by the physical networks that these lead to. */
static json_t *
cards_to_json(const Context *context)
{
    json_t *cards = json_array();

    for (guint i = 0; i < context->vnics->len; i++) {
        const Vnic *vnic = context->vnics->pdata[i];
        const Function *function = function_inventory_find(context->inventory, vnic->function);

        if (function && vnic->physical_network)
            json_array_append_new(cards,
                                  card_to_json(context, vnic->physical_network, function->port));
    }
    return cards;
}

static void
tell_memory_nodes(const Context *context, CheckReport *report)
{
    g_autoptr(DomainBaggage) baggage = domain_baggage_parse(context->view->guest->xml, NULL);

    if (baggage && baggage->memory_nodes)
        check_fact(report, "memoryNodes", json_string(baggage->memory_nodes));
}

static void
tell(void *data, CheckReport *report)
{
    const Context *context = data;

    check_fact(report, "links", links_to_json(context));
    check_fact(report, "cards", cards_to_json(context));

    check_fact(report, "networks", names_to_json(context->features->networks));
    check_fact(report, "bridges", names_to_json(context->features->bridges));
    check_fact(report, "devices", names_to_json(context->features->devices));
    check_fact(report, "sockets", names_to_json(context->features->sockets));
    tell_memory_nodes(context, report);
    check_fact(report, "vnics", vnics_to_json(context->vnics));
    check_fact(report, "macAddresses", names_to_json(context->features->macs));
}

/* It comes back in its place of the order; as long as it is away, another device is the first. */
static void
check_boot_order(void *data, CheckReport *report)
{
    const Context *context = data;

    for (guint i = 0; i < context->vnics->len; i++) {
        const Vnic *vnic = context->vnics->pdata[i];
        unsigned order = vnic->configuration ? vnic->configuration->boot_order : 0;
        g_autofree char *label = vnic_label(vnic);
        g_autofree char *object = g_strdup_printf("%s of %s", label, context->label);

        if (order)
            check_fail(report, object, NULL,
                       "is number %u to boot from: a guest that restarts without it boots from "
                       "something else",
                       order);
        else
            check_pass(report, object, "is not what the guest boots from");
    }
}

CheckGroup
passthrough_check_guest(GuestSubject *subject)
{
    static const Check checks[] = { { "guest.no-host-devices", check_host_devices },
                                    { "network.boot-order", check_boot_order },
                                    { 0 } };
    Context *context = g_new0(Context, 1);

    context->subject = guest_subject_ref(subject);
    context->host = guest_subject_host(subject);
    context->label = guest_subject_label(subject);
    return (CheckGroup) { .object = context->label,
                          .checks = checks,
                          .prepare = prepare_guest,
                          .tell = tell,
                          .context = context,
                          .free_context = context_free };
}
