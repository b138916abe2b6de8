/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the lease store what the model is asked. */
#include "fake/lease_model.h"

#define KIND            "reservation"
#define ASSET           "function"
#define TIMEOUT_SECONDS 60

static char *
number(unsigned value)
{
    return g_strdup_printf("%u", value);
}

static LeaseAsset *
make_asset(unsigned function, unsigned word)
{
    g_autofree char *key = number(function);
    g_autofree char *state = number(word);

    return lease_asset_new(ASSET, key, state, NULL);
}

static GPtrArray *
make_assets(unsigned functions, unsigned word)
{
    GPtrArray *assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);

    for (unsigned i = 0; i < MODEL_FUNCTIONS; i++) {
        if (functions & 1u << i)
            g_ptr_array_add(assets, make_asset(i, word));
    }
    return assets;
}

static unsigned
to_number(const char *text)
{
    return (unsigned)g_ascii_strtoull(text, NULL, 10);
}

static ModelAnswer
describe(const Lease *lease)
{
    ModelAnswer answer = { .generation = lease->generation, .state = to_number(lease->state) };

    g_strlcpy(answer.id, lease->id, sizeof answer.id);
    for (guint i = 0; i < lease->assets->len; i++)
        answer.functions |= 1u << to_number(((const LeaseAsset *)lease->assets->pdata[i])->key);
    return answer;
}

static ModelAnswer
create(LeaseStore *store, const ModelQuestion *question, GError **error)
{
    g_autofree char *owner = number(question->slot / MODEL_TOKENS);
    g_autofree char *token = number(question->slot % MODEL_TOKENS);
    g_autoptr(GPtrArray) assets = make_assets(question->functions, 0);
    unsigned wanted = question->word << MODEL_FUNCTIONS | question->functions;
    json_auto_t *request = json_pack("{s:i}", "wanted", (int)wanted);
    const Lease draft = {
        .kind = (char *)KIND,
        .owner = owner,
        .token = token,
        .guest_name = (char *)"web1",
        .guest_uuid = (char *)"7c8a1f9e-6f0e-4d5b-9c39-0d0a3c7b1a55",
        .state = (char *)"0",
        .request = request,
        .assets = assets,
    };
    gboolean existing = FALSE;
    g_autoptr(Lease) lease =
        lease_store_create(store, &draft, TIMEOUT_SECONDS, FAULT_FUNCTION_BUSY, &existing, error);
    ModelAnswer answer = lease ? describe(lease) : (ModelAnswer) { 0 };

    answer.existing = lease && existing;
    return answer;
}

static ModelAnswer
get(LeaseStore *store, const ModelQuestion *question, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(store, question->id, question->generation, error);

    return lease ? describe(lease) : (ModelAnswer) { 0 };
}

static ModelAnswer
held(LeaseStore *store, GError **error)
{
    g_autoptr(GHashTable) keys = lease_store_held(store, ASSET, error);
    ModelAnswer answer = { 0 };
    GHashTableIter iter;
    void *key;

    if (!keys)
        return answer;
    g_hash_table_iter_init(&iter, keys);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        answer.functions |= 1u << to_number(key);
    return answer;
}

static void
put(LeaseStore *store, const ModelQuestion *question, GError **error)
{
    g_autoptr(GPtrArray) assets = make_assets(question->functions, question->word);

    (void)lease_store_put_assets(store, question->id, assets, FAULT_FUNCTION_BUSY, error);
}

static void
replace(LeaseStore *store, const ModelQuestion *question, GError **error)
{
    g_autoptr(LeaseAsset) old = make_asset(question->first, 0);
    g_autoptr(LeaseAsset) successor = make_asset(question->second, question->word);

    (void)lease_store_replace_asset(store, question->id, old, successor, FAULT_FUNCTION_BUSY,
                                    error);
}

static ModelAnswer
ask(LeaseStore *store, const ModelQuestion *question, GError **error)
{
    g_autofree char *word = number(question->word);
    g_autofree char *first = number(question->first);

    switch (question->kind) {
    case MODEL_CREATE:
        return create(store, question, error);
    case MODEL_GET:
        return get(store, question, error);
    case MODEL_HELD:
        return held(store, error);
    case MODEL_RENEW:
        (void)lease_store_renew(store, question->id, question->generation, TIMEOUT_SECONDS, error);
        break;
    case MODEL_SET_STATE:
        (void)lease_store_set_state(store, question->id, word, "", error);
        break;
    case MODEL_PUT:
        put(store, question, error);
        break;
    case MODEL_DROP:
        (void)lease_store_drop_asset(store, question->id, ASSET, first, error);
        break;
    case MODEL_REPLACE:
        replace(store, question, error);
        break;
    case MODEL_REMOVE:
        (void)lease_store_remove(store, question->id, error);
        break;
    case MODEL_OPERATIONS:
        break;
    }
    return (ModelAnswer) { 0 };
}

ModelAnswer
lease_model_ask_store(LeaseStore *store, const ModelQuestion *question)
{
    g_autoptr(GError) error = NULL;
    ModelAnswer answer = ask(store, question, &error);

    if (error)
        answer = (ModelAnswer) { .code = (int)fault_code(error) };
    return answer;
}

static void
read_lease(LeaseModel *model, const Lease *lease)
{
    unsigned slot = to_number(lease->owner) * MODEL_TOKENS + to_number(lease->token);
    ModelLease *read = &model->leases[slot];

    *read = (ModelLease) {
        .exists = TRUE,
        .generation = lease->generation,
        .request = (unsigned)json_integer_value(json_object_get(lease->request, "wanted")),
        .state = to_number(lease->state),
    };
    g_strlcpy(read->id, lease->id, sizeof read->id);
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        unsigned function = to_number(asset->key);

        g_assert_cmpint(model->holder[function], ==, -1);
        model->holder[function] = (int)slot;
        model->detail[function] = to_number(asset->state);
    }
}

LeaseModel
lease_model_read(LeaseStore *store)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(store, &error);
    LeaseModel model = lease_model_new();

    g_assert_no_error(error);
    for (guint i = 0; i < leases->len; i++)
        read_lease(&model, leases->pdata[i]);
    return model;
}
