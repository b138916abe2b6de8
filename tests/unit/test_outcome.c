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
        { GUEST_STATE_RUNNING, OUTCOME_RUNNING_HERE }, { GUEST_STATE_PAUSED, OUTCOME_PAUSED_HERE },
        { GUEST_STATE_SHUT_OFF, OUTCOME_GONE },        { GUEST_STATE_CRASHED, OUTCOME_GONE },
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
assert_explained(Outcome outcome, gboolean cancelled, FaultCode code, const char *cause)
{
    GError *error = NULL;

    fault_set(&error, FAULT_HYPERVISOR_FAILED, "guest 'web1'", "x", "the disk filled up");
    outcome_explain(outcome, "web1", cancelled, &error);
    g_assert_cmpint(fault_code(error), ==, code);
    g_assert_cmpstr(fault_object(error), ==, "guest 'web1'");
    g_assert_cmpstr(fault_cause(error), ==, cause);
    g_assert_cmpstr(fault_remedy(error), !=, "");
    g_error_free(error);
}

static void
test_the_error_says_where_the_guest_is(void)
{
    assert_explained(OUTCOME_RUNNING_HERE, FALSE, FAULT_MIGRATION_FAILED,
                     "the disk filled up; the guest keeps running here");
    assert_explained(OUTCOME_PAUSED_HERE, FALSE, FAULT_MIGRATION_FAILED,
                     "the disk filled up; the guest is paused here");
    assert_explained(OUTCOME_GONE, FALSE, FAULT_MIGRATION_FAILED,
                     "the disk filled up; the guest is not active here any more");
    assert_explained(OUTCOME_UNKNOWN, FALSE, FAULT_MIGRATION_FAILED,
                     "the disk filled up; libvirt does not say where the guest is");
}

static void
test_cancelled_only_if_all_is_as_before(void)
{
    assert_explained(OUTCOME_RUNNING_HERE, TRUE, FAULT_CANCELLED,
                     "the disk filled up; the guest keeps running here");
    assert_explained(OUTCOME_PAUSED_HERE, TRUE, FAULT_MIGRATION_FAILED,
                     "the disk filled up; the guest is paused here");
    assert_explained(OUTCOME_GONE, TRUE, FAULT_MIGRATION_FAILED,
                     "the disk filled up; the guest is not active here any more");
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
    return g_test_run();
}
