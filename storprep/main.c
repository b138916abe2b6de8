/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storprepd: prepares disks for live migrations and hands the migrations to libvirt. */
#include "common/daemon.h"
#include "storprep/storage_service.h"

static void *
start(VarlinkServer *server, const Config *config, const char *state_path,
      const char *hypervisor_uri, GError **error)
{
    g_autoptr(LeaseStore) store = lease_store_open(state_path, error);

    g_autofree char *directory = g_path_get_dirname(state_path);
    g_autofree char *sockets = g_build_filename(directory, "sockets", NULL);

    if (!store)
        return NULL;
    return storage_service_new(server, config, g_steal_pointer(&store),
                               hypervisor_new_libvirt(hypervisor_uri, config->return_seconds),
                               sockets, error);
}

static void
stop(void *self)
{
    storage_service_free(self);
}

int
main(int argc, char **argv)
{
    static const Daemon daemon = {
        .name = "storprepd",
        .summary = "prepares disks for live migrations and hands the migrations to libvirt",
        .socket_path = "/run/storprep/io.migprep.Storage",
        .state_path = "/var/lib/storprep/leases.db",
        .start = start,
        .stop = stop,
    };

    return daemon_main(&daemon, argc, argv);
}
