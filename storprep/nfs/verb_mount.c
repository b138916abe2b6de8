/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns mounting: libmount runs mount.nfs, which negotiates the version from 4.2 downwards. */
#include <libmount.h>

#include "storprep/nfs/mount_place.h"
#include "storprep/nfs/verbs.h"

/* Last, so that no option before them counts against them. */
#define HARMLESS ",nosuid,nodev"

static int
mount_nfs(const char *source, const char *target, const char *options)
{
    struct libmnt_context *context = mnt_new_context();
    char message[1024] = "";
    int result = mnt_context_set_source(context, source);
    int status;

    if (result == 0)
        result = mnt_context_set_target(context, target);
    if (result == 0)
        result = mnt_context_set_options(context, options);
    if (result == 0)
        result = mnt_context_set_fstype(context, "nfs");
    if (result == 0)
        result = mnt_context_mount(context);
    status = mnt_context_get_excode(context, result, message, sizeof message);
    mnt_free_context(context);
    if (status == 0)
        return verb_reply(json_object());
    /* mount.nfs has said on standard error itself what its trouble was. */
    return verb_fail("%s", message);
}

int
verb_mount(char **arguments)
{
    g_autofree char *options = g_strconcat(arguments[2], HARMLESS, NULL);

    if (!mount_place_is_allowed(arguments[1]))
        return verb_fail("'%s' is where the system lies: name another directory", arguments[1]);
    if (!mount_place_is_shared())
        return NFS_STATUS_PRIVATE;
    return mount_nfs(arguments[0], arguments[1], options);
}
