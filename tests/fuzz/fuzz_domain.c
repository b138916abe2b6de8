/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's XML, of which a tenant may have written parts: domains with their metadata, networks,
 * ports, pools. */
#include <string.h>

#include "common/domain_baggage.h"
#include "common/domain_features.h"
#include "common/domain_xml.h"
#include "common/hypervisor_host.h"
#include "common/hypervisor_network.h"
#include "common/network_port.h"
#include "common/storage_pool.h"
#include "common/vnic_shape.h"
#include "fuzz.h"
#include "storprep/destination_xml.h"
#include "storprep/guest_policy.h"

/* What is built from a shape says the same as the shape. */
static void
rebuild(const char *element)
{
    g_autoptr(VnicShape) shape = vnic_shape_parse(element, NULL);
    g_autofree char *built = shape ? vnic_shape_build(shape, "0000:01:10.2", NULL) : NULL;

    if (!built)
        return;
    g_autoptr(VnicShape) again = vnic_shape_parse(built, NULL);
    FUZZ_ASSERT(again);
    FUZZ_ASSERT(again->form == shape->form && again->vlan == shape->vlan);
    FUZZ_ASSERT(g_strcmp0(again->mac, shape->mac) == 0);
    FUZZ_ASSERT(g_strcmp0(again->network, shape->network) == 0);
    FUZZ_ASSERT(g_strcmp0(again->alias, shape->alias) == 0);
}

static void
read_domain(const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainXml) domain = domain_xml_parse(xml, &error);

    FUZZ_ASSERT(!domain == !!error);
    if (!domain)
        return;
    for (guint i = 0; i < domain->passthrough->len; i++) {
        const DomainPassthrough *device = domain->passthrough->pdata[i];
        rebuild(device->xml);
    }
    for (guint i = 0; i < domain->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = domain->virtio_nics->pdata[i];
        g_autofree char *unfiltered = domain_xml_without_filter(nic->xml, NULL);
        FUZZ_ASSERT(unfiltered && !strstr(unfiltered, "<filterref"));
    }
}

static void
read_features(const char *xml)
{
    g_autoptr(DomainFeatures) features = domain_features_parse(xml, NULL);
    g_autoptr(DomainBaggage) baggage = domain_baggage_parse(xml, NULL);

    FUZZ_ASSERT(!features == !baggage);
}

static void
read_policy(const char *xml)
{
    PolicySettings settings = { 0 };
    g_auto(GuestPlace) place = { 0 };
    g_autofree char *element = NULL;

    guest_policy_read(xml, &settings, NULL);
    guest_policy_read_place(xml, &place, NULL);
    if (guest_policy_change(xml, "max-downtime", "300", &element, NULL))
        FUZZ_ASSERT(element && strstr(element, "300"));
}

static void
change(const char *xml)
{
    const Guest guest = { .name = (char *)"web1",
                          .uuid = (char *)"4dea22b3-1d52-d8f3-2516-782e98ab3fa0" };
    json_auto_t *paths = json_pack("[{s:s, s:s}]", "target", "vda", "path", "/elsewhere/a.qcow2");
    json_auto_t *networks = json_pack("[{s:s, s:s}]", "from", "default", "to", "other");
    const DestinationChange wanted = { paths, networks };
    g_autofree char *changed = destination_xml_change(xml, &wanted, FALSE, NULL);

    destination_xml_check("destinationXml", xml, &guest, NULL);
    if (!changed)
        return;
    g_autoptr(DomainXml) domain = domain_xml_parse(xml, NULL);
    g_autoptr(DomainXml) after = domain_xml_parse(changed, NULL);
    FUZZ_ASSERT(!domain == !after);
}

static void
read_host(const char *xml)
{
    const HypervisorHost host = { .capabilities = (char *)xml, .processors = 2 };
    g_autoptr(GHashTable) processors = NULL;
    g_autoptr(GHashTable) nodes = NULL;
    g_autofree char *vendor = NULL;
    g_autofree char *model = NULL;
    g_autofree char *processor = hypervisor_host_processor(&host);
    g_autoptr(GArray) sizes = hypervisor_host_page_sizes(xml);
    gboolean known;

    hypervisor_host_knows_machine(&host, "x86_64", "pc-q35-7.2", &known, NULL);
    hypervisor_host_name_processor(&host, &vendor, &model);
    hypervisor_host_topology(&host, &processors, &nodes);
    FUZZ_ASSERT(processors && nodes);
}

static void
read_others(const char *xml)
{
    g_autoptr(HypervisorNetwork) network = hypervisor_network_parse(xml, NULL);
    g_autoptr(NetworkPort) port = network_port_parse("blue", xml);
    g_autoptr(StoragePool) pool = storage_pool_parse(xml);

    FUZZ_ASSERT(!network || network->name);
    FUZZ_ASSERT(!port || port->function);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = g_strndup((const char *)data, size);

    read_domain(xml);
    read_features(xml);
    read_policy(xml);
    change(xml);
    read_host(xml);
    read_others(xml);
    return 0;
}
