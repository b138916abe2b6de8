/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HypervisorOps: the ports of libvirt's networks of VFs. */
#include <stdlib.h>

#include <libvirt/virterror.h>

#include "common/hypervisor_libvirt.h"

static void
add_ports(virNetworkPtr network, GPtrArray *found)
{
    virNetworkPortPtr *ports = NULL;
    int count = virNetworkListAllPorts(network, &ports, 0);

    for (int i = 0; i < count; i++) {
        char *xml = virNetworkPortGetXMLDesc(ports[i], 0);
        NetworkPort *port = xml ? network_port_parse(virNetworkGetName(network), xml) : NULL;

        if (port)
            g_ptr_array_add(found, port);
        free(xml);
        virNetworkPortFree(ports[i]);
    }
    free(ports);
}

GPtrArray *
libvirt_list_network_ports(void *self, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    virNetworkPtr *networks = NULL;

    if (!connection)
        return NULL;
    int count = virConnectListAllNetworks(connection, &networks, VIR_CONNECT_LIST_NETWORKS_ACTIVE);
    if (count < 0) {
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, "list of networks", NULL);
        return NULL;
    }
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)network_port_free);
    for (int i = 0; i < count; i++) {
        add_ports(networks[i], found);
        virNetworkFree(networks[i]);
    }
    free(networks);
    return found;
}

static virNetworkPtr
find_network(LibvirtLink *link, const char *name, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(link, error);
    virNetworkPtr network = connection ? virNetworkLookupByName(connection, name) : NULL;

    if (connection && !network)
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, name, NULL);
    return network;
}

gboolean
libvirt_create_network_port(void *self, const NetworkPort *port, GError **error)
{
    g_autofree char *xml = network_port_build(port, error);
    virNetworkPtr network = xml ? find_network(self, port->network, error) : NULL;

    if (!network)
        return FALSE;
    /* Reclaim: this VF and no other. */
    virNetworkPortPtr made = virNetworkPortCreateXML(network, xml, VIR_NETWORK_PORT_CREATE_RECLAIM);
    if (made)
        virNetworkPortFree(made);
    else
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, port->network, NULL);
    virNetworkFree(network);
    return made != NULL;
}

gboolean
libvirt_delete_network_port(void *self, const char *name, const char *uuid, GError **error)
{
    virNetworkPtr network = find_network(self, name, error);

    if (!network)
        return FALSE;
    virNetworkPortPtr port = virNetworkPortLookupByUUIDString(network, uuid);
    gboolean gone = port ? virNetworkPortDelete(port, 0) == 0
                         : virGetLastErrorCode() == VIR_ERR_NO_NETWORK_PORT;
    if (!gone)
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, name, NULL);
    if (port)
        virNetworkPortFree(port);
    virNetworkFree(network);
    return gone;
}
