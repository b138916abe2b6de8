/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/maintenance.h"

#include <string.h>

#define REASON_BYTES_MAX 200

char *
maintenance_reason(const char *root)
{
    g_autofree char *path = g_strconcat(root, MAINTENANCE_PATH, NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return g_file_test(path, G_FILE_TEST_EXISTS) ? g_strdup("") : NULL;
    g_autofree char *line = g_strndup(text, MIN(strcspn(text, "\n"), REASON_BYTES_MAX));
    return g_utf8_make_valid(line, -1);
}
