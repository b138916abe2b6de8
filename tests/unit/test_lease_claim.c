/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of claims: one at a time, and recovery before all others. */
#include "common/fault.h"
#include "storprep/lease_claim.h"

#define NAME    "lease"
#define PATIENT (600 * G_USEC_PER_SEC) /* longer than a test may take */
#define CALLERS 4

typedef struct {
    LeaseClaims claims;
    GString *order; /* who had the name: 'c'alls and 'r'ecovery */
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    lease_claims_init(&fixture->claims);
    fixture->order = g_string_new(NULL);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    lease_claims_clear(&fixture->claims);
    g_string_free(fixture->order, TRUE);
}

static void
test_one_at_a_time(Fixture *fixture, const void *data)
{
    g_auto(LeaseClaim) first = { 0 };
    g_auto(LeaseClaim) second = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_true(lease_claim_take(&fixture->claims, NAME, 0, &first, NULL));
    g_assert_false(lease_claim_take(&fixture->claims, NAME, 0, &second, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_LEASE_BUSY);
    g_assert_false(lease_claim_recover(&fixture->claims, NAME, 0, &second));
    lease_claim_clear(&first);
    g_assert_true(lease_claim_take(&fixture->claims, NAME, 0, &second, NULL));
}

static void *
call(void *data)
{
    Fixture *fixture = data;
    g_auto(LeaseClaim) claim = { 0 };

    g_assert_true(lease_claim_take(&fixture->claims, NAME, PATIENT, &claim, NULL));
    g_string_append_c(fixture->order, 'c');
    return NULL;
}

static void *
recover(void *data)
{
    Fixture *fixture = data;
    g_auto(LeaseClaim) claim = { 0 };

    g_assert_true(lease_claim_recover(&fixture->claims, NAME, PATIENT, &claim));
    g_string_append_c(fixture->order, 'r');
    return NULL;
}

static gboolean
recovery_waits(Fixture *fixture)
{
    gboolean waits;

    g_mutex_lock(&fixture->claims.lock);
    waits = g_hash_table_contains(fixture->claims.wanted, NAME);
    g_mutex_unlock(&fixture->claims.lock);
    return waits;
}

static void
test_recovery_goes_first(Fixture *fixture, const void *data)
{
    g_auto(LeaseClaim) claim = { 0 };
    GThread *callers[CALLERS];
    GThread *recovery;

    g_assert_true(lease_claim_take(&fixture->claims, NAME, 0, &claim, NULL));
    for (size_t i = 0; i < CALLERS; i++)
        callers[i] = g_thread_new("call", call, fixture);
    recovery = g_thread_new("recover", recover, fixture);
    while (!recovery_waits(fixture))
        g_thread_yield();
    lease_claim_clear(&claim);
    g_thread_join(recovery);
    for (size_t i = 0; i < CALLERS; i++)
        g_thread_join(callers[i]);
    g_assert_cmpstr(fixture->order->str, ==, "rcccc");
}

/* Recovery that gave up stands in nobody's way. */
static void
test_calls_go_on_after_recovery_gave_up(Fixture *fixture, const void *data)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_auto(LeaseClaim) other = { 0 };

    g_assert_true(lease_claim_take(&fixture->claims, NAME, 0, &claim, NULL));
    g_assert_false(lease_claim_recover(&fixture->claims, NAME, 1, &other));
    lease_claim_clear(&claim);
    g_assert_true(lease_claim_take(&fixture->claims, NAME, 0, &other, NULL));
}

static void
test_awaiting_claims_nothing(Fixture *fixture, const void *data)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_true(lease_claim_await(&fixture->claims, NAME, 0, NULL));
    g_assert_true(lease_claim_recover(&fixture->claims, NAME, 0, &claim));
    g_assert_false(lease_claim_await(&fixture->claims, NAME, 0, &error));
    g_assert_cmpint(fault_code(error), ==, FAULT_LEASE_BUSY);
}

static void
add(const char *name, void (*test)(Fixture *, const void *))
{
    g_autofree char *path = g_strconcat("/lease-claim/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("one-at-a-time", test_one_at_a_time);
    add("recovery-goes-first", test_recovery_goes_first);
    add("calls-go-on-after-recovery-gave-up", test_calls_go_on_after_recovery_gave_up);
    add("awaiting-claims-nothing", test_awaiting_claims_nothing);
    return g_test_run();
}
