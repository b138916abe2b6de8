/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's passthrough vNIC: what another host needs to know to give it an equal one. */
#pragma once

#include "common/vnic_shape.h"
#include "netprep/function_inventory.h"
#include "netprep/guest_view.h"
#include "netprep/physical_network.h"

typedef enum { /* see vnic_path.h */
               VNIC_PATH_BOND,
               VNIC_PATH_TEAMING,
               VNIC_PATH_NATIVE,
               VNIC_PATH_VIRTIO_ONLY,
} VnicPath;

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
    char *teaming; /* alias of the VirtIO vNIC that it is teamed with; NULL: none */
    VnicPath path;
    char *path_reason;        /* for people; not read back from JSON */
    VnicShape *configuration; /* how the guest's configuration has it; NULL: not at all */
} Vnic;

void vnic_free(Vnic *vnic);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vnic, vnic_free)

/*
 * The vNICs of a guest: its passthrough devices that are VFs of this host, with the settings that
 * their PFs keep. bond and backup are left out. GPtrArray of Vnic *. FAULT_LIMIT_EXCEEDED beyond
 * LIMIT_VNICS, FAULT_FUNCTION_FAILED if settings cannot be read. Blocks.
 */
GPtrArray *vnics_describe(const NetworkHost *host, const GuestView *view, GError **error);

/* The device of @config (may be NULL) that is @vnic, where that uses @function; NULL if none is.
 * Borrowed. */
const DomainPassthrough *vnic_find_configured(const DomainXml *config, const Vnic *vnic,
                                              const char *function);

/* "virtual NIC hostdev0 (0000:01:10.2)", as errors name it. */
char *vnic_label(const Vnic *vnic);

/* As the type Path calls it. Static. */
const char *vnic_path_name(VnicPath path);

/* To and from the type Vnic. from_json checks what the interface description cannot:
 * FAULT_INVALID_ARGUMENT for addresses, names and numbers that cannot be. */
json_t *vnic_to_json(const Vnic *vnic);
Vnic *vnic_from_json(const json_t *object, GError **error);
/* An array of them. */
json_t *vnics_to_json(const GPtrArray *vnics);
GPtrArray *vnics_from_json(const json_t *array, GError **error);
