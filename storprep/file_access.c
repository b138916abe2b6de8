/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/file_access.h"

#include "storprep/nfs_program.h"

json_t *
file_access_try(json_t *paths, uid_t uid, gid_t gid, GError **error)
{
    g_autofree char *uid_text = g_strdup_printf("%u", uid);
    g_autofree char *gid_text = g_strdup_printf("%u", gid);
    char *list = json_dumps(paths, JSON_COMPACT);
    const char *arguments[] = { "access", uid_text, gid_text, list, NULL };
    json_auto_t *reply = NULL;
    int status;

    gboolean asked = nfs_program_run(arguments, FILE_ACCESS_SECONDS, "storage of the guest's disks",
                                     &status, &reply, error);
    free(list);
    return asked ? json_incref(json_object_get(reply, "files")) : NULL;
}
