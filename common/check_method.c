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

static CheckReport *
run(const CheckRoles *roles, const void *host, const json_t *parameters, GError **error)
{
    const char *role = json_string_value(json_object_get(parameters, "role"));

    if (g_strcmp0(role, "source") == 0)
        return run_source(roles, host, parameters, error);
    if (g_strcmp0(role, "destination") == 0)
        return run_destination(roles, host, parameters, error);
    return roles->host(host);
}

void
check_method_serve(const CheckRoles *roles, const void *host, VarlinkCall *call,
                   const json_t *parameters)
{
    GError *error = NULL;
    g_autoptr(CheckReport) report = run(roles, host, parameters, &error);

    if (report)
        varlink_call_reply(call, check_report_to_json(report));
    else
        varlink_call_fail(call, error);
}
