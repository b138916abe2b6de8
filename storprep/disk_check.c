/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at the images of a guest; the only group that touches storage at the source. */
#include "storprep/disk_check.h"

#include <string.h>

#include "common/fault.h"
#include "storprep/disk.h"

typedef struct {
    CheckSubject *subject;
    const char *label;
    DomainXml *domain;
    GPtrArray *disks; /* of Disk *, as in the domain */
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    domain_xml_free(context->domain);
    g_clear_pointer(&context->disks, g_ptr_array_unref);
    check_subject_unref(context->subject);
    g_free(context);
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;
    const Guest *guest = NULL;
    CheckReadiness readiness = check_subject_images(context->subject, &guest, error);

    if (readiness != CHECK_READY)
        return readiness;
    context->domain = domain_xml_parse(guest->xml, error);
    if (context->domain)
        context->disks = disk_plan_guest(guest, check_subject_hypervisor(context->subject), error);
    return context->disks ? CHECK_READY : CHECK_HINDERED;
}

static char *
disk_label(const Context *context, const DomainDisk *disk)
{
    return g_strdup_printf("disk %s of %s", disk->target, context->label);
}

/* A reason is "what is wrong: what helps". */
static void
judge_disk(const Disk *disk, const char *label, CheckReport *report)
{
    switch (disk->migration) {
    case DISK_COPY:
        check_pass(report, label, "is copied: %s", disk->path);
        break;
    case DISK_NONE:
        check_pass(report, label, "is not copied: %s", disk->reason);
        break;
    case DISK_IMPOSSIBLE: {
        g_auto(GStrv) parts = g_strsplit(disk->reason, ": ", 2);

        check_fail_advised(report, label, parts[1] ? parts[1] : "", "%s", parts[0]);
        break;
    }
    }
}

static void
tell(void *data, CheckReport *report)
{
    const Context *context = data;
    json_t *records = json_array();

    for (guint i = 0; i < context->disks->len; i++)
        json_array_append_new(records, disk_to_json(context->disks->pdata[i]));
    check_fact(report, "disks", records);
}

static void
check_movable(void *data, CheckReport *report)
{
    const Context *context = data;

    for (guint i = 0; i < context->disks->len; i++) {
        g_autofree char *label = disk_label(context, context->domain->disks->pdata[i]);

        judge_disk(context->disks->pdata[i], label, report);
    }
}

/* What its header says was read when the disk was judged. */
static void
judge_format(const DomainDisk *definition, const Disk *disk, const char *label, CheckReport *report)
{
    ImageFormat known;

    if (!image_format_from_name(disk->format, &known))
        return;
    if (disk->has_shape && g_strcmp0(disk->header, disk->format) != 0)
        check_fail(report, label, NULL, "declared as %s, but %s begins like a %s image",
                   disk->format, disk->path, disk->header);
    else if (disk->has_shape)
        check_pass(report, label, "%s is a %s image, as declared", disk->path, disk->format);
    else if (disk->provable && !definition->encrypted)
        check_fail(report, label, NULL, "declared as %s, but %s", disk->format, disk->reason);
}

static void
check_format(void *data, CheckReport *report)
{
    const Context *context = data;

    for (guint i = 0; i < context->disks->len; i++) {
        const DomainDisk *disk = context->domain->disks->pdata[i];
        g_autofree char *label = disk_label(context, disk);

        judge_format(disk, context->disks->pdata[i], label, report);
    }
}

/* A disk that stays where it is and is written by both hosts, one after the other. Ceph hands its
 * caches over by itself. */
static gboolean
is_shared(const DomainDisk *definition, const Disk *disk)
{
    return disk->migration == DISK_NONE && definition->source && !definition->read_only &&
           !g_str_equal(definition->device, "cdrom") &&
           !g_str_equal(definition->device, "floppy") &&
           !g_str_has_prefix(definition->source, "rbd:");
}

static void
check_cache(void *data, CheckReport *report)
{
    const Context *context = data;

    for (guint i = 0; i < context->disks->len; i++) {
        const DomainDisk *disk = context->domain->disks->pdata[i];
        g_autofree char *label = disk_label(context, disk);

        if (!is_shared(disk, context->disks->pdata[i]))
            continue;
        if (g_strcmp0(disk->cache, "none") == 0 || g_strcmp0(disk->cache, "directsync") == 0)
            check_pass(report, label, "cache mode is %s", disk->cache);
        else
            check_fail(report, label, NULL,
                       "cache mode is %s: the destination may read what the source still holds "
                       "back",
                       disk->cache ? disk->cache : "the default");
    }
}

CheckGroup
disk_check(CheckSubject *subject)
{
    static const Check list[] = { { "storage.disks-movable", check_movable },
                                  { "storage.format-matches", check_format },
                                  { "storage.cache-mode", check_cache },
                                  { 0 } };
    Context *context = g_new0(Context, 1);

    context->subject = check_subject_ref(subject);
    context->label = check_subject_label(subject);
    return (CheckGroup) { .object = context->label,
                          .checks = list,
                          .prepare = prepare,
                          .tell = tell,
                          .context = context,
                          .free_context = context_free };
}
