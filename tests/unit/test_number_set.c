/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of numbers as the kernel and libvirt write them: "0-3,8". */
#include "common/number_set.h"

typedef struct {
    const char *text;
    gboolean valid, has_three;
    int missing; /* of 0, 1 and 3, which are there; -1: none */
} Case;

static const Case cases[] = {
    { "3", TRUE, TRUE, -1 },
    { "0-1", TRUE, FALSE, -1 },
    { "0,3", TRUE, TRUE, -1 },
    { "0-3", TRUE, TRUE, 2 },
    { "0-4,8", TRUE, TRUE, 2 },
    { "4-5", TRUE, FALSE, 4 },
    { "1,7,9", TRUE, FALSE, 7 },
    { "", FALSE, FALSE, 0 },
    { "x", FALSE, FALSE, 0 },
    { "0-", FALSE, FALSE, 0 },
    { "1-0", FALSE, FALSE, 0 },
    { "0,", FALSE, FALSE, 0 },
    { "0;1", FALSE, FALSE, 0 },
    { "0,x", FALSE, FALSE, 0 },
    { "99999999999999999999", FALSE, FALSE, 0 },
    { "0-99999999999999999999", FALSE, FALSE, 0 },
};

static void
test_cases(void)
{
    static const int there[] = { 0, 1, 3 };
    g_autoptr(GHashTable) available = g_hash_table_new(g_direct_hash, g_direct_equal);

    for (gsize i = 0; i < G_N_ELEMENTS(there); i++)
        g_hash_table_add(available, GINT_TO_POINTER(there[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int missing = -2;

        g_test_message("'%s'", cases[i].text);
        g_assert_cmpint(number_set_contains(cases[i].text, 3), ==, cases[i].has_three);
        g_assert_cmpint(number_set_find_missing(cases[i].text, available, &missing), ==,
                        cases[i].valid);
        g_assert_cmpint(missing, ==, cases[i].valid ? cases[i].missing : -2);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/number-set/cases", test_cases);
    return g_test_run();
}
