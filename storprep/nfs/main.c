/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storprep-nfs: does for storprepd what may wait for an NFS server for ever, and what takes rights
 * that storprepd has not. It has no deadlines of its own: storprepd kills it. */
#include <string.h>

#include "storprep/nfs/service.h"
#include "storprep/nfs/verbs.h"

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return nfs_service_run();
    if (argc > 3 && strcmp(argv[1], "ask") == 0)
        return nfs_service_ask(argv[2], argv + 3);
    return verb_run(argv + 1);
}
