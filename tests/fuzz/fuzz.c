/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static GLogWriterOutput
drop(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    /* Our own mistakes are findings. */
    if (level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)) {
        g_log_writer_standard_streams(level, fields, count, data);
        abort();
    }
    return G_LOG_WRITER_HANDLED;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_log_set_writer_func(drop, NULL, NULL);
    return 0;
}

void
fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

uint8_t
fuzz_take_byte(FuzzInput *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++;
}

char *
fuzz_take_text(FuzzInput *input, char separator)
{
    if (input->left == 0)
        return NULL;
    const uint8_t *end = memchr(input->data, separator, input->left);
    size_t length = end ? (size_t)(end - input->data) : input->left;
    char *text = g_strndup((const char *)input->data, length);

    input->left -= MIN(input->left, length + 1);
    input->data += length + (end ? 1 : 0);
    return text;
}
