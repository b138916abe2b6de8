/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `migprep drain` and `migprep return` have in common: options, and the answer to Ctrl-C. */
#pragma once

#include <gio/gio.h>

#include "common/cli/drain.h"
#include "common/cli/verb.h"
#include "common/config.h"

typedef struct {
    Connection connection;
    char *config_path, *root;
    char **hosts;     /* --to, or --from of a return; NULL: not given */
    char *fallback;   /* NULL: each guest's own */
    int at_once;      /* 0: as configured */
    gint64 bandwidth; /* MiB/s, for the estimate */
    gboolean json, dry_run, include_manual, cancel;
    Config *config;
    GCancellable *stop, *abort;
} DrainOptions;

/* The defaults; for drain_options_clear(). */
void drain_options_init(DrainOptions *options);
void drain_options_clear(DrainOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DrainOptions, drain_options_clear)

/* Reads the configuration and judges what was typed. FAULT_INVALID_ARGUMENT. */
gboolean drain_options_check(DrainOptions *options, GError **error);
/* From now on the first signal ends what is begun, the second undoes it, the third leaves. */
void drain_options_watch(const DrainOptions *options);
/* The rules for the plan. */
DrainRules drain_options_rules(const DrainOptions *options);
/* All of a task but who is asked and told. */
DrainTask drain_options_task(const DrainOptions *options, DrainPlan *plan);
/* The exit status of a drain that ended so. */
int drain_options_status(const DrainResult *result);
