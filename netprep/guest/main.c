/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netprep-guest: reads the command line, runs one verb, prints its JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netprep/guest/options.h"
#include "netprep/guest/verbs.h"

#define EXIT_USAGE 2

static const char help[] =
    "Usage: netprep-guest VERB [OPTION...]\n"
    "Changes this guest's network for its live migration; run by the host through the guest\n"
    "agent.\n"
    "\n"
    "  report [--root DIR]        list network devices and bonds\n"
    "  create-bond --bond NAME --primary-path PATH --backup-mac MAC\n"
    "              [--fail-over-mac none|active] [--persist SYSTEM] [--root DIR]\n"
    "                             bond a passthrough and a VirtIO device: none (the default) "
    "gives\n"
    "                             both the VirtIO device's MAC address, active leaves each its "
    "own\n"
    "  repair --bond NAME [--primary-path PATH] [--persist SYSTEM] [--root DIR]\n"
    "                             give a bond the recommended options\n"
    "  persist --bond NAME [--primary-path PATH] [--persist SYSTEM] [--root DIR]\n"
    "                             have a bond come back at boot\n"
    "  unpersist --bond NAME [--root DIR]\n"
    "                             put back the configuration that was there before\n"
    "  use --bond NAME --port DEVICE\n"
    "                             move a bond's traffic to one port\n"
    "  join --bond NAME --path PATH [--timeout SECONDS]\n"
    "                             take a device into a bond when it appears\n"
    "  hooks --phase PHASE [--timeout SECONDS] [--root DIR]\n"
    "                             run the programs in /etc/netprep-guest/hooks.d/PHASE, each as\n"
    "                             nobody unless it is root's and its name ends in .root\n"
    "  --help, --version\n"
    "\n"
    "PHASE is before_migration, after_migration, before_hibernation or after_hibernation.\n"
    "SYSTEM is auto (the default), networkmanager, networkd, ifupdown or none. DIR is a directory\n"
    "with the guest's /etc, /run and /var. PATH is device.function of each PCI hop, such as\n"
    "02.3/00.0. The answer is JSON on standard output; exit status 1 comes with {\"error\": ...},\n"
    "2 is a mistake on the command line.\n";

static int
usage(const char *problem)
{
    fprintf(stderr, "netprep-guest: %s; try netprep-guest --help\n", problem);
    return EXIT_USAGE;
}

static int
print(json_t *result, const Failure *failure)
{
    int status = result ? EXIT_SUCCESS : EXIT_FAILURE;

    if (!result)
        result = json_pack("{s:s}", "error", failure->text);
    if (json_dumpf(result, stdout, JSON_COMPACT) < 0 || putchar('\n') < 0 || fflush(stdout) != 0)
        status = EXIT_FAILURE;
    json_decref(result);
    return status;
}

static json_t *
run_report(const Options *options, Failure *failure)
{
    return verb_report(kernel_running(), options->root, failure);
}

static json_t *
run_create_bond(const Options *options, Failure *failure)
{
    const CreateBond request = { .bond = options->bond,
                                 .primary_path = options->primary_path,
                                 .backup_mac = options->backup_mac,
                                 .fail_over_mac = options->fail_over_mac,
                                 .choice = options->choice,
                                 .root = options->root };

    return verb_create_bond(kernel_running(), &request, failure);
}

static json_t *
run_use(const Options *options, Failure *failure)
{
    return verb_use(kernel_running(), options->bond, options->port, failure);
}

static json_t *
run_join(const Options *options, Failure *failure)
{
    return verb_join(kernel_running(), options->bond, options->path, options->timeout_seconds,
                     failure);
}

static Persist
persist_request(const Options *options)
{
    return (Persist) { .bond = options->bond,
                       .primary_path = options->primary_path,
                       .choice = options->choice,
                       .root = options->root };
}

static json_t *
run_persist(const Options *options, Failure *failure)
{
    const Persist request = persist_request(options);

    return verb_persist(kernel_running(), &request, failure);
}

static json_t *
run_unpersist(const Options *options, Failure *failure)
{
    return verb_unpersist(options->root, options->bond, failure);
}

static json_t *
run_repair(const Options *options, Failure *failure)
{
    const Persist request = persist_request(options);

    return verb_repair(kernel_running(), &request, failure);
}

static json_t *
run_hooks(const Options *options, Failure *failure)
{
    return hooks_run(options->root, options->phase, options->timeout_seconds, failure);
}

typedef struct {
    const char *name;
    unsigned required; /* OptionBits */
    unsigned optional;
    json_t *(*run)(const Options *options, Failure *failure);
} Verb;

static const Verb verbs[] = {
    { "report", 0, OPTION_ROOT, run_report },
    { "create-bond", OPTION_BOND | OPTION_PRIMARY_PATH | OPTION_BACKUP_MAC,
      OPTION_FAIL_OVER_MAC | OPTION_PERSIST | OPTION_ROOT, run_create_bond },
    { "repair", OPTION_BOND, OPTION_PRIMARY_PATH | OPTION_PERSIST | OPTION_ROOT, run_repair },
    { "persist", OPTION_BOND, OPTION_PRIMARY_PATH | OPTION_PERSIST | OPTION_ROOT, run_persist },
    { "unpersist", OPTION_BOND, OPTION_ROOT, run_unpersist },
    { "use", OPTION_BOND | OPTION_PORT, 0, run_use },
    { "join", OPTION_BOND | OPTION_PATH, OPTION_TIMEOUT, run_join },
    { "hooks", OPTION_PHASE, OPTION_TIMEOUT | OPTION_ROOT, run_hooks },
};

static const Verb *
find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static bool
is_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return true;
    }
    return false;
}

int
main(int argc, char **argv)
{
    char problem[OPTIONS_PROBLEM_SIZE];
    Failure failure = { 0 };
    Options options;

    if (is_help(argc, argv)) {
        fputs(help, stdout);
        return EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("netprep-guest " MIGPREP_VERSION);
        return EXIT_SUCCESS;
    }
    const Verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
    if (!verb)
        return usage("a verb is missing or unknown");
    if (!options_read(argc - 1, argv + 1, verb->required, verb->required | verb->optional, &options,
                      problem))
        return usage(problem);
    return print(verb->run(&options, &failure), &failure);
}
