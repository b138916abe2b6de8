/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsing a Varlink interface description by recursive descent; the grammar is that of
 * https://varlink.org/Interface-Definition. */
#include "common/varlink_idl.h"

#include "common/fault.h"
#include "common/limits.h"
#include "common/varlink_type.h"

typedef struct {
    const char *at;
    unsigned line;
    unsigned depth;
    VarlinkInterface *iface;
} Parser;

static VarlinkType *parse_type(Parser *parser, GError **error);

G_GNUC_PRINTF(3, 4)
static gboolean
refuse(const Parser *parser, GError **error, const char *cause, ...)
{
    g_autofree char *object = g_strdup_printf("line %u of the interface", parser->line);
    va_list arguments;

    va_start(arguments, cause);
    g_autofree char *text = g_strdup_vprintf(cause, arguments);
    va_end(arguments);
    fault_set(error, FAULT_INVALID_ARGUMENT, object, NULL, "%s", text);
    return FALSE;
}

static void
skip_space(Parser *parser)
{
    for (;; parser->at++) {
        if (*parser->at == '#')
            parser->at += strcspn(parser->at, "\n");
        if (*parser->at == '\n')
            parser->line++;
        else if (*parser->at == '\0' || !g_ascii_isspace(*parser->at))
            return;
    }
}

static gboolean
accept(Parser *parser, const char *token)
{
    skip_space(parser);
    if (!g_str_has_prefix(parser->at, token))
        return FALSE;
    parser->at += strlen(token);
    return TRUE;
}

static gboolean
expect(Parser *parser, const char *token, GError **error)
{
    if (accept(parser, token))
        return TRUE;
    return refuse(parser, error, "'%s' is missing before '%.10s'", token, parser->at);
}

static gboolean
is_word(char character)
{
    return g_ascii_isalnum(character) || character == '_';
}

/* A name of letters, digits and underscores (and the characters of @also) that begins with a
 * letter, upper case if @upper; NULL if something else comes next. */
static char *
parse_name(Parser *parser, gboolean upper, const char *also, GError **error)
{
    const char *start;

    skip_space(parser);
    start = parser->at;
    if (upper ? !g_ascii_isupper(*start) : !g_ascii_isalpha(*start)) {
        refuse(parser, error, "'%.10s' is not a name", start);
        return NULL;
    }
    while (*parser->at && (is_word(*parser->at) || strchr(also, *parser->at)))
        parser->at++;
    return g_strndup(start, (size_t)(parser->at - start));
}

static gboolean
has_field(const VarlinkType *type, const char *name)
{
    for (guint i = 0; i < type->fields->len; i++) {
        const VarlinkField *field = type->fields->pdata[i];
        if (strcmp(field->name, name) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
parse_field(Parser *parser, VarlinkType *type, char *name, GError **error)
{
    g_autofree char *owned = name;

    if (has_field(type, name))
        return refuse(parser, error, "field '%s' is there twice", name);
    VarlinkType *field_type = parse_type(parser, error);
    if (!field_type)
        return FALSE;
    g_ptr_array_add(type->fields, varlink_field_new(g_steal_pointer(&owned), field_type));
    return TRUE;
}

static gboolean
add_value(Parser *parser, VarlinkType *type, char *name, GError **error)
{
    g_autofree char *owned = name;

    if (g_ptr_array_find_with_equal_func(type->values, name, g_str_equal, NULL))
        return refuse(parser, error, "value '%s' is there twice", name);
    g_ptr_array_add(type->values, g_steal_pointer(&owned));
    return TRUE;
}

/* After '(': fields with types or values without, which the first one decides. */
static VarlinkType *
parse_members(Parser *parser, GError **error)
{
    g_autoptr(VarlinkType) type = NULL;

    if (accept(parser, ")"))
        return varlink_type_new(VARLINK_TYPE_STRUCT);
    do {
        char *name = parse_name(parser, FALSE, "", error);
        if (!name)
            return NULL;
        gboolean typed = accept(parser, ":");
        if (!type)
            type = varlink_type_new(typed ? VARLINK_TYPE_STRUCT : VARLINK_TYPE_ENUM);
        if (typed != (type->kind == VARLINK_TYPE_STRUCT)) {
            refuse(parser, error, "'%s' mixes fields and values", name);
            g_free(name);
            return NULL;
        }
        if (!(typed ? parse_field : add_value)(parser, type, name, error))
            return NULL;
    } while (accept(parser, ","));
    return expect(parser, ")", error) ? g_steal_pointer(&type) : NULL;
}

static VarlinkType *
parse_word_type(Parser *parser, GError **error)
{
    static const struct {
        const char *name;
        VarlinkTypeKind kind;
    } words[] = {
        { "bool", VARLINK_TYPE_BOOL },     { "int", VARLINK_TYPE_INT },
        { "float", VARLINK_TYPE_FLOAT },   { "string", VARLINK_TYPE_STRING },
        { "object", VARLINK_TYPE_OBJECT },
    };
    g_autofree char *name = parse_name(parser, FALSE, "", error);

    if (!name)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(words[i].name, name) == 0)
            return varlink_type_new(words[i].kind);
    }
    if (!g_ascii_isupper(*name)) {
        refuse(parser, error, "'%s' is not a type", name);
        return NULL;
    }
    VarlinkType *type = varlink_type_new(VARLINK_TYPE_NAMED);
    type->name = g_steal_pointer(&name);
    return type;
}

static VarlinkType *
parse_wrapped(Parser *parser, VarlinkTypeKind kind, GError **error)
{
    g_autoptr(VarlinkType) type = varlink_type_new(kind);

    type->element = parse_type(parser, error);
    if (!type->element)
        return NULL;
    if (kind == VARLINK_TYPE_NULLABLE && type->element->kind == VARLINK_TYPE_NULLABLE) {
        refuse(parser, error, "a type cannot be nullable twice");
        return NULL;
    }
    return g_steal_pointer(&type);
}

static VarlinkType *
parse_any_type(Parser *parser, GError **error)
{
    if (accept(parser, "?"))
        return parse_wrapped(parser, VARLINK_TYPE_NULLABLE, error);
    if (accept(parser, "[]"))
        return parse_wrapped(parser, VARLINK_TYPE_ARRAY, error);
    if (accept(parser, "[string]"))
        return parse_wrapped(parser, VARLINK_TYPE_MAP, error);
    if (accept(parser, "("))
        return parse_members(parser, error);
    return parse_word_type(parser, error);
}

static VarlinkType *
parse_type(Parser *parser, GError **error)
{
    if (parser->depth >= LIMIT_JSON_DEPTH) {
        refuse(parser, error, "types are nested too deep");
        return NULL;
    }
    parser->depth++;
    VarlinkType *type = parse_any_type(parser, error);
    parser->depth--;
    return type;
}

/* The parameters of a method or an error: a struct, never an enumeration. */
static VarlinkType *
parse_struct(Parser *parser, GError **error)
{
    g_autoptr(VarlinkType) type = NULL;

    if (!expect(parser, "(", error))
        return NULL;
    type = parse_members(parser, error);
    if (type && type->kind != VARLINK_TYPE_STRUCT) {
        refuse(parser, error, "parameters need types");
        return NULL;
    }
    return g_steal_pointer(&type);
}

static void
signature_free(VarlinkSignature *signature)
{
    varlink_type_free(signature->input);
    varlink_type_free(signature->output);
    g_free(signature);
}

static gboolean
parse_type_member(Parser *parser, char *name, GError **error)
{
    VarlinkType *type = expect(parser, "(", error) ? parse_members(parser, error) : NULL;

    if (type)
        g_hash_table_insert(parser->iface->types, name, type);
    else
        g_free(name);
    return type != NULL;
}

static gboolean
parse_method_member(Parser *parser, char *name, GError **error)
{
    VarlinkSignature *signature = g_new0(VarlinkSignature, 1);

    g_hash_table_insert(parser->iface->signatures, name, signature);
    g_ptr_array_add(parser->iface->methods, name);
    signature->input = parse_struct(parser, error);
    if (!signature->input || !expect(parser, "->", error))
        return FALSE;
    signature->output = parse_struct(parser, error);
    return signature->output != NULL;
}

static gboolean
parse_error_member(Parser *parser, char *name, GError **error)
{
    VarlinkType *type = parse_struct(parser, error);

    if (!type) {
        g_free(name);
        return FALSE;
    }
    g_hash_table_insert(parser->iface->faults, name, type);
    g_ptr_array_add(parser->iface->errors, name);
    return TRUE;
}

static gboolean
parse_member(Parser *parser, GError **error)
{
    g_autofree char *keyword = parse_name(parser, FALSE, "", error);
    gboolean (*parse)(Parser *, char *, GError **);

    if (!keyword)
        return FALSE;
    if (strcmp(keyword, "type") == 0)
        parse = parse_type_member;
    else if (strcmp(keyword, "method") == 0)
        parse = parse_method_member;
    else if (strcmp(keyword, "error") == 0)
        parse = parse_error_member;
    else
        return refuse(parser, error, "'%s' is not type, method or error", keyword);

    g_autofree char *name = parse_name(parser, TRUE, "", error);
    const VarlinkInterface *iface = parser->iface;
    if (!name)
        return FALSE;
    if (g_hash_table_contains(iface->types, name) ||
        g_hash_table_contains(iface->signatures, name) ||
        g_hash_table_contains(iface->faults, name))
        return refuse(parser, error, "'%s' is there twice", name);
    return parse(parser, g_steal_pointer(&name), error);
}

/* Names may be used before they are declared, so they are looked up last. */
static gboolean
names_known(const Parser *parser, const VarlinkType *type, GError **error)
{
    if (type->kind == VARLINK_TYPE_NAMED &&
        !g_hash_table_contains(parser->iface->types, type->name))
        return refuse(parser, error, "type '%s' is not declared", type->name);
    if (type->element && !names_known(parser, type->element, error))
        return FALSE;
    for (guint i = 0; type->fields && i < type->fields->len; i++) {
        const VarlinkField *field = type->fields->pdata[i];
        if (!names_known(parser, field->type, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
all_names_known(const Parser *parser, GError **error)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, parser->iface->types);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (!names_known(parser, value, error))
            return FALSE;
    }
    g_hash_table_iter_init(&iter, parser->iface->faults);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (!names_known(parser, value, error))
            return FALSE;
    }
    g_hash_table_iter_init(&iter, parser->iface->signatures);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const VarlinkSignature *signature = value;
        if (!names_known(parser, signature->input, error) ||
            !names_known(parser, signature->output, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
parse_interface(Parser *parser, GError **error)
{
    if (!expect(parser, "interface", error))
        return FALSE;
    parser->iface->name = parse_name(parser, FALSE, ".-", error);
    if (!parser->iface->name)
        return FALSE;
    for (skip_space(parser); *parser->at; skip_space(parser)) {
        if (!parse_member(parser, error))
            return FALSE;
    }
    return all_names_known(parser, error);
}

VarlinkInterface *
varlink_interface_parse(const char *description, GError **error)
{
    g_autoptr(VarlinkInterface) iface = g_new0(VarlinkInterface, 1);

    iface->description = g_strdup(description);
    iface->types =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)varlink_type_free);
    iface->signatures =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)signature_free);
    iface->faults =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)varlink_type_free);
    iface->methods = g_ptr_array_new();
    iface->errors = g_ptr_array_new();
    Parser parser = { .at = iface->description, .line = 1, .iface = iface };
    if (!parse_interface(&parser, error))
        return NULL;
    g_ptr_array_add(iface->methods, NULL);
    g_ptr_array_add(iface->errors, NULL);
    return g_steal_pointer(&iface);
}

void
varlink_interface_free(VarlinkInterface *iface)
{
    if (!iface)
        return;
    g_free(iface->description);
    g_free(iface->name);
    g_hash_table_unref(iface->types);
    g_hash_table_unref(iface->signatures);
    g_hash_table_unref(iface->faults);
    g_ptr_array_unref(iface->methods);
    g_ptr_array_unref(iface->errors);
    g_free(iface);
}

const char *
varlink_interface_name(const VarlinkInterface *iface)
{
    return iface->name;
}

const char *
varlink_interface_description(const VarlinkInterface *iface)
{
    return iface->description;
}

const char *const *
varlink_interface_methods(const VarlinkInterface *iface)
{
    return (const char *const *)iface->methods->pdata;
}

const char *const *
varlink_interface_errors(const VarlinkInterface *iface)
{
    return (const char *const *)iface->errors->pdata;
}
