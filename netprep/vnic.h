/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's passthrough vNIC: what another host needs to know to give it an equal one. */
#pragma once

#include "netprep/function_inventory.h"
#include "netprep/guest_view.h"
#include "netprep/physical_network.h"

typedef struct {
    char *alias;
    char *function;
    VnicForm form;
    char *guest_address;
    char *guest_path;
    char *mac;
    char *physical_network;
    FunctionSettings settings;
    char *bond; /* inside the guest, as it reports it */
    char *backup;
    gboolean persistent; /* the guest's configuration has it too */
} Vnic;

void vnic_free(Vnic *vnic);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vnic, vnic_free)

/*
 * The vNICs of a guest: its passthrough devices that are VFs of this host, with the settings that
 * their PFs keep. bond and backup are left out. GPtrArray of Vnic *. FAULT_LIMIT_EXCEEDED beyond
 * LIMIT_VNICS, FAULT_FUNCTION_FAILED if settings cannot be read. Blocks.
 */
GPtrArray *vnics_describe(const NetworkHost *host, const GuestView *view, GError **error);

/* "virtual NIC hostdev0 (0000:01:10.2)", as errors name it. */
char *vnic_label(const Vnic *vnic);

/* To and from the type Vnic. from_json checks what the interface description cannot:
 * FAULT_INVALID_ARGUMENT for addresses, names and numbers that cannot be. */
json_t *vnic_to_json(const Vnic *vnic);
Vnic *vnic_from_json(const json_t *object, GError **error);
/* An array of them. */
json_t *vnics_to_json(const GPtrArray *vnics);
GPtrArray *vnics_from_json(const json_t *array, GError **error);
