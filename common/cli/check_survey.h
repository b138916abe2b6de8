/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All checks of one guest's move to any of several hosts, or of a host alone. */
#pragma once

#include "common/cli/check_routes.h"

#define CHECK_HOSTS_MAX 32

typedef struct {
    char *guest;      /* NULL: a host alone */
    json_t *results;  /* of all hosts */
    json_t *verdicts; /* one for each destination: {destination, verdict} */
    json_t *invalidated_by;
    json_t *facts[SERVICE_COUNT]; /* that the source told; NULL: it told none */
    CheckVerdict verdict;         /* the worst of them */
    GError *failure;              /* of the first daemon that did not answer; NULL: all did */
} CheckSurvey;

/* Who is asked. All borrowed. */
typedef struct {
    Peer *source;
    const GPtrArray *destinations; /* of Peer * */
    GCancellable *cancellable;     /* may be NULL */
    gboolean login_known;          /* this command goes the way of the source's ssh itself */
    unsigned measure_seconds;      /* 0: the guest's memory is not watched; else 1-3 */
    guint64 bandwidth_mebibytes;   /* a second, to compare it with; 0: not known */
    CheckSilence *silence; /* what several surveys learn of hosts that do not answer; NULL */
    CheckRoutes *routes;   /* and of the ways to them; NULL */
    const json_t
        *disk_paths; /* DiskPath records of Storage: where disks are to be; NULL: as here */
} CheckPlan;

void check_survey_free(CheckSurvey *survey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckSurvey, check_survey_free)

/*
 * Asks the guest's host, and then with what that told all destinations at once; the ways to these
 * beside. Changes nothing. Never fails: what could not be asked is a result. Blocks for as long as
 * the slowest host takes, twice some seconds at the most.
 */
CheckSurvey *check_survey_guest(const CheckPlan *plan, const char *guest);
/* The same for the readiness of @host with no guest; of @plan only who may cancel it counts. */
CheckSurvey *check_survey_host(const CheckPlan *plan, Peer *host);

/* The document of --json: docs/schemas/check.schema.json. New reference. */
json_t *check_survey_to_json(const CheckSurvey *survey);
