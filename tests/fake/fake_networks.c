/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_networks.h"

#include <string.h>

#include "common/fault.h"

#define RIVAL_PORT "3c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a22"

struct FakeNetworks {
    GMutex lock;
    unsigned quicker;    /* so many ports another guest gets first */
    GPtrArray *networks; /* of HypervisorNetwork * */
    GPtrArray *ports;    /* of NetworkPort * */
};

FakeNetworks *
fake_networks_new(void)
{
    FakeNetworks *networks = g_new0(FakeNetworks, 1);

    g_mutex_init(&networks->lock);
    networks->networks = g_ptr_array_new_with_free_func((GDestroyNotify)hypervisor_network_free);
    networks->ports = g_ptr_array_new_with_free_func((GDestroyNotify)network_port_free);
    return networks;
}

void
fake_networks_free(FakeNetworks *networks)
{
    g_ptr_array_unref(networks->networks);
    g_ptr_array_unref(networks->ports);
    g_mutex_clear(&networks->lock);
    g_free(networks);
}

/* With the lock: NULL if there is none. */
static HypervisorNetwork *
find(FakeNetworks *networks, const char *name)
{
    for (guint i = 0; i < networks->networks->len; i++) {
        HypervisorNetwork *network = networks->networks->pdata[i];
        if (g_str_equal(network->name, name))
            return network;
    }
    return NULL;
}

/* With the lock: makes it if need be. */
static HypervisorNetwork *
need(FakeNetworks *networks, const char *name)
{
    HypervisorNetwork *network = find(networks, name);

    if (!network) {
        network = g_new0(HypervisorNetwork, 1);
        network->name = g_strdup(name);
        g_ptr_array_add(networks->networks, network);
    }
    return network;
}

void
fake_networks_add(FakeNetworks *networks, const char *name, const char *pf)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&networks->lock);
    HypervisorNetwork *network = need(networks, name);
    guint count = network->functions ? g_strv_length(network->functions) : 0;

    network->functions = g_renew(char *, network->functions, count + 2);
    network->functions[count] = g_strdup(pf);
    network->functions[count + 1] = NULL;
}

void
fake_networks_add_bridge(FakeNetworks *networks, const char *name, const char *bridge)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&networks->lock);
    HypervisorNetwork *network = need(networks, name);

    g_free(network->bridge);
    network->bridge = g_strdup(bridge);
}

GPtrArray *
fake_networks_list(FakeNetworks *networks)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&networks->lock);
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)hypervisor_network_free);

    for (guint i = 0; i < networks->networks->len; i++) {
        const HypervisorNetwork *network = networks->networks->pdata[i];
        HypervisorNetwork *copy = g_new0(HypervisorNetwork, 1);

        copy->name = g_strdup(network->name);
        copy->functions = g_strdupv(network->functions);
        copy->bridge = g_strdup(network->bridge);
        g_ptr_array_add(list, copy);
    }
    return list;
}

/* With the lock. */
static void
drop_port(FakeNetworks *networks, const char *name, const char *uuid)
{
    for (guint i = networks->ports->len; i > 0; i--) {
        const NetworkPort *port = networks->ports->pdata[i - 1];
        if ((!name || g_str_equal(port->network, name)) && g_str_equal(port->uuid, uuid))
            g_ptr_array_remove_index(networks->ports, i - 1);
    }
}

GPtrArray *
fake_networks_list_ports(FakeNetworks *networks)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&networks->lock);
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)network_port_free);

    for (guint i = 0; i < networks->ports->len; i++)
        g_ptr_array_add(list, network_port_copy(networks->ports->pdata[i]));
    drop_port(networks, NULL, RIVAL_PORT);
    return list;
}

void
fake_networks_be_quicker(FakeNetworks *networks, unsigned count)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&networks->lock);

    networks->quicker = count;
}

/* With the lock: somebody else asks for the same. */
static void
be_quicker(FakeNetworks *networks, const NetworkPort *port)
{
    const NetworkPort rival = { port->network,   (char *)RIVAL_PORT,
                                (char *)"rival", (char *)"9c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a98",
                                port->mac,       port->function };

    if (networks->quicker == 0)
        return;
    networks->quicker--;
    g_ptr_array_add(networks->ports, network_port_copy(&rival));
}

static gboolean
refuse(const char *name, const char *cause, GError **error)
{
    fault_set(error, FAULT_HYPERVISOR_FAILED, name, NULL, "%s", cause);
    return FALSE;
}

static gboolean
has_function(const HypervisorNetwork *network, const char *function)
{
    const char *const *names = (const char *const *)network->functions;

    return names && (!strchr(names[0], ':') || g_strv_contains(names, function));
}

gboolean
fake_networks_create_port(FakeNetworks *networks, const NetworkPort *port, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&networks->lock);
    const HypervisorNetwork *network = find(networks, port->network);

    if (!network || !has_function(network, port->function))
        return refuse(port->network, "no such network, or it does not have the device", error);
    be_quicker(networks, port);
    for (guint i = 0; i < networks->ports->len; i++) {
        const NetworkPort *other = networks->ports->pdata[i];

        if (g_str_equal(other->network, port->network) &&
            (g_str_equal(other->function, port->function) || g_str_equal(other->uuid, port->uuid)))
            return refuse(port->network, "in use by a different domain", error);
    }
    g_ptr_array_add(networks->ports, network_port_copy(port));
    return TRUE;
}

gboolean
fake_networks_delete_port(FakeNetworks *networks, const char *name, const char *uuid,
                          GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&networks->lock);

    if (!find(networks, name))
        return refuse(name, "no such network", error);
    drop_port(networks, name, uuid);
    return TRUE;
}
