/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/lease_model.h"

#include <string.h>

LeaseModel
lease_model_new(void)
{
    LeaseModel model = { 0 };

    for (unsigned i = 0; i < MODEL_FUNCTIONS; i++)
        model.holder[i] = -1;
    return model;
}

static unsigned
functions_of(const LeaseModel *model, int slot)
{
    unsigned functions = 0;

    for (unsigned i = 0; i < MODEL_FUNCTIONS; i++) {
        if (model->holder[i] == slot)
            functions |= 1u << i;
    }
    return functions;
}

static unsigned
all_functions(void)
{
    return (1u << MODEL_FUNCTIONS) - 1;
}

static ModelAnswer
refuse(FaultCode code)
{
    return (ModelAnswer) { .code = (int)code };
}

/* The lease called @id; -1: there is none. */
static int
find(const LeaseModel *model, const char *id)
{
    for (int slot = 0; slot < MODEL_SLOTS; slot++) {
        if (model->leases[slot].exists && strcmp(model->leases[slot].id, id) == 0)
            return slot;
    }
    return -1;
}

static ModelAnswer
describe(const LeaseModel *model, int slot)
{
    const ModelLease *lease = &model->leases[slot];
    ModelAnswer answer = { .generation = lease->generation,
                           .state = lease->state,
                           .functions = functions_of(model, slot) };

    g_strlcpy(answer.id, lease->id, sizeof answer.id);
    return answer;
}

static void
hold(LeaseModel *model, int slot, unsigned functions, unsigned detail)
{
    for (unsigned i = 0; i < MODEL_FUNCTIONS; i++) {
        if (functions & 1u << i) {
            model->holder[i] = slot;
            model->detail[i] = detail;
        }
    }
}

static ModelAnswer
create(LeaseModel *model, const ModelQuestion *question, const ModelAnswer *told)
{
    ModelLease *lease = &model->leases[question->slot];
    unsigned request = question->word << MODEL_FUNCTIONS | question->functions;

    if (lease->exists && lease->request != request)
        return refuse(FAULT_LEASE_CONFLICT);
    gboolean existing = lease->exists;
    if (!existing) {
        if (question->functions & ~functions_of(model, -1))
            return refuse(FAULT_FUNCTION_BUSY);
        *lease = (ModelLease) { .exists = TRUE, .request = request };
        if (told && told->generation > model->last_generation) {
            lease->generation = model->last_generation = told->generation;
            g_strlcpy(lease->id, told->id, sizeof lease->id);
        }
        hold(model, (int)question->slot, question->functions, 0);
    }
    ModelAnswer answer = describe(model, (int)question->slot);
    answer.existing = existing;
    return answer;
}

static ModelAnswer
put(LeaseModel *model, int slot, const ModelQuestion *question)
{
    if (question->functions & ~functions_of(model, -1) & ~functions_of(model, slot))
        return refuse(FAULT_FUNCTION_BUSY);
    hold(model, slot, question->functions, question->word);
    return (ModelAnswer) { 0 };
}

static ModelAnswer
drop(LeaseModel *model, int slot, const ModelQuestion *question)
{
    if (model->holder[question->first] != slot)
        return refuse(FAULT_LEASE_NOT_FOUND);
    model->holder[question->first] = -1;
    return (ModelAnswer) { 0 };
}

static ModelAnswer
replace(LeaseModel *model, int slot, const ModelQuestion *question)
{
    if (model->holder[question->first] != slot)
        return refuse(FAULT_LEASE_NOT_FOUND);
    if (question->first != question->second && model->holder[question->second] != -1)
        return refuse(FAULT_FUNCTION_BUSY);
    model->holder[question->first] = -1;
    hold(model, slot, 1u << question->second, question->word);
    return (ModelAnswer) { 0 };
}

static ModelAnswer
remove_lease(LeaseModel *model, int slot)
{
    model->leases[slot].exists = FALSE;
    hold(model, -1, functions_of(model, slot), 0);
    return (ModelAnswer) { 0 };
}

static gboolean
is_stale(const LeaseModel *model, int slot, const ModelQuestion *question)
{
    return question->generation != 0 && question->generation != model->leases[slot].generation;
}

/* Of a lease that must be there. */
static ModelAnswer
ask_lease(LeaseModel *model, int slot, const ModelQuestion *question)
{
    switch (question->kind) {
    case MODEL_GET:
        return is_stale(model, slot, question) ? refuse(FAULT_STALE_GENERATION)
                                               : describe(model, slot);
    case MODEL_RENEW:
        return is_stale(model, slot, question) ? refuse(FAULT_STALE_GENERATION)
                                               : (ModelAnswer) { 0 };
    case MODEL_SET_STATE:
        model->leases[slot].state = question->word;
        return (ModelAnswer) { 0 };
    case MODEL_PUT:
        return put(model, slot, question);
    case MODEL_DROP:
        return drop(model, slot, question);
    case MODEL_REPLACE:
        return replace(model, slot, question);
    case MODEL_REMOVE:
        return remove_lease(model, slot);
    case MODEL_CREATE:
    case MODEL_HELD:
    case MODEL_OPERATIONS:
        break;
    }
    g_return_val_if_reached(refuse(FAULT_INTERNAL));
}

ModelAnswer
lease_model_ask(LeaseModel *model, const ModelQuestion *question, const ModelAnswer *told)
{
    int slot = find(model, question->id);

    if (question->kind == MODEL_CREATE)
        return create(model, question, told);
    if (question->kind == MODEL_HELD)
        return (ModelAnswer) { .functions = all_functions() & ~functions_of(model, -1) };
    return slot < 0 ? refuse(FAULT_LEASE_NOT_FOUND) : ask_lease(model, slot, question);
}

gboolean
model_answer_equal(const ModelAnswer *a, const ModelAnswer *b)
{
    return a->code == b->code && strcmp(a->id, b->id) == 0 && a->generation == b->generation &&
           a->existing == b->existing && a->state == b->state && a->functions == b->functions;
}

static gboolean
match_lease(ModelLease *lease, const ModelLease *stored)
{
    if (lease->exists != stored->exists)
        return FALSE;
    if (lease->exists && !*lease->id) {
        g_strlcpy(lease->id, stored->id, sizeof lease->id);
        lease->generation = stored->generation;
    }
    return !lease->exists ||
           (strcmp(lease->id, stored->id) == 0 && lease->generation == stored->generation &&
            lease->request == stored->request && lease->state == stored->state);
}

gboolean
lease_model_match(LeaseModel *model, const LeaseModel *store)
{
    for (unsigned i = 0; i < MODEL_SLOTS; i++) {
        if (!match_lease(&model->leases[i], &store->leases[i]))
            return FALSE;
        model->last_generation = MAX(model->last_generation, model->leases[i].generation);
    }
    for (unsigned i = 0; i < MODEL_FUNCTIONS; i++) {
        if (model->holder[i] != store->holder[i] ||
            (model->holder[i] >= 0 && model->detail[i] != store->detail[i]))
            return FALSE;
    }
    return TRUE;
}
