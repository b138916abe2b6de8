/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns looking at an image that may be on an NFS server. */
#include "storprep/identity_deed.h"
#include "storprep/nfs/verbs.h"

int
verb_identify(char **arguments)
{
    return verb_reply(identity_deed(arguments[0], arguments[1]));
}
