/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/sector_size.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

/* A partition has no queue of its own: its disk, one level up, has. */
unsigned
sector_size_find(const char *root, const char *path)
{
    static const char *const places[] = { "queue", "../queue" };
    struct stat status;

    if (stat(path, &status) != 0)
        return 0;
    dev_t device = S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev;
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *file = g_strdup_printf("%s/sys/dev/block/%u:%u/%s/logical_block_size",
                                                root, major(device), minor(device), places[i]);
        g_autofree char *text = NULL;

        if (g_file_get_contents(file, &text, NULL, NULL))
            return (unsigned)g_ascii_strtoull(text, NULL, 10);
    }
    return 0;
}
