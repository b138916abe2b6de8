/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checking a JSON object against the parameters that an interface declares. */
#include "common/fault.h"
#include "common/limits.h"
#include "common/varlink_type.h"

typedef struct {
    const VarlinkInterface *iface;
    GString *path; /* where the check is: "vnics[0].mac" */
    unsigned depth;
    GError **error;
} Check;

static gboolean check_value(Check *check, const VarlinkType *type, const json_t *value);

G_GNUC_PRINTF(2, 3)
static gboolean
refuse(const Check *check, const char *cause, ...)
{
    va_list arguments;

    va_start(arguments, cause);
    g_autofree char *text = g_strdup_vprintf(cause, arguments);
    va_end(arguments);
    fault_set(check->error, FAULT_INVALID_ARGUMENT, check->path->str, NULL, "%s", text);
    return FALSE;
}

/* Checks @value one step further down the path, which is as before on success. */
static gboolean
check_below(Check *check, const VarlinkType *type, const json_t *value, const char *step)
{
    gsize length = check->path->len;

    if (length > 0 && *step != '[')
        g_string_append_c(check->path, '.');
    g_string_append(check->path, step);
    if (!check_value(check, type, value))
        return FALSE;
    g_string_truncate(check->path, length);
    return TRUE;
}

static const VarlinkField *
find_field(const VarlinkType *type, const char *name)
{
    for (guint i = 0; i < type->fields->len; i++) {
        const VarlinkField *field = type->fields->pdata[i];
        if (strcmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

static gboolean
refuse_unknown_field(Check *check, const char *name)
{
    if (check->path->len > 0)
        g_string_append_c(check->path, '.');
    g_string_append(check->path, name);
    return refuse(check, "no such field");
}

static gboolean
check_struct(Check *check, const VarlinkType *type, const json_t *value)
{
    const char *name;
    json_t *member;

    if (json_typeof(value) != JSON_OBJECT)
        return refuse(check, "not an object");
    json_object_foreach ((json_t *)value, name, member) {
        if (!find_field(type, name))
            return refuse_unknown_field(check, name);
    }
    for (guint i = 0; i < type->fields->len; i++) {
        const VarlinkField *field = type->fields->pdata[i];
        if (!check_below(check, field->type, json_object_get(value, field->name), field->name))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_array(Check *check, const VarlinkType *element, const json_t *value)
{
    if (json_typeof(value) != JSON_ARRAY)
        return refuse(check, "not a list");
    for (size_t i = 0; i < json_array_size(value); i++) {
        g_autofree char *step = g_strdup_printf("[%zu]", i);
        if (!check_below(check, element, json_array_get(value, i), step))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_map(Check *check, const VarlinkType *element, const json_t *value)
{
    const char *name;
    json_t *member;

    if (json_typeof(value) != JSON_OBJECT)
        return refuse(check, "not an object");
    json_object_foreach ((json_t *)value, name, member) {
        if (!check_below(check, element, member, name))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_enum(Check *check, const VarlinkType *type, const json_t *value)
{
    const char *word = json_string_value(value);

    if (!word)
        return refuse(check, "not a string");
    if (!g_ptr_array_find_with_equal_func(type->values, word, g_str_equal, NULL))
        return refuse(check, "'%s' is not one of its values", word);
    return TRUE;
}

static gboolean
check_kind(Check *check, gboolean fits, const char *expected)
{
    return fits ? TRUE : refuse(check, "not %s", expected);
}

static gboolean
check_present(Check *check, const VarlinkType *type, const json_t *value)
{
    json_type is = json_typeof(value);

    switch (type->kind) {
    case VARLINK_TYPE_BOOL:
        return check_kind(check, is == JSON_TRUE || is == JSON_FALSE, "a boolean");
    case VARLINK_TYPE_INT:
        return check_kind(check, is == JSON_INTEGER, "an integer");
    case VARLINK_TYPE_FLOAT:
        return check_kind(check, is == JSON_INTEGER || is == JSON_REAL, "a number");
    case VARLINK_TYPE_STRING:
        return check_kind(check, is == JSON_STRING, "a string");
    case VARLINK_TYPE_OBJECT:
        return check_kind(check, is == JSON_OBJECT, "an object");
    case VARLINK_TYPE_NAMED:
        return check_present(check, g_hash_table_lookup(check->iface->types, type->name), value);
    case VARLINK_TYPE_STRUCT:
        return check_struct(check, type, value);
    case VARLINK_TYPE_ENUM:
        return check_enum(check, type, value);
    case VARLINK_TYPE_ARRAY:
        return check_array(check, type->element, value);
    case VARLINK_TYPE_MAP:
        return check_map(check, type->element, value);
    case VARLINK_TYPE_NULLABLE:
        return check_value(check, type->element, value);
    }
    g_assert_not_reached();
}

static gboolean
check_value(Check *check, const VarlinkType *type, const json_t *value)
{
    if (type->kind == VARLINK_TYPE_NULLABLE && (!value || json_typeof(value) == JSON_NULL))
        return TRUE;
    if (!value)
        return refuse(check, "missing");
    if (check->depth >= LIMIT_JSON_DEPTH)
        return refuse(check, "nested too deep");
    check->depth++;
    gboolean fits = check_present(check, type, value);
    check->depth--;
    return fits;
}

gboolean
varlink_interface_check(const VarlinkInterface *iface, const char *method,
                        VarlinkDirection direction, const json_t *object, GError **error)
{
    const VarlinkSignature *signature = g_hash_table_lookup(iface->signatures, method);
    json_auto_t *empty = json_object();
    g_autoptr(GString) path = g_string_new(NULL);
    Check check = { .iface = iface, .path = path, .error = error };

    if (!signature) {
        g_string_append(path, method);
        return refuse(&check, "no such method");
    }
    return check_value(&check, direction == VARLINK_INPUT ? signature->input : signature->output,
                       object ? object : empty);
}
