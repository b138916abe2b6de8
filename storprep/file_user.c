/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the search for processes that have files open. */
#include "storprep/file_user.h"

#include <string.h>

#include "common/limits.h"

/* What one process has open below @target, of the first @left descriptors. */
static gboolean
has_open(const char *proc, const char *process, const char *target, unsigned *left)
{
    g_autofree char *path = g_strdup_printf("%s/%s/fd", proc, process);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    size_t length = strlen(target);
    const char *name;

    while (dir && *left > 0 && (name = g_dir_read_name(dir))) {
        g_autofree char *link = g_build_filename(path, name, NULL);
        g_autofree char *file = g_file_read_link(link, NULL);

        --*left;
        if (file && strncmp(file, target, length) == 0 && (file[length] == '/' || !file[length]))
            return TRUE;
    }
    return FALSE;
}

static char *
describe_process(const char *proc, const char *process)
{
    g_autofree char *path = g_strdup_printf("%s/%s/comm", proc, process);
    g_autofree char *name = NULL;

    if (!g_file_get_contents(path, &name, NULL, NULL))
        return g_strdup_printf("process %s", process);
    return g_strdup_printf("process %s (%s)", process, g_strstrip(name));
}

char *
file_user_find(const char *proc, const char *target)
{
    g_autoptr(GDir) processes = g_dir_open(proc, 0, NULL);
    unsigned left = LIMIT_OPEN_FILES;
    char *user = NULL;
    const char *name;

    while (processes && !user && (name = g_dir_read_name(processes))) {
        if (g_ascii_isdigit(*name) && has_open(proc, name, target, &left))
            user = describe_process(proc, name);
    }
    return user;
}
