/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a program of the guest, by argument vector: no shell, a fixed search path, a deadline. */
#pragma once

#include <stdbool.h>

#include "netprep/guest/failure.h"

/* Runs @argv, which ends with NULL, and waits at most @timeout_seconds; then it is killed. Its
 * input and output are /dev/null. False with @failure if it is missing, too slow or fails. Takes
 * SIGCHLD for itself meanwhile. */
bool command_run(char *const *argv, unsigned timeout_seconds, Failure *failure);
