/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Migration through libvirt: start, progress, abort. */
#include "common/hypervisor_libvirt.h"

#include <libvirt/virterror.h>

#include "common/libvirt_request.h"

gboolean
libvirt_migrate(void *self, const char *uuid, const MigrationRequest *request, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);
    g_auto(LibvirtParameters) parameters = { 0 };

    if (!domain)
        return FALSE;
    /* Before the call: asking for the name would clear libvirt's error. */
    g_autofree char *object = g_strdup_printf("migration of guest '%s' to %s",
                                              virDomainGetName(domain), request->destination_uri);
    gboolean migrated =
        libvirt_request_parameters(request, &parameters) &&
        (!request->maximum_downtime_msec || request->mode == MIGRATION_OFFLINE ||
         virDomainMigrateSetMaxDowntime(domain, request->maximum_downtime_msec, 0) == 0) &&
        virDomainMigrateToURI3(domain, request->destination_uri, parameters.list,
                               (unsigned)parameters.count, libvirt_request_flags(request)) == 0;
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

/* The only figure that is an int. */
static guint64
throttle(virTypedParameterPtr list, int count)
{
    int value = 0;

    return virTypedParamsGetInt(list, count, VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE, &value) == 1
               ? (guint64)MAX(value, 0)
               : 0;
}

gboolean
libvirt_get_progress(void *self, const char *uuid, MigrationProgress *ret_progress, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);
    g_auto(LibvirtParameters) stats = { 0 };
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
        .iteration = number(list, count, VIR_DOMAIN_JOB_MEMORY_ITERATION),
        .throttle_percent = throttle(list, count),
    };
    return TRUE;
}

/* The end of a request about a guest's job: what libvirt said of it. */
static gboolean
finish(int result, const char *uuid, GError **error)
{
    if (result == 0)
        return TRUE;
    g_autofree char *object = g_strdup_printf("job of guest '%s'", uuid);
    libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, NULL);
    return FALSE;
}

gboolean
libvirt_abort_job(void *self, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    return domain && finish(virDomainAbortJob(domain), uuid, error);
}

gboolean
libvirt_start_post_copy(void *self, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    return domain && finish(virDomainMigrateStartPostCopy(domain, 0), uuid, error);
}

gboolean
libvirt_suspend(void *self, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    return domain && finish(virDomainSuspend(domain), uuid, error);
}
