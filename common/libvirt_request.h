/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A MigrationRequest in libvirt's words: flags and typed parameters. Pure. */
#pragma once

#include <libvirt/libvirt.h>

#include "common/hypervisor.h"

typedef struct {
    virTypedParameterPtr list;
    int count, capacity;
} LibvirtParameters;

void libvirt_parameters_clear(LibvirtParameters *parameters);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LibvirtParameters, libvirt_parameters_clear)

/* Flags for virDomainMigrateToURI3(): always peer to peer, as libvirt's own daemons finish the move
 * should this process die. */
unsigned libvirt_request_flags(const MigrationRequest *request);
/* Fills @parameters, which must be empty. FALSE with libvirt's error set. */
gboolean libvirt_request_parameters(const MigrationRequest *request, LibvirtParameters *parameters);
