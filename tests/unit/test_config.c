/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration: defaults, values, and mistakes that are told. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/fault.h"

static Config *
load(const char *text, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("config-XXXXXX", &path, NULL);

    g_assert_cmpint(write(fd, text, strlen(text)), ==, (gssize)strlen(text));
    close(fd);
    Config *config = config_load(path, error);
    g_unlink(path);
    return config;
}

static void
test_no_file_means_defaults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_load("/nonexistent/migprep.conf", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(config->group, ==, "migprep");
    g_assert_cmpstr(config->monitor_group, ==, "migprep-monitor");
    g_assert_cmpstr(config->image_directories[0], ==, "/var/lib/libvirt/images");
    g_assert_null(config->image_directories[1]);
    g_assert_null(config->export_networks[0]);
    g_assert_cmpuint(config->unplug_seconds, ==, 30);
    g_assert_cmpuint(config->attach_seconds, ==, 60);
    g_assert_cmpuint(config->agent_seconds, ==, 10);
    g_assert_cmpuint(config->return_seconds, ==, 10);
    g_assert_null(config->physical_networks);
    g_assert_cmpuint(config->migrations_at_once, ==, 4);
    g_assert_null(config_cluster(config));
}

static void
test_every_key_is_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config =
        load("[access]\ngroup=ops\nmonitor-group=watchers\n[storage]\nimage-directories=/a;/b//c/\n"
             "export-networks=10.0.0.0/8;2001:db8::/32\n"
             "[network]\nunplug-seconds=1\nattach-seconds=600\n"
             "agent-seconds=2\nnative-migration=yes\n"
             "[hooks]\nhost-seconds=7\nguest-seconds=8\nguest-failure=ignore\n"
             "[libvirt]\nreturn-seconds=3\n[physical-network "
             "blue]\nfunctions=p0;p1\nbridge=br1\n",
             &error);

    g_assert_no_error(error);
    g_assert_cmpstr(config->group, ==, "ops");
    g_assert_cmpstr(config->monitor_group, ==, "watchers");
    g_assert_cmpstr(config->image_directories[1], ==, "/b/c");
    g_assert_cmpstr(config->export_networks[1], ==, "2001:db8::/32");
    g_assert_cmpuint(config->unplug_seconds, ==, 1);
    g_assert_true(config->native_migration);
    g_assert_cmpuint(config->attach_seconds, ==, 600);
    g_assert_cmpuint(config->agent_seconds, ==, 2);
    g_assert_cmpuint(config->return_seconds, ==, 3);
    g_assert_cmpuint(config->host_hooks.seconds, ==, 7);
    g_assert_false(config->host_hooks.ignore_failure);
    g_assert_cmpuint(config->guest_hooks.seconds, ==, 8);
    g_assert_true(config->guest_hooks.ignore_failure);
    const ConfigNetwork *blue = config_network(config, "blue");
    g_assert_cmpstr(blue->functions[1], ==, "p1");
    g_assert_cmpstr(blue->bridge, ==, "br1");
}

static void
test_each_word_of_a_choice_is_read(void)
{
    g_autoptr(Config) config = load("[network]\nnative-migration=no\n[hooks]\n"
                                    "host-failure=ignore\nguest-failure=abort\n",
                                    NULL);

    g_assert_nonnull(config);
    g_assert_false(config->native_migration);
    g_assert_true(config->host_hooks.ignore_failure);
    g_assert_false(config->guest_hooks.ignore_failure);
    config_free(NULL);
}

static void
test_mistakes_are_named(void)
{
    static const struct {
        const char *text, *named;
    } mistakes[] = {
        { "[acess]\ngroup=x\n", "acess" },
        { "[access]\ngruop=x\n", "gruop" },
        { "[access]\ngroup=\n", "group" },
        { "[network]\nnative-migration=maybe\n", "native-migration" },
        { "[network]\nunplug-seconds=0\n", "unplug-seconds" },
        { "[network]\nunplug-seconds=601\n", "unplug-seconds" },
        { "[network]\nunplug-seconds=soon\n", "unplug-seconds" },
        { "[storage]\nimage-directories=relative\n", "image-directories" },
        { "[physical-network ]\nfunctions=p0\n", "physical-network" },
        { "[physical-network blue]\nfunctions=\n", "functions" },
        { "[physical-network blue]\nfunctions=/dev/p0\n", "functions" },
        { "[physical-network blue]\nbridge=\n", "bridge" },
        { "[physical-network blue]\nbrigde=br0\n", "brigde" },
        { "[storage]\nexport-networks=10.0.0.0\n", "export-networks" },
        { "[storage]\nexport-networks=10.0.0.1/8\n", "export-networks" },
        { "[storage]\nexport-networks=0.0.0.0/0\n", "export-networks" },
        { "[hooks]\nhost-failure=retry\n", "host-failure" },
        { "[hooks]\nguest-seconds=0\n", "guest-seconds" },
        { "[migration]\ndowntime=1\n", "downtime" },
        { "[migration]\nmax-downtime=long\n", "max-downtime" },
        { "[migration]\non-timeout=suspend\n", "on-timeout" },
        { "[migration]\nat-once=0\n", "at-once" },
        { "[drain]\nat-once=0\n", "at-once" },
        { "[drain]\nat-once-in=65\n", "at-once-in" },
        { "[drain]\nto= ;\n", "to" },
        { "[drain]\nshutdown-seconds=0\n", "shutdown-seconds" },
        { "[migration]\nat-once=65\n", "at-once" },
        { "[migration]\ncluster=north\n", "cluster" },
        { "[cluster north]\nbandwith=1\n", "bandwith" },
        { "[cluster north]\non-timeout=suspend\n", "on-timeout" },
        { "no group at all\n", "config-" },
        { "[storage]\nimage-directories=\n", "image-directories" },
        /* No UTF-8: the value cannot be read. */
        { "[access]\ngroup=\377\n", "group" },
        { "[storage]\nimage-directories=\377\n", "image-directories" },
        { "[storage]\nexport-networks=\377\n", "export-networks" },
        { "[network]\nunplug-seconds=\377\n", "unplug-seconds" },
        { "[network]\nnative-migration=\377\n", "native-migration" },
        { "[physical-network blue]\nfunctions=\377\n", "functions" },
        { "[physical-network ]\nbridge=br0\n", "physical-network" },
        { "[physical-network blue]\nbridge=\377\n", "bridge" },
        { "[drain]\nat-once=\377\n", "at-once" },
        { "[drain]\nto=\377\n", "to" },
        { "[hooks]\nhost-failure=\377\n", "host-failure" },
        { "[migration]\nmax-downtime=\377\n", "max-downtime" },
        { "[migration]\ncluster=\377\n", "cluster" },
        { "[migration]\ncluster=\n", "cluster" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(load(mistakes[i].text, &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
        g_assert_nonnull(strstr(error->message, mistakes[i].named));
    }
}

static void
test_what_is_too_long_is_named(void)
{
    static const struct {
        const char *before, *named;
        gsize length;
        const char *after;
    } mistakes[] = {
        { "[access]\ngroup=", "group", 256, "\n" },
        { "[migration]\ncluster=", "cluster", 256, "\n" },
        { "[physical-network ", "physical-network", 256, "]\nfunctions=p0\n" },
        { "[storage]\nimage-directories=/", "image-directories", 4096, "\n" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = g_strnfill(mistakes[i].length, 'x');
        g_autofree char *text = g_strconcat(mistakes[i].before, name, mistakes[i].after, NULL);

        g_assert_null(load(text, &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
        g_assert_nonnull(strstr(error->message, mistakes[i].named));
    }
}

static void
test_drain_goes_to_some_hosts_but_not_to_any_number(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new("[drain]\nto=host1, host2;host3\n");
    g_autoptr(Config) some = load(text->str, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(some->drain_to), ==, 3);
    g_string_assign(text, "[drain]\nto=");
    for (int i = 0; i < 1000; i++)
        g_string_append_printf(text, "host%d ", i);
    g_assert_null(load(text->str, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
}

static void
test_no_network_may_be_named(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = load("[storage]\nexport-networks=\n[access]\n", &error);

    g_assert_no_error(error);
    g_assert_null(config->export_networks[0]);
}

static void
test_migration_policy_of_host_and_cluster(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = load("[migration]\nmax-downtime=300\nat-once=2\ncluster=north\n"
                                    "[cluster north]\nmax-downtime=500\nauto-converge=yes\n"
                                    "[cluster south]\nmax-downtime=900\n",
                                    &error);

    g_assert_no_error(error);
    g_assert_cmpuint(config->migrations_at_once, ==, 2);
    g_assert_true(config->migration.is_set[POLICY_MAX_DOWNTIME]);
    g_assert_cmpuint(config->migration.values[POLICY_MAX_DOWNTIME], ==, 300);
    g_assert_false(config->migration.is_set[POLICY_AUTO_CONVERGE]);
    g_autoptr(Config) empty = load("[migration]\ncluster=north\n[cluster north]\n", &error);
    g_assert_nonnull(empty);
    g_assert_nonnull(config_cluster(empty));
    g_assert_false(config_cluster(empty)->is_set[POLICY_MAX_DOWNTIME]);
    const PolicySettings *cluster = config_cluster(config);
    g_assert_cmpuint(cluster->values[POLICY_MAX_DOWNTIME], ==, 500);
    g_assert_cmpuint(cluster->values[POLICY_AUTO_CONVERGE], ==, TRUE);
}

static void
test_drain_has_hosts_and_limits(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) none = load("", &error);
    g_autoptr(Config) config = load("[drain]\nto=host2 host3;host4\nat-once=3\nat-once-in=1\n"
                                    "processor-overcommit=8\nshutdown-seconds=60\n",
                                    &error);

    g_assert_no_error(error);
    g_assert_null(none->drain_to);
    g_assert_cmpuint(none->drain_at_once, ==, 2);
    g_assert_cmpuint(none->drain_at_once_in, ==, 2);
    g_assert_cmpuint(g_strv_length(config->drain_to), ==, 3);
    g_assert_cmpstr(config->drain_to[2], ==, "host4");
    g_assert_cmpuint(config->drain_at_once, ==, 3);
    g_assert_cmpuint(config->drain_at_once_in, ==, 1);
    g_assert_cmpuint(config->drain_overcommit, ==, 8);
    g_assert_cmpuint(config->drain_shutdown_seconds, ==, 60);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/defaults", test_no_file_means_defaults);
    g_test_add_func("/config/values", test_every_key_is_read);
    g_test_add_func("/config/choices", test_each_word_of_a_choice_is_read);
    g_test_add_func("/config/migration-policy", test_migration_policy_of_host_and_cluster);
    g_test_add_func("/config/drain", test_drain_has_hosts_and_limits);
    g_test_add_func("/config/mistakes", test_mistakes_are_named);
    g_test_add_func("/config/too-long", test_what_is_too_long_is_named);
    g_test_add_func("/config/drain-to", test_drain_goes_to_some_hosts_but_not_to_any_number);
    g_test_add_func("/config/no-network", test_no_network_may_be_named);
    return g_test_run();
}
