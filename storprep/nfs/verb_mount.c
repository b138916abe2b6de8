/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns mounting: libmount runs mount.nfs, which negotiates the version from 4.2 downwards. */
#include <libmount.h>

#include "storprep/nfs/verbs.h"

int
verb_mount(char **arguments)
{
    struct libmnt_context *context = mnt_new_context();
    char message[1024] = "";
    int result = mnt_context_set_source(context, arguments[0]);
    int status;

    if (result == 0)
        result = mnt_context_set_target(context, arguments[1]);
    if (result == 0)
        result = mnt_context_set_options(context, arguments[2]);
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
