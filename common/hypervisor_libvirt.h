/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to libvirt, shared by the files that implement HypervisorOps with it. */
#pragma once

#include <libvirt/libvirt.h>

#include "common/fault.h"
#include "common/hypervisor.h"

typedef struct LibvirtLink LibvirtLink;

/* Connects to @uri in a thread of its own, and again whenever the connection is lost. */
LibvirtLink *libvirt_link_new(const char *uri, unsigned return_seconds);
void libvirt_link_free(LibvirtLink *link);
/* Where events go; set before the first can come, on the thread of the main loop. */
void libvirt_link_set_hypervisor(LibvirtLink *link, Hypervisor *hypervisor);

/* What libvirt's lifecycle @event with @detail (virDomainEventType and its details) means here;
 * FALSE if it means nothing. Pure. */
gboolean libvirt_event_of_lifecycle(int event, int detail, HypervisorEventType *ret_type);

/* A reference to the connection. Blocks while there is none, but only until libvirt has been away
 * for the link's seconds: then, and until it is back, FAULT_HYPERVISOR_UNAVAILABLE. */
virConnectPtr libvirt_link_acquire(LibvirtLink *link, GError **error);

/* Turns libvirt's last error on this thread into a Fault about @object: @code, unless libvirt says
 * something more precise (no such guest, connection lost, agent silent, guest busy). */
void libvirt_set_fault(GError **error, FaultCode code, const char *object, const char *remedy);

/* The guest by UUID or name, with its connection's reference held by the domain itself. */
virDomainPtr libvirt_find_guest(LibvirtLink *link, const char *guest, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virConnect, virConnectClose)

/* Operations of HypervisorOps in their own file: see there. */
gboolean libvirt_migrate(void *self, const char *uuid, const MigrationRequest *request,
                         GError **error);
gboolean libvirt_get_progress(void *self, const char *uuid, MigrationProgress *ret_progress,
                              GError **error);
GPtrArray *libvirt_list_network_ports(void *self, GError **error);
gboolean libvirt_create_network_port(void *self, const NetworkPort *port, GError **error);
gboolean libvirt_delete_network_port(void *self, const char *name, const char *uuid,
                                     GError **error);
gboolean libvirt_create_pool(void *self, const StoragePool *pool, GError **error);
gboolean libvirt_destroy_pool(void *self, const char *name, GError **error);
char *libvirt_find_volume(void *self, const char *pool, const char *volume, GError **error);
gboolean libvirt_refresh_pool(void *self, const char *name, GError **error);
gboolean libvirt_abort_job(void *self, const char *uuid, GError **error);
gboolean libvirt_start_post_copy(void *self, const char *uuid, GError **error);
gboolean libvirt_save(void *self, const char *uuid, GError **error);
gboolean libvirt_shut_down(void *self, const char *uuid, GError **error);
gboolean libvirt_start(void *self, const char *uuid, GError **error);
gboolean libvirt_suspend(void *self, const char *uuid, GError **error);
HypervisorHost *libvirt_get_host(void *self, GError **error);
gboolean libvirt_compare_processor(void *self, const HypervisorMachine *machine, const char *xml,
                                   char **ret_obstacle, GError **error);
GuestCondition *libvirt_inspect_guest(void *self, const char *uuid, GError **error);
char *libvirt_get_definition(void *self, const char *uuid, gboolean persistent, GError **error);
GPtrArray *libvirt_list_pools(void *self, GError **error);
gboolean libvirt_measure_dirty_rate(void *self, const char *uuid, unsigned seconds,
                                    guint64 *ret_bytes_per_second, GError **error);
char *libvirt_baseline_processor(void *self, const char *const *processors, GError **error);
