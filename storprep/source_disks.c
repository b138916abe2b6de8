/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the removal of images whose guest has left. */
#include "storprep/source_disks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/domain_xml.h"
#include "common/fault.h"
#include "storprep/image_place.h"

typedef struct {
    char *path;
    FileIdentity identity;
} SourceDisk;

struct SourceDisks {
    char **directories;
    GPtrArray *noted; /* of SourceDisk * */
};

static void
source_disk_free(void *data)
{
    SourceDisk *disk = data;

    g_free(disk->path);
    g_free(disk);
}

static SourceDisk *
note(const char *path, const char *const *directories, GError **error)
{
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    g_auto(FileDescriptor) fd = -1;
    FileIdentity identity;

    if (!image_place_open(path, directories, &place, error))
        return NULL;
    fd = openat(place.directory_fd, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        image_place_fault(error, errno, path, "cannot open it");
        return NULL;
    }
    if (!file_identity_read(fd, path, &identity, error))
        return NULL;
    SourceDisk *disk = g_new0(SourceDisk, 1);
    disk->path = g_strdup(path);
    disk->identity = identity;
    return disk;
}

SourceDisks *
source_disks_new(const char *const *paths, const char *const *directories)
{
    SourceDisks *disks = g_new0(SourceDisks, 1);

    disks->directories = g_strdupv((char **)directories);
    disks->noted = g_ptr_array_new_with_free_func(source_disk_free);
    for (gsize i = 0; paths[i]; i++) {
        g_autoptr(GError) error = NULL;
        SourceDisk *disk = note(paths[i], directories, &error);

        if (disk)
            g_ptr_array_add(disks->noted, disk);
        else
            g_message("'%s' will be kept after the move: %s", paths[i], error->message);
    }
    return disks;
}

void
source_disks_free(SourceDisks *disks)
{
    if (!disks)
        return;
    g_strfreev(disks->directories);
    g_ptr_array_unref(disks->noted);
    g_free(disks);
}

/* By name, or by the file that another name leads to. */
static gboolean
is_same_file(const SourceDisk *disk, const char *path)
{
    struct stat status;

    return g_strcmp0(disk->path, path) == 0 ||
           (stat(path, &status) == 0 && status.st_ino == disk->identity.inode &&
            status.st_dev == disk->identity.device);
}

/* What cannot be read might use anything. */
static gboolean
definition_uses(const char *xml, const SourceDisk *disk)
{
    g_autoptr(DomainXml) domain = xml ? domain_xml_parse(xml, NULL) : NULL;

    for (guint i = 0; domain && i < domain->disks->len; i++) {
        const DomainDisk *used = domain->disks->pdata[i];

        if (used->source && is_same_file(disk, used->source))
            return TRUE;
    }
    return xml && !domain;
}

static gboolean
guest_uses(Hypervisor *hypervisor, const char *uuid, const SourceDisk *disk)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, uuid, &error);

    if (!guest)
        return fault_code(error) != FAULT_GUEST_NOT_FOUND;
    return definition_uses(guest->xml, disk) || definition_uses(guest->inactive_xml, disk);
}

/* NULL: nobody uses it; else who does, or why that is not known. */
static char *
find_user(Hypervisor *hypervisor, const SourceDisk *disk)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(hypervisor, &error);

    if (!guests)
        return g_strdup(error->message);
    for (guint i = 0; i < guests->len; i++) {
        const Guest *guest = guests->pdata[i];

        if (guest_uses(hypervisor, guest->uuid, disk))
            return g_strdup_printf("guest '%s' uses it", guest->name);
    }
    return NULL;
}

static gboolean
remove_one(const SourceDisks *disks, const SourceDisk *disk, Hypervisor *hypervisor, GError **error)
{
    g_autofree char *user = find_user(hypervisor, disk);
    g_auto(ImagePlace) place = { .directory_fd = -1 };
    Find find = FIND_NOTHING;

    if (user) {
        fault_set(error, FAULT_GUEST_BUSY, disk->path, "remove it by hand", "%s", user);
        return FALSE;
    }
    if (!image_place_open(disk->path, (const char *const *)disks->directories, &place, error) ||
        !image_place_remove(&place, NULL, &disk->identity, NULL, &find, error))
        return FALSE;
    if (find != FIND_NOTHING)
        fault_set(error, FAULT_TARGET_REFUSED, disk->path, "look who made it",
                  "it is another file than the one that was copied");
    return find == FIND_NOTHING && image_place_sync(&place, error);
}

json_t *
source_disks_remove(const SourceDisks *disks, Hypervisor *hypervisor)
{
    json_t *removed = json_array();

    for (guint i = 0; i < disks->noted->len; i++) {
        const SourceDisk *disk = disks->noted->pdata[i];
        g_autoptr(GError) error = NULL;

        if (remove_one(disks, disk, hypervisor, &error)) {
            g_message("'%s' was removed: its guest has moved with a copy", disk->path);
            json_array_append_new(removed, json_string(disk->path));
        } else {
            g_warning("'%s' is kept: %s", disk->path, error->message);
        }
    }
    return removed;
}
