/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages given back are gone, and come back where they are needed. */
#include <glib.h>
#include <libvirt/libvirt.h>
#include <string.h>

#include "common/resident.h"

static guint64
file_pages_kilobytes(void)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents("/proc/self/status", &text, NULL, NULL));
    const char *line = strstr(text, "RssFile:");
    g_assert_nonnull(line);
    return g_ascii_strtoull(line + strlen("RssFile:"), NULL, 10);
}

static void
use_libraries(void)
{
    virConnectPtr connection = virConnectOpen("test:///default");
    g_autofree char *text = g_strdup_printf("%d", 42);

    g_assert_nonnull(connection);
    g_assert_cmpstr(text, ==, "42");
    g_assert_cmpint(virConnectNumOfDomains(connection), ==, 1);
    g_assert_cmpint(virConnectClose(connection), ==, 0);
}

static void
test_pages_are_given_back_and_nothing_is_lost(void)
{
    use_libraries();
    guint64 before = file_pages_kilobytes();
    resident_give_back_start();
    guint64 after = file_pages_kilobytes();
    g_test_message("%" G_GUINT64_FORMAT " KiB of files before, %" G_GUINT64_FORMAT " after", before,
                   after);
    g_assert_cmpuint(after, <, before);
    use_libraries();
}

int
main(int argc, char **argv)
{
    resident_bound_heaps();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resident/give-back", test_pages_are_given_back_and_nothing_is_lost);
    return g_test_run();
}
