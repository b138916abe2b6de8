/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Migration through libvirt: start, progress, abort. */
#include "common/hypervisor_libvirt.h"

#include <libvirt/virterror.h>

typedef struct {
    virTypedParameterPtr list;
    int count, capacity;
} Parameters;

static void
parameters_clear(Parameters *parameters)
{
    virTypedParamsFree(parameters->list, parameters->count);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parameters, parameters_clear)

static gboolean
add_string(Parameters *parameters, const char *name, const char *value)
{
    return !value || virTypedParamsAddString(&parameters->list, &parameters->count,
                                             &parameters->capacity, name, value) == 0;
}

static gboolean
build_parameters(const MigrationRequest *request, Parameters *parameters)
{
    for (gsize i = 0; request->copy_disks && request->copy_disks[i]; i++)
        if (!add_string(parameters, VIR_MIGRATE_PARAM_MIGRATE_DISKS, request->copy_disks[i]))
            return FALSE;
    if (request->bandwidth_mebibytes &&
        virTypedParamsAddULLong(&parameters->list, &parameters->count, &parameters->capacity,
                                VIR_MIGRATE_PARAM_BANDWIDTH, request->bandwidth_mebibytes) < 0)
        return FALSE;
    return add_string(parameters, VIR_MIGRATE_PARAM_DEST_XML, request->destination_xml) &&
           add_string(parameters, VIR_MIGRATE_PARAM_PERSIST_XML, request->persistent_xml);
}

static unsigned
flags_of(const MigrationRequest *request)
{
    gboolean copies = request->copy_disks && request->copy_disks[0];

    /* Peer to peer: libvirt's own daemons finish the move should this process die. */
    return VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | (copies ? VIR_MIGRATE_NON_SHARED_DISK : 0U) |
           (request->persist ? VIR_MIGRATE_PERSIST_DEST : 0U) |
           (request->undefine_source ? VIR_MIGRATE_UNDEFINE_SOURCE : 0U) |
           (request->auto_converge ? VIR_MIGRATE_AUTO_CONVERGE : 0U);
}

gboolean
libvirt_migrate(void *self, const char *uuid, const MigrationRequest *request, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);
    g_auto(Parameters) parameters = { 0 };

    if (!domain)
        return FALSE;
    /* Before the call: asking for the name would clear libvirt's error. */
    g_autofree char *object = g_strdup_printf("migration of guest '%s' to %s",
                                              virDomainGetName(domain), request->destination_uri);
    gboolean migrated =
        build_parameters(request, &parameters) &&
        (!request->maximum_downtime_msec ||
         virDomainMigrateSetMaxDowntime(domain, request->maximum_downtime_msec, 0) == 0) &&
        virDomainMigrateToURI3(domain, request->destination_uri, parameters.list,
                               (unsigned)parameters.count, flags_of(request)) == 0;
    if (migrated)
        return TRUE;
    const virError *last = virGetLastError();
    if (last && last->code == VIR_ERR_OPERATION_ABORTED)
        fault_set(error, FAULT_CANCELLED, object, NULL, "%s", last->message);
    else
        libvirt_set_fault(error, FAULT_MIGRATION_FAILED, object,
                          "look at /var/log/libvirt/qemu on both hosts");
    return FALSE;
}

static guint64
number(virTypedParameterPtr list, int count, const char *name)
{
    unsigned long long value = 0;

    return virTypedParamsGetULLong(list, count, name, &value) == 1 ? value : 0;
}

gboolean
libvirt_get_progress(void *self, const char *uuid, MigrationProgress *ret_progress, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);
    g_auto(Parameters) stats = { 0 };
    int type = VIR_DOMAIN_JOB_NONE;

    if (!domain)
        return FALSE;
    if (virDomainGetJobStats(domain, &type, &stats.list, &stats.count, 0) < 0) {
        g_autofree char *object = g_strdup_printf("migration of guest '%s'", uuid);
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, NULL);
        return FALSE;
    }
    virTypedParameterPtr list = stats.list;
    int count = stats.count;
    *ret_progress = (MigrationProgress) {
        .active = type == VIR_DOMAIN_JOB_BOUNDED || type == VIR_DOMAIN_JOB_UNBOUNDED,
        .memory_total_bytes = number(list, count, VIR_DOMAIN_JOB_MEMORY_TOTAL),
        .memory_remaining_bytes = number(list, count, VIR_DOMAIN_JOB_MEMORY_REMAINING),
        .disk_total_bytes = number(list, count, VIR_DOMAIN_JOB_DISK_TOTAL),
        .disk_remaining_bytes = number(list, count, VIR_DOMAIN_JOB_DISK_REMAINING),
        .rate_bytes_per_second = number(list, count, VIR_DOMAIN_JOB_MEMORY_BPS) +
                                 number(list, count, VIR_DOMAIN_JOB_DISK_BPS),
        .dirty_rate_bytes_per_second = number(list, count, VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE) *
                                       number(list, count, VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE),
        .downtime_msec = number(list, count, VIR_DOMAIN_JOB_DOWNTIME),
        .elapsed_msec = number(list, count, VIR_DOMAIN_JOB_TIME_ELAPSED),
    };
    return TRUE;
}

gboolean
libvirt_abort_job(void *self, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    if (!domain)
        return FALSE;
    if (virDomainAbortJob(domain) == 0)
        return TRUE;
    g_autofree char *object = g_strdup_printf("job of guest '%s'", uuid);
    libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, NULL);
    return FALSE;
}
