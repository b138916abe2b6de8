/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the configuration file: every group, key and value is checked, a typing error is told. */
#include "common/config.h"

#include <gio/gio.h>

#include "common/fault.h"
#include "common/limits.h"

#define PHYSICAL_NETWORK_PREFIX "physical-network "
#define CLUSTER_PREFIX          "cluster "
#define SECONDS_MIN             1
#define SECONDS_MAX             600
#define AT_ONCE_MAX             64
#define AT_ONCE_DEFAULT         4
#define DRAIN_AT_ONCE_DEFAULT   2
#define OVERCOMMIT_DEFAULT      4 /* as OpenStack Nova places guests */
#define HOSTS_MAX               32

typedef struct {
    const char *path;
    GKeyFile *file;
    Config *config;
} Reader;

/* Takes the value of one key over into the Config. */
typedef gboolean (*KeyRead)(const Reader *reader, const char *group, const char *key,
                            GError **error);

typedef struct {
    const char *group;
    const char *key;
    KeyRead read;
} Key;

G_GNUC_PRINTF(5, 6)
static gboolean
refuse(const Reader *reader, const char *group, const char *key, GError **error, const char *cause,
       ...)
{
    g_autofree char *object = key ? g_strdup_printf("%s: [%s] %s", reader->path, group, key)
                                  : g_strdup_printf("%s: [%s]", reader->path, group);
    va_list arguments;

    va_start(arguments, cause);
    g_autofree char *text = g_strdup_vprintf(cause, arguments);
    va_end(arguments);
    fault_set(error, FAULT_INVALID_ARGUMENT, object,
              "correct the line, or remove it to get the default", "%s", text);
    return FALSE;
}

static gboolean
read_group_name(const Reader *reader, const char *group, const char *key, char **name,
                GError **error)
{
    g_autofree char *value = g_key_file_get_string(reader->file, group, key, NULL);

    if (!value || !*value || strlen(value) > LIMIT_NAME_BYTES)
        return refuse(reader, group, key, error, "not the name of a group of users");
    g_free(*name);
    *name = g_steal_pointer(&value);
    return TRUE;
}

static gboolean
read_group(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_group_name(reader, group, key, &reader->config->group, error);
}

static gboolean
read_monitor_group(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_group_name(reader, group, key, &reader->config->monitor_group, error);
}

static gboolean
read_image_directories(const Reader *reader, const char *group, const char *key, GError **error)
{
    g_auto(GStrv) values = g_key_file_get_string_list(reader->file, group, key, NULL, NULL);

    if (!values || !values[0])
        return refuse(reader, group, key, error, "no directory is named");
    for (char **value = values; *value; value++) {
        if (!g_path_is_absolute(*value) || strlen(*value) > LIMIT_PATH_BYTES)
            return refuse(reader, group, key, error, "'%s' is not an absolute path", *value);
        /* As the kernel's table of mounts has it. */
        char *plain = g_canonicalize_filename(*value, "/");
        g_free(*value);
        *value = plain;
    }
    g_strfreev(reader->config->image_directories);
    reader->config->image_directories = g_steal_pointer(&values);
    return TRUE;
}

/* The whole world is no network that anybody means. */
static gboolean
is_network(const char *text)
{
    g_autoptr(GInetAddressMask) mask =
        strchr(text, '/') ? g_inet_address_mask_new_from_string(text, NULL) : NULL;

    return mask && g_inet_address_mask_get_length(mask) > 0;
}

static gboolean
read_export_networks(const Reader *reader, const char *group, const char *key, GError **error)
{
    g_auto(GStrv) values = g_key_file_get_string_list(reader->file, group, key, NULL, NULL);

    if (!values)
        return refuse(reader, group, key, error, "not a list of networks");
    for (char **value = values; *value; value++) {
        if (!is_network(*value))
            return refuse(reader, group, key, error, "'%s' is not a network such as 10.98.0.0/24",
                          *value);
    }
    g_strfreev(reader->config->export_networks);
    reader->config->export_networks = g_steal_pointer(&values);
    return TRUE;
}

static gboolean
read_seconds(const Reader *reader, const char *group, const char *key, unsigned *seconds,
             GError **error)
{
    g_autofree char *value = g_key_file_get_string(reader->file, group, key, NULL);
    guint64 number;

    if (!value || !g_ascii_string_to_unsigned(value, 10, SECONDS_MIN, SECONDS_MAX, &number, NULL))
        return refuse(reader, group, key, error, "'%s' is not a number of seconds from %d to %d",
                      value ? value : "", SECONDS_MIN, SECONDS_MAX);
    *seconds = (unsigned)number;
    return TRUE;
}

static gboolean
read_unplug_seconds(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_seconds(reader, group, key, &reader->config->unplug_seconds, error);
}

static gboolean
read_attach_seconds(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_seconds(reader, group, key, &reader->config->attach_seconds, error);
}

static gboolean
read_agent_seconds(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_seconds(reader, group, key, &reader->config->agent_seconds, error);
}

static gboolean
read_return_seconds(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_seconds(reader, group, key, &reader->config->return_seconds, error);
}

static void
config_network_free(ConfigNetwork *network)
{
    g_strfreev(network->functions);
    g_free(network->bridge);
    g_free(network);
}

ConfigNetwork *
config_network(Config *config, const char *name)
{
    if (!config->physical_networks)
        config->physical_networks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                          (GDestroyNotify)config_network_free);
    ConfigNetwork *network = g_hash_table_lookup(config->physical_networks, name);
    if (!network) {
        network = g_new0(ConfigNetwork, 1);
        g_hash_table_insert(config->physical_networks, g_strdup(name), network);
    }
    return network;
}

/* NULL with @error if the group's name has none for the network. */
static ConfigNetwork *
find_network(const Reader *reader, const char *group, GError **error)
{
    const char *name = group + strlen(PHYSICAL_NETWORK_PREFIX);

    if (*name && strlen(name) <= LIMIT_NAME_BYTES)
        return config_network(reader->config, name);
    refuse(reader, group, NULL, error, "the physical network has no usable name");
    return NULL;
}

static gboolean
is_device_name(const char *text)
{
    return *text && !strchr(text, '/');
}

static gboolean
read_native_migration(const Reader *reader, const char *group, const char *key, GError **error)
{
    g_autofree char *value = g_key_file_get_string(reader->file, group, key, NULL);

    if (g_strcmp0(value, "yes") != 0 && g_strcmp0(value, "no") != 0)
        return refuse(reader, group, key, error, "'%s' is neither yes nor no", value ? value : "");
    reader->config->native_migration = g_str_equal(value, "yes");
    return TRUE;
}

static gboolean
read_functions(const Reader *reader, const char *group, const char *key, GError **error)
{
    g_auto(GStrv) values = g_key_file_get_string_list(reader->file, group, key, NULL, NULL);
    ConfigNetwork *network = find_network(reader, group, error);

    if (!network)
        return FALSE;
    if (!values || !values[0])
        return refuse(reader, group, key, error, "no physical function is named");
    for (char **value = values; *value; value++) {
        if (!is_device_name(*value))
            return refuse(reader, group, key, error, "'%s' is not a network device", *value);
    }
    g_strfreev(network->functions); /* a group may be there twice */
    network->functions = g_steal_pointer(&values);
    return TRUE;
}

static gboolean
read_bridge(const Reader *reader, const char *group, const char *key, GError **error)
{
    g_autofree char *value = g_key_file_get_string(reader->file, group, key, NULL);
    ConfigNetwork *network = find_network(reader, group, error);

    if (!network)
        return FALSE;
    if (!value || !is_device_name(value))
        return refuse(reader, group, key, error, "'%s' is not a network device",
                      value ? value : "");
    g_free(network->bridge);
    network->bridge = g_steal_pointer(&value);
    return TRUE;
}

static gboolean
read_small(const Reader *reader, const char *group, const char *key, unsigned *count,
           GError **error)
{
    g_autofree char *value = g_key_file_get_string(reader->file, group, key, NULL);
    guint64 number;

    if (!value || !g_ascii_string_to_unsigned(value, 10, 1, AT_ONCE_MAX, &number, NULL))
        return refuse(reader, group, key, error, "'%s' is not a number from 1 to %d",
                      value ? value : "", AT_ONCE_MAX);
    *count = (unsigned)number;
    return TRUE;
}

static gboolean
read_at_once(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_small(reader, group, key, &reader->config->migrations_at_once, error);
}

static gboolean
read_drain_at_once(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_small(reader, group, key, &reader->config->drain_at_once, error);
}

static gboolean
read_drain_at_once_in(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_small(reader, group, key, &reader->config->drain_at_once_in, error);
}

static gboolean
read_drain_overcommit(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_small(reader, group, key, &reader->config->drain_overcommit, error);
}

static gboolean
read_drain_shutdown(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_seconds(reader, group, key, &reader->config->drain_shutdown_seconds, error);
}

/* The names are judged by whoever asks the hosts. */
static gboolean
read_drain_to(const Reader *reader, const char *group, const char *key, GError **error)
{
    g_autofree char *value = g_key_file_get_string(reader->file, group, key, NULL);
    g_auto(GStrv) words = g_strsplit_set(value ? value : "", " ;,", -1);
    g_autoptr(GStrvBuilder) hosts = g_strv_builder_new();
    guint count = 0;

    for (char **word = words; *word; word++) {
        if (**word && count++ < HOSTS_MAX)
            g_strv_builder_add(hosts, *word);
    }
    if (count == 0 || count > HOSTS_MAX)
        return refuse(reader, group, key, error, "not 1 to %d names of hosts", HOSTS_MAX);
    g_strfreev(reader->config->drain_to);
    reader->config->drain_to = g_strv_builder_end(hosts);
    return TRUE;
}

static gboolean
read_cluster(const Reader *reader, const char *group, const char *key, GError **error)
{
    g_autofree char *value = g_key_file_get_string(reader->file, group, key, NULL);

    if (!value || !*value || strlen(value) > LIMIT_NAME_BYTES)
        return refuse(reader, group, key, error, "not the name of a cluster");
    g_free(reader->config->cluster);
    reader->config->cluster = g_steal_pointer(&value);
    return TRUE;
}

static gboolean
read_failure(const Reader *reader, const char *group, const char *key, gboolean *ret_ignore,
             GError **error)
{
    g_autofree char *value = g_key_file_get_string(reader->file, group, key, NULL);

    if (g_strcmp0(value, "abort") != 0 && g_strcmp0(value, "ignore") != 0)
        return refuse(reader, group, key, error, "'%s' is neither abort nor ignore",
                      value ? value : "");
    *ret_ignore = g_str_equal(value, "ignore");
    return TRUE;
}

static gboolean
read_hooks(const Reader *reader, const char *group, const char *key, GError **error)
{
    Config *config = reader->config;
    ConfigHooks *hooks =
        g_str_has_prefix(key, "guest-") ? &config->guest_hooks : &config->host_hooks;

    return g_str_has_suffix(key, "-seconds")
               ? read_seconds(reader, group, key, &hooks->seconds, error)
               : read_failure(reader, group, key, &hooks->ignore_failure, error);
}

static gboolean
read_setting(const Reader *reader, const char *group, const char *key, PolicyLevel level,
             PolicySettings *settings, GError **error)
{
    g_autofree char *value = g_key_file_get_string(reader->file, group, key, NULL);
    g_autofree char *mistake = NULL;
    PolicyKey place;

    if (!policy_key_from_name(key, &place))
        return refuse(reader, group, key, error, "no such key");
    if (!policy_parse(place, level, value ? value : "", &settings->values[place], &mistake))
        return refuse(reader, group, key, error, "%s", mistake);
    settings->is_set[place] = TRUE;
    return TRUE;
}

static gboolean
read_global_setting(const Reader *reader, const char *group, const char *key, GError **error)
{
    return read_setting(reader, group, key, POLICY_LEVEL_GLOBAL, &reader->config->migration, error);
}

static gboolean
read_cluster_setting(const Reader *reader, const char *group, const char *key, GError **error)
{
    const char *name = group + strlen(CLUSTER_PREFIX);
    PolicySettings *settings = g_hash_table_lookup(reader->config->clusters, name);

    if (!settings) {
        settings = g_new0(PolicySettings, 1);
        g_hash_table_insert(reader->config->clusters, g_strdup(name), settings);
    }
    return read_setting(reader, group, key, POLICY_LEVEL_CLUSTER, settings, error);
}

const PolicySettings *
config_cluster(const Config *config)
{
    static const PolicySettings nothing_set; /* what a group without keys says */

    if (!config->cluster)
        return NULL;
    const PolicySettings *settings = g_hash_table_lookup(config->clusters, config->cluster);
    return settings ? settings : &nothing_set;
}

/* A group ending in a space stands for any group that begins so; a key that is NULL for any
 * other key. */
static const Key keys[] = {
    { "access", "group", read_group },
    { "access", "monitor-group", read_monitor_group },
    { "storage", "image-directories", read_image_directories },
    { "storage", "export-networks", read_export_networks },
    { "network", "unplug-seconds", read_unplug_seconds },
    { "network", "attach-seconds", read_attach_seconds },
    { "network", "agent-seconds", read_agent_seconds },
    { "network", "native-migration", read_native_migration },
    { "hooks", "host-seconds", read_hooks },
    { "hooks", "host-failure", read_hooks },
    { "hooks", "guest-seconds", read_hooks },
    { "hooks", "guest-failure", read_hooks },
    { "libvirt", "return-seconds", read_return_seconds },
    { PHYSICAL_NETWORK_PREFIX, "functions", read_functions },
    { PHYSICAL_NETWORK_PREFIX, "bridge", read_bridge },
    { "drain", "to", read_drain_to },
    { "drain", "at-once", read_drain_at_once },
    { "drain", "at-once-in", read_drain_at_once_in },
    { "drain", "processor-overcommit", read_drain_overcommit },
    { "drain", "shutdown-seconds", read_drain_shutdown },
    { "migration", "at-once", read_at_once },
    { "migration", "cluster", read_cluster },
    { "migration", NULL, read_global_setting },
    { CLUSTER_PREFIX, NULL, read_cluster_setting },
};

static gboolean
group_matches(const char *pattern, const char *group)
{
    return g_str_has_suffix(pattern, " ") ? g_str_has_prefix(group, pattern)
                                          : strcmp(pattern, group) == 0;
}

static gboolean
read_key(const Reader *reader, const char *group, const char *name, GError **error)
{
    gboolean group_known = FALSE;

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!group_matches(keys[i].group, group))
            continue;
        group_known = TRUE;
        if (!name || !keys[i].key || strcmp(keys[i].key, name) == 0)
            return name ? keys[i].read(reader, group, name, error) : TRUE;
    }
    return refuse(reader, group, group_known ? name : NULL, error,
                  group_known ? "no such key" : "no such group");
}

static gboolean
read_all(const Reader *reader, GError **error)
{
    g_auto(GStrv) groups = g_key_file_get_groups(reader->file, NULL);

    for (char **group = groups; *group; group++) {
        g_auto(GStrv) names = g_key_file_get_keys(reader->file, *group, NULL, NULL);
        if (!read_key(reader, *group, NULL, error))
            return FALSE;
        for (char **name = names; *name; name++) {
            if (!read_key(reader, *group, *name, error))
                return FALSE;
        }
    }
    return TRUE;
}

/* A name that is written otherwise in the two places would leave the cluster without its policy. */
static gboolean
check_cluster(const Reader *reader, GError **error)
{
    const Config *config = reader->config;
    g_autofree char *group = g_strconcat(CLUSTER_PREFIX, config->cluster, NULL);

    if (!config->cluster || g_key_file_has_group(reader->file, group))
        return TRUE;
    return refuse(reader, "migration", "cluster", error, "there is no group [cluster %s]",
                  config->cluster);
}

static Config *
config_new(void)
{
    Config *config = g_new0(Config, 1);

    config->group = g_strdup("migprep");
    config->monitor_group = g_strdup("migprep-monitor");
    config->image_directories = g_strsplit("/var/lib/libvirt/images", ";", -1);
    config->export_networks = g_new0(char *, 1);
    config->unplug_seconds = 30;
    config->attach_seconds = 60;
    config->agent_seconds = 10;
    config->return_seconds = 10;
    config->host_hooks.seconds = 300;
    config->guest_hooks.seconds = 30;
    config->migrations_at_once = AT_ONCE_DEFAULT;
    config->drain_at_once = config->drain_at_once_in = DRAIN_AT_ONCE_DEFAULT;
    config->drain_overcommit = OVERCOMMIT_DEFAULT;
    config->drain_shutdown_seconds = 180;
    config->clusters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return config;
}

Config *
config_load(const char *path, GError **error)
{
    g_autoptr(Config) config = config_new();
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) failure = NULL;
    Reader reader = { path, file, config };

    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &failure)) {
        if (g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            return g_steal_pointer(&config);
        fault_set(error, FAULT_INVALID_ARGUMENT, path,
                  "correct the line, or remove it to get the default", "cannot read it: %s",
                  failure->message);
        return NULL;
    }
    return read_all(&reader, error) && check_cluster(&reader, error) ? g_steal_pointer(&config)
                                                                     : NULL;
}

void
config_free(Config *config)
{
    if (!config)
        return;
    g_free(config->group);
    g_free(config->monitor_group);
    g_strfreev(config->image_directories);
    g_strfreev(config->export_networks);
    g_clear_pointer(&config->physical_networks, g_hash_table_unref);
    g_strfreev(config->drain_to);
    g_free(config->cluster);
    g_hash_table_unref(config->clusters);
    g_free(config);
}
