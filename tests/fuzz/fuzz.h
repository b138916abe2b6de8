/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every fuzz target has in common: where its input comes from, and how it is cut up. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* As libFuzzer calls them (LLVM, docs/LibFuzzer.rst); without it replay.c does. The first one is in
 * each fuzz_*.c, the second one in fuzz.c: it silences the log. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A statement that holds whatever the input is. */
#define FUZZ_ASSERT(condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_fail(__FILE__, __LINE__, #condition);                                             \
    } while (0)
G_NORETURN void fuzz_fail(const char *file, int line, const char *condition);

/* Input that is taken piece by piece. */
typedef struct {
    const uint8_t *data;
    size_t left;
} FuzzInput;

/* The next byte; 0 at the end. */
uint8_t fuzz_take_byte(FuzzInput *input);
/* The bytes up to the next @separator, which is passed over, as a text without NUL bytes; NULL at
 * the end. Owned by the caller. */
char *fuzz_take_text(FuzzInput *input, char separator);
