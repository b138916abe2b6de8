/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds, judges and runs the hooks of this host. */
#include "common/cli/host_hooks.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli/journal.h"
#include "common/fault.h"
#include "common/limits.h"
#include "common/printable.h"
#include "common/program.h"

static const char *const phase_names[] = {
    [HOST_HOOKS_PRE_DRAIN] = "pre-drain",
    [HOST_HOOKS_POST_DRAIN] = "post-drain",
};

/* The later one counts for a name that is in both. */
static const char *const places[] = { "/usr/lib/migprep", "/etc/migprep" };

static char *
label_of(const char *path)
{
    return g_strdup_printf("hook %s", path);
}

/* Whoever may write to it may do as the one who runs it. */
static gboolean
check_safe(const char *path, const struct stat *status, GError **error)
{
    g_autofree char *label = label_of(path);
    gboolean of_us = status->st_uid == 0 || status->st_uid == geteuid();

    if (of_us && !(status->st_mode & (S_IWGRP | S_IWOTH)))
        return TRUE;
    fault_set(error, FAULT_PERMISSION_DENIED, label, "chown root: and chmod go-w, if you trust it",
              "others than root may write to it");
    return FALSE;
}

static gboolean
is_hook_name(const char *name)
{
    for (const char *at = name; *at; at++) {
        if (!g_ascii_isalnum(*at) && *at != '_' && *at != '-')
            return FALSE;
    }
    return TRUE;
}

/* name -> path. A place that is not there has none. */
static gboolean
add_place(GHashTable *hooks, const char *directory, GError **error)
{
    g_autoptr(GDir) listing = g_dir_open(directory, 0, NULL);
    struct stat status;
    const char *name;

    if (!listing || stat(directory, &status) < 0)
        return TRUE;
    if (!check_safe(directory, &status, error))
        return FALSE;
    while ((name = g_dir_read_name(listing))) {
        if (!is_hook_name(name))
            continue;
        if (g_hash_table_size(hooks) >= LIMIT_HOOKS) {
            fault_set(error, FAULT_LIMIT_EXCEEDED, directory, "take some away",
                      "has more than %d hooks", LIMIT_HOOKS);
            return FALSE;
        }
        g_hash_table_insert(hooks, g_strdup(name), g_build_filename(directory, name, NULL));
    }
    return TRUE;
}

static gint
compare_paths(gconstpointer a, gconstpointer b)
{
    g_autofree char *left = g_path_get_basename(*(char *const *)a);
    g_autofree char *right = g_path_get_basename(*(char *const *)b);

    return strcmp(left, right);
}

/* Paths in the order of their names. */
static GPtrArray *
find(const char *root, HostHooksPhase phase, GError **error)
{
    g_autoptr(GHashTable) hooks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *folder = g_strconcat(phase_names[phase], ".d", NULL);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    void *path;

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *directory = g_strconcat(root, places[i], "/", folder, NULL);

        if (!add_place(hooks, directory, error))
            return NULL;
    }
    g_hash_table_iter_init(&iter, hooks);
    while (g_hash_table_iter_next(&iter, NULL, &path))
        g_ptr_array_add(paths, g_strdup(path));
    g_ptr_array_sort(paths, compare_paths);
    return g_steal_pointer(&paths);
}

static char **
make_environment(const HostHooks *hooks, HostHooksPhase phase)
{
    char **variables = g_new0(char *, 6);

    variables[0] = g_strconcat("MIGPREP_PHASE=", phase_names[phase], NULL);
    variables[1] = g_strconcat("MIGPREP_HOST=", g_get_host_name(), NULL);
    variables[2] = g_strconcat("MIGPREP_REASON=", hooks->reason ? hooks->reason : "", NULL);
    variables[3] =
        g_strconcat("MIGPREP_DESTINATIONS=", hooks->destinations ? hooks->destinations : "", NULL);
    variables[4] = g_strconcat("MIGPREP_RESULT=", hooks->result ? hooks->result : "", NULL);
    return variables;
}

static void
tell(const HostHooks *hooks, const char *path, const char *text, gboolean warning)
{
    g_autofree char *name = g_path_get_basename(path);
    g_auto(GStrv) lines = printable_lines(text, LIMIT_HOOK_OUTPUT_BYTES, LIMIT_HOOK_OUTPUT_LINES);
    const JournalEntry entry = { .event = "hook-output", .hook = name, .warning = warning };

    for (char **line = lines; *line; line++) {
        if (hooks->tell)
            hooks->tell(name, *line, hooks->data);
        else
            journal_tell(&entry, "%s: %s", name, *line);
    }
}

static gboolean
run_program(const HostHooks *hooks, const char *path, const char *const *variables,
            GCancellable *cancellable, GError **error)
{
    const char *const argv[] = { path, NULL };
    g_auto(ProgramResult) result = { 0 };
    g_autofree char *label = label_of(path);

    if (!program_run_with(argv, variables, NULL, hooks->config->seconds, cancellable, &result,
                          error))
        return FALSE;
    tell(hooks, path, result.output, FALSE);
    tell(hooks, path, result.error_text, TRUE);
    if (result.exit_status == 0)
        return TRUE;
    g_autofree char *words = printable_line(result.error_text, LIMIT_NAME_BYTES);
    fault_set(error, FAULT_PROGRAM_FAILED, label, "see: journalctl -t migprep",
              "failed with status %d%s%s", result.exit_status, *words ? ": " : "", words);
    return FALSE;
}

/* What is not executable is not meant: it was switched off, or hidden by a link to /dev/null. */
static gboolean
run_hook(const HostHooks *hooks, const char *path, const char *const *variables,
         GCancellable *cancellable, GError **error)
{
    struct stat status;

    if (stat(path, &status) < 0 || !S_ISREG(status.st_mode) || access(path, X_OK) < 0)
        return TRUE;
    return check_safe(path, &status, error) &&
           run_program(hooks, path, variables, cancellable, error);
}

static gboolean
goes_on(const HostHooks *hooks, const char *path, const GError *failure)
{
    g_autofree char *name = g_path_get_basename(path);
    const JournalEntry entry = { .event = "hook-failed", .hook = name, .warning = TRUE };

    journal_tell(&entry, "%s", failure->message);
    return hooks->config->ignore_failure && fault_code(failure) != FAULT_CANCELLED;
}

gboolean
host_hooks_run(const HostHooks *hooks, HostHooksPhase phase, GCancellable *cancellable,
               GError **error)
{
    g_autoptr(GPtrArray) paths = find(hooks->root, phase, error);
    g_auto(GStrv) variables = make_environment(hooks, phase);

    for (guint i = 0; paths && i < paths->len; i++) {
        GError *failure = NULL;

        if (run_hook(hooks, paths->pdata[i], (const char *const *)variables, cancellable, &failure))
            continue;
        if (!goes_on(hooks, paths->pdata[i], failure)) {
            g_propagate_error(error, failure);
            return FALSE;
        }
        g_error_free(failure);
    }
    return paths != NULL;
}
