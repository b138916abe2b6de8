/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interface descriptions: what is one, and what fits one. */
#include "common/fault.h"
#include "common/limits.h"
#include "common/varlink_idl.h"

#define HEAD "interface org.example.test\n"

static void
test_names_come_in_the_order_of_the_description(void)
{
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(
        "# a comment\n" HEAD
        "method B()->() # another\nerror Z()\nmethod A( )\n->\n( )\nerror Y ()",
        NULL);
    const char *const *methods = varlink_interface_methods(iface);
    const char *const *errors = varlink_interface_errors(iface);

    g_assert_cmpstr(methods[0], ==, "B");
    g_assert_cmpstr(methods[1], ==, "A");
    g_assert_null(methods[2]);
    g_assert_cmpstr(errors[0], ==, "Z");
    g_assert_cmpstr(errors[1], ==, "Y");
    g_assert_null(errors[2]);
    varlink_interface_free(NULL);
}

static void
test_names_may_have_underscores(void)
{
    g_autoptr(VarlinkInterface) iface =
        varlink_interface_parse(HEAD "type T_x (a_b: int)\nmethod M_1() -> (c_: T_x)\n", NULL);

    g_assert_nonnull(iface);
    g_assert_cmpstr(varlink_interface_methods(iface)[0], ==, "M_1");
}

static void
test_mistake_is_told_with_its_line(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "", "line 1 of the interface: 'interface' is missing" },
        { "interface 1", "line 1 of the interface: '1' is not a name" },
        { HEAD "metod A() -> ()", "line 2 of the interface: 'metod' is not type, method or error" },
        { HEAD "method a() -> ()", "line 2 of the interface: 'a() -> ()' is not a name" },
        { HEAD "method A()\n()", "line 3 of the interface: '->' is missing" },
        { HEAD "method A(x: int -> ()", "line 2 of the interface: ')' is missing" },
        { HEAD "method A(x: integer) -> ()", "line 2 of the interface: 'integer' is not a type" },
        { HEAD "method A(x: ? ?int) -> ()",
          "line 2 of the interface: a type cannot be nullable twice" },
        { HEAD "method A(x: int, x: int) -> ()", "line 2 of the interface: field 'x'" },
        { HEAD "method A(x: (a, a)) -> ()", "line 2 of the interface: value 'a'" },
        { HEAD "method A(x: (a, b: int)) -> ()", "line 2 of the interface: 'b' mixes" },
        { HEAD "method A(x: (a: int, b)) -> ()", "line 2 of the interface: 'b' mixes" },
        { HEAD "method A(a, b) -> ()", "line 2 of the interface: parameters need types" },
        { HEAD "error A(a, b)", "line 2 of the interface: parameters need types" },
        { HEAD "error A()\ntype A (a: int)", "line 3 of the interface: 'A' is there twice" },
        { HEAD "method A(x: []B) -> ()", "of the interface: type 'B' is not declared" },
        { HEAD "type C (x: (y: ?B))", "of the interface: type 'B' is not declared" },
        { HEAD "error E(x: [string]B)", "of the interface: type 'B' is not declared" },
        { HEAD "type", "line 2 of the interface: '' is not a name" },
        { HEAD "7", "line 2 of the interface: '7' is not a name" },
        { HEAD "method A() -> ()\nmethod A() -> ()",
          "line 3 of the interface: 'A' is there twice" },
        { HEAD "error A()\nerror A()", "line 3 of the interface: 'A' is there twice" },
        { HEAD "type A (a: int)\ntype A (a: int)", "line 3 of the interface: 'A' is there twice" },
        { HEAD "method A() -> (x: B)", "of the interface: type 'B' is not declared" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(varlink_interface_parse(cases[i].text, &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

static char *
nested(const char *prefix, unsigned depth)
{
    g_autoptr(GString) text = g_string_new(HEAD "method A(x: ");

    for (unsigned i = 0; i < depth; i++)
        g_string_append(text, prefix);
    g_string_append(text, "int) -> ()");
    return g_strdup(text->str);
}

static void
test_nesting_of_types_is_bounded(void)
{
    g_autofree char *deepest = nested("[]", LIMIT_JSON_DEPTH - 1);
    g_autofree char *deeper = nested("[]", LIMIT_JSON_DEPTH);
    g_autofree char *abyss = nested("[]", 100000);
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(deepest, NULL);

    g_assert_nonnull(iface);
    g_assert_null(varlink_interface_parse(deeper, NULL));
    g_assert_null(varlink_interface_parse(abyss, NULL));
}

static const char types[] =
    HEAD "type Kind (red, blue)\n"
         "type Item (name: string, kind: Kind, inner: ?Item)\n"
         "method Take(flag: ?bool, count: ?int, rate: ?float, any: ?object, items: ?[]Item,\n"
         "  map: ?[string]int, point: ?(x: int, y: ?int), word: ?(on, off)) -> (number: int)\n";

static void
test_every_cut_of_a_description_is_refused_or_read(void)
{
    for (size_t length = 0; length < sizeof types; length++) {
        g_autofree char *cut = g_strndup(types, length);
        g_autoptr(GError) error = NULL;
        g_autoptr(VarlinkInterface) iface = varlink_interface_parse(cut, &error);
        g_assert_true((iface == NULL) == (error != NULL));
    }
}

/* The field that @object is refused for, "" if it is accepted. */
static char *
refused_field(const char *method, VarlinkDirection direction, const char *object)
{
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(types, NULL);
    json_auto_t *json = json_loads(object, 0, NULL);
    g_autoptr(GError) error = NULL;

    if (varlink_interface_check(iface, method, direction, json, &error))
        return g_strdup("");
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    return g_strdup(fault_object(error));
}

static void
test_values_fit_their_types(void)
{
    static const struct {
        const char *object;
        const char *field;
    } cases[] = {
        { "{}", "" },
        { "{\"flag\":true,\"count\":-1,\"rate\":1,\"any\":{\"a\":[]},\"map\":{\"a\":1}}", "" },
        { "{\"rate\":1.5,\"point\":{\"x\":1,\"y\":null},\"word\":\"on\"}", "" },
        { "{\"items\":[{\"name\":\"\",\"kind\":\"red\",\"inner\":"
          "{\"name\":\"\",\"kind\":\"blue\"}}]}",
          "" },
        { "{\"flag\":false}", "" },
        { "{\"flag\":1}", "flag" },
        { "{\"count\":1.0}", "count" },
        { "{\"count\":\"1\"}", "count" },
        { "{\"rate\":\"1\"}", "rate" },
        { "{\"any\":[]}", "any" },
        { "{\"items\":{}}", "items" },
        { "{\"items\":[null]}", "items[0]" },
        { "{\"items\":[{\"kind\":\"red\"}]}", "items[0].name" },
        { "{\"items\":[{\"name\":\"\",\"kind\":\"green\"}]}", "items[0].kind" },
        { "{\"items\":[{\"name\":\"\",\"kind\":\"red\",\"inner\":{\"name\":1}}]}",
          "items[0].inner.name" },
        { "{\"map\":{\"a\":1,\"b\":\"2\"}}", "map.b" },
        { "{\"map\":[]}", "map" },
        { "{\"point\":{}}", "point.x" },
        { "{\"point\":{\"x\":1,\"z\":1}}", "point.z" },
        { "{\"word\":\"On\"}", "word" },
        { "{\"word\":1}", "word" },
        { "{\"surprise\":1}", "surprise" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *field = refused_field("Take", VARLINK_INPUT, cases[i].object);
        g_test_message("%s", cases[i].object);
        g_assert_cmpstr(field, ==, cases[i].field);
    }
}

static void
test_directions_and_methods_are_told_apart(void)
{
    g_autofree char *missing = refused_field("Take", VARLINK_OUTPUT, "{}");
    g_autofree char *fits = refused_field("Take", VARLINK_OUTPUT, "{\"number\":1}");
    g_autofree char *input = refused_field("Take", VARLINK_INPUT, "{\"number\":1}");
    g_autofree char *unknown = refused_field("Give", VARLINK_INPUT, "{}");

    g_assert_cmpstr(missing, ==, "number");
    g_assert_cmpstr(fits, ==, "");
    g_assert_cmpstr(input, ==, "number");
    g_assert_cmpstr(unknown, ==, "Give");
}

static void
test_no_object_counts_as_an_empty_one(void)
{
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(types, NULL);

    g_assert_true(varlink_interface_check(iface, "Take", VARLINK_INPUT, NULL, NULL));
    g_assert_false(varlink_interface_check(iface, "Take", VARLINK_OUTPUT, NULL, NULL));
}

/* An Item with @depth - 1 more inside. */
static json_t *
nested_item(unsigned depth)
{
    json_t *item = json_null();

    for (unsigned i = 0; i < depth; i++)
        item = json_pack("{s:s, s:s, s:o}", "name", "", "kind", "red", "inner", item);
    return json_pack("{s:[o]}", "items", item);
}

static void
test_recursive_value_is_bounded(void)
{
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(types, NULL);
    json_auto_t *shallow = nested_item(3);
    json_auto_t *deep = nested_item(1000);
    g_autoptr(GError) error = NULL;

    g_assert_true(varlink_interface_check(iface, "Take", VARLINK_INPUT, shallow, NULL));
    g_assert_false(varlink_interface_check(iface, "Take", VARLINK_INPUT, deep, &error));
    g_assert_cmpstr(fault_cause(error), ==, "nested too deep");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/varlink-idl/names-come-in-the-order-of-the-description",
                    test_names_come_in_the_order_of_the_description);
    g_test_add_func("/varlink-idl/underscores", test_names_may_have_underscores);
    g_test_add_func("/varlink-idl/mistake-is-told-with-its-line",
                    test_mistake_is_told_with_its_line);
    g_test_add_func("/varlink-idl/every-cut-of-a-description-is-refused-or-read",
                    test_every_cut_of_a_description_is_refused_or_read);
    g_test_add_func("/varlink-idl/nesting-of-types-is-bounded", test_nesting_of_types_is_bounded);
    g_test_add_func("/varlink-idl/values-fit-their-types", test_values_fit_their_types);
    g_test_add_func("/varlink-idl/directions-and-methods-are-told-apart",
                    test_directions_and_methods_are_told_apart);
    g_test_add_func("/varlink-idl/no-object-counts-as-an-empty-one",
                    test_no_object_counts_as_an_empty_one);
    g_test_add_func("/varlink-idl/recursive-value-is-bounded", test_recursive_value_is_bounded);
    return g_test_run();
}
