/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a passthrough vNIC is written in a domain's XML: what of it means the same on every host. */
#pragma once

#include "common/domain_xml.h"

/*
 * What is not here is left out on purpose: it is the host's (the VF's address, the driver, the
 * network port) or libvirt's own (aliases that it gave). A device that is written from a shape is
 * always managed, because libvirt must bind a VF that nobody on the new host has prepared.
 */
typedef struct {
    VnicForm form;
    char *alias;         /* the administrator's, "ua-..."; NULL: none */
    char *mac;           /* NULL for VNIC_FORM_HOSTDEV */
    char *network;       /* libvirt network; only of VNIC_FORM_NETWORK */
    char *port_group;    /* NULL: the network's default */
    char *teaming;       /* alias of the VirtIO vNIC whose transient half it is; NULL: none */
    char *guest_address; /* NULL: libvirt chooses */
    unsigned vlan;       /* 1-4094; 0: none */
    unsigned boot_order; /* 0: none */
    unsigned index;      /* <acpi index>, 0: none */
    gboolean rom_off;    /* <rom bar='off'/> */
} VnicShape;

#define VNIC_SHAPE_INDEX_MAX 16383 /* QEMU's ACPI_INDEX_MAX */

/* Reads one <hostdev> or <interface> element. FAULT_HYPERVISOR_FAILED if it is neither. Pure. */
VnicShape *vnic_shape_parse(const char *xml, GError **error);
VnicShape *vnic_shape_copy(const VnicShape *shape); /* NULL for NULL */
void vnic_shape_free(VnicShape *shape);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VnicShape, vnic_shape_free)

/*
 * Writes the element for the host's VF @function ("0000:01:10.2"), which VNIC_FORM_NETWORK leaves
 * to libvirt. FAULT_INVALID_ARGUMENT for addresses that cannot be. Owned by the caller. Pure.
 */
char *vnic_shape_build(const VnicShape *shape, const char *function, GError **error);
