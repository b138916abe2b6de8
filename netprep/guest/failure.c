/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the first failure. */
#include "netprep/guest/failure.h"

#include <stdarg.h>
#include <stdio.h>

void
failure_set(Failure *failure, const char *format, ...)
{
    va_list arguments;

    if (failure->text[0])
        return;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof(failure->text), format, arguments);
    va_end(arguments);
}
