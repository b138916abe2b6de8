/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Describes a guest's passthrough vNICs. */
#include "netprep/vnic.h"

#include "common/limits.h"
#include "netprep/vnic_path.h"

void
vnic_free(Vnic *vnic)
{
    if (!vnic)
        return;
    g_free(vnic->alias);
    g_free(vnic->function);
    g_free(vnic->guest_address);
    g_free(vnic->guest_path);
    g_free(vnic->mac);
    g_free(vnic->physical_network);
    g_free(vnic->bond);
    g_free(vnic->backup);
    g_free(vnic->teaming);
    g_free(vnic->path_reason);
    vnic_shape_free(vnic->configuration);
    g_free(vnic);
}

char *
vnic_label(const Vnic *vnic)
{
    return g_strdup_printf("virtual NIC %s (%s)", vnic->alias, vnic->function);
}

/* The libvirt network it comes from, if that leads somewhere; else where its PF leads. */
static char *
choose_network(const PhysicalNetworks *networks, const DomainPassthrough *device,
               const Function *function)
{
    if (device->network && physical_networks_contain(networks, device->network))
        return g_strdup(device->network);
    g_auto(GStrv) names = physical_networks_of(networks, function->physical_function);
    return g_strdup(names[0]);
}

const DomainPassthrough *
vnic_find_configured(const DomainXml *config, const Vnic *vnic, const char *function)
{
    const char *mac = vnic->configuration ? vnic->configuration->mac : vnic->mac;

    return guest_view_find_configured(config, function, mac, vnic->guest_address);
}

static gboolean
read_configuration(const GuestView *view, Vnic *vnic, GError **error)
{
    const DomainPassthrough *configured = vnic_find_configured(view->config, vnic, vnic->function);

    if (configured)
        vnic->configuration = vnic_shape_parse(configured->xml, error);
    return !configured || vnic->configuration;
}

static Vnic *
describe(const NetworkHost *host, const GuestView *view, const PhysicalNetworks *networks,
         const DomainPassthrough *device, const Function *function, GError **error)
{
    g_autoptr(Vnic) vnic = g_new0(Vnic, 1);

    vnic->alias = g_strdup(device->alias ? device->alias : "");
    vnic->function = g_strdup(device->function);
    vnic->form = device->form;
    vnic->guest_address = g_strdup(device->guest_address);
    vnic->guest_path = g_strdup(device->guest_path);
    vnic->mac = g_strdup(device->mac);
    vnic->physical_network = choose_network(networks, device, function);
    if (!read_configuration(view, vnic, error) ||
        !function_settings_read(host->control, function->physical_function, function->index,
                                &vnic->settings, error))
        return NULL;
    vnic_path_choose(host, view, device, function, vnic);
    return g_steal_pointer(&vnic);
}

GPtrArray *
vnics_describe(const NetworkHost *host, const GuestView *view, GError **error)
{
    g_autoptr(FunctionInventory) inventory = function_inventory_read(host->sysfs, NULL, error);
    g_autoptr(PhysicalNetworks) networks =
        inventory ? physical_networks_read(host, inventory, error) : NULL;
    g_autoptr(GPtrArray) vnics = g_ptr_array_new_with_free_func((GDestroyNotify)vnic_free);

    if (!networks)
        return NULL;
    for (guint i = 0; i < view->live->passthrough->len; i++) {
        const DomainPassthrough *device = view->live->passthrough->pdata[i];
        const Function *function = function_inventory_find(inventory, device->function);

        if (!function)
            continue;
        if (vnics->len == LIMIT_VNICS) {
            g_autofree char *object = network_guest_label(view->guest->name);
            fault_set(error, FAULT_LIMIT_EXCEEDED, object, "remove some of them",
                      "has more than %d passthrough vNICs", LIMIT_VNICS);
            return NULL;
        }
        Vnic *vnic = describe(host, view, networks, device, function, error);
        if (!vnic)
            return NULL;
        g_ptr_array_add(vnics, vnic);
    }
    return g_steal_pointer(&vnics);
}
