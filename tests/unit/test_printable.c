/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of strangers can neither leave their line nor look like other words. */
#include "common/printable.h"

#include <string.h>

static void
test_line_stays_one_line(void)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        { "  plain words ", "plain words" },
        { "a\nb\rc\td", "a b c d" },
        { "\033[2Jgone", "[2Jgone" },
        { "caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac" },
        { "no\xe2\x80\xae"
          "eurt",
          "no eurt" }, /* right-to-left override */
        { "a\xe2\x80\xa8"
          "b",
          "a b" }, /* line separator */
        { "a\xff", "a\xef\xbf\xbd" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = printable_line(cases[i].text, 100);
        g_assert_cmpstr(line, ==, cases[i].line);
    }
}

static void
test_line_is_cut(void)
{
    g_autofree char *flood = g_strnfill(100000, 'x');
    g_autofree char *line = printable_line(flood, 100);

    g_assert_cmpuint(strlen(line), ==, 100);
}

static void
test_what_is_left_out_is_marked(void)
{
    g_auto(GStrv) few = printable_lines("a\n\n \nb\n", 100, 2);
    g_auto(GStrv) many = printable_lines("a\nb\nc\n", 100, 2);
    g_auto(GStrv) long_one = printable_lines("abcdef", 3, 2);
    const char *const expected[][4] = { { "a", "b" }, { "a", "b", "..." }, { "abc", "..." } };

    g_assert_cmpstrv(few, expected[0]);
    g_assert_cmpstrv(many, expected[1]);
    g_assert_cmpstrv(long_one, expected[2]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/printable/line", test_line_stays_one_line);
    g_test_add_func("/printable/cut", test_line_is_cut);
    g_test_add_func("/printable/lines", test_what_is_left_out_is_marked);
    return g_test_run();
}
