/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storprep-nfs: does for storprepd what may wait for an NFS server for ever. It has no deadlines of
 * its own: storprepd kills it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "storprep/nfs/verbs.h"

static const struct {
    const char *name;
    int arguments;
    int (*run)(char **arguments);
    const char *usage;
} verbs[] = {
    { "access", 3, verb_access, "access UID GID PATHS" },
    { "answer", 1, verb_answer, "answer PATH" },
    { "mount", 3, verb_mount, "mount SOURCE TARGET OPTIONS" },
    { "unmount", 2, verb_unmount, "unmount TARGET ID" },
    { "place", 4, verb_place, "place ROOT DIRECTORY NAME NONCE" },
    { "find", 4, verb_find, "find ROOT DIRECTORY NAME NONCE" },
    { "drop", 4, verb_drop, "drop ROOT DIRECTORY NAME NONCE" },
    { "header", 2, verb_header, "header PATH FORMAT" },
    { "digest", 2, verb_digest, "digest ROOT PATH" },
    { "identify", 2, verb_identify, "identify ROOT PATH" },
    { "probe-export", 7, verb_probe_export, "probe-export SERVER PATH NAME UID GID PLACED NONCE" },
};

int
verb_reply(json_t *reply)
{
    json_dumpf(reply, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(reply);
    return fflush(stdout) == 0 ? 0 : NFS_STATUS_FAILED;
}

int
verb_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    putc('\n', stderr);
    return NFS_STATUS_FAILED;
}

static int
show_usage(void)
{
    fputs("storprep-nfs is run by storprepd:\n", stderr);
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        fprintf(stderr, "  storprep-nfs %s\n", verbs[i].usage);
    return NFS_STATUS_USAGE;
}

int
main(int argc, char **argv)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs) && argc > 1; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0 && argc - 2 == verbs[i].arguments)
            return verbs[i].run(argv + 2);
    }
    return show_usage();
}
