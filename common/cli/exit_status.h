/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exit statuses of migprep, a promise to scripts. */
#pragma once

#include "common/fault.h"

typedef enum {
    EXIT_STATUS_OK = 0,
    EXIT_STATUS_FAILED = 1,
    EXIT_STATUS_USAGE = 2,
    EXIT_STATUS_GUEST_NOT_FOUND = 3,
    EXIT_STATUS_GUEST_NOT_RUNNING = 4,
    EXIT_STATUS_UNREACHABLE = 5,
    EXIT_STATUS_NO_DAEMON = 6,
    EXIT_STATUS_NO_FUNCTION = 7,
    EXIT_STATUS_TARGET_EXISTS = 8,
    EXIT_STATUS_NO_SPACE = 9,
    EXIT_STATUS_AGENT = 10,
    EXIT_STATUS_UNPLUG = 11,
    EXIT_STATUS_BOND = 12,
    EXIT_STATUS_BUSY = 13,
    EXIT_STATUS_MIGRATION = 14,
    EXIT_STATUS_DISK = 15,
    EXIT_STATUS_PERMISSION = 16,
    EXIT_STATUS_DEGRADED = 17,
    EXIT_STATUS_CANCELLED = 130,
} ExitStatus;

/* The status with which an error of this kind ends the command. */
ExitStatus exit_status_of(FaultCode code);

/* The table for --help, one status a line. */
extern const char exit_status_help[];
