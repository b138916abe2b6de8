/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes vNICs for libvirt. */
#include "netprep/vnic_device.h"

static void
set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

char *
vnic_device_live(const Vnic *vnic, const char *function, GError **error)
{
    g_autoptr(VnicShape) shape =
        vnic->configuration ? vnic_shape_copy(vnic->configuration) : g_new0(VnicShape, 1);
    gboolean team = vnic->path == VNIC_PATH_TEAMING;

    shape->form = team ? VNIC_FORM_INTERFACE : VNIC_FORM_HOSTDEV;
    shape->vlan = vnic->settings.vlan;
    set_text(&shape->mac, vnic->mac);
    set_text(&shape->teaming, vnic->teaming);
    set_text(&shape->alias, vnic->alias);
    set_text(&shape->guest_address, vnic->guest_address);
    return vnic_shape_build(shape, function, error);
}

static gboolean
has_pool(const GPtrArray *networks, const char *name)
{
    for (guint i = 0; i < networks->len; i++) {
        const HypervisorNetwork *network = networks->pdata[i];

        if (network->functions && g_str_equal(network->name, name))
            return TRUE;
    }
    return FALSE;
}

char *
vnic_device_config(const Vnic *vnic, const char *function, const GPtrArray *networks,
                   GError **error)
{
    g_autoptr(VnicShape) shape = vnic_shape_copy(vnic->configuration);

    if (shape->form == VNIC_FORM_NETWORK && !has_pool(networks, shape->network))
        shape->form = VNIC_FORM_INTERFACE;
    if (!shape->guest_address)
        shape->guest_address = g_strdup(vnic->guest_address);
    return vnic_shape_build(shape, function, error);
}
