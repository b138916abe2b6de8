/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface io.migprep.Storage: what its methods do, and what they need for it. */
#pragma once

#include "common/config.h"
#include "common/hypervisor.h"
#include "common/lease_store.h"
#include "common/varlink_server.h"

typedef struct StorageService StorageService;

/*
 * Adds the interface to @server and starts to look after leases. @store and @hypervisor are taken
 * over, even on failure. Main thread.
 */
StorageService *storage_service_new(VarlinkServer *server, const Config *config, LeaseStore *store,
                                    Hypervisor *hypervisor, const char *socket_directory,
                                    GError **error);
/* The server must be gone or serve no method any more. Migrations under way go on without us. */
void storage_service_free(StorageService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StorageService, storage_service_free)
