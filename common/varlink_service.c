/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface that every Varlink service has: https://varlink.org/Service. */
#include "common/varlink_service.h"

#include "common/varlink_call.h"

const char varlink_service_description[] =
    "# What a service is and offers\n"
    "interface org.varlink.service\n"
    "\n"
    "method GetInfo() -> (\n"
    "  vendor: string,\n"
    "  product: string,\n"
    "  version: string,\n"
    "  url: string,\n"
    "  interfaces: []string\n"
    ")\n"
    "\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n"
    "\n"
    "error InterfaceNotFound(interface: string)\n"
    "error MethodNotFound(method: string)\n"
    "error MethodNotImplemented(method: string)\n"
    "error InvalidParameter(parameter: string)\n"
    "error PermissionDenied()\n"
    "error ExpectedMore()\n";

static void
get_info(VarlinkCall *call, json_t *parameters, void *context)
{
    const VarlinkService *service = context;
    json_t *names = json_array();

    for (guint i = 0; i < service->served->len; i++) {
        const VarlinkServed *served = service->served->pdata[i];
        json_array_append_new(names, json_string(varlink_interface_name(served->iface)));
    }
    varlink_call_reply(call, json_pack("{s:s, s:s, s:s, s:s, s:o}", "vendor", "migprep", "product",
                                       service->product, "version", service->version, "url", "",
                                       "interfaces", names));
}

static gboolean
get_info_at_once(VarlinkCall *call, json_t *parameters, void *context)
{
    get_info(call, parameters, context);
    return TRUE;
}

static void
get_interface_description(VarlinkCall *call, json_t *parameters, void *context)
{
    const VarlinkService *service = context;
    const char *name = json_string_value(json_object_get(parameters, "interface"));

    for (guint i = 0; i < service->served->len; i++) {
        const VarlinkServed *served = service->served->pdata[i];
        if (strcmp(varlink_interface_name(served->iface), name) == 0) {
            const char *description = varlink_interface_description(served->iface);
            varlink_call_reply(call, json_pack("{s:s}", "description", description));
            return;
        }
    }
    varlink_call_refuse(call, "InterfaceNotFound", json_pack("{s:s}", "interface", name));
}

const VarlinkMethod varlink_service_methods[] = {
    { "GetInfo", get_info },
    { "GetInterfaceDescription", get_interface_description },
    { 0 },
};

const VarlinkBrief varlink_service_brief[] = { { "GetInfo", get_info_at_once }, { 0 } };
