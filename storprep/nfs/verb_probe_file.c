/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns placing, finding and dropping probe files in a directory that may be an NFS server's. */
#include "storprep/nfs/verbs.h"
#include "storprep/probe_deed.h"

static int
run(json_t *(*deed)(const Probe *probe, GError **error), char **arguments)
{
    const Probe probe = { arguments[0], arguments[1], arguments[2], arguments[3] };
    g_autoptr(GError) error = NULL;
    json_t *reply = deed(&probe, &error);

    return reply ? verb_reply(reply) : verb_fail("%s", error->message);
}

int
verb_place(char **arguments)
{
    return run(probe_deed_place, arguments);
}

int
verb_find(char **arguments)
{
    return run(probe_deed_find, arguments);
}

int
verb_drop(char **arguments)
{
    return run(probe_deed_drop, arguments);
}
