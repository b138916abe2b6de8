/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns saying who uses a mount. */
#include "storprep/file_user.h"
#include "storprep/nfs/verbs.h"

int
verb_find_user(char **arguments)
{
    g_autofree char *user = file_user_find(arguments[0], arguments[1]);

    return verb_reply(json_pack("{s:s*}", "user", user));
}
