/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interface descriptions: what is read from them, and which requests they let through. */
#include <string.h>

#include "common/fault.h"
#include "common/varlink_idl.h"

static const char text[] =
    "# A comment\n"
    "interface org.example.test\n"
    "type Item (name: string, kind: (small, large), note: ?string)\n"
    "method Put(items: []Item, sizeBytes: int, force: ?bool) -> (ok: bool)\n"
    "method Get() -> (result: ?(item: Item), map: [string]int, any: object)\n"
    "error Full(object: string)\n";

static gboolean
check(const char *method, VarlinkDirection direction, const char *json, GError **error)
{
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(text, NULL);
    json_t *object = json_loads(json, 0, NULL);

    g_assert_nonnull(iface);
    g_assert_nonnull(object);
    gboolean fine = varlink_interface_check(iface, method, direction, object, error);
    json_decref(object);
    return fine;
}

static void
test_names_come_out_in_order(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(text, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(varlink_interface_name(iface), ==, "org.example.test");
    g_assert_cmpstr(varlink_interface_description(iface), ==, text);
    g_assert_cmpstr(varlink_interface_methods(iface)[0], ==, "Put");
    g_assert_cmpstr(varlink_interface_methods(iface)[1], ==, "Get");
    g_assert_null(varlink_interface_methods(iface)[2]);
    g_assert_cmpstr(varlink_interface_errors(iface)[0], ==, "Full");
}

static void
test_good_objects_pass(void)
{
    static const struct {
        const char *method;
        VarlinkDirection direction;
        const char *json;
    } good[] = {
        { "Put", VARLINK_INPUT, "{\"items\":[],\"sizeBytes\":0}" },
        { "Put", VARLINK_INPUT,
          "{\"items\":[{\"name\":\"\",\"kind\":\"large\",\"note\":null}],\"sizeBytes\":-1,"
          "\"force\":null}" },
        { "Put", VARLINK_OUTPUT, "{\"ok\":true}" },
        { "Get", VARLINK_INPUT, "{}" },
        { "Get", VARLINK_OUTPUT,
          "{\"result\":{\"item\":{\"name\":\"a\",\"kind\":\"small\"}},\"map\":{\"x\":1},"
          "\"any\":{\"y\":[]}}" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_true(check(good[i].method, good[i].direction, good[i].json, &error));
        g_assert_no_error(error);
    }
}

static void
test_bad_fields_are_named(void)
{
    static const struct {
        const char *json, *field;
    } bad[] = {
        { "{\"items\":[]}", "sizeBytes" },
        { "{\"items\":[],\"sizeBytes\":\"1\"}", "sizeBytes" },
        { "{\"items\":[],\"sizeBytes\":1.5}", "sizeBytes" },
        { "{\"items\":{},\"sizeBytes\":1}", "items" },
        { "{\"items\":[],\"sizeBytes\":1,\"forse\":true}", "forse" },
        { "{\"items\":[],\"sizeBytes\":1,\"force\":1}", "force" },
        { "{\"items\":[{\"name\":\"a\"}],\"sizeBytes\":1}", "items[0].kind" },
        { "{\"items\":[{\"name\":\"a\",\"kind\":\"huge\"}],\"sizeBytes\":1}", "items[0].kind" },
        { "{\"items\":[{\"name\":null,\"kind\":\"small\"}],\"sizeBytes\":1}", "items[0].name" },
        { "{\"items\":[{\"name\":\"a\",\"kind\":\"small\",\"x\":1}],\"sizeBytes\":1}",
          "items[0].x" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(check("Put", VARLINK_INPUT, bad[i].json, &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
        g_assert_cmpstr(fault_object(error), ==, bad[i].field);
    }
}

static void
test_mistakes_in_descriptions_are_refused(void)
{
    static const char *const wrong[] = {
        "",
        "interface org.example.test\nmethod\n",
        "interface org.example.test\nmethod Put(a: strange) -> ()\n",
        "interface org.example.test\nmethod Put(a: ??string) -> ()\n",
        "interface org.example.test\nmethod Put(a: string, a: int) -> ()\n",
        "interface org.example.test\nmethod Put() -> ()\nmethod Put() -> ()\n",
        "interface org.example.test\nmethod Put(a: string -> ()\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(varlink_interface_parse(wrong[i], &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/varlink-idl/names", test_names_come_out_in_order);
    g_test_add_func("/varlink-idl/good", test_good_objects_pass);
    g_test_add_func("/varlink-idl/bad", test_bad_fields_are_named);
    g_test_add_func("/varlink-idl/description", test_mistakes_in_descriptions_are_refused);
    return g_test_run();
}
