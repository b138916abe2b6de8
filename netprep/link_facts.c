/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads bridges and cards from sysfs, and VLANs from the kernel's own list. */
#include "netprep/link_facts.h"

#include <string.h>

#define VLAN_MARK "VID: "

void
bridge_facts_clear(BridgeFacts *facts)
{
    g_clear_pointer(&facts->vlans, g_free);
}

static char *
read_text(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? g_strdup(g_strstrip(text)) : NULL;
}

/* The VLAN of network device @name; 0 if it is no VLAN device. */
static unsigned
read_vlan(const NetworkHost *host, const char *name)
{
    g_autofree char *text = read_text(host->vlans, name);
    const char *mark = text ? strstr(text, VLAN_MARK) : NULL;

    return mark ? (unsigned)g_ascii_strtoull(mark + strlen(VLAN_MARK), NULL, 10) : 0;
}

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
    unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

    return (left > right) - (left < right);
}

static char *
list_vlans(const NetworkHost *host, const char *directory)
{
    g_autofree char *ports = g_build_filename(directory, "brif", NULL);
    g_autoptr(GDir) listing = g_dir_open(ports, 0, NULL);
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(unsigned));
    GString *text = g_string_new(NULL);
    const char *name;

    while (listing && (name = g_dir_read_name(listing))) {
        unsigned vlan = read_vlan(host, name);

        if (vlan)
            g_array_append_val(numbers, vlan);
    }
    g_array_sort(numbers, compare_numbers);
    for (guint i = 0; i < numbers->len; i++)
        g_string_append_printf(text, "%s%u", i ? "," : "", g_array_index(numbers, unsigned, i));
    return g_string_free(text, FALSE);
}

gboolean
bridge_facts_read(const NetworkHost *host, const char *bridge, BridgeFacts *ret_facts)
{
    g_autofree char *directory = g_build_filename(host->sysfs, "class", "net", bridge, NULL);
    g_autofree char *mtu = NULL;

    if (!g_file_test(directory, G_FILE_TEST_IS_DIR))
        return FALSE;
    mtu = read_text(directory, "mtu");
    ret_facts->mtu = mtu ? (unsigned)g_ascii_strtoull(mtu, NULL, 10) : 0;
    ret_facts->vlans = list_vlans(host, directory);
    return TRUE;
}

/* The kernel has an identity of the switch in switchdev mode only. */
const char *
card_facts_switch_mode(const NetworkHost *host, const char *name)
{
    g_autofree char *directory = g_build_filename(host->sysfs, "class", "net", name, NULL);
    g_autofree char *identity = read_text(directory, "phys_switch_id");

    return identity && *identity ? "switchdev" : "legacy";
}

char *
card_facts_model(const NetworkHost *host, const char *address)
{
    g_autofree char *directory =
        g_build_filename(host->sysfs, "bus", "pci", "devices", address, NULL);
    g_autofree char *vendor = read_text(directory, "vendor");
    g_autofree char *device = read_text(directory, "device");

    if (!vendor || !device)
        return NULL;
    return g_strdup_printf("%s:%s", g_str_has_prefix(vendor, "0x") ? vendor + 2 : vendor,
                           g_str_has_prefix(device, "0x") ? device + 2 : device);
}
