/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the question where a guest is, and the words for the answer. */
#include "storprep/outcome.h"

Outcome
outcome_ask(Hypervisor *hypervisor, const char *uuid)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, uuid, &error);

    if (!guest)
        return fault_code(error) == FAULT_GUEST_NOT_FOUND ? OUTCOME_GONE : OUTCOME_UNKNOWN;
    switch (guest->state) {
    case GUEST_STATE_RUNNING:
        return OUTCOME_RUNNING_HERE;
    case GUEST_STATE_PAUSED:
        return guest->is_split ? OUTCOME_SPLIT : OUTCOME_PAUSED_HERE;
    case GUEST_STATE_SHUT_OFF:
    case GUEST_STATE_CRASHED:
        return OUTCOME_SHUT_OFF_HERE;
    case GUEST_STATE_OTHER:
        return OUTCOME_UNKNOWN;
    }
    g_return_val_if_reached(OUTCOME_UNKNOWN);
}

const char *
outcome_sentence(Outcome outcome)
{
    switch (outcome) {
    case OUTCOME_RUNNING_HERE:
        return "the guest keeps running here";
    case OUTCOME_PAUSED_HERE:
        return "the guest is paused here";
    case OUTCOME_SHUT_OFF_HERE:
        return "the guest is shut off here";
    case OUTCOME_GONE:
        return "the guest is not here any more";
    case OUTCOME_SPLIT:
        return "the guest is paused, with its memory on both hosts";
    case OUTCOME_UNKNOWN:
        return "libvirt does not say where the guest is";
    }
    g_return_val_if_reached("");
}

const char *
outcome_remedy(Outcome outcome)
{
    switch (outcome) {
    case OUTCOME_RUNNING_HERE:
        return "mend the cause and migrate again";
    case OUTCOME_PAUSED_HERE:
        return "see that the guest does not run on the destination, then 'virsh resume' it here";
    case OUTCOME_SPLIT:
        return "mend the connection, then go on with 'virsh migrate --live --postcopy "
               "--postcopy-resume'; never resume or start the guest on either host: both have only "
               "a part of it";
    case OUTCOME_SHUT_OFF_HERE:
    case OUTCOME_GONE:
        return "see with 'virsh list' whether the guest runs on the destination before starting it "
               "anywhere";
    case OUTCOME_UNKNOWN:
        return "see with 'virsh list' on both hosts where the guest runs before starting it "
               "anywhere";
    }
    g_return_val_if_reached("");
}

void
outcome_explain(Outcome outcome, const OutcomeSubject *subject, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", subject->guest_name);
    g_autofree char *cause = NULL;

    if (!error || !*error)
        return;
    cause = g_strdup_printf("%s; %s", fault_cause(*error), outcome_sentence(outcome));
    g_clear_error(error);
    if (outcome == subject->home)
        fault_set(error, subject->code, object, "mend the cause and migrate again", "%s", cause);
    else
        fault_set(error, FAULT_MIGRATION_FAILED, object, outcome_remedy(outcome), "%s", cause);
}
