/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host whose drivers write strange things into sysfs: each line of the input is the number of an
 * attribute (a letter) and what it says. */
#include <string.h>

#include "fake/fake_sysfs.h"
#include "fuzz.h"
#include "netprep/function_inventory.h"
#include "netprep/link_facts.h"

#define PF "0000:01:00.0"
#define VF "0000:01:10.0"

/* Attributes of PCI devices and of network devices. */
static const struct {
    const char *device, *link, *name;
} attributes[] = {
    { PF, NULL, "sriov_totalvfs" },
    { PF, NULL, "sriov_numvfs" },
    { PF, NULL, "class" },
    { PF, NULL, "numa_node" },
    { PF, NULL, "vendor" },
    { PF, NULL, "device" },
    { VF, NULL, "class" },
    { VF, NULL, "uevent" },
    { NULL, "npf0", "phys_port_id" },
    { NULL, "npf0", "mtu" },
    { NULL, "npf0", "carrier" },
    { NULL, "npf0", "flags" },
    { NULL, "npf0", "dev_port" },
    { NULL, "npf0", "operstate" },
    { NULL, "npf0", "phys_switch_id" },
    { NULL, "npf0", "phys_port_name" },
    { NULL, "npf0", "type" },
    { NULL, "br0", "mtu" },
    { NULL, "br0", "flags" },
    { NULL, "br0", "uevent" },
};

static char *
build(void)
{
    static const char *const functions[] = { VF, "0000:01:10.2", NULL };
    char *root = fake_sysfs_new();

    fake_sysfs_add_card(root, "npf0", PF, functions);
    fake_sysfs_add_card(root, NULL, "0000:02:00.0", (const char *const[]) { NULL });
    fake_sysfs_bind(root, VF, "igbvf");
    fake_sysfs_add_virtual(root, "br0", "bridge", "npf0");
    fake_sysfs_add_link(root, VF, "vf0", 0x1003, "br0");
    return root;
}

static void
write_one(const char *root, const char *line)
{
    unsigned number = (guchar)(*line - 'a');

    if (number >= G_N_ELEMENTS(attributes))
        return;
    if (attributes[number].device)
        fake_sysfs_set_device(root, attributes[number].device, attributes[number].name, line + 1);
    else
        fake_sysfs_set_link(root, attributes[number].link, attributes[number].name, line + 1);
}

static void
check_inventory(const char *root)
{
    static const char *const networks[] = { "blue", NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(FunctionInventory) inventory = function_inventory_read(root, NULL, &error);

    FUZZ_ASSERT(!inventory == !!error);
    for (guint i = 0; inventory && i < inventory->functions->len; i++) {
        const Function *function = inventory->functions->pdata[i];
        json_auto_t *json = function_to_json(function, networks);

        FUZZ_ASSERT(json && function->port && function->address);
        FUZZ_ASSERT((function->state == FUNCTION_STATE_FREE) == !function->reason);
        FUZZ_ASSERT(function_inventory_find(inventory, function->address) == function);
        function_has_carrier(function);
    }
}

static void
check_facts(const char *root)
{
    const NetworkHost host = { .sysfs = (char *)root, .vlans = (char *)"/nonexistent" };
    g_autofree char *model = card_facts_model(&host, PF);
    g_auto(BridgeFacts) facts = { 0 };

    bridge_facts_read(&host, "br0", &facts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = { data, size };
    char *root = build();
    char *line;

    while ((line = fuzz_take_text(&input, '\n'))) {
        write_one(root, line);
        g_free(line);
    }
    check_inventory(root);
    check_facts(root);
    fake_sysfs_remove(root);
    return 0;
}
