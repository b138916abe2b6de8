/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The method Check, which both interfaces have: which role is asked for, and the answer's form. */
#pragma once

#include "common/check.h"
#include "common/varlink_server.h"

/* The way from the guest's host to another one. All borrowed. */
typedef struct {
    const char *destination; /* as the source reaches it */
    const char *guest;       /* NULL: no guest is looked at */
    const json_t *facts;     /* an object: what Check of the destination told */
    unsigned
        measure_seconds; /* 0: its memory is not watched; else up to CHECK_MEASURE_SECONDS_MAX */
    guint64 bandwidth_mebibytes; /* a second; 0: not known */
    gboolean login;              /* only whether this host's libvirt can log in there */
} CheckPassage;

#define CHECK_MEASURE_SECONDS_MAX 3 /* within CHECK_TIMEOUT_MSEC */

/* What a daemon checks in each role; all required but @passage and @address. They change nothing
 * and block for CHECK_TIMEOUT_MSEC at most. @host is the daemon's own. */
typedef struct {
    CheckReport *(*source)(const void *host, const char *guest);
    /* @facts: what Check of the source told; what is odd about them is FAULT_INVALID_ARGUMENT. */
    CheckReport *(*destination)(const void *host, const json_t *facts, GError **error);
    CheckReport *(*host)(const void *host);
    CheckReport *(*passage)(const void *host, const CheckPassage *passage, GError **error);
    CheckReport *(*address)(const void *host); /* only facts: where others find this host */
} CheckRoles;

/* Answers @call, whose @parameters passed the interface's check. Blocks as the roles do. */
void check_method_serve(const CheckRoles *roles, const void *host, VarlinkCall *call,
                        const json_t *parameters);
