/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs an external program: argument vector, clean environment, deadline, bounded output, no shell.
 */
#pragma once

#include <gio/gio.h>

/* What every program gets as its environment: PATH, LANG and nothing else. Static. */
const char *const *program_environment(void);

typedef struct {
    int exit_status;  /* 0-255, or 128 + signal */
    char *output;     /* standard output, NUL-terminated, at most LIMIT_PROGRAM_OUTPUT_BYTES */
    char *error_text; /* standard error, likewise */
} ProgramResult;

void program_result_clear(ProgramResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProgramResult, program_result_clear)

/*
 * Runs @argv (argv[0] looked up in a fixed PATH) and waits; blocks, so never on the main loop.
 * The environment is PATH, LANG=C.UTF-8 and nothing else; descriptors above 2 are closed; standard
 * input is @input or /dev/null. After @timeout_seconds, or when @cancellable fires, the program's
 * process group is killed. Returns FALSE (FAULT_PROGRAM_FAILED, FAULT_TIMED_OUT, FAULT_CANCELLED)
 * if it could not be started, was killed or printed too much; a non-zero exit status is a success
 * of this function. The result is set only on success.
 */
gboolean program_run(const char *const *argv, const char *input, unsigned timeout_seconds,
                     GCancellable *cancellable, ProgramResult *ret_result, GError **error);

/* The same with @variables ("NAME=value", NULL-terminated) in its environment, too. */
gboolean program_run_with(const char *const *argv, const char *const *variables, const char *input,
                          unsigned timeout_seconds, GCancellable *cancellable,
                          ProgramResult *ret_result, GError **error);

/* The same, but once the program has ended by itself, what it left in the background goes on: it
 * may not have a process group of its own yet. */
gboolean program_run_leaving(const char *const *argv, const char *const *variables,
                             unsigned timeout_seconds, GCancellable *cancellable,
                             ProgramResult *ret_result, GError **error);

/* A program that tells on standard output how far it is, or that is handed a connection. */
typedef struct {
    const char *const *argv;
    int input_fd; /* its standard input, borrowed */
    unsigned timeout_seconds;
    GCancellable *cancellable;
    void (*said)(const char *text, void *data); /* each piece of standard output, not kept */
    void *data;
} ProgramTask;

/* As program_run(), but for that; the result's output is empty. */
gboolean program_perform(const ProgramTask *task, ProgramResult *ret_result, GError **error);
