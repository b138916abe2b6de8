/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stanzas of some devices are taken out of interfaces(5); the rest stays as it is. */
#include <glib.h>
#include <string.h>

#include "netprep/guest/ini.h"
#include "netprep/guest/stanza.h"

/* The linker leads all of these here: memory and streams that are not to be had. */
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
FILE *__real_open_memstream(char **text, size_t *size);
FILE *__wrap_open_memstream(char **text, size_t *size);
int __real_fclose(FILE *stream);
int __wrap_fclose(FILE *stream);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static const char *lacking = "";

char *
__wrap_strdup(const char *text)
{
    return g_str_equal(lacking, "strdup") ? NULL : __real_strdup(text);
}

FILE *
__wrap_open_memstream(char **text, size_t *size)
{
    return g_str_equal(lacking, "open_memstream") ? NULL : __real_open_memstream(text, size);
}

int
__wrap_fclose(FILE *stream)
{
    int status = __real_fclose(stream);

    return g_str_equal(lacking, "fclose") ? EOF : status;
}

void *
__wrap_realloc(void *memory, size_t size)
{
    return g_str_equal(lacking, "realloc") ? NULL : __real_realloc(memory, size);
}

static const char *const ports[] = { "ens3", "ens4", NULL };

static void
check(const char *text, const char *rest, gboolean rest_counts, gboolean named, gsize count)
{
    Stanzas stanzas = { 0 };

    g_assert_true(stanzas_take(text, ports, &stanzas));
    g_assert_cmpstr(stanzas.rest, ==, rest);
    g_assert_cmpint(stanzas.rest_counts, ==, rest_counts);
    g_assert_cmpint(stanzas.named, ==, named);
    g_assert_cmpuint(stanzas.count, ==, count);
    stanzas_clear(&stanzas);
}

static void
test_rest_is_untouched(void)
{
    check("", "", FALSE, FALSE, 0);
    check("# a\n\n", "# a\n\n", FALSE, FALSE, 0);
    check("auto lo\niface lo inet loopback", "auto lo\niface lo inet loopback\n", TRUE, FALSE, 0);
    check("iface ens33 inet dhcp\n  mtu 9000\n", "iface ens33 inet dhcp\n  mtu 9000\n", TRUE, FALSE,
          0);
    check("mapping ens3\n  script x\n", "mapping ens3\n  script x\n", TRUE, FALSE, 0);
}

static void
test_names_leave_lists(void)
{
    check("auto ens3\n", "", FALSE, TRUE, 0);
    check("auto  lo ens3\tens4 ens5\n", "auto lo ens5\n", TRUE, TRUE, 0);
    check("allow-hotplug ens4 ens3\nno-auto-down ens3 x\n", "no-auto-down x\n", TRUE, TRUE, 0);
}

static void
test_stanzas_leave_with_their_options(void)
{
    Stanzas stanzas = { 0 };

    g_assert_true(stanzas_take("iface ens3  inet  static\n  address 1 \\\n iface ens9 inet dhcp\n"
                               "# mine\n  gateway 2\niface ens5 inet dhcp\n  mtu 1\n"
                               "iface ens4 inet6 auto\nsource x\n",
                               ports, &stanzas));
    g_assert_cmpstr(stanzas.rest, ==, "iface ens5 inet dhcp\n  mtu 1\nsource x\n");
    g_assert_cmpuint(stanzas.count, ==, 2);
    g_assert_cmpstr(stanzas.items[0].device, ==, "ens3");
    g_assert_cmpstr(stanzas.items[0].method, ==, "inet  static");
    g_assert_cmpstr(stanzas.items[0].options, ==,
                    "  address 1 \\\n iface ens9 inet dhcp\n  gateway 2\n");
    g_assert_cmpstr(stanzas.items[1].options, ==, "");
    stanzas_clear(&stanzas);
}

static void
test_too_much_is_refused(void)
{
    GString *text = g_string_new(NULL);
    Stanzas stanzas = { 0 };

    for (int i = 0; i < STANZAS_MAX; i++)
        g_string_append(text, "iface ens3 inet static\n");
    g_assert_true(stanzas_take(text->str, ports, &stanzas));
    stanzas_clear(&stanzas);
    g_string_append(text, "iface ens3 inet static\n");
    g_assert_false(stanzas_take(text->str, ports, &stanzas));
    g_string_assign(text, "auto ");
    for (int i = 0; i < 4096; i++)
        g_string_append_c(text, 'x');
    g_assert_false(stanzas_take(text->str, ports, &stanzas));
    g_string_free(text, TRUE);
}

static void
test_sections_keep_order_and_repeats(void)
{
    static const char *const dropped[] = { "Match", NULL };
    Ini ini = ini_parse(strdup("x=0\n[Match]\nName=a\n; c\n[Route]\n A = 1 \n[Route]\r\nA=2\r\n"
                               "[Odd]b]\nno value\n"));
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    g_assert_cmpstr(ini_get(&ini, "Route", "A"), ==, "2");
    g_assert_null(ini_get(&ini, "Route", "B"));
    ini_write(&ini, out, dropped, true);
    fclose(out);
    g_assert_cmpstr(text, ==, "\n[Route]\nA=1\n\n[Route]\nA=2\n\n[Odd]b]\n");
    free(text);
    ini_clear(&ini);
}

static void
test_other_keywords_end_a_stanza(void)
{
    static const char *const keywords[] = { "mapping x",          "source x",
                                            "source-directory x", "rename x=y",
                                            "template x",         "no-scripts x",
                                            "no-auto-down x",     "auto x",
                                            "allow-hotplug x",    "iface x inet manual" };

    for (gsize i = 0; i < G_N_ELEMENTS(keywords); i++) {
        g_autofree char *rest = g_strconcat(keywords[i], "\n", NULL);
        g_autofree char *text = g_strconcat("iface ens3 inet dhcp\n", rest, NULL);

        check(text, rest, TRUE, TRUE, 1);
    }
}

static void
test_settings_that_cannot_be_are_left_out(void)
{
    g_autoptr(GString) many = g_string_new("[s]\n");

    for (unsigned i = 0; i < 9000; i++)
        g_string_append(many, "k=v\n");
    Ini ini = ini_parse(strdup(many->str));
    g_assert_cmpuint(ini.count, ==, 8192);
    ini_clear(&ini);
    ini = ini_parse(NULL);
    g_assert_cmpuint(ini.count, ==, 0);
    ini_clear(&ini);
    ini = ini_parse(strdup("[s]\n#a=1\n;b=2\n[open=3\nno equals sign\n \t\nc=4\\\n5\n"));
    g_assert_null(ini_get(&ini, "s", "#a"));
    g_assert_null(ini_get(&ini, "s", ";b"));
    g_assert_cmpstr(ini_get(&ini, "s", "[open"), ==, "3");
    g_assert_cmpstr(ini_get(&ini, "s", "c"), ==, "4  5");
    g_assert_cmpuint(ini.count, ==, 3);
    ini_clear(&ini);
}

/* Files of the guest are then left as they are: what is not whole is not written. */
static void
test_without_memory_nothing_is_taken(void)
{
    static const char *const calls[] = { "strdup", "open_memstream", "fclose" };

    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        Stanzas stanzas = { 0 };

        lacking = calls[i];
        gboolean taken = stanzas_take("iface ens3 inet dhcp\n", ports, &stanzas);
        gboolean have = stanzas_have("iface ens3 inet dhcp\n", "ens3");
        lacking = "";
        g_assert_false(taken || have);
        g_assert_cmpuint(stanzas.count, ==, 0);
        g_assert_null(stanzas.rest);
    }
}

static void
test_without_memory_a_key_is_not_known(void)
{
    lacking = "realloc";
    Ini ini = ini_parse(__real_strdup("[a]\nkey=value\n"));
    lacking = "";
    g_assert_null(ini_get(&ini, "a", "key"));
    ini_clear(&ini);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stanza/rest-is-untouched", test_rest_is_untouched);
    g_test_add_func("/stanza/names-leave-lists", test_names_leave_lists);
    g_test_add_func("/stanza/stanzas-leave-with-their-options",
                    test_stanzas_leave_with_their_options);
    g_test_add_func("/stanza/too-much-is-refused", test_too_much_is_refused);
    g_test_add_func("/ini/sections-keep-order-and-repeats", test_sections_keep_order_and_repeats);
    g_test_add_func("/stanza/other-keywords", test_other_keywords_end_a_stanza);
    g_test_add_func("/ini/left-out", test_settings_that_cannot_be_are_left_out);
    g_test_add_func("/stanza/no-memory", test_without_memory_nothing_is_taken);
    g_test_add_func("/ini/no-memory", test_without_memory_a_key_is_not_known);
    return g_test_run();
}
