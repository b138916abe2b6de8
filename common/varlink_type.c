/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of the types of a parsed Varlink interface. */
#include "common/varlink_type.h"

VarlinkType *
varlink_type_new(VarlinkTypeKind kind)
{
    VarlinkType *type = g_new0(VarlinkType, 1);

    type->kind = kind;
    if (kind == VARLINK_TYPE_STRUCT)
        type->fields = g_ptr_array_new_with_free_func((GDestroyNotify)varlink_field_free);
    if (kind == VARLINK_TYPE_ENUM)
        type->values = g_ptr_array_new_with_free_func(g_free);
    return type;
}

void
varlink_type_free(VarlinkType *type)
{
    if (!type)
        return;
    g_free(type->name);
    g_clear_pointer(&type->fields, g_ptr_array_unref);
    g_clear_pointer(&type->values, g_ptr_array_unref);
    varlink_type_free(type->element);
    g_free(type);
}

VarlinkField *
varlink_field_new(char *name, VarlinkType *type)
{
    VarlinkField *field = g_new0(VarlinkField, 1);

    field->name = name;
    field->type = type;
    return field;
}

void
varlink_field_free(VarlinkField *field)
{
    g_free(field->name);
    varlink_type_free(field->type);
    g_free(field);
}
