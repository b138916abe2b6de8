/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the judgement of a guest's disks: first by their definition, then by the image's header. */
#include "storprep/disk.h"

#include <string.h>

#include "common/fault.h"
#include "storprep/image_header_away.h"
#include "storprep/network_path.h"
#include "storprep/pool_volume.h"

void
disk_free(Disk *disk)
{
    if (!disk)
        return;
    g_free(disk->target);
    g_free(disk->path);
    g_free(disk->pool);
    g_free(disk->format);
    g_free(disk->cache);
    g_free(disk->protocol);
    json_decref(disk->backing);
    g_free(disk->reason);
    g_free(disk);
}

static void
decide(Disk *disk, DiskMigration migration, const char *reason)
{
    disk->migration = migration;
    disk->reason = g_strdup(reason);
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
    else if (disk->storage == DISK_ON_NETWORK)
        decide(disk, DISK_NONE, "it is network storage: the destination must be able to reach it");
    else if (definition->read_only || is_removable(definition))
        decide(disk, DISK_NONE,
               "it is read-only: the destination must have the same content at the same path; "
               "else eject or detach it");
    else if (disk->storage == DISK_ON_BLOCK)
        decide(disk, DISK_IMPOSSIBLE, "it is a block device: move its content into an image file");
    else if (disk->storage != DISK_ON_FILE && disk->storage != DISK_ON_VOLUME)
        decide(disk, DISK_IMPOSSIBLE,
               "its type is neither file, volume nor network: name its file instead");
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

/* What the first bytes say. A guest may write a qcow2 header into its raw disk, so this is told and
 * never acted upon. */
static const char *
name_header(const char *path, ImageFormat declared)
{
    ImageHeader header;

    if (declared == IMAGE_FORMAT_QCOW2)
        return "qcow2";
    return read_header(path, IMAGE_FORMAT_QCOW2, &header, NULL) ? "qcow2" : "raw";
}

static void
judge_header(Disk *disk)
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
    disk->header = name_header(disk->path, format);
    disk->encrypted |= header.encrypted;
    obstacle = find_obstacle(&header);
    decide(disk, obstacle ? DISK_IMPOSSIBLE : DISK_COPY, obstacle);
}

static DiskStorage
find_storage(const DomainDisk *definition)
{
    if (!definition->source)
        return DISK_ON_NOTHING;
    if (g_str_equal(definition->type, "file"))
        return DISK_ON_FILE;
    if (g_str_equal(definition->type, "block"))
        return DISK_ON_BLOCK;
    if (g_str_equal(definition->type, "network"))
        return DISK_ON_NETWORK;
    if (g_str_equal(definition->type, "volume"))
        return DISK_ON_VOLUME;
    return DISK_ON_SOMETHING;
}

static json_t *
pack_backing(const DomainDisk *definition)
{
    json_t *chain = definition->backing ? json_array() : NULL;

    for (guint i = 0; chain && i < definition->backing->len; i++) {
        const DomainBacking *backing = definition->backing->pdata[i];

        json_array_append_new(chain, json_pack("{s:s, s:s}", "path",
                                               backing->source ? backing->source : "", "format",
                                               backing->format));
    }
    return chain;
}

/* What is told without any judgement. */
static Disk *
classify(const DomainDisk *definition)
{
    Disk *disk = g_new0(Disk, 1);

    disk->target = g_strdup(definition->target);
    disk->path = g_strdup(definition->source);
    disk->format = g_strdup(definition->format);
    disk->cache = g_strdup(definition->cache);
    disk->owner_kept = definition->owner_kept;
    disk->storage = find_storage(definition);
    if (disk->storage == DISK_ON_NETWORK) /* "rbd:pool/image" */
        disk->protocol = g_strndup(disk->path, strcspn(disk->path, ":"));
    disk->read_only = definition->read_only || g_str_equal(definition->device, "cdrom");
    disk->shareable = definition->shareable;
    disk->transient = definition->transient;
    disk->encrypted = definition->encrypted;
    disk->backing = pack_backing(definition);
    return disk;
}

/* A volume that is a file is treated as that file. */
static gboolean
find_volume(Disk *disk, const DomainDisk *definition, Hypervisor *hypervisor, GError **error)
{
    const char *pool = definition->pool ? definition->pool : "";
    const char *volume = definition->volume ? definition->volume : "";
    char *path;

    if (disk->storage != DISK_ON_VOLUME)
        return TRUE;
    disk->pool = g_strdup(pool);
    path = pool_volume_find(hypervisor, pool, volume, error);
    if (!path)
        return FALSE;
    g_free(disk->path);
    disk->path = path;
    return TRUE;
}

static void
decide_by_error(Disk *disk, const GError *error)
{
    g_autofree char *reason =
        g_strdup_printf("%s: %s; %s", fault_object(error), fault_cause(error), fault_remedy(error));

    decide(disk, DISK_IMPOSSIBLE, reason);
}

Disk *
disk_plan(const DomainDisk *definition, Hypervisor *hypervisor)
{
    Disk *disk = classify(definition);
    g_autoptr(GError) error = NULL;
    gboolean found = find_volume(disk, definition, hypervisor, &error);

    if (judge_definition(disk, definition))
        return disk;
    if (!found) {
        decide_by_error(disk, error);
        return disk;
    }
    disk->provable = TRUE;
    if (definition->encrypted)
        decide(disk, DISK_IMPOSSIBLE, "it is encrypted: convert it to an unencrypted image");
    else
        judge_header(disk);
    return disk;
}

GPtrArray *
disk_plan_all(const DomainXml *domain, Hypervisor *hypervisor)
{
    GPtrArray *disks = g_ptr_array_new_with_free_func((GDestroyNotify)disk_free);

    for (guint i = 0; i < domain->disks->len; i++)
        g_ptr_array_add(disks, disk_plan(domain->disks->pdata[i], hypervisor));
    return disks;
}

static gboolean
names_backing(const DomainXml *configuration, const char *target)
{
    for (guint i = 0; configuration && i < configuration->disks->len; i++) {
        const DomainDisk *disk = configuration->disks->pdata[i];

        if (g_strcmp0(disk->target, target) == 0)
            return disk->has_backing;
    }
    return FALSE;
}

GPtrArray *
disk_plan_guest(const Guest *guest, Hypervisor *hypervisor, GError **error)
{
    g_autoptr(DomainXml) domain = domain_xml_parse(guest->xml, error);
    g_autoptr(DomainXml) configuration =
        guest->inactive_xml ? domain_xml_parse(guest->inactive_xml, NULL) : NULL;
    GPtrArray *disks;

    if (!domain)
        return NULL;
    disks = disk_plan_all(domain, hypervisor);
    for (guint i = 0; i < disks->len; i++) {
        Disk *disk = disks->pdata[i];

        if (disk->migration == DISK_COPY && names_backing(configuration, disk->target))
            decide(disk, DISK_IMPOSSIBLE,
                   "the guest's definition names its backing file, which the destination would "
                   "look for: remove <backingStore> with 'virsh edit' and restart the guest, or "
                   "merge it with 'virsh blockpull --wait'");
    }
    return disks;
}

static const char *
storage_name(DiskStorage storage)
{
    switch (storage) {
    case DISK_ON_NOTHING:
        return "empty";
    case DISK_ON_FILE:
        return "file";
    case DISK_ON_BLOCK:
        return "block";
    case DISK_ON_NETWORK:
        return "network";
    case DISK_ON_VOLUME:
        return "volume";
    case DISK_ON_SOMETHING:
        return "other";
    }
    g_return_val_if_reached("other");
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
    json_t *record = json_pack(
        "{s:s, s:s, s:s, s:b, s:s, s:b, s:b, s:b, s:b}", "target", disk->target, "format",
        disk->format, "migration", migration_name(disk->migration), "provable", disk->provable,
        "storage", storage_name(disk->storage), "readOnly", disk->read_only, "shareable",
        disk->shareable, "transient", disk->transient, "encrypted", disk->encrypted);

    if (disk->protocol)
        json_object_set_new(record, "protocol", json_string(disk->protocol));
    if (disk->header)
        json_object_set_new(record, "header", json_string(disk->header));
    if (disk->backing)
        json_object_set(record, "backing", disk->backing);
    if (disk->path)
        json_object_set_new(record, "path", json_string(disk->path));
    if (disk->pool)
        json_object_set_new(record, "pool", json_string(disk->pool));
    if (disk->reason)
        json_object_set_new(record, "reason", json_string(disk->reason));
    if (disk->has_shape)
        add_shape(record, &disk->shape);
    return record;
}
