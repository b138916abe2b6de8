/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stands for libFuzzer where that is not: feeds each file of the directories that it is given to
 * the target, and prints TAP. What is wrong ends the program, as a sanitizer or an abort() would.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static void
replay(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *data = NULL;
    g_autoptr(GError) error = NULL;
    gsize size = 0;

    if (!g_file_get_contents(path, &data, &size, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    /* Exactly as large as the input: what reads past it is seen. */
    g_autofree uint8_t *bytes = g_memdup2(data, size);
    LLVMFuzzerTestOneInput(bytes, size);
}

static unsigned
replay_all(const char *directory)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(directory, 0, &error);
    unsigned count = 0;
    const char *name;

    if (!dir) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    for (; (name = g_dir_read_name(dir)); count++) {
        printf("# %s/%s\n", directory, name);
        fflush(stdout);
        replay(directory, name);
    }
    return count;
}

int
main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        unsigned count = replay_all(argv[i]);

        printf("%sok %d - %u inputs do no harm\n", count ? "" : "not ", i, count);
    }
    return 0;
}
