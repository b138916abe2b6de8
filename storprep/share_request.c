/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the common part of requests for shares. */
#include "storprep/share_request.h"

#include "storprep/request_field.h"

void
share_request_free(ShareRequest *request)
{
    if (!request)
        return;
    g_free(request->kind);
    g_free(request->owner);
    g_free(request->token);
    json_decref(request->json);
    g_clear_pointer(&request->assets, g_ptr_array_unref);
    g_free(request);
}

static json_t *
copy_question(json_t *parameters)
{
    json_t *copy = json_copy(parameters);

    json_object_del(copy, "owner");
    json_object_del(copy, "token");
    json_object_del(copy, "timeoutSeconds");
    return copy;
}

ShareRequest *
share_request_new(const char *kind, json_t *parameters, GError **error)
{
    g_autoptr(ShareRequest) request = g_new0(ShareRequest, 1);

    request->kind = g_strdup(kind);
    request->assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    request->json = copy_question(parameters);
    if (!request_unpack_timeout(parameters, &request->timeout_seconds, error) ||
        !(request->owner = request_unpack_name(parameters, "owner", error)) ||
        !(request->token = request_unpack_name(parameters, "token", error)))
        return NULL;
    return g_steal_pointer(&request);
}
