/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of leases in their plainest form: what the lease store must be indistinguishable from.
 */
#pragma once

#include "common/lease_store.h"

#define MODEL_OWNERS    3
#define MODEL_TOKENS    2
#define MODEL_SLOTS     (MODEL_OWNERS * MODEL_TOKENS) /* an owner and a token have one lease */
#define MODEL_FUNCTIONS 8
#define MODEL_ID_BYTES  40

typedef enum {
    MODEL_CREATE, /* with @functions, as request @word */
    MODEL_GET,
    MODEL_RENEW,
    MODEL_SET_STATE, /* to @word */
    MODEL_PUT,       /* @functions, with @word */
    MODEL_DROP,      /* @first */
    MODEL_REPLACE,   /* @first by @second */
    MODEL_REMOVE,
    MODEL_HELD,
    MODEL_OPERATIONS,
} ModelKind;

/* What a client asks. */
typedef struct {
    ModelKind kind;
    unsigned slot;           /* of create; else the lease is named by @id */
    char id[MODEL_ID_BYTES]; /* as it was when the client last looked */
    guint64 generation;      /* right, or not */
    unsigned word, first, second;
    unsigned functions; /* a bit for each */
} ModelQuestion;

/* What it is told. */
typedef struct {
    int code; /* FaultCode; 0: it went well */
    char id[MODEL_ID_BYTES];
    guint64 generation;
    gboolean existing;
    unsigned state;
    unsigned functions;
} ModelAnswer;

typedef struct {
    gboolean exists;
    char id[MODEL_ID_BYTES]; /* "" if nobody was told yet */
    guint64 generation;
    unsigned request, state;
} ModelLease;

typedef struct {
    ModelLease leases[MODEL_SLOTS];
    int holder[MODEL_FUNCTIONS];      /* slot; -1: it is free */
    unsigned detail[MODEL_FUNCTIONS]; /* while it is held */
    guint64 last_generation;
} LeaseModel;

/* Without leases. */
LeaseModel lease_model_new(void);
/* What @question has to be answered, and the model afterwards. @told (may be NULL) is what it was
 * answered: a new lease gets its name from there. */
ModelAnswer lease_model_ask(LeaseModel *model, const ModelQuestion *question,
                            const ModelAnswer *told);
gboolean model_answer_equal(const ModelAnswer *a, const ModelAnswer *b);
/* Whether @model is what @store has; names that nobody was told are taken from it. */
gboolean lease_model_match(LeaseModel *model, const LeaseModel *store);

/* The same asked of the real thing. Block. */
ModelAnswer lease_model_ask_store(LeaseStore *store, const ModelQuestion *question);
LeaseModel lease_model_read(LeaseStore *store);
