/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the question to the servers of targets' directories, of which each is asked about once. */
#include "storprep/target_reach.h"

/* @known has the directories that were asked about before: TRUE for those whose server answers. */
static gboolean
is_within(const TargetReach *reach, const Lease *lease, GHashTable *known, GError **error)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        g_autofree char *directory = g_path_get_dirname(asset->key);
        void *answers;

        if (!g_hash_table_lookup_extended(known, directory, NULL, &answers)) {
            answers = GINT_TO_POINTER(
                storage_pulse_check(reach->pulse, directory, reach->mount_info, error));
            g_hash_table_insert(known, g_steal_pointer(&directory), answers);
        }
        if (!answers)
            return FALSE;
    }
    return TRUE;
}

gboolean
target_reach_check(const TargetReach *reach, const Lease *lease, GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    return is_within(reach, lease, known, error);
}

void
target_reach_filter(const TargetReach *reach, GPtrArray *leases)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = leases->len; i-- > 0;) {
        if (!is_within(reach, leases->pdata[i], known, NULL))
            g_ptr_array_remove_index(leases, i);
    }
}
