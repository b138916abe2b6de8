/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the question whether a file system's server is there. */
#include <errno.h>
#include <sys/statfs.h>

#include "storprep/nfs/verbs.h"

/* What statfs(2) tells is kept by no cache: each call goes to the server. */
int
verb_answer(char **arguments)
{
    struct statfs status;

    if (statfs(arguments[0], &status) < 0)
        return verb_fail("%s", g_strerror(errno));
    return verb_reply(json_object());
}
