/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <gio/gio.h>
#include <glib-unix.h>
#include <libvirt-glib/libvirt-glib.h>
#include <libxml/parser.h>
#include <systemd/sd-daemon.h>

#include "common/fault.h"
#include "common/resident.h"

#define SETTLE_SECONDS 5
#define TRIM_SECONDS   15

typedef struct {
    char *socket_path;
    char *monitor_path;
    char *state_path;
    char *config_path;
    char *hypervisor_uri;
    gboolean verbose;
    gboolean version;
} Options;

static void
options_clear(Options *options)
{
    g_free(options->socket_path);
    g_free(options->monitor_path);
    g_free(options->state_path);
    g_free(options->config_path);
    g_free(options->hypervisor_uri);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean
options_parse(Options *options, const Daemon *daemon, int *argc, char ***argv, GError **error)
{
    g_autofree char *socket_text = g_strdup_printf("listen on PATH (default: the socket that "
                                                   "systemd passes, else %s)",
                                                   daemon->socket_path);
    g_autofree char *state_text =
        g_strdup_printf("lease database (default: %s)", daemon->state_path);
    const GOptionEntry entries[] = {
        { "socket", 0, 0, G_OPTION_ARG_FILENAME, &options->socket_path, socket_text, "PATH" },
        { "monitor-socket", 0, 0, G_OPTION_ARG_FILENAME, &options->monitor_path,
          "listen also on PATH, for those who may only look (default: the socket that systemd "
          "passes)",
          "PATH" },
        { "state", 0, 0, G_OPTION_ARG_FILENAME, &options->state_path, state_text, "PATH" },
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config_path,
          "configuration (default: " CONFIG_PATH ")", "PATH" },
        { "connect", 0, 0, G_OPTION_ARG_STRING, &options->hypervisor_uri,
          "libvirt to work with (default: qemu:///system)", "URI" },
        { "verbose", 0, 0, G_OPTION_ARG_NONE, &options->verbose, "log what is done and why", NULL },
        { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "print the version", NULL },
        { 0 },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(context, daemon->summary);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (*argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "unexpected argument '%s'",
                    (*argv)[1]);
        return FALSE;
    }
    return TRUE;
}

/* GLib sends messages to the journal when standard error is it, else to standard streams. */
static void
set_up_logging(const char *name, gboolean verbose)
{
    g_set_prgname(name);
    if (verbose)
        g_setenv("G_MESSAGES_DEBUG", G_LOG_DOMAIN, TRUE);
}

/* FileDescriptorName= of the unit's sockets. */
static VarlinkLevel
level_of(const char *name)
{
    return g_strcmp0(name, "monitor") == 0 ? VARLINK_LEVEL_LOOK : VARLINK_LEVEL_CHANGE;
}

static gboolean
listen_on(VarlinkServer *server, const Daemon *daemon, const Options *options, GError **error)
{
    const char *path = options->socket_path ? options->socket_path : daemon->socket_path;
    g_auto(GStrv) names = NULL; /* from malloc(), which is GLib's, too */
    int count = sd_listen_fds_with_names(TRUE, &names);

    if (options->monitor_path &&
        !varlink_server_listen(server, options->monitor_path, VARLINK_LEVEL_LOOK, error))
        return FALSE;
    if (options->socket_path || count <= 0)
        return varlink_server_listen(server, path, VARLINK_LEVEL_CHANGE, error);
    for (int i = 0; i < count; i++)
        if (!varlink_server_listen_fd(server, SD_LISTEN_FDS_START + i, level_of(names[i]), error))
            return FALSE;
    return TRUE;
}

static gboolean
on_signal(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_watchdog(gpointer unused)
{
    sd_notify(FALSE, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

static gboolean
on_trim(gpointer unused)
{
    resident_trim();
    return G_SOURCE_CONTINUE;
}

/* The connection to libvirt, which was begun at the start, has initialised its libraries. */
static gboolean
on_settled(gpointer unused)
{
    resident_give_back_start();
    return G_SOURCE_REMOVE;
}

/* Serves until a signal. The watchdog is fed from the loop, so a blocked loop starves it. */
static void
run_loop(void)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    guint64 watchdog_usec = 0;

    g_unix_signal_add(SIGTERM, on_signal, loop);
    g_unix_signal_add(SIGINT, on_signal, loop);
    if (sd_watchdog_enabled(FALSE, &watchdog_usec) > 0)
        g_timeout_add((guint)MAX(watchdog_usec / 2000, 1), on_watchdog, NULL);
    g_timeout_add_seconds(SETTLE_SECONDS, on_settled, NULL);
    g_timeout_add_seconds(TRIM_SECONDS, on_trim, NULL);
    sd_notify(FALSE, "READY=1");
    g_main_loop_run(loop);
    sd_notify(FALSE, "STOPPING=1");
}

static gboolean
serve(const Daemon *daemon, const Options *options, GError **error)
{
    g_autoptr(Config) config =
        config_load(options->config_path ? options->config_path : CONFIG_PATH, error);
    if (!config)
        return FALSE;

    gvir_event_register();
    g_autoptr(VarlinkServer) server =
        varlink_server_new(daemon->name, MIGPREP_VERSION, config->group);
    varlink_server_admit_monitors(server, config->monitor_group);
    void *self = daemon->start(
        server, config, options->state_path ? options->state_path : daemon->state_path,
        options->hypervisor_uri ? options->hypervisor_uri : "qemu:///system", error);
    if (!self)
        return FALSE;
    gboolean listening = listen_on(server, daemon, options, error);
    if (listening) {
        resident_give_back_start();
        run_loop();
    }
    /* The server first: its methods use the daemon. */
    g_clear_pointer(&server, varlink_server_free);
    daemon->stop(self);
    return listening;
}

int
daemon_main(const Daemon *daemon, int argc, char **argv)
{
    g_auto(Options) options = { 0 };
    g_autoptr(GError) error = NULL;

    if (!options_parse(&options, daemon, &argc, &argv, &error)) {
        g_printerr("%s: %s; see %s --help\n", daemon->name, error->message, daemon->name);
        return 2;
    }
    if (options.version) {
        g_print("%s %s\n", daemon->name, MIGPREP_VERSION);
        return 0;
    }
    set_up_logging(daemon->name, options.verbose);
    resident_bound_heaps();
    signal(SIGPIPE, SIG_IGN);
    xmlInitParser(); /* libxml2's own, which libvirt uses as well, before there are threads */
    if (!serve(daemon, &options, &error)) {
        g_critical("%s", error->message);
        return 1;
    }
    return 0;
}
