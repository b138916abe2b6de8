/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the hooks of a phase, says as whom each may run, and runs them. */
#include "netprep/guest/hooks.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "netprep/guest/hook_process.h"

#define DIRECTORY "/etc/netprep-guest/hooks.d/"
#define MARK      ".root"

static const char *const phase_names[HOOK_PHASE_COUNT] = {
    [HOOK_PHASE_BEFORE_MIGRATION] = "before_migration",
    [HOOK_PHASE_AFTER_MIGRATION] = "after_migration",
    [HOOK_PHASE_BEFORE_HIBERNATION] = "before_hibernation",
    [HOOK_PHASE_AFTER_HIBERNATION] = "after_hibernation",
};

bool
hook_phase_parse(const char *text, HookPhase *ret_phase)
{
    for (unsigned phase = 0; phase < HOOK_PHASE_COUNT; phase++) {
        if (strcmp(phase_names[phase], text) == 0) {
            *ret_phase = (HookPhase)phase;
            return true;
        }
    }
    return false;
}

static bool
is_marked(const char *name)
{
    const size_t length = strlen(name), mark = strlen(MARK);

    return length > mark && strcmp(name + length - mark, MARK) == 0;
}

/* Neither hidden files nor what editors and package managers leave. */
static int
is_hook_name(const struct dirent *entry)
{
    const char *name = entry->d_name;
    const size_t length = strlen(name) - (is_marked(name) ? strlen(MARK) : 0);

    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
            return 0;
    }
    return length > 0;
}

static bool
is_roots_alone(const struct stat *status)
{
    return status->st_uid == 0 && !(status->st_mode & (S_IWGRP | S_IWOTH));
}

static json_t *
make_report(const char *name, const char *user, const char *why, const char *output)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "name", name, "user", user, "failure", why, "output",
                     output);
}

/* One hook within what is left of the time; NULL: it is not meant to be run. */
static json_t *
run_hook(const char *directory, const char *name, HookPhase phase, const struct timespec *deadline)
{
    HookProcess process = { .phase = phase_names[phase],
                            .deadline = *deadline,
                            .privileged = is_marked(name) };
    const char *user = process.privileged ? "root" : HOOK_USER;
    char path[PATH_MAX];
    struct stat status;

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path) ||
        stat(path, &status) < 0 || !S_ISREG(status.st_mode) || !(status.st_mode & S_IXUSR))
        return NULL;
    if (process.privileged && !is_roots_alone(&status))
        return make_report(name, user, "it is marked, but others than root may write to it", "");
    hook_process_run(path, &process);
    json_t *report = make_report(name, user, process.failure.text, process.output);
    free(process.output);
    return report ? report : make_report(name, user, process.failure.text, "(not text)");
}

static bool
has_failed(const json_t *report)
{
    return json_string_length(json_object_get(report, "failure")) > 0;
}

static json_t *
run_all(const char *directory, struct dirent **names, int count, HookPhase phase,
        const struct timespec *deadline)
{
    const bool all = phase == HOOK_PHASE_AFTER_MIGRATION || phase == HOOK_PHASE_AFTER_HIBERNATION;
    json_t *reports = json_array();
    bool stop = false;

    for (int i = 0; i < count && i < HOOKS_MAX && !stop; i++) {
        json_t *report = run_hook(directory, names[i]->d_name, phase, deadline);

        stop = report && has_failed(report) && !all;
        if (report)
            json_array_append_new(reports, report);
    }
    return reports;
}

static json_t *
run_directory(const char *directory, HookPhase phase, const struct timespec *deadline,
              Failure *failure)
{
    struct dirent **names = NULL;
    int count = scandir(directory, &names, is_hook_name, alphasort);

    if (count < 0 && errno != ENOENT) {
        failure_set(failure, "%s cannot be read: %s", directory, strerror(errno));
        return NULL;
    }
    json_t *reports = run_all(directory, names, count, phase, deadline);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return reports;
}

static bool
has_hooks(const char *root, const char *phase)
{
    char directory[PATH_MAX];
    struct dirent **names = NULL;

    snprintf(directory, sizeof(directory), "%s" DIRECTORY "%s", root, phase);
    int count = scandir(directory, &names, is_hook_name, NULL);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return count > 0;
}

json_t *
hooks_list(const char *root)
{
    json_t *phases = json_array();

    for (unsigned phase = 0; phase < HOOK_PHASE_COUNT; phase++) {
        if (has_hooks(root, phase_names[phase]))
            json_array_append_new(phases, json_string(phase_names[phase]));
    }
    return phases;
}

json_t *
hooks_run(const char *root, HookPhase phase, unsigned timeout_seconds, Failure *failure)
{
    char directory[PATH_MAX];
    struct timespec deadline;
    struct stat status;

    snprintf(directory, sizeof(directory), "%s" DIRECTORY "%s", root, phase_names[phase]);
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_seconds;
    if (stat(directory, &status) == 0 && !is_roots_alone(&status)) {
        failure_set(failure, "%s: others than root may write to it", directory);
        return NULL;
    }
    json_t *reports = run_directory(directory, phase, &deadline, failure);
    return reports ? json_pack("{s:s, s:o}", "phase", phase_names[phase], "hooks", reports) : NULL;
}
