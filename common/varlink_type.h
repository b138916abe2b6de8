/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The types of a parsed Varlink interface: what varlink_idl builds and varlink_check walks. */
#pragma once

#include "common/varlink_idl.h"

typedef enum {
    VARLINK_TYPE_BOOL,
    VARLINK_TYPE_INT,
    VARLINK_TYPE_FLOAT,
    VARLINK_TYPE_STRING,
    VARLINK_TYPE_OBJECT,   /* any JSON object */
    VARLINK_TYPE_NAMED,    /* name: a type of the interface */
    VARLINK_TYPE_STRUCT,   /* fields */
    VARLINK_TYPE_ENUM,     /* values */
    VARLINK_TYPE_ARRAY,    /* of element */
    VARLINK_TYPE_MAP,      /* of string to element */
    VARLINK_TYPE_NULLABLE, /* element or null */
} VarlinkTypeKind;

typedef struct VarlinkType VarlinkType;
struct VarlinkType {
    VarlinkTypeKind kind;
    char *name;
    GPtrArray *fields; /* of VarlinkField * */
    GPtrArray *values; /* of char * */
    VarlinkType *element;
};

typedef struct {
    char *name;
    VarlinkType *type;
} VarlinkField;

typedef struct {
    VarlinkType *input;
    VarlinkType *output;
} VarlinkSignature;

struct VarlinkInterface {
    char *description;
    char *name;
    GHashTable *types;      /* name -> VarlinkType */
    GHashTable *signatures; /* method -> VarlinkSignature */
    GHashTable *faults;     /* error -> VarlinkType */
    GPtrArray *methods;     /* names, NULL-terminated, borrowed from signatures */
    GPtrArray *errors;      /* names, NULL-terminated, borrowed from faults */
};

/* An empty type of this kind. */
VarlinkType *varlink_type_new(VarlinkTypeKind kind);
void varlink_type_free(VarlinkType *type);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarlinkType, varlink_type_free)
VarlinkField *varlink_field_new(char *name, VarlinkType *type); /* takes both over */
void varlink_field_free(VarlinkField *field);
