/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/drain_options.h"

#include "common/cli/exit_status.h"
#include "common/cli/interrupt.h"
#include "common/fault.h"
#include "common/host_name.h"
#include "common/limits.h"

#define AT_ONCE_MAX       64
#define BANDWIDTH_DEFAULT 100 /* MiB/s: what one move gets through 1 Gbit/s */
#define BANDWIDTH_MAX     (1024 * 1024)
#define RETRY_MSEC        10000

void
drain_options_init(DrainOptions *options)
{
    *options = (DrainOptions) { .bandwidth = BANDWIDTH_DEFAULT,
                                .stop = g_cancellable_new(),
                                .abort = g_cancellable_new() };
}

void
drain_options_clear(DrainOptions *options)
{
    connection_clear(&options->connection);
    g_free(options->config_path);
    g_free(options->root);
    g_strfreev(options->hosts);
    g_free(options->fallback);
    config_free(options->config);
    g_clear_object(&options->stop);
    g_clear_object(&options->abort);
}

static gboolean
refuse(const char *option, const char *cause, GError **error)
{
    fault_set(error, FAULT_INVALID_ARGUMENT, option, "see --help of the command", "%s", cause);
    return FALSE;
}

static gboolean
check_hosts(char *const *hosts, GError **error)
{
    for (char *const *host = hosts; host && *host; host++) {
        if (!host_name_check(*host, error))
            return FALSE;
        if (host_name_is_own(*host, g_get_host_name())) {
            g_autofree char *object = g_strdup_printf("host '%s'", *host);
            fault_set(error, FAULT_INVALID_ARGUMENT, object, "name another host",
                      "is this host itself");
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
parse_fallback(const char *text, int *ret_fallback, char **ret_mistake)
{
    guint64 value;

    *ret_fallback = -1;
    if (!text)
        return TRUE;
    if (!policy_parse(POLICY_FALLBACK, POLICY_LEVEL_REQUEST, text, &value, ret_mistake))
        return FALSE;
    *ret_fallback = (int)value;
    return TRUE;
}

gboolean
drain_options_check(DrainOptions *options, GError **error)
{
    g_autofree char *mistake = NULL;
    int fallback;

    if (!options->root)
        options->root = g_strdup("");
    options->config = config_load(options->config_path ? options->config_path : CONFIG_PATH, error);
    if (!options->config || !check_hosts(options->hosts, error) ||
        !check_hosts(options->config->drain_to, error))
        return FALSE;
    if (options->at_once < 0 || options->at_once > AT_ONCE_MAX)
        return refuse("option --at-once", "it is not from 1 to 64", error);
    if (options->bandwidth < 1 || options->bandwidth > BANDWIDTH_MAX)
        return refuse("option --bandwidth", "it is out of range", error);
    if (!parse_fallback(options->fallback, &fallback, &mistake))
        return refuse("option --fallback", mistake, error);
    return TRUE;
}

void
drain_options_watch(const DrainOptions *options)
{
    const InterruptStage stages[] = {
        { options->stop, "no guest begins to move any more; once more undoes those that do" },
        { options->abort, "cancelling and undoing; once more leaves at once" },
    };

    interrupt_watch_stages(stages, G_N_ELEMENTS(stages),
                           "leaving now; what was begun undoes or finishes itself");
}

DrainRules
drain_options_rules(const DrainOptions *options)
{
    const Config *config = options->config;
    unsigned out = options->at_once ? (unsigned)options->at_once : config->drain_at_once;

    return (DrainRules) { .include_manual = options->include_manual,
                          .limits = { out, config->drain_at_once_in },
                          .overcommit = config->drain_overcommit,
                          .bandwidth_mebibytes = (guint64)options->bandwidth };
}

DrainTask
drain_options_task(const DrainOptions *options, DrainPlan *plan)
{
    g_autofree char *mistake = NULL;
    DrainTask task = { .plan = plan,
                       .shutdown_seconds = options->config->drain_shutdown_seconds,
                       .lease_seconds = LEASE_SECONDS_DEFAULT,
                       .retry_msec = RETRY_MSEC,
                       .stop = options->stop,
                       .cancel = options->abort };

    (void)parse_fallback(options->fallback, &task.fallback, &mistake);
    return task;
}

int
drain_options_status(const DrainResult *result)
{
    switch (result->kind) {
    case DRAIN_RESULT_DRAINED:
        break;
    case DRAIN_RESULT_PARTLY:
    case DRAIN_RESULT_BLOCKED:
        return EXIT_STATUS_FAILED;
    case DRAIN_RESULT_CANCELLED:
        return EXIT_STATUS_CANCELLED;
    }
    for (guint i = 0; i < result->ends->len; i++) {
        if (g_array_index(result->ends, DrainEnd, i).outcome == DRAIN_DEGRADED)
            return EXIT_STATUS_DEGRADED;
    }
    return EXIT_STATUS_OK;
}
