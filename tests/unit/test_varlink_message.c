/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is a request: one JSON object of so many levels with the members that Varlink knows. */
#include <string.h>

#include "common/limits.h"
#include "common/varlink_message.h"

typedef struct {
    const char *text;
    gboolean valid;
} Case;

static const Case cases[] = {
    { "{\"method\":\"a.b.C\"}", TRUE },
    { "{\"method\":\"a.b.C\",\"parameters\":null}", TRUE },
    { "{\"method\":\"a.b.C\",\"parameters\":{\"x\":[\"}\\\"]\"]},\"more\":true}", TRUE },
    { "{\"method\":\"a.b.C\",\"oneway\":true}", TRUE },
    { "", FALSE },
    { "}", FALSE },
    { "]{", FALSE },
    { "[]", FALSE },
    { "{}", FALSE },
    { "{\"method\":7}", FALSE },
    { "{\"method\":\"C\"}", FALSE },
    { "{\"method\":\"a.b.C\",\"parameters\":[]}", FALSE },
    { "{\"method\":\"a.b.C\",\"parameters\":\"{}\"}", FALSE },
    { "{\"method\":\"a.b.C\",\"more\":1}", FALSE },
    { "{\"method\":\"a.b.C\",\"more\":true,\"oneway\":true}", FALSE },
    { "{\"method\":\"a.b.C\",\"method\":\"a.b.D\"}", FALSE },
    { "{\"method\":\"a.b.C\",\"extra\":1}", FALSE },
};

static void
test_requests(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VarlinkRequest request = { 0 };

        g_test_message("%s", cases[i].text);
        g_assert_cmpint(varlink_request_decode(cases[i].text, strlen(cases[i].text), &request), ==,
                        cases[i].valid);
        if (cases[i].valid) {
            g_assert_cmpstr(request.interface, ==, "a.b");
            g_assert_cmpstr(request.method, ==, "C");
            g_assert_true(json_is_object(request.parameters));
        }
        varlink_request_clear(&request);
    }
}

/* @brackets of each kind around nothing. */
static gboolean
nests(unsigned brackets)
{
    g_autofree char *open = g_strnfill(brackets, '[');
    g_autofree char *close = g_strnfill(brackets, ']');
    g_autofree char *text =
        g_strdup_printf("{\"method\":\"a.B\",\"parameters\":{\"x\":%s%s}}", open, close);
    VarlinkRequest request = { 0 };
    gboolean valid = varlink_request_decode(text, strlen(text), &request);

    varlink_request_clear(&request);
    return valid;
}

static void
test_depth_is_bounded(void)
{
    g_assert_true(nests(LIMIT_JSON_DEPTH - 2));
    g_assert_false(nests(LIMIT_JSON_DEPTH - 1));
    g_assert_false(nests(100000));
}

static void
test_nothing_is_no_message(void)
{
    VarlinkReader reader = { 0 };
    gsize length;

    g_assert_null(varlink_reader_take(&reader, &length));
    g_assert_false(varlink_reader_overflown(&reader));
    varlink_reader_append(&reader, "{}", 3);
    g_autofree char *message = varlink_reader_take(&reader, &length);
    g_assert_cmpstr(message, ==, "{}");
    g_assert_cmpuint(length, ==, 2);
    g_assert_null(varlink_reader_take(&reader, &length));
    varlink_reader_clear(&reader);
    g_assert_null(varlink_reader_take(&reader, &length));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/varlink-message/requests", test_requests);
    g_test_add_func("/varlink-message/nothing", test_nothing_is_no_message);
    g_test_add_func("/varlink-message/depth", test_depth_is_bounded);
    return g_test_run();
}
