/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the proof that nobody wrote to an image since it was sent. */
#include "storprep/sent_disk.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/fault.h"

#define NSEC_PER_SEC 1000000000LL

json_t *
sent_disk_new(const char *target, const char *path, GError **error)
{
    g_autofree char *object = g_strdup_printf("image '%s'", path);
    struct stat status;

    if (stat(path, &status) == 0)
        return json_pack("{s:s, s:s, s:I, s:I}", "target", target, "path", path, "inode",
                         (json_int_t)status.st_ino, "modifiedNanoseconds",
                         (json_int_t)status.st_mtim.tv_sec * NSEC_PER_SEC + status.st_mtim.tv_nsec);
    fault_set(error, FAULT_IMAGE_INVALID, object, "see that the file is there", "%s",
              g_strerror(errno));
    return NULL;
}

gboolean
sent_disks_check(const json_t *disks, GError **error)
{
    for (size_t i = 0; i < json_array_size(disks); i++) {
        const json_t *then = json_array_get(disks, i);
        const char *target = json_string_value(json_object_get(then, "target"));
        json_auto_t *now =
            sent_disk_new(target, json_string_value(json_object_get(then, "path")), error);

        if (!now)
            return FALSE;
        if (json_equal(now, then))
            continue;
        g_autofree char *object = g_strdup_printf("disk '%s'", target);
        fault_set(error, FAULT_GUEST_BUSY, object, "shut the guest down and move it again",
                  "its image was written to while or after it was sent");
        return FALSE;
    }
    return TRUE;
}
