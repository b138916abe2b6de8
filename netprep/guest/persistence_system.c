/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collects the work of making a bond last. */
#include "netprep/guest/persistence_system.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void
persistence_work_command(PersistenceWork *work, const char *const *words)
{
    PersistenceCommands *commands = &work->commands;

    if (commands->count == PERSISTENCE_COMMANDS_MAX)
        return;
    for (size_t i = 0; i < PERSISTENCE_WORDS_MAX - 1 && words[i]; i++)
        commands->words[commands->count][i] = strdup(words[i]);
    commands->count++;
}

void
persistence_work_instruct(PersistenceWork *work, const char *format, ...)
{
    va_list arguments;

    if (!work->instructions)
        work->instructions = json_array();
    va_start(arguments, format);
    json_array_append_new(work->instructions, json_vsprintf(format, arguments));
    va_end(arguments);
}

void
persistence_work_clear(PersistenceWork *work)
{
    for (size_t i = 0; i < work->commands.count; i++) {
        for (size_t word = 0; word < PERSISTENCE_WORDS_MAX; word++)
            free(work->commands.words[i][word]);
    }
    config_changes_clear(&work->changes);
    json_decref(work->instructions);
    *work = (PersistenceWork) { 0 };
}

bool
persistence_work_create(PersistenceWork *work, const char *path, unsigned mode, FILE *out,
                        char **text, Failure *failure)
{
    const bool whole = out && !ferror(out);

    if (!out || fclose(out) != 0 || !whole) {
        free(*text);
        *text = NULL;
    }
    char *content = *text;
    *text = NULL;
    return config_changes_create(&work->changes, path, content, mode, failure);
}
