/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One method call: from the request to its one final answer. */
#include "common/varlink_call.h"

#include <stdlib.h>

#include "common/fault.h"
#include "common/varlink_audit.h"

struct VarlinkCall {
    gint references;
    VarlinkConnection *connection;
    VarlinkRequest request;
    VarlinkServed *served; /* NULL until prepared */
    const VarlinkMethod *method;
    gint64 began_usec; /* monotonic */
    gint ended;
};

static void
clear_served(gpointer data)
{
    VarlinkServed *served = data;

    varlink_interface_free(served->iface);
    tally_free(served->failures);
}

void
varlink_served_unref(VarlinkServed *served)
{
    if (served)
        g_atomic_rc_box_release_full(served, clear_served);
}

VarlinkCall *
varlink_call_new(VarlinkConnection *connection, VarlinkRequest *request)
{
    VarlinkCall *call = g_new0(VarlinkCall, 1);

    call->references = 1;
    call->began_usec = g_get_monotonic_time();
    call->connection = varlink_connection_ref(connection);
    call->request = *request;
    *request = (VarlinkRequest) { 0 };
    return call;
}

VarlinkCall *
varlink_call_ref(VarlinkCall *call)
{
    g_atomic_int_inc(&call->references);
    return call;
}

/* Nobody has to be told if nobody is there; a mistake of ours otherwise. */
static void
end_unanswered(VarlinkCall *call)
{
    GError *error = NULL;

    if (varlink_call_is_closed(call)) {
        varlink_connection_send(call->connection, NULL, /*final=*/TRUE);
        return;
    }
    fault_set(&error, FAULT_INTERNAL, call->request.method, NULL, "nobody answered");
    varlink_call_fail(call, error);
}

void
varlink_call_unref(VarlinkCall *call)
{
    if (!call || !g_atomic_int_dec_and_test(&call->references))
        return;
    if (!g_atomic_int_get(&call->ended))
        end_unanswered(call);
    varlink_connection_unref(call->connection);
    varlink_request_clear(&call->request);
    varlink_served_unref(call->served);
    g_free(call);
}

gboolean
varlink_call_wants_more(const VarlinkCall *call)
{
    return call->request.more;
}

guint
varlink_call_uid(const VarlinkCall *call)
{
    return varlink_connection_uid(call->connection);
}

int
varlink_call_process(const VarlinkCall *call)
{
    return varlink_connection_process(call->connection);
}

gboolean
varlink_call_may_change(const VarlinkCall *call)
{
    return varlink_connection_level(call->connection) == VARLINK_LEVEL_CHANGE;
}

gboolean
varlink_call_is_closed(const VarlinkCall *call)
{
    return varlink_connection_is_closed(call->connection);
}

const char *
varlink_call_interface(const VarlinkCall *call)
{
    return call->request.interface;
}

/* TRUE for the one caller who may give the final answer. */
static gboolean
end(VarlinkCall *call)
{
    if (g_atomic_int_compare_and_exchange(&call->ended, FALSE, TRUE)) {
        g_debug("%s.%s took %.1f ms", call->request.interface, call->request.method,
                (double)(g_get_monotonic_time() - call->began_usec) / 1000);
        return TRUE;
    }
    g_critical("%s.%s was answered twice", call->request.interface, call->request.method);
    return FALSE;
}

static void
send_final(VarlinkCall *call, const char *error, const json_t *parameters)
{
    char *text =
        call->request.oneway ? NULL : varlink_reply_encode(error, parameters, /*continues=*/FALSE);

    varlink_connection_send(call->connection, text, /*final=*/TRUE);
}

void
varlink_call_refuse(VarlinkCall *call, const char *code, json_t *parameters)
{
    g_autofree char *name = g_strconcat("org.varlink.service.", code, NULL);
    json_auto_t *owned = parameters;

    g_info("%s.%s by uid %u: %s", call->request.interface, call->request.method,
           varlink_connection_uid(call->connection), name);
    if (end(call))
        send_final(call, name, owned);
}

static gboolean
declares_error(const VarlinkCall *call, const char *code)
{
    return call->served && g_strv_contains(varlink_interface_errors(call->served->iface), code);
}

static void
log_failure(const VarlinkCall *call, const GError *error)
{
    FaultCode code = fault_code(error);
    gboolean serious =
        code == FAULT_INTERNAL || code == FAULT_STORE_FAILED || code == FAULT_ROLLBACK_INCOMPLETE;
    g_autofree char *uid = g_strdup_printf("%u", varlink_connection_uid(call->connection));

    g_log_structured(G_LOG_DOMAIN, serious ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_MESSAGE,
                     "CALLER_UID", uid, "FAULT", fault_code_name(code), "MESSAGE",
                     "%s.%s by uid %s failed: %s", call->request.interface, call->request.method,
                     uid, error->message);
}

static void
send_fault(VarlinkCall *call, const GError *error)
{
    const char *code = fault_code_name(fault_code(error));
    g_autofree char *name = g_strdup_printf("%s.%s", call->request.interface,
                                            declares_error(call, code) ? code : "Internal");
    json_auto_t *parameters = json_pack("{s:s, s:s, s:s}", "object", fault_object(error), "cause",
                                        fault_cause(error), "remedy", fault_remedy(error));

    send_final(call, name, parameters);
}

void
varlink_call_fail(VarlinkCall *call, GError *error)
{
    g_autoptr(GError) owned = error;

    log_failure(call, error);
    if (!end(call))
        return;
    if (call->served)
        tally_add(call->served->failures, call->request.method, fault_code_name(fault_code(error)));
    if (fault_code(error) == FAULT_PERMISSION_DENIED)
        send_final(call, "org.varlink.service.PermissionDenied", NULL);
    else
        send_fault(call, error);
}

Tally *
varlink_call_failures(const VarlinkCall *call)
{
    return call->served->failures;
}

/* Whether @parameters are what the description promises; @error tells our mistake. */
static gboolean
keeps_promise(const VarlinkCall *call, const json_t *parameters, GError **error)
{
    g_autoptr(GError) mistake = NULL;

    if (varlink_interface_check(call->served->iface, call->method->name, VARLINK_OUTPUT, parameters,
                                &mistake))
        return TRUE;
    fault_set(error, FAULT_INTERNAL, call->method->name, NULL, "its reply is not as described: %s",
              mistake->message);
    return FALSE;
}

void
varlink_call_reply(VarlinkCall *call, json_t *parameters)
{
    json_auto_t *owned = parameters ? parameters : json_object();
    GError *error = NULL;

    if (!keeps_promise(call, owned, &error))
        varlink_call_fail(call, error);
    else if (end(call))
        send_final(call, NULL, owned);
}

void
varlink_call_notify(VarlinkCall *call, json_t *parameters)
{
    json_auto_t *owned = parameters ? parameters : json_object();
    g_autoptr(GError) error = NULL;

    if (!call->request.more || g_atomic_int_get(&call->ended))
        return;
    if (!keeps_promise(call, owned, &error)) {
        g_warning("%s", error->message);
        return;
    }
    varlink_connection_send(call->connection, varlink_reply_encode(NULL, owned, /*continues=*/TRUE),
                            /*final=*/FALSE);
}

static const VarlinkMethod *
find_method(const VarlinkServed *served, const char *name)
{
    for (const VarlinkMethod *method = served->methods; method->name; method++) {
        if (strcmp(method->name, name) == 0)
            return method;
    }
    return NULL;
}

static void
refuse_parameter(VarlinkCall *call, const GError *mistake)
{
    g_message("%s.%s by uid %u: %s", call->request.interface, call->request.method,
              varlink_connection_uid(call->connection), mistake->message);
    varlink_call_refuse(call, "InvalidParameter",
                        json_pack("{s:s}", "parameter", fault_object(mistake)));
}

static void
refuse_change(VarlinkCall *call)
{
    g_message("%s.%s by uid %u, process %d: refused, who may only look", call->request.interface,
              call->request.method, varlink_call_uid(call), varlink_call_process(call));
    varlink_call_refuse(call, "PermissionDenied", NULL);
}

gboolean
varlink_call_prepare(VarlinkCall *call, VarlinkServed *served)
{
    g_autoptr(GError) mistake = NULL;

    call->served = g_atomic_rc_box_acquire(served);
    call->method = find_method(served, call->request.method);
    if (!call->method) {
        g_autofree char *name =
            g_strdup_printf("%s.%s", call->request.interface, call->request.method);
        varlink_call_refuse(call, "MethodNotFound", json_pack("{s:s}", "method", name));
        return FALSE;
    }
    if (!varlink_call_may_change(call) && !varlink_access_is_look(call->method->name)) {
        refuse_change(call);
        return FALSE;
    }
    if (!varlink_interface_check(served->iface, call->method->name, VARLINK_INPUT,
                                 call->request.parameters, &mistake)) {
        refuse_parameter(call, mistake);
        return FALSE;
    }
    return TRUE;
}

static void
audit(const VarlinkCall *call)
{
    const VarlinkAudit audit = { .interface = call->request.interface,
                                 .method = call->method->name,
                                 .uid = varlink_call_uid(call),
                                 .process = varlink_call_process(call) };

    if (varlink_audit_wants(audit.method))
        varlink_audit_tell(&audit, call->request.parameters);
}

gboolean
varlink_call_run_at_once(VarlinkCall *call)
{
    const VarlinkServed *served = call->served;

    for (const VarlinkBrief *brief = served->brief; brief && brief->name; brief++) {
        if (strcmp(brief->name, call->method->name) == 0)
            return brief->run(call, call->request.parameters, served->context);
    }
    return FALSE;
}

void
varlink_call_run(VarlinkCall *call)
{
    audit(call);
    call->method->run(call, call->request.parameters, call->served->context);
}
