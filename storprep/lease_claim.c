/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the set of claimed names. */
#include "storprep/lease_claim.h"

#include "common/fault.h"

void
lease_claims_init(LeaseClaims *claims)
{
    g_mutex_init(&claims->lock);
    g_cond_init(&claims->released);
    claims->taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void
lease_claims_clear(LeaseClaims *claims)
{
    g_hash_table_unref(claims->taken);
    g_cond_clear(&claims->released);
    g_mutex_clear(&claims->lock);
}

void
lease_claim_clear(LeaseClaim *claim)
{
    if (!claim->name)
        return;
    g_mutex_lock(&claim->claims->lock);
    g_hash_table_remove(claim->claims->taken, claim->name);
    g_cond_broadcast(&claim->claims->released);
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

gboolean
lease_claim_take(LeaseClaims *claims, const char *name, gint64 patience_usec, LeaseClaim *claim,
                 GError **error)
{
    gint64 deadline = g_get_monotonic_time() + patience_usec;
    gboolean free;

    g_mutex_lock(&claims->lock);
    while (!(free = !g_hash_table_contains(claims->taken, name))) {
        if (!g_cond_wait_until(&claims->released, &claims->lock, deadline))
            break;
    }
    if (free)
        lease_claim_set(claims, name, claim);
    g_mutex_unlock(&claims->lock);
    return free || lease_claim_busy(error, name, "another call is working on it");
}
