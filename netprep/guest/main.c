/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netprep-guest: reads the command line, runs one verb, prints its JSON. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netprep/guest/verbs.h"

#define EXIT_USAGE          2
#define TIMEOUT_DEFAULT     30
#define TIMEOUT_MAX_SECONDS 3600

typedef struct {
    const char *bond;
    const char *port;
    const char *path;
    const char *backup_mac;
    const char *timeout;
} Options;

static const char help[] =
    "Usage: netprep-guest VERB [OPTION...]\n"
    "Changes this guest's network for its live migration; run by the host through the guest "
    "agent.\n"
    "\n"
    "  report                     list network devices and bonds\n"
    "  create-bond --bond NAME --primary-path PATH --backup-mac MAC\n"
    "                             bond a passthrough and a VirtIO device\n"
    "  use --bond NAME --port DEVICE\n"
    "                             move a bond's traffic to one port\n"
    "  join --bond NAME --path PATH [--timeout SECONDS]\n"
    "                             take a device into a bond when it appears\n"
    "  --help, --version\n"
    "\n"
    "PATH is device.function of each PCI hop, such as 02.3/00.0. The answer is JSON on standard\n"
    "output; exit status 1 comes with {\"error\": ...}, 2 is a mistake on the command line.\n";

static int
usage(const char *problem)
{
    fprintf(stderr, "netprep-guest: %s; try netprep-guest --help\n", problem);
    return EXIT_USAGE;
}

static bool
read_options(int argc, char **argv, Options *options)
{
    static const struct option known[] = {
        { "bond", required_argument, NULL, 'b' },
        { "port", required_argument, NULL, 'p' },
        { "path", required_argument, NULL, 'a' },
        { "primary-path", required_argument, NULL, 'a' },
        { "backup-mac", required_argument, NULL, 'm' },
        { "timeout", required_argument, NULL, 't' },
        { 0 },
    };
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'b')
            options->bond = optarg;
        else if (option == 'p')
            options->port = optarg;
        else if (option == 'a')
            options->path = optarg;
        else if (option == 'm')
            options->backup_mac = optarg;
        else if (option == 't')
            options->timeout = optarg;
        else
            return false;
    }
    return optind == argc;
}

static bool
is_link_name(const char *name)
{
    return name && name[0] && strlen(name) < IFNAMSIZ && !strchr(name, '/');
}

static bool
read_timeout(const char *text, unsigned *ret_seconds)
{
    char *end = NULL;

    if (!text)
        return true;
    errno = 0;
    unsigned long seconds = strtoul(text, &end, 10);
    if (errno || *end || end == text || seconds > TIMEOUT_MAX_SECONDS)
        return false;
    *ret_seconds = (unsigned)seconds;
    return true;
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

static int
run(const char *verb, const Options *options)
{
    Failure failure = { 0 };
    unsigned seconds = TIMEOUT_DEFAULT;
    uint8_t mac[ETH_ALEN];

    if (strcmp(verb, "report") == 0)
        return print(verb_report(&failure), &failure);
    if (!is_link_name(options->bond))
        return usage("--bond NAME is missing or not a name");
    if (strcmp(verb, "use") == 0) {
        if (!is_link_name(options->port))
            return usage("--port DEVICE is missing or not a name");
        return print(verb_use(options->bond, options->port, &failure), &failure);
    }
    if (!options->path || !options->path[0])
        return usage("the PCI path is missing");
    if (strcmp(verb, "join") == 0) {
        if (!read_timeout(options->timeout, &seconds))
            return usage("--timeout is not a number of seconds");
        return print(verb_join(options->bond, options->path, seconds, &failure), &failure);
    }
    if (!options->backup_mac || !link_parse_mac(options->backup_mac, mac))
        return usage("--backup-mac MAC is missing or not a MAC address");
    return print(verb_create_bond(options->bond, options->path, mac, &failure), &failure);
}

static bool
is_verb(const char *verb)
{
    static const char *const verbs[] = { "report", "create-bond", "use", "join" };

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verb, verbs[i]) == 0)
            return true;
    }
    return false;
}

int
main(int argc, char **argv)
{
    Options options = { 0 };

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return EXIT_SUCCESS;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("netprep-guest " MIGPREP_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc < 2 || !is_verb(argv[1]))
        return usage("a verb is missing or unknown");
    if (!read_options(argc - 1, argv + 1, &options))
        return usage("an option is unknown or lacks its value");
    return run(argv[1], &options);
}
