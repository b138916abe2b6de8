/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep complete`: what could be typed next, for shells. Says nothing where it knows nothing. */
#include <stdio.h>
#include <string.h>

#include "common/cli/completion.h"
#include "common/cli/exit_status.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"
#include "common/config.h"
#include "common/program.h"

/* Somebody waits at a key. */
#define PATIENCE_SECONDS 2

/* What is asked, and what is told apart from the rest. */
typedef struct {
    Peer *peer;
    const char *beginning;
} Teller;

static void
tell(const Teller *teller, const char *word)
{
    if (g_str_has_prefix(word, teller->beginning))
        puts(word);
}

static json_t *
ask(const Teller *teller, Service service, const char *method)
{
    g_autoptr(GError) unsaid = NULL;

    return peer_call(
        teller->peer,
        &(PeerCall) { .service = service, .method = method, .timeout_seconds = PATIENCE_SECONDS },
        &unsaid);
}

static void
tell_guests(const Teller *teller)
{
    json_auto_t *reply = ask(teller, SERVICE_STORAGE, "ListGuests");
    size_t i;
    json_t *entry;

    json_array_foreach (json_object_get(reply, "guests"), i, entry)
        tell(teller, reply_text(json_object_get(entry, "guest"), "name"));
}

/* @key names each of @list, with whose it is. */
static void
tell_listed(const Teller *teller, const char *method, const char *list, const char *key)
{
    for (unsigned service = 0; service < SERVICE_COUNT; service++) {
        json_auto_t *reply = ask(teller, service, method);
        size_t i;
        json_t *entry;

        json_array_foreach (json_object_get(reply, list), i, entry) {
            const char *guest = reply_text(json_object_get(entry, "guest"), "name");
            g_autofree char *line =
                g_strdup_printf("%s\t%s %s %s", reply_text(entry, key), reply_text(entry, "kind"),
                                reply_text(entry, "state"), guest);
            tell(teller, g_strchomp(line));
        }
    }
}

static void
tell_hosts(const Teller *teller, const char *config_path)
{
    g_autoptr(Config) config = config_load(config_path ? config_path : CONFIG_PATH, NULL);

    for (char **host = config ? config->drain_to : NULL; host && *host; host++)
        tell(teller, *host);
}

/* The help of @verb (NULL: of the command), as people get it. */
static char *
read_help(const char *verb)
{
    const char *argv[] = { "/proc/self/exe", verb ? verb : "--help", verb ? "--help" : NULL, NULL };
    g_auto(ProgramResult) result = { 0 };

    if (!program_run(argv, NULL, PATIENCE_SECONDS, NULL, &result, NULL) || result.exit_status != 0)
        return g_strdup("");
    return g_steal_pointer(&result.output);
}

/* What the words give for @option ("--config"), as one word or two, or as bash has it, three; NULL.
 * Borrowed. */
static const char *
given(char *const *words, const char *option)
{
    for (; *words; words++) {
        gsize length = strlen(option);

        if (g_str_has_prefix(*words, option) && (*words)[length] == '=')
            return *words + length + 1;
        if (g_str_equal(*words, option))
            return words[1] && g_str_equal(words[1], "=") ? words[2] : words[1];
    }
    return NULL;
}

static void
complete(char *const *words)
{
    const char *verb = words[0] && words[1] ? words[0] : NULL;
    g_autofree char *help = read_help(verb);
    g_autoptr(Completion) completion = verb ? completion_decide(help, words + 1)
                                            : completion_of_verbs(help, words[0] ? words[0] : "");
    g_autoptr(Peer) peer =
        peer_new_local(given(words, "--network-socket"), given(words, "--storage-socket"));
    const Teller teller = { peer, completion->beginning };

    for (guint i = 0; i < completion->literals->len; i++)
        tell(&teller, completion->literals->pdata[i]);
    if (completion->names & COMPLETION_GUESTS)
        tell_guests(&teller);
    if (completion->names & COMPLETION_HOSTS)
        tell_hosts(&teller, given(words, "--config"));
    if (completion->names & COMPLETION_LEASES)
        tell_listed(&teller, "ListLeases", "leases", "lease");
    if (completion->names & COMPLETION_JOBS)
        tell_listed(&teller, "ListJobs", "jobs", "job");
}

static int
run(int argc, char **argv)
{
    const VerbOptions options = {
        .synopsis = "-- [WORD...]",
        .summary = "Prints what could stand at the place of the last WORD, one a line, after a\n"
                   "tab what it is. The completions of bash, zsh and fish call it.",
        .examples = "Example:\n  migprep complete -- status --h\n",
    };

    /* What follows belongs to another verb. */
    if (argc >= 2 && strcmp(argv[1], "--") == 0) {
        complete(argv + 2);
        return EXIT_STATUS_OK;
    }
    if (verb_parse(&options, argc, &argv, 0))
        fputs("migprep: '--' is missing; see 'migprep complete --help'\n", stderr);
    return EXIT_STATUS_USAGE;
}

const Verb verb_complete = { "complete", "say what could be typed next (for shells)", run };
