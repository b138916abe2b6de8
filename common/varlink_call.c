/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/varlink_call.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"

struct VarlinkCall {
    gint references;
    gint ended; /* the final reply was given */
    VarlinkConnection *connection;
    VarlinkLedger *ledger;
    json_t *message;
    json_t *parameters; /* borrowed from message */
    gboolean more, oneway;
    const VarlinkService *service;
    const VarlinkMethod *method;
};

/* A reply on its way to the main loop. */
typedef struct {
    VarlinkCall *call;
    char *text;
    gboolean final;
} Reply;

static void
service_free(gpointer data)
{
    VarlinkService *service = data;

    varlink_interface_free(service->description);
    g_free(service);
}

VarlinkLedger *
varlink_ledger_new(void)
{
    VarlinkLedger *ledger = g_atomic_rc_box_new0(VarlinkLedger);

    g_mutex_init(&ledger->lock);
    g_cond_init(&ledger->idle);
    ledger->services = g_ptr_array_new_with_free_func(service_free);
    return ledger;
}

static void
ledger_clear(gpointer data)
{
    VarlinkLedger *ledger = data;

    g_mutex_clear(&ledger->lock);
    g_cond_clear(&ledger->idle);
    g_ptr_array_unref(ledger->services);
}

void
varlink_ledger_unref(VarlinkLedger *ledger)
{
    g_atomic_rc_box_release_full(ledger, ledger_clear);
}

/* Members that a call has; anything else is not a call that we understand. */
static gboolean
is_call(const json_t *message)
{
    const char *key;
    json_t *value;

    if (!json_is_string(json_object_get(message, "method")))
        return FALSE;
    json_object_foreach ((json_t *)message, key, value) {
        gboolean flag =
            strcmp(key, "more") == 0 || strcmp(key, "oneway") == 0 || strcmp(key, "upgrade") == 0;
        gboolean known = flag ? json_is_boolean(value)
                         : strcmp(key, "parameters") == 0
                             ? json_is_object(value) || json_is_null(value)
                             : strcmp(key, "method") == 0;
        if (!known)
            return FALSE;
    }
    return TRUE;
}

VarlinkCall *
varlink_call_parse(VarlinkConnection *connection, VarlinkLedger *ledger, const char *text)
{
    json_t *message = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    if (!is_call(message)) {
        json_decref(message);
        return NULL;
    }
    json_t *parameters = json_object_get(message, "parameters");
    if (!json_is_object(parameters)) {
        json_object_set_new(message, "parameters", json_object());
        parameters = json_object_get(message, "parameters");
    }
    VarlinkCall *call = g_new0(VarlinkCall, 1);
    call->references = 1;
    call->connection = varlink_connection_ref(connection);
    call->ledger = g_atomic_rc_box_acquire(ledger);
    call->message = message;
    call->parameters = parameters;
    call->more = json_is_true(json_object_get(message, "more"));
    call->oneway = json_is_true(json_object_get(message, "oneway"));
    return call;
}

const char *
varlink_call_method(const VarlinkCall *call)
{
    return json_string_value(json_object_get(call->message, "method"));
}

json_t *
varlink_call_parameters(const VarlinkCall *call)
{
    return call->parameters;
}

void
varlink_call_set_service(VarlinkCall *call, const VarlinkService *service,
                         const VarlinkMethod *method)
{
    call->service = service;
    call->method = method;
}

const VarlinkMethod *
varlink_call_get_method(const VarlinkCall *call)
{
    return call->method;
}

const VarlinkService *
varlink_call_get_service(const VarlinkCall *call)
{
    return call->service;
}

VarlinkCall *
varlink_call_ref(VarlinkCall *call)
{
    g_atomic_int_inc(&call->references);
    return call;
}

void
varlink_call_unref(VarlinkCall *call)
{
    if (!call || !g_atomic_int_dec_and_test(&call->references))
        return;
    json_decref(call->message);
    varlink_connection_unref(call->connection);
    varlink_ledger_unref(call->ledger);
    g_free(call);
}

gboolean
varlink_call_wants_more(const VarlinkCall *call)
{
    return call->more;
}

static gboolean
on_reply(gpointer data)
{
    Reply *reply = data;

    if (!reply->call->oneway)
        varlink_connection_send(reply->call->connection, reply->text);
    if (reply->final)
        varlink_connection_next(reply->call->connection);
    return G_SOURCE_REMOVE;
}

static void
reply_free(gpointer data)
{
    Reply *reply = data;

    varlink_call_unref(reply->call);
    g_free(reply->text);
    g_free(reply);
}

/* Hands @message (stolen) to the main loop. */
static void
post(VarlinkCall *call, json_t *message, gboolean final)
{
    VarlinkLedger *ledger = call->ledger;
    char *text = json_dumps(message, JSON_COMPACT);
    Reply *reply = g_new0(Reply, 1);

    json_decref(message);
    reply->call = varlink_call_ref(call);
    reply->text = g_strdup(text);
    reply->final = final;
    free(text);

    g_mutex_lock(&ledger->lock);
    if (ledger->closing)
        reply_free(reply);
    else
        g_idle_add_full(G_PRIORITY_DEFAULT, on_reply, reply, reply_free);
    g_mutex_unlock(&ledger->lock);
}

/* TRUE for the one who ends the call. */
static gboolean
claim_end(VarlinkCall *call)
{
    gboolean first = g_atomic_int_compare_and_exchange(&call->ended, FALSE, TRUE);

    if (!first)
        g_critical("%s was answered twice", varlink_call_method(call));
    return first;
}

static gboolean
reply_is_valid(VarlinkCall *call, const json_t *parameters)
{
    g_autoptr(GError) error = NULL;

    if (!call->service || varlink_interface_check(call->service->description, call->method->name,
                                                  VARLINK_OUTPUT, parameters, &error))
        return TRUE;
    g_critical("reply of %s: %s", varlink_call_method(call), error->message);
    return FALSE;
}

void
varlink_call_reply(VarlinkCall *call, json_t *parameters)
{
    if (!parameters)
        parameters = json_object();
    if (!reply_is_valid(call, parameters)) {
        GError *error = NULL;
        json_decref(parameters);
        fault_set(&error, FAULT_INTERNAL, varlink_call_method(call),
                  "report this, with the daemon's journal", "the answer was malformed");
        varlink_call_fail(call, error);
        return;
    }
    if (claim_end(call))
        post(call, json_pack("{s:o}", "parameters", parameters), TRUE);
    else
        json_decref(parameters);
}

void
varlink_call_notify(VarlinkCall *call, json_t *parameters)
{
    if (call->more && reply_is_valid(call, parameters))
        post(call, json_pack("{s:o, s:b}", "parameters", parameters, "continues", TRUE), FALSE);
    else
        json_decref(parameters);
}

void
varlink_call_fail(VarlinkCall *call, GError *error)
{
    g_autoptr(GError) owned = error;

    g_message("%s: %s", varlink_call_method(call), owned->message);
    if (!claim_end(call))
        return;
    g_autofree char *name =
        g_strdup_printf("%s.%s", varlink_interface_name(call->service->description),
                        fault_code_name(fault_code(owned)));
    post(call,
         json_pack("{s:s, s:{s:s, s:s, s:s}}", "error", name, "parameters", "object",
                   fault_object(owned), "cause", fault_cause(owned), "remedy", fault_remedy(owned)),
         TRUE);
}

void
varlink_call_fail_service(VarlinkCall *call, const char *name, const char *key, const char *value)
{
    g_autofree char *full = g_strdup_printf("org.varlink.service.%s", name);

    if (!claim_end(call))
        return;
    post(call,
         key ? json_pack("{s:s, s:{s:s}}", "error", full, "parameters", key, value)
             : json_pack("{s:s, s:{}}", "error", full, "parameters"),
         TRUE);
}
