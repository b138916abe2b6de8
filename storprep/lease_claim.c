/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the set of claimed names. */
#include "storprep/lease_claim.h"

#include "common/fault.h"

void
lease_claims_init(LeaseClaims *claims)
{
    g_mutex_init(&claims->lock);
    g_cond_init(&claims->changed);
    claims->taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    claims->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void
lease_claims_clear(LeaseClaims *claims)
{
    g_hash_table_unref(claims->taken);
    g_hash_table_unref(claims->wanted);
    g_cond_clear(&claims->changed);
    g_mutex_clear(&claims->lock);
}

void
lease_claim_clear(LeaseClaim *claim)
{
    if (!claim->name)
        return;
    g_mutex_lock(&claim->claims->lock);
    g_hash_table_remove(claim->claims->taken, claim->name);
    g_cond_broadcast(&claim->claims->changed);
    g_mutex_unlock(&claim->claims->lock);
    g_clear_pointer(&claim->name, g_free);
}

gboolean
lease_claim_busy(GError **error, const char *id, const char *cause)
{
    g_autofree char *object = g_strdup_printf("lease '%s'", id);

    fault_set(error, FAULT_LEASE_BUSY, object, "try again in a few seconds", "%s", cause);
    return FALSE;
}

void
lease_claim_set(LeaseClaims *claims, const char *name, LeaseClaim *claim)
{
    claim->claims = claims;
    claim->name = g_strdup(name);
    g_hash_table_add(claims->taken, g_strdup(name));
}

static gboolean
is_taken(const LeaseClaims *claims, const char *name)
{
    return g_hash_table_contains(claims->taken, name);
}

static gboolean
is_taken_or_wanted(const LeaseClaims *claims, const char *name)
{
    return is_taken(claims, name) || g_hash_table_contains(claims->wanted, name);
}

/* With the lock held: waits until @obstacle is gone; FALSE if it is not within the time. */
static gboolean
wait(LeaseClaims *claims, const char *name, gint64 patience_usec,
     gboolean (*obstacle)(const LeaseClaims *, const char *))
{
    gint64 deadline = g_get_monotonic_time() + patience_usec;

    while (obstacle(claims, name)) {
        if (!g_cond_wait_until(&claims->changed, &claims->lock, deadline))
            return !obstacle(claims, name);
    }
    return TRUE;
}

gboolean
lease_claim_take(LeaseClaims *claims, const char *name, gint64 patience_usec, LeaseClaim *claim,
                 GError **error)
{
    gboolean free;

    g_mutex_lock(&claims->lock);
    free = wait(claims, name, patience_usec, is_taken_or_wanted);
    if (free)
        lease_claim_set(claims, name, claim);
    g_mutex_unlock(&claims->lock);
    if (!free)
        lease_claim_busy(error, name, "another call is working on it");
    return free;
}

gboolean
lease_claim_recover(LeaseClaims *claims, const char *name, gint64 patience_usec, LeaseClaim *claim)
{
    gboolean free;

    g_mutex_lock(&claims->lock);
    g_hash_table_add(claims->wanted, g_strdup(name));
    free = wait(claims, name, patience_usec, is_taken);
    g_hash_table_remove(claims->wanted, name);
    if (free)
        lease_claim_set(claims, name, claim);
    else
        g_cond_broadcast(&claims->changed);
    g_mutex_unlock(&claims->lock);
    return free;
}

gboolean
lease_claim_await(LeaseClaims *claims, const char *name, gint64 patience_usec, GError **error)
{
    gboolean free;

    g_mutex_lock(&claims->lock);
    free = wait(claims, name, patience_usec, is_taken);
    g_mutex_unlock(&claims->lock);
    if (!free)
        lease_claim_busy(error, name, "another call is working on it");
    return free;
}
