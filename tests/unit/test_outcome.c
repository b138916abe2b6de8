/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of where a guest is found after a migration, and what the caller is told. */
#include <string.h>

#include "fake/fake_hypervisor.h"
#include "storprep/outcome.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

static const char domain[] = "<domain type='kvm'><name>web1</name><uuid>" UUID "</uuid></domain>";

static void
test_asked_not_concluded(void)
{
    static const struct {
        GuestState state;
        Outcome outcome;
    } cases[] = {
        { GUEST_STATE_RUNNING, OUTCOME_RUNNING_HERE },
        { GUEST_STATE_PAUSED, OUTCOME_PAUSED_HERE },
        { GUEST_STATE_SHUT_OFF, OUTCOME_SHUT_OFF_HERE },
        { GUEST_STATE_CRASHED, OUTCOME_SHUT_OFF_HERE },
        { GUEST_STATE_OTHER, OUTCOME_UNKNOWN },
    };
    FakeHypervisor *fake = fake_hypervisor_new();
    g_autoptr(Hypervisor) hypervisor = fake_hypervisor_get(fake);

    g_assert_cmpint(outcome_ask(hypervisor, UUID), ==, OUTCOME_GONE);
    fake_hypervisor_add_guest(fake, domain, GUEST_STATE_RUNNING, TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        fake_hypervisor_set_state(fake, UUID, cases[i].state);
        g_assert_cmpint(outcome_ask(hypervisor, UUID), ==, cases[i].outcome);
    }
    fake_hypervisor_fail(fake, "get_guest", 1, FAULT_HYPERVISOR_UNAVAILABLE);
    g_assert_cmpint(outcome_ask(hypervisor, UUID), ==, OUTCOME_UNKNOWN);
}

static void
assert_explained(Outcome outcome, Outcome home, FaultCode code, FaultCode expected,
                 const char *sentence)
{
    const OutcomeSubject subject = { "web1", home, code };
    g_autofree char *cause = g_strconcat("the disk filled up; ", sentence, NULL);
    GError *error = NULL;

    fault_set(&error, FAULT_HYPERVISOR_FAILED, "guest 'web1'", "x", "the disk filled up");
    outcome_explain(outcome, &subject, &error);
    g_assert_cmpint(fault_code(error), ==, expected);
    g_assert_cmpstr(fault_object(error), ==, "guest 'web1'");
    g_assert_cmpstr(fault_cause(error), ==, cause);
    g_assert_cmpstr(fault_remedy(error), !=, "");
    g_error_free(error);
}

static const struct {
    Outcome outcome;
    const char *sentence;
} places[] = {
    { OUTCOME_RUNNING_HERE, "the guest keeps running here" },
    { OUTCOME_PAUSED_HERE, "the guest is paused here" },
    { OUTCOME_SHUT_OFF_HERE, "the guest is shut off here" },
    { OUTCOME_GONE, "the guest is not here any more" },
    { OUTCOME_SPLIT, "the guest is paused, with its memory on both hosts" },
    { OUTCOME_UNKNOWN, "libvirt does not say where the guest is" },
};

static void
test_the_error_says_where_the_guest_is(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
        assert_explained(places[i].outcome, OUTCOME_RUNNING_HERE, FAULT_MIGRATION_FAILED,
                         FAULT_MIGRATION_FAILED, places[i].sentence);
}

static void
test_cancelled_only_if_all_is_as_before(void)
{
    static const Outcome homes[] = { OUTCOME_RUNNING_HERE, OUTCOME_SHUT_OFF_HERE };
    static const FaultCode codes[] = { FAULT_CANCELLED, FAULT_TIMED_OUT };

    for (size_t home = 0; home < G_N_ELEMENTS(homes); home++) {
        for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
            assert_explained(places[i].outcome, homes[home], codes[home],
                             places[i].outcome == homes[home] ? codes[home]
                                                              : FAULT_MIGRATION_FAILED,
                             places[i].sentence);
    }
}

/* Either half of a guest, resumed, would run on with memory that is not its own. */
static void
test_a_split_guest_is_never_to_be_resumed(void)
{
    g_assert_nonnull(strstr(outcome_remedy(OUTCOME_SPLIT), "--postcopy-resume"));
    g_assert_nonnull(strstr(outcome_remedy(OUTCOME_SPLIT), "never resume"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outcome/asked-not-concluded", test_asked_not_concluded);
    g_test_add_func("/outcome/error-says-where-the-guest-is",
                    test_the_error_says_where_the_guest_is);
    g_test_add_func("/outcome/cancelled-only-if-all-is-as-before",
                    test_cancelled_only_if_all_is_as_before);
    g_test_add_func("/outcome/split-guest-is-never-to-be-resumed",
                    test_a_split_guest_is_never_to_be_resumed);
    return g_test_run();
}
