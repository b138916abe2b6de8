/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why something could not be done, in words for the host's administrator. */
#pragma once

typedef struct {
    char text[256]; /* empty while nothing failed */
} Failure;

/* The first failure is the one that counts: later ones are its consequences. */
void failure_set(Failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));
