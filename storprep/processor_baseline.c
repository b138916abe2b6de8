/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sees that libvirt is given elements only, since they come from other hosts. */
#include "storprep/processor_baseline.h"

#include "common/fault.h"
#include "common/xml_tree.h"
#include "storprep/storage_methods.h"

static gboolean
check_processor(const char *text, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(text, "processors", NULL);
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;

    if (root && xmlStrEqual(root->name, (const xmlChar *)"cpu"))
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "processors",
              "pass what BaselineProcessor of the hosts returned", "one is no <cpu> element");
    return FALSE;
}

static char *
find_baseline(Hypervisor *hypervisor, const json_t *list, GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (json_array_size(list) > BASELINE_HOSTS_MAX) {
        fault_set(error, FAULT_LIMIT_EXCEEDED, "processors", "ask for fewer hosts at once",
                  "are more than %d", BASELINE_HOSTS_MAX);
        return NULL;
    }
    for (gsize i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (!check_processor(text, error))
            return NULL;
        g_strv_builder_add(builder, text);
    }
    g_auto(GStrv) processors = g_strv_builder_end(builder);
    return hypervisor_baseline_processor(hypervisor, (const char *const *)processors, error);
}

void
processor_baseline_method(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    GError *error = NULL;
    g_autofree char *processor =
        find_baseline(service->hypervisor, json_object_get(parameters, "processors"), &error);

    if (processor)
        varlink_call_reply(call, json_pack("{s:s}", "processor", processor));
    else
        varlink_call_fail(call, error);
}
