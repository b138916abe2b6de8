/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The method Check, which both interfaces have: which role is asked for, and the answer's form. */
#pragma once

#include "common/check.h"
#include "common/varlink_server.h"

/* What a daemon checks in each role; all required. They change nothing and block for
 * CHECK_TIMEOUT_MSEC at most. @host is the daemon's own. */
typedef struct {
    CheckReport *(*source)(const void *host, const char *guest);
    /* @facts: what Check of the source told; what is odd about them is FAULT_INVALID_ARGUMENT. */
    CheckReport *(*destination)(const void *host, const json_t *facts, GError **error);
    CheckReport *(*host)(const void *host);
} CheckRoles;

/* Answers @call, whose @parameters passed the interface's check. Blocks as the roles do. */
void check_method_serve(const CheckRoles *roles, const void *host, VarlinkCall *call,
                        const json_t *parameters);
