/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the list of what storprep-nfs can do, and how it answers. */
#include "storprep/nfs/verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    unsigned arguments;
    int (*run)(char **arguments);
    const char *usage;
} Verb;

static const Verb verbs[] = {
    { "access", 3, verb_access, "access UID GID PATHS" },
    { "answer", 1, verb_answer, "answer PATH" },
    { "mount", 3, verb_mount, "mount SOURCE TARGET OPTIONS" },
    { "unmount", 2, verb_unmount, "unmount TARGET ID" },
    { "find-user", 2, verb_find_user, "find-user PROC TARGET" },
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
    fputs("storprep-nfs is run by storprepd:\n  storprep-nfs serve\n"
          "  storprep-nfs ask SOCKET VERB ARGUMENT...\n",
          stderr);
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        fprintf(stderr, "  storprep-nfs %s\n", verbs[i].usage);
    return NFS_STATUS_USAGE;
}

int
verb_run(char **arguments)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs) && arguments[0]; i++) {
        if (strcmp(arguments[0], verbs[i].name) == 0 &&
            g_strv_length(arguments + 1) == verbs[i].arguments)
            return verbs[i].run(arguments + 1);
    }
    return show_usage();
}
