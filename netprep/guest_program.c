/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/guest_program.h"

#include "common/printable.h"

/* The words of a guest that an error may repeat. */
#define GUEST_WORDS_MAX 200

/* netprep-guest says {"error": "..."}; anything else that failed says it on standard error. */
static void
set_guest_failure(const BondAccess *access, const GuestAgentResult *result, GError **error)
{
    json_auto_t *object = json_loads(result->output, 0, NULL);
    const char *said = json_string_value(json_object_get(object, "error"));
    g_autofree char *words = printable_line(said ? said : result->error_text, GUEST_WORDS_MAX);
    g_autofree char *label = network_guest_label(access->guest_name);

    fault_set(error, FAULT_AGENT_FAILED, label,
              "look into the guest's network, or at `netprep-guest report` there",
              "netprep-guest failed with status %d: %s", result->exit_status, words);
}

static char *
run(const BondAccess *access, const char *const *argv, unsigned timeout_seconds,
    gboolean *ret_absent, GError **error)
{
    g_auto(GuestAgentResult) result = { 0 };
    g_autoptr(GError) failure = NULL;
    gboolean ended = guest_agent_run(access->hypervisor, access->guest_uuid, argv, timeout_seconds,
                                     access->cancellable, &result, &failure);

    *ret_absent = !ended && result.exit_status == GUEST_AGENT_NOT_STARTED &&
                  fault_code(failure) == FAULT_AGENT_FAILED;
    if (!ended) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (result.exit_status != 0) {
        set_guest_failure(access, &result, error);
        return NULL;
    }
    return g_steal_pointer(&result.output);
}

static GuestBond *
run_for_bond(const BondAccess *access, const char *const *argv, unsigned timeout_seconds,
             gboolean *ret_absent, GError **error)
{
    g_autofree char *output = run(access, argv, timeout_seconds, ret_absent, error);

    return output ? guest_bond_parse(access->guest_name, output, error) : NULL;
}

GuestReport *
guest_program_report(const BondAccess *access, gboolean *ret_absent, GError **error)
{
    const char *const argv[] = { GUEST_PROGRAM_PATH, "report", NULL };
    g_autofree char *output = run(access, argv, access->agent_seconds, ret_absent, error);

    return output ? guest_report_parse(access->guest_name, output, error) : NULL;
}

GuestBond *
guest_program_use(const BondAccess *access, const char *bond, const char *port,
                  gboolean *ret_absent, GError **error)
{
    const char *const argv[] = { GUEST_PROGRAM_PATH, "use", "--bond", bond, "--port", port, NULL };

    return run_for_bond(access, argv, access->agent_seconds, ret_absent, error);
}

gboolean
guest_program_join(const BondAccess *access, const char *bond, const char *guest_path,
                   unsigned timeout_seconds, gboolean *ret_absent, GError **error)
{
    g_autofree char *timeout = g_strdup_printf("%u", timeout_seconds);
    const char *const argv[] = { GUEST_PROGRAM_PATH, "join",      "--bond", bond, "--path",
                                 guest_path,         "--timeout", timeout,  NULL };
    /* The program keeps its own deadline; the agent gets the time to say so. */
    g_autofree char *output =
        run(access, argv, timeout_seconds + access->agent_seconds, ret_absent, error);

    return output != NULL;
}

GuestBond *
guest_program_create(const BondAccess *access, const char *bond, const BondPlan *plan,
                     gboolean *ret_absent, GError **error)
{
    /* Each port's own MAC is asked for; the bond's for all is the default. */
    const char *own_mac = plan->fail_over_mac_active ? "--fail-over-mac" : NULL;
    const char *const argv[] = { GUEST_PROGRAM_PATH,
                                 "create-bond",
                                 "--bond",
                                 bond,
                                 "--primary-path",
                                 plan->primary_path,
                                 "--backup-mac",
                                 plan->backup_mac,
                                 own_mac,
                                 "active",
                                 NULL };

    return run_for_bond(access, argv, access->agent_seconds, ret_absent, error);
}

gboolean
guest_program_repair(const BondAccess *access, const char *bond, gboolean *ret_absent,
                     GError **error)
{
    const char *const argv[] = { GUEST_PROGRAM_PATH, "repair", "--bond", bond, NULL };
    g_autofree char *output = run(access, argv, access->agent_seconds, ret_absent, error);

    return output != NULL;
}
