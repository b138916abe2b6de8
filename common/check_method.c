/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the role and sees that it has its subject. */
#include "common/check_method.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"

static CheckReport *
run_source(const CheckRoles *roles, const void *host, const json_t *parameters, GError **error)
{
    const char *guest = json_string_value(json_object_get(parameters, "guest"));

    if (guest && *guest && strlen(guest) <= LIMIT_NAME_BYTES)
        return roles->source(host, guest);
    fault_set(error, FAULT_INVALID_ARGUMENT, "guest", "name the guest that is to leave",
              "is missing, or not 1-%d bytes", LIMIT_NAME_BYTES);
    return NULL;
}

static CheckReport *
run_destination(const CheckRoles *roles, const void *host, const json_t *parameters, GError **error)
{
    const json_t *facts = json_object_get(parameters, "facts");

    if (json_is_object(facts))
        return roles->destination(host, facts, error);
    fault_set(error, FAULT_INVALID_ARGUMENT, "facts",
              "pass the facts as Check of the source returned them", "are missing");
    return NULL;
}

static gboolean
read_passage(const json_t *parameters, CheckPassage *passage, GError **error)
{
    json_int_t seconds = json_integer_value(json_object_get(parameters, "measureSeconds"));
    json_int_t bandwidth = json_integer_value(json_object_get(parameters, "bandwidthMebibytes"));

    *passage = (CheckPassage) {
        .destination = json_string_value(json_object_get(parameters, "destination")),
        .guest = json_string_value(json_object_get(parameters, "guest")),
        .facts = json_object_get(parameters, "facts"),
        .measure_seconds = (unsigned)seconds,
        .bandwidth_mebibytes = (guint64)bandwidth,
        .login = json_is_true(json_object_get(parameters, "login")),
    };
    if (passage->destination && *passage->destination &&
        strlen(passage->destination) <= LIMIT_NAME_BYTES && json_is_object(passage->facts) &&
        seconds >= 0 && seconds <= CHECK_MEASURE_SECONDS_MAX && bandwidth >= 0 &&
        (seconds == 0 || passage->guest))
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "destination",
              "name the host, pass the facts that its Check returned, and to measure for up to "
              "3 seconds the guest",
              "or something else that role passage needs is missing or out of range");
    return FALSE;
}

/* It goes to a host of the caller's choice, as root: not for those who may only look. */
static CheckReport *
run_passage(const CheckRoles *roles, const void *host, const VarlinkCall *call,
            const json_t *parameters, GError **error)
{
    CheckPassage passage;

    if (!varlink_call_may_change(call)) {
        fault_set(error, FAULT_PERMISSION_DENIED, "role passage", NULL, "the caller may only look");
        return NULL;
    }
    return read_passage(parameters, &passage, error) ? roles->passage(host, &passage, error) : NULL;
}

static CheckReport *
run(const CheckRoles *roles, const void *host, const VarlinkCall *call, const json_t *parameters,
    GError **error)
{
    const char *role = json_string_value(json_object_get(parameters, "role"));

    if (g_strcmp0(role, "source") == 0)
        return run_source(roles, host, parameters, error);
    if (g_strcmp0(role, "destination") == 0)
        return run_destination(roles, host, parameters, error);
    if (roles->passage && g_strcmp0(role, "passage") == 0)
        return run_passage(roles, host, call, parameters, error);
    if (roles->address && g_strcmp0(role, "address") == 0)
        return roles->address(host);
    return roles->host(host);
}

void
check_method_serve(const CheckRoles *roles, const void *host, VarlinkCall *call,
                   const json_t *parameters)
{
    GError *error = NULL;
    g_autoptr(CheckReport) report = run(roles, host, call, parameters, &error);

    if (report)
        varlink_call_reply(call, check_report_to_json(report));
    else
        varlink_call_fail(call, error);
}
