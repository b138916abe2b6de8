/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells the elements of <devices> that are vNICs apart. */
#pragma once

#include "common/domain_xml.h"
#include "common/xml_tree.h"

/*
 * A PCI passthrough device. <interface type='network'> counts when it has a host address, is the
 * transient half of a team, or has no model: libvirt gives every interface a model but those whose
 * network passes functions through.
 */
gboolean vnic_element_is_passthrough(const xmlNode *element, VnicForm *ret_form);
gboolean vnic_element_is_virtio(const xmlNode *element);
