/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks libvirt what checks want to know: of guests, pools and processors. */
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "common/hypervisor_libvirt.h"
#include "common/limits.h"
#include "common/xml_tree.h"

#define POLL_USEC        (100 * G_TIME_SPAN_MILLISECOND) /* libvirt has no event for it */
#define BYTES_PER_MIB    (1ULL << 20)
#define GRACE_SECONDS    2
#define STATUS_PARAMETER "dirtyrate.calc_status"
#define RATE_PARAMETER   "dirtyrate.megabytes_per_second"

static const char *
error_name(int error)
{
    return error == VIR_DOMAIN_DISK_ERROR_NO_SPACE ? "no space" : "input/output error";
}

/* The first of the disks whose requests fail; drivers that cannot tell have none. */
static char *
find_broken_disk(virDomainPtr domain)
{
    virDomainDiskError errors[LIMIT_DISKS] = { 0 };
    int count = virDomainGetDiskErrors(domain, errors, LIMIT_DISKS, 0);
    char *found =
        count > 0 ? g_strdup_printf("%s: %s", errors[0].disk, error_name(errors[0].error)) : NULL;

    for (int i = 0; i < count; i++)
        free(errors[i].disk);
    return found;
}

/* A pull or commit is nowhere in the guest's XML. */
static char *
find_job_disk(virDomainPtr domain, const char *xml)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", NULL);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;

    for (xmlNode *disk = xml_tree_child(xml_tree_child(root, "devices"), "disk"); disk;
         disk = xml_tree_next(disk, "disk")) {
        g_autofree char *target = xml_tree_attribute(xml_tree_child(disk, "target"), "dev");
        virDomainBlockJobInfo info;

        if (target && virDomainGetBlockJobInfo(domain, target, &info, 0) == 1)
            return g_steal_pointer(&target);
    }
    return NULL;
}

static char **
list_messages(virDomainPtr domain)
{
    char **told = NULL;
    int count = virDomainGetMessages(domain, &told, 0);
    char **messages = g_new0(char *, (gsize)MAX(count, 0) + 1);

    for (int i = 0; i < count; i++) {
        messages[i] = g_strdup(told[i]);
        free(told[i]);
    }
    free(told);
    return messages;
}

GuestCondition *
libvirt_inspect_guest(void *self, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);
    g_autoptr(GuestCondition) condition = g_new0(GuestCondition, 1);

    if (!domain)
        return NULL;
    int snapshots = virDomainSnapshotNum(domain, 0);
    char *xml = snapshots < 0 ? NULL : virDomainGetXMLDesc(domain, 0);
    if (!xml) {
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, "condition of the guest", NULL);
        return NULL;
    }
    condition->snapshots = (unsigned)snapshots;
    condition->job_disk = find_job_disk(domain, xml);
    condition->broken_disk = find_broken_disk(domain);
    condition->messages = list_messages(domain);
    free(xml);
    return g_steal_pointer(&condition);
}

char *
libvirt_get_definition(void *self, const char *uuid, gboolean persistent, GError **error)
{
    const unsigned flags = VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_SECURE;
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    if (!domain)
        return NULL;
    char *xml = virDomainGetXMLDesc(domain, flags | (persistent ? VIR_DOMAIN_XML_INACTIVE : 0));
    if (!xml) {
        g_autofree char *object = g_strdup_printf("definition of guest '%s'", uuid);

        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, NULL);
        return NULL;
    }
    char *copy = g_strdup(xml);
    free(xml);
    return copy;
}

/* FALSE: not measured yet, or libvirt cannot tell. */
static gboolean
read_dirty_rate(virDomainPtr domain, guint64 *ret_bytes_per_second)
{
    virDomainPtr domains[] = { domain, NULL };
    virDomainStatsRecordPtr *records = NULL;
    int status = 0;
    long long rate = 0;

    if (virDomainListGetStats(domains, VIR_DOMAIN_STATS_DIRTYRATE, &records, 0) < 1)
        return FALSE;
    gboolean measured =
        virTypedParamsGetInt(records[0]->params, records[0]->nparams, STATUS_PARAMETER, &status) ==
            1 &&
        status == VIR_DOMAIN_DIRTYRATE_MEASURED &&
        virTypedParamsGetLLong(records[0]->params, records[0]->nparams, RATE_PARAMETER, &rate) == 1;
    virDomainStatsRecordListFree(records);
    if (measured)
        *ret_bytes_per_second = (guint64)MAX(rate, 0) * BYTES_PER_MIB;
    return measured;
}

gboolean
libvirt_measure_dirty_rate(void *self, const char *uuid, unsigned seconds,
                           guint64 *ret_bytes_per_second, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);
    gint64 deadline = g_get_monotonic_time() + (seconds + GRACE_SECONDS) * G_TIME_SPAN_SECOND;

    if (!domain)
        return FALSE;
    if (virDomainStartDirtyRateCalc(domain, (int)seconds, 0) < 0) {
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, "dirty rate of the guest", NULL);
        return FALSE;
    }
    g_usleep(seconds * G_USEC_PER_SEC);
    while (!read_dirty_rate(domain, ret_bytes_per_second)) {
        if (g_get_monotonic_time() > deadline) {
            fault_set(error, FAULT_TIMED_OUT, "dirty rate of the guest", NULL,
                      "libvirt did not measure it within %u s", seconds + GRACE_SECONDS);
            return FALSE;
        }
        g_usleep(POLL_USEC);
    }
    return TRUE;
}

/* <mode name='host-model'> of the domain capabilities, made a <cpu>. */
static char *
own_processor(virConnectPtr connection)
{
    char *xml = virConnectGetDomainCapabilities(connection, NULL, NULL, NULL, NULL, 0);
    g_autoptr(xmlDoc) document = xml ? xml_tree_parse(xml, "domain capabilities", NULL) : NULL;
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    char *processor = NULL;

    for (xmlNode *mode = xml_tree_child(xml_tree_child(root, "cpu"), "mode"); mode;
         mode = xml_tree_next(mode, "mode")) {
        if (!xml_tree_attribute_is(mode, "name", "host-model") || !xml_tree_child(mode, "model"))
            continue;
        xmlNodeSetName(mode, (const xmlChar *)"cpu");
        xmlUnsetProp(mode, (const xmlChar *)"name");
        xmlUnsetProp(mode, (const xmlChar *)"supported");
        processor = xml_tree_print(mode);
        break;
    }
    free(xml);
    return processor;
}

static char *
baseline(virConnectPtr connection, const char *const *processors)
{
    unsigned count = g_strv_length((char **)processors);
    char *xml = virConnectBaselineHypervisorCPU(connection, NULL, NULL, NULL, NULL,
                                                (const char **)processors, count,
                                                VIR_CONNECT_BASELINE_CPU_MIGRATABLE);
    char *processor = g_strdup(xml);

    free(xml);
    return processor;
}

char *
libvirt_baseline_processor(void *self, const char *const *processors, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);

    if (!connection)
        return NULL;
    char *processor = processors[0] ? baseline(connection, processors) : own_processor(connection);
    if (!processor)
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, "processors of the hosts", NULL);
    return processor;
}
