/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep setup-bond`: gives a guest the bond that lets it move without losing its network. */
#include <stdio.h>

#include "common/cli/exit_status.h"
#include "common/cli/interrupt.h"
#include "common/cli/job_call.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"

static const char *
port(const json_t *bond, const char *key)
{
    const char *name = reply_text(bond, key);

    return *name ? name : "none";
}

static int
set_up(Peer *peer, const char *guest)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;

    interrupt_watch(cancellable, "leaving now; the daemon goes on by itself");
    json_auto_t *bond = job_call(peer,
                                 &(JobCall) { .service = SERVICE_NETWORK,
                                              .method = "SetUpBond",
                                              .parameters = json_pack("{s:s}", "guest", guest),
                                              .cancellable = cancellable },
                                 &error);
    if (!bond)
        return verb_fail(error);
    printf("guest '%s' has %s (%s), active port %s, primary %s\n", guest, reply_text(bond, "name"),
           reply_text(bond, "mode"), port(bond, "active"), port(bond, "primary"));
    return EXIT_STATUS_OK;
}

static int
run(int argc, char **argv)
{
    g_auto(Connection) connection = { 0 };
    const VerbOptions options = {
        .synopsis = "GUEST",
        .summary = "Creates an active-backup bond in a guest over its passthrough NIC and its\n"
                   "VirtIO NIC, with the addresses and routes they had. Does nothing if the guest\n"
                   "has it already.",
        .examples = "Example:\n  migprep setup-bond web1\n",
        .connection = &connection,
    };

    if (!verb_parse(&options, argc, &argv, 1))
        return EXIT_STATUS_USAGE;
    g_autoptr(Peer) peer = connection_open_local(&connection);
    return set_up(peer, argv[1]);
}

const Verb verb_setup_bond = { "setup-bond", "create a guest's bond", run };
