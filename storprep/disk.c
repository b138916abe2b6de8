/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the judgement of a guest's disks: first by their definition, then by the image's header. */
#include "storprep/disk.h"

#include "common/fault.h"
#include "storprep/image_header_away.h"
#include "storprep/network_path.h"

void
disk_free(Disk *disk)
{
    if (!disk)
        return;
    g_free(disk->target);
    g_free(disk->path);
    g_free(disk->format);
    g_free(disk->reason);
    g_free(disk);
}

static void
decide(Disk *disk, DiskMigration migration, const char *reason)
{
    disk->migration = migration;
    disk->reason = g_strdup(reason);
}

const char *
disk_shared_file_system(guint64 type)
{
    static const struct {
        guint64 type;
        const char *name;
    } shared[] = {
        { 0x6969, "NFS" },        { 0x01161970, "GFS2" },   { 0x7461636f, "OCFS2" },
        { 0x00c36400, "CephFS" }, { 0xff534d42, "CIFS" },   { 0xfe534d42, "SMB2" },
        { 0x5346414f, "AFS" },    { 0x47504653, "GPFS" },   { 0x61636673, "ACFS" },
        { 0x19830326, "BeeGFS" }, { 0x0bd00bd0, "Lustre" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(shared); i++) {
        if (shared[i].type == type)
            return shared[i].name;
    }
    return NULL;
}

static gboolean
is_removable(const DomainDisk *definition)
{
    return g_str_equal(definition->device, "cdrom") || g_str_equal(definition->device, "floppy");
}

/* What the definition alone decides; FALSE if the image must be asked. */
static gboolean
judge_definition(Disk *disk, const DomainDisk *definition)
{
    if (!definition->source)
        decide(disk, DISK_NONE, "it is empty");
    else if (definition->transient)
        decide(disk, DISK_IMPOSSIBLE, "it is transient: remove <transient/> and restart the guest");
    else if (definition->shareable)
        decide(disk, DISK_IMPOSSIBLE,
               "it is shared with other guests: detach it, or put it on shared storage");
    else if (g_str_equal(definition->type, "network"))
        decide(disk, DISK_NONE, "it is network storage: the destination must be able to reach it");
    else if (definition->read_only || is_removable(definition))
        decide(disk, DISK_NONE,
               "it is read-only: the destination must have the same content at the same path; "
               "else eject or detach it");
    else if (g_str_equal(definition->type, "block"))
        decide(disk, DISK_IMPOSSIBLE, "it is a block device: move its content into an image file");
    else if (!g_str_equal(definition->type, "file"))
        decide(disk, DISK_IMPOSSIBLE,
               "its type is neither file nor network: name its file instead");
    else if (!g_str_equal(definition->device, "disk"))
        decide(disk, DISK_IMPOSSIBLE, "it is not a plain disk: define it with device='disk'");
    else
        return FALSE;
    return TRUE;
}

/* What a copy of the image would lose. */
static const char *
find_obstacle(const ImageHeader *header)
{
    if (header->corrupt)
        return "the image is marked corrupt: repair it with 'qemu-img check -r all' while the "
               "guest is off";
    if (header->encrypted)
        return "the image is encrypted: convert it to an unencrypted one";
    if (header->has_backing)
        return "the image has a backing file, which a copy would not have: merge it with "
               "'virsh blockpull --wait'";
    if (header->has_data_file)
        return "the image keeps its data in an external file: convert it to a plain qcow2 image";
    if (header->snapshots)
        return "the image has internal snapshots, which a copy would lose: delete them with "
               "'virsh snapshot-delete'";
    if (header->unknown_features)
        return "the image has features that are not known here: convert it to a plain qcow2 image";
    return NULL;
}

/* Nobody waits for a server that is gone: not this thread, and so not the daemon. */
static gboolean
read_header(const char *path, ImageFormat format, ImageHeader *ret_header, GError **error)
{
    return network_path_is(path, NULL) ? image_header_read_away(path, format, ret_header, error)
                                       : image_header_read(path, format, ret_header, error);
}

static void
judge_header(Disk *disk, gboolean has_backing)
{
    g_autoptr(GError) error = NULL;
    ImageHeader header;
    ImageFormat format;
    const char *obstacle;

    if (!image_format_from_name(disk->format, &format)) {
        decide(disk, DISK_IMPOSSIBLE, "its format is neither qcow2 nor raw: convert the image");
        return;
    }
    if (!read_header(disk->path, format, &header, &error)) {
        g_autofree char *reason =
            g_strdup_printf("%s; %s", fault_cause(error), fault_remedy(error));

        decide(disk, DISK_IMPOSSIBLE, reason);
        return;
    }
    disk->has_shape = TRUE;
    disk->shape = header.shape;
    header.has_backing |= has_backing;
    obstacle = find_obstacle(&header);
    decide(disk, obstacle ? DISK_IMPOSSIBLE : DISK_COPY, obstacle);
}

Disk *
disk_plan(const DomainDisk *definition)
{
    Disk *disk = g_new0(Disk, 1);

    disk->target = g_strdup(definition->target);
    disk->path = g_strdup(definition->source);
    disk->format = g_strdup(definition->format);
    if (judge_definition(disk, definition))
        return disk;
    disk->provable = TRUE;
    if (definition->encrypted)
        decide(disk, DISK_IMPOSSIBLE, "it is encrypted: convert it to an unencrypted image");
    else
        judge_header(disk, definition->has_backing);
    return disk;
}

GPtrArray *
disk_plan_all(const DomainXml *domain)
{
    GPtrArray *disks = g_ptr_array_new_with_free_func((GDestroyNotify)disk_free);

    for (guint i = 0; i < domain->disks->len; i++)
        g_ptr_array_add(disks, disk_plan(domain->disks->pdata[i]));
    return disks;
}

static const char *
migration_name(DiskMigration migration)
{
    switch (migration) {
    case DISK_COPY:
        return "copy";
    case DISK_NONE:
        return "none";
    case DISK_IMPOSSIBLE:
        return "impossible";
    }
    g_return_val_if_reached("impossible");
}

static void
add_shape(json_t *record, const ImageShape *shape)
{
    json_object_set_new(record, "virtualSizeBytes",
                        json_integer((json_int_t)shape->virtual_size_bytes));
    if (shape->format == IMAGE_FORMAT_RAW)
        return;
    json_object_set_new(record, "clusterSizeBytes", json_integer(shape->cluster_size_bytes));
    json_object_set_new(record, "compat", json_string(image_shape_compat(shape)));
    json_object_set_new(record, "extendedL2", json_boolean(shape->extended_l2));
    json_object_set_new(record, "lazyRefcounts", json_boolean(shape->lazy_refcounts));
    json_object_set_new(record, "refcountBits", json_integer(shape->refcount_bits));
}

json_t *
disk_to_json(const Disk *disk)
{
    json_t *record =
        json_pack("{s:s, s:s, s:s, s:b}", "target", disk->target, "format", disk->format,
                  "migration", migration_name(disk->migration), "provable", disk->provable);

    if (disk->path)
        json_object_set_new(record, "path", json_string(disk->path));
    if (disk->reason)
        json_object_set_new(record, "reason", json_string(disk->reason));
    if (disk->has_shape)
        add_shape(record, &disk->shape);
    return record;
}
