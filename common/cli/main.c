/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The `migprep` command: finds the verb and runs it. */
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cli/exit_status.h"
#include "common/cli/verb.h"

static const Verb *const verbs[] = {
    &verb_check,       &verb_cpu_baseline, &verb_drain,   &verb_return, &verb_migrate,
    &verb_policy,      &verb_status,       &verb_release, &verb_cancel, &verb_setup_bond,
    &verb_maintenance, &verb_doctor,       &verb_metrics, &verb_proxy,  &verb_complete,
};

static void
print_help(FILE *stream)
{
    fputs("Usage: migprep VERB [OPTION...]\n\n"
          "Moves running guests with SR-IOV virtual functions and local disks between hosts.\n\n"
          "Verbs:\n",
          stream);
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        fprintf(stream, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
    fprintf(stream,
            "\n  --help, --version; 'migprep VERB --help' tells more\n\n"
            "Examples:\n"
            "  migprep check web1 --to host2\n"
            "  migprep migrate web1 --to host2\n"
            "  migprep status --host host2\n"
            "  migprep cancel web1\n\n%s",
            exit_status_help);
}

/* Levenshtein distance over one row; words longer than the row are unlike any verb. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[32];
    size_t length = strlen(b);

    if (strlen(a) >= G_N_ELEMENTS(row) || length >= G_N_ELEMENTS(row))
        return G_N_ELEMENTS(row);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t above = row[j];
            row[j] = MIN(MIN(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[length];
}

static int
refuse_verb(const char *word)
{
    const Verb *nearest = verbs[0];

    for (size_t i = 1; i < G_N_ELEMENTS(verbs); i++) {
        if (distance(word, verbs[i]->name) < distance(word, nearest->name))
            nearest = verbs[i];
    }
    fprintf(stderr, "migprep: '%s': no such verb; ", word);
    if (distance(word, nearest->name) <= strlen(nearest->name) / 3)
        fprintf(stderr, "did you mean '%s'?\n", nearest->name);
    else
        fputs("see 'migprep --help'\n", stderr);
    return EXIT_STATUS_USAGE;
}

static int
run_verb(int argc, char **argv)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(verbs[i]->name, argv[1]) == 0)
            return verbs[i]->run(argc - 1, argv + 1);
    }
    return refuse_verb(argv[1]);
}

/* Whoever closed a standard stream must not find a connection to a daemon in its place. */
static void
fill_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* What is worth telling, as all else is told: GLib adds a name, a process and colours of its own.
 */
static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer unused)
{
    if (level & (G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG))
        return g_log_writer_default(level, fields, count, NULL);
    for (gsize i = 0; i < count; i++) {
        if (strcmp(fields[i].key, "MESSAGE") == 0)
            fprintf(stderr, "migprep: %.*s\n", (int)fields[i].length,
                    (const char *)fields[i].value);
    }
    return G_LOG_WRITER_HANDLED;
}

/* @status, unless output was lost that somebody wants: one who left did not. */
static int
close_output(int status)
{
    struct pollfd reader = { .fd = STDOUT_FILENO };
    gboolean complete = fflush(stdout) == 0 && !ferror(stdout);

    if (complete || (poll(&reader, 1, 0) > 0 && reader.revents & POLLERR))
        return status;
    fputs("migprep: standard output: not all of it could be written\n", stderr);
    return status == EXIT_STATUS_OK ? EXIT_STATUS_FAILED : status;
}

static int
run(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return EXIT_STATUS_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("migprep " MIGPREP_VERSION);
        return EXIT_STATUS_OK;
    }
    return run_verb(argc, argv);
}

int
main(int argc, char **argv)
{
    fill_standard_streams();
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* JSON and scripts read our numbers */
    signal(SIGPIPE, SIG_IGN);   /* a reader that left must not stop a move half-way */
    g_log_set_writer_func(write_log, NULL, NULL);
    return close_output(run(argc, argv));
}
