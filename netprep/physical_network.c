/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Merges the configuration's physical networks with libvirt's. */
#include "netprep/physical_network.h"

#include <string.h>

struct PhysicalNetworks {
    GHashTable *functions; /* network name -> GStrv of PF network devices */
};

static void
add_configured(PhysicalNetworks *networks, const Config *config)
{
    GHashTableIter iter;
    void *name, *functions;

    if (!config->physical_networks)
        return;
    g_hash_table_iter_init(&iter, config->physical_networks);
    while (g_hash_table_iter_next(&iter, &name, &functions))
        g_hash_table_insert(networks->functions, g_strdup(name), g_strdupv(functions));
}

static void
add_discovered(PhysicalNetworks *networks, GHashTable *discovered)
{
    GHashTableIter iter;
    void *name, *value;

    g_hash_table_iter_init(&iter, discovered);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        const GPtrArray *functions = value;
        g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

        if (physical_networks_contain(networks, name))
            continue;
        for (guint i = 0; i < functions->len; i++) {
            if (functions->pdata[i])
                g_strv_builder_add(builder, functions->pdata[i]);
        }
        g_hash_table_insert(networks->functions, g_strdup(name), g_strv_builder_end(builder));
    }
}

PhysicalNetworks *
physical_networks_read(Hypervisor *hypervisor, const Config *config, GError **error)
{
    g_autoptr(GHashTable) discovered = hypervisor_list_passthrough_networks(hypervisor, error);

    if (!discovered)
        return NULL;
    PhysicalNetworks *networks = g_new0(PhysicalNetworks, 1);
    networks->functions =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
    add_configured(networks, config);
    add_discovered(networks, discovered);
    return networks;
}

void
physical_networks_free(PhysicalNetworks *networks)
{
    if (!networks)
        return;
    g_hash_table_unref(networks->functions);
    g_free(networks);
}

gboolean
physical_networks_contain(const PhysicalNetworks *networks, const char *name)
{
    return g_hash_table_contains(networks->functions, name);
}

gboolean
physical_networks_lead(const PhysicalNetworks *networks, const char *name,
                       const char *physical_function)
{
    const char *const *functions = g_hash_table_lookup(networks->functions, name);

    return functions && g_strv_contains(functions, physical_function);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    const char *const *left = a, *const *right = b;

    return strcmp(*left, *right);
}

char **
physical_networks_of(const PhysicalNetworks *networks, const char *physical_function)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GHashTableIter iter;
    void *name;

    g_hash_table_iter_init(&iter, networks->functions);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (physical_networks_lead(networks, name, physical_function))
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
