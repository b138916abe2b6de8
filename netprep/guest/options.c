/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and judges options. */
#include "netprep/guest/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netprep/guest/bond_option.h"
#include "netprep/guest/links.h"

#define TIMEOUT_DEFAULT     30
#define TIMEOUT_MAX_SECONDS 3600

/* What the kernel takes as a device's name, and a configuration file does not take for its own
 * syntax. */
static bool
is_link_name(const char *text)
{
    if (!text[0] || strlen(text) >= IFNAMSIZ || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return false;
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
            return false;
    }
    return true;
}

/* "02.3/00.0": device and function of each hop. */
static bool
is_pci_path(const char *text)
{
    static const char shape[] = "xx.x/";
    const size_t length = strlen(text);

    if (length % 5 != 4 || length >= LINK_PCI_PATH_SIZE)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (shape[i % 5] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != shape[i % 5])
            return false;
    }
    return true;
}

static bool
take_bond(const char *text, Options *options)
{
    options->bond = text;
    return is_link_name(text);
}

static bool
take_port(const char *text, Options *options)
{
    options->port = text;
    return is_link_name(text);
}

static bool
take_path(const char *text, Options *options)
{
    options->path = text;
    return is_pci_path(text);
}

static bool
take_primary_path(const char *text, Options *options)
{
    options->primary_path = text;
    return is_pci_path(text);
}

static bool
take_backup_mac(const char *text, Options *options)
{
    return link_parse_mac(text, options->backup_mac);
}

static bool
take_fail_over_mac(const char *text, Options *options)
{
    for (uint32_t value = BOND_FAIL_OVER_MAC_NONE; value <= BOND_FAIL_OVER_MAC_ACTIVE; value++) {
        if (strcmp(text, bond_option_word(BOND_OPTION_FAIL_OVER_MAC, value)) == 0) {
            options->fail_over_mac = value;
            return true;
        }
    }
    return false;
}

static bool
take_timeout(const char *text, Options *options)
{
    char *end = NULL;

    errno = 0;
    unsigned long seconds = strtoul(text, &end, 10);
    options->timeout_seconds = (unsigned)seconds;
    return !errno && isdigit((unsigned char)text[0]) && !*end && seconds <= TIMEOUT_MAX_SECONDS;
}

static bool
take_persist(const char *text, Options *options)
{
    return persistence_parse_choice(text, &options->choice);
}

/* Paths begin with a slash of their own. */
static bool
take_root(const char *text, Options *options)
{
    const size_t length = strlen(text);

    options->root = text;
    return length > 1 && length < PATH_MAX / 2 && text[0] == '/' && text[length - 1] != '/';
}

static bool
take_phase(const char *text, Options *options)
{
    return hook_phase_parse(text, &options->phase);
}

typedef struct {
    const char *name;
    const char *wanted; /* what its value has to be */
    bool (*take)(const char *text, Options *options);
} Option;

static const Option known[] = {
    { "bond", "the name of a network device", take_bond },
    { "port", "the name of a network device", take_port },
    { "path", "device.function of each PCI hop, such as 02.3/00.0", take_path },
    { "primary-path", "device.function of each PCI hop, such as 02.3/00.0", take_primary_path },
    { "backup-mac", "a device's MAC address", take_backup_mac },
    { "fail-over-mac", "none or active", take_fail_over_mac },
    { "timeout", "seconds, at most 3600", take_timeout },
    { "persist", "auto, networkmanager, networkd, ifupdown or none", take_persist },
    { "root", "an absolute path without a slash at its end", take_root },
    { "phase", "before_migration, after_migration, before_hibernation or after_hibernation",
      take_phase },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

static bool
problem_is(char *problem, const char *format, const char *name, const char *wanted)
{
    snprintf(problem, OPTIONS_PROBLEM_SIZE, "--%.32s %s%s", name, format, wanted);
    return false;
}

static bool
take(size_t index, unsigned allowed, Options *options, char *problem)
{
    const Option *option = &known[index];
    const unsigned bit = 1U << index;

    if (!(allowed & bit))
        return problem_is(problem, "is no option of this verb", option->name, "");
    if (options->given & bit)
        return problem_is(problem, "is given twice", option->name, "");
    options->given |= bit;
    if (!option->take(optarg, options))
        return problem_is(problem, "has to be ", option->name, option->wanted);
    return true;
}

static bool
check_required(const Options *options, unsigned required, char *problem)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (required & ~options->given & (1U << i))
            return problem_is(problem, "is missing: ", known[i].name, known[i].wanted);
    }
    return true;
}

bool
options_read(int argc, char **argv, unsigned required, unsigned allowed, Options *ret_options,
             char *problem)
{
    struct option table[KNOWN + 1] = { 0 };
    Options options = { .timeout_seconds = TIMEOUT_DEFAULT, .root = "" };
    int index = 0, option;

    for (size_t i = 0; i < KNOWN; i++)
        table[i] = (struct option) { .name = known[i].name, .has_arg = required_argument };
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", table, &index)) == 0) {
        if (!take((size_t)index, allowed, &options, problem))
            return false;
    }
    if (option != -1 || optind != argc) {
        snprintf(problem, OPTIONS_PROBLEM_SIZE, "'%.64s' is unknown or lacks its value",
                 option != -1 ? argv[optind - 1] : argv[optind]);
        return false;
    }
    if (!check_required(&options, required, problem))
        return false;
    *ret_options = options;
    return true;
}
