/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the facts about images. */
#include "storprep/image_check.h"

#include "common/domain_servers.h"
#include "storprep/disk.h"
#include "storprep/image_identity.h"
#include "storprep/sector_size.h"

typedef struct {
    const StorageChecks *checks; /* borrowed */
    CheckSubject *subject;
    GPtrArray *disks;   /* of Disk * */
    GPtrArray *servers; /* of DomainServer * */
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    g_clear_pointer(&context->disks, g_ptr_array_unref);
    g_clear_pointer(&context->servers, g_ptr_array_unref);
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
    g_autoptr(DomainXml) domain = domain_xml_parse(guest->xml, error);
    context->servers = domain ? domain_servers_parse(guest->xml, error) : NULL;
    if (!context->servers)
        return CHECK_HINDERED;
    context->disks = disk_plan_all(domain, context->checks->hypervisor);
    return CHECK_READY;
}

/* Whether an image of the guest lies in @pool. */
static gboolean
is_used(const Context *context, const StoragePool *pool)
{
    for (guint i = 0; pool->path && i < context->disks->len; i++) {
        const Disk *disk = context->disks->pdata[i];
        g_autofree char *directory = disk->path ? g_path_get_dirname(disk->path) : NULL;

        if (g_strcmp0(directory, pool->path) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
tell_pools(const Context *context, CheckReport *report)
{
    g_autoptr(GPtrArray) pools = hypervisor_list_pools(context->checks->hypervisor, NULL);
    json_t *used = json_array();

    if (!pools) {
        json_decref(used);
        return;
    }
    for (guint i = 0; i < pools->len; i++) {
        const StoragePool *pool = pools->pdata[i];

        if (is_used(context, pool))
            json_array_append_new(used,
                                  json_pack("{s:s, s:s}", "name", pool->name, "path", pool->path));
    }
    check_fact(report, "pools", used);
}

static void
tell_servers(const Context *context, CheckReport *report)
{
    json_t *servers = json_array();

    for (guint i = 0; i < context->servers->len; i++) {
        const DomainServer *server = context->servers->pdata[i];

        json_array_append_new(servers, json_pack("{s:s, s:s, s:s, s:i}", "disk", server->disk,
                                                 "protocol", server->protocol, "host", server->host,
                                                 "port", (int)server->port));
    }
    check_fact(report, "servers", servers);
}

static void
tell_sectors(const Context *context, CheckReport *report)
{
    json_t *sectors = json_array();

    for (guint i = 0; i < context->disks->len; i++) {
        const Disk *disk = context->disks->pdata[i];
        unsigned bytes = disk->provable ? sector_size_find(context->checks->root, disk->path) : 0;

        if (bytes)
            json_array_append_new(sectors,
                                  json_pack("{s:s, s:i}", "path", disk->path, "bytes", (int)bytes));
    }
    check_fact(report, "sectors", sectors);
}

/* An image that cannot be identified is not told of: nobody takes another file for it. */
static void
tell(void *data, CheckReport *report)
{
    const Context *context = data;
    json_t *images = json_array();

    for (guint i = 0; i < context->disks->len; i++) {
        const Disk *disk = context->disks->pdata[i];
        json_auto_t *path = disk->provable ? json_pack("[s]", disk->path) : NULL;
        json_auto_t *found =
            path ? image_identity_list(path, context->checks->directories, NULL) : NULL;

        if (found)
            json_array_extend(images, found);
    }
    check_fact(report, "images", images);
    tell_pools(context, report);
    tell_servers(context, report);
    tell_sectors(context, report);
}

CheckGroup
image_check(const StorageChecks *checks, CheckSubject *subject)
{
    static const Check none[] = { { 0 } };
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    context->subject = check_subject_ref(subject);
    return (CheckGroup) { .object = check_subject_label(subject),
                          .checks = none,
                          .prepare = prepare,
                          .tell = tell,
                          .context = context,
                          .free_context = context_free };
}
