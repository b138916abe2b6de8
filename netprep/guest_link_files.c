/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/guest_link_files.h"

#include <string.h>

#include "common/guest_file.h"
#include "netprep/bonding_text.h"
#include "netprep/text_check.h"

#define PATIENCE_FACTOR 5
#define LINKS_MAX       64
#define BONDS_MAX       16
/* From a network device to its host bridge: a virtio device, its PCI device, bridges. */
#define ANCESTORS_MAX 10

GuestLinkFiles
guest_link_files(const BondAccess *access)
{
    gint64 patience_usec = (gint64)access->agent_seconds * PATIENCE_FACTOR * G_USEC_PER_SEC;

    return (GuestLinkFiles) { access, g_get_monotonic_time() + patience_usec };
}

static gboolean
check_time(const GuestLinkFiles *files, GError **error)
{
    g_autofree char *label = network_guest_label(files->access->guest_name);

    if (g_get_monotonic_time() < files->deadline_usec)
        return TRUE;
    fault_set(error, FAULT_TIMED_OUT, label, "look at the guest's load, or install netprep-guest",
              "its agent takes too long to read its network devices");
    return FALSE;
}

static char *
read_file(const GuestLinkFiles *files, const char *path, GError **error)
{
    const BondAccess *access = files->access;

    return check_time(files, error) ? guest_file_read(access->hypervisor, access->guest_uuid, path,
                                                      access->agent_seconds, error)
                                    : NULL;
}

/* NULL in *ret_text if there is no such file. */
static gboolean
read_optional(const GuestLinkFiles *files, const char *path, char **ret_text, GError **error)
{
    g_autoptr(GError) failure = NULL;

    *ret_text = read_file(files, path, &failure);
    if (*ret_text || fault_code(failure) == FAULT_AGENT_FAILED)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
write_file(const GuestLinkFiles *files, const char *path, const char *text, GError **error)
{
    const BondAccess *access = files->access;

    return check_time(files, error) && guest_file_write(access->hypervisor, access->guest_uuid,
                                                        path, text, access->agent_seconds, error);
}

/* The value of "NAME=value" in an uevent file. */
static char *
uevent_value(const char *text, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gsize length = strlen(name);

    for (gsize i = 0; lines[i]; i++) {
        if (strncmp(lines[i], name, length) == 0 && lines[i][length] == '=')
            return g_strdup(lines[i] + length + 1);
    }
    return NULL;
}

static gboolean
is_on_root_bus(const char *address)
{
    return strncmp(address + strlen("0000:"), "00:", 3) == 0;
}

/* Adds what one ancestor's uevent tells; FALSE when it was the last one that matters. */
static gboolean
climb(GuestInterface *interface, const char *uevent, GString *pci_path)
{
    g_autofree char *address = uevent_value(uevent, "PCI_SLOT_NAME");
    g_autofree char *driver = uevent_value(uevent, "DRIVER");

    if (!interface->driver && driver && text_is_name(driver))
        interface->driver = g_steal_pointer(&driver);
    if (!address || !text_is_pci_address(address))
        return pci_path->len == 0;
    g_string_prepend(pci_path, pci_path->len ? "/" : "");
    g_string_prepend(pci_path, address + strlen("0000:00:"));
    return !is_on_root_bus(address);
}

static gboolean
read_place(const GuestLinkFiles *files, GuestInterface *interface, GError **error)
{
    g_autoptr(GString) pci_path = g_string_new(NULL);
    g_autoptr(GString) device = g_string_new(NULL);

    g_string_printf(device, "/sys/class/net/%s/device", interface->name);
    for (unsigned ancestor = 0; ancestor < ANCESTORS_MAX; ancestor++) {
        g_autofree char *path = g_strconcat(device->str, "/uevent", NULL);
        g_autofree char *uevent = NULL;

        if (!read_optional(files, path, &uevent, error))
            return FALSE;
        if (!uevent || !climb(interface, uevent, pci_path))
            break;
        g_string_append(device, "/..");
    }
    if (text_is_pci_path(pci_path->str))
        interface->pci_path = g_strdup(pci_path->str);
    return TRUE;
}

static gboolean
take_link(const GuestLinkFiles *files, GuestReport *report, const json_t *object, GError **error)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const char *mac = json_string_value(json_object_get(object, "hardware-address"));

    if (!text_is_link_name(name) || report->interfaces->len == LINKS_MAX)
        return TRUE;
    GuestInterface *interface = guest_report_add_interface(report, name);
    interface->mac = text_is_mac(mac) ? g_ascii_strdown(mac, -1) : NULL;
    return g_str_equal(name, "lo") || read_place(files, interface, error);
}

gboolean
guest_link_files_list_links(const GuestLinkFiles *files, GuestReport *report, GError **error)
{
    const BondAccess *access = files->access;
    json_auto_t *links =
        guest_agent_call(access->hypervisor, access->guest_uuid, "guest-network-get-interfaces",
                         NULL, access->agent_seconds, error);

    if (!links)
        return FALSE;
    for (gsize i = 0; i < json_array_size(links); i++) {
        if (!take_link(files, report, json_array_get(links, i), error))
            return FALSE;
    }
    return TRUE;
}

gboolean
guest_link_files_list_bonds(const GuestLinkFiles *files, char ***ret_names, GError **error)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    g_autofree char *text = NULL;

    if (!read_optional(files, "/sys/class/net/bonding_masters", &text, error))
        return FALSE;
    g_auto(GStrv) words = g_strsplit_set(text ? text : "", " \n", BONDS_MAX);
    for (gsize i = 0; words[i]; i++) {
        if (text_is_link_name(words[i]))
            g_strv_builder_add(names, words[i]);
    }
    *ret_names = g_strv_builder_end(names);
    return TRUE;
}

static gboolean
read_announcements(const GuestLinkFiles *files, GuestBond *bond, GError **error)
{
    g_autofree char *path = g_strdup_printf("/sys/class/net/%s/bonding/num_grat_arp", bond->name);
    g_autofree char *text = NULL;

    if (!read_optional(files, path, &text, error))
        return FALSE;
    if (text && g_ascii_isdigit(*text))
        bond->announcements = (int)MIN(g_ascii_strtoull(text, NULL, 10), G_MAXUINT8);
    return TRUE;
}

GuestBond *
guest_link_files_read_bond(const GuestLinkFiles *files, const char *name, char ***ret_ports_up,
                           GError **error)
{
    g_autofree char *path = g_strconcat("/proc/net/bonding/", name, NULL);
    g_autofree char *text = read_file(files, path, error);
    g_auto(GStrv) ports_up = NULL;

    if (!text)
        return NULL;
    g_autoptr(GuestBond) bond = bonding_text_parse(name, text, &ports_up);
    if (!bond) {
        g_autofree char *label = network_guest_label(files->access->guest_name);
        fault_set(error, FAULT_AGENT_FAILED, label, "install netprep-guest in the guest",
                  "its kernel describes bond %s in a way that is not known", name);
        return NULL;
    }
    if (!read_announcements(files, bond, error))
        return NULL;
    *ret_ports_up = g_steal_pointer(&ports_up);
    return g_steal_pointer(&bond);
}

gboolean
guest_link_files_set_option(const GuestLinkFiles *files, const char *bond, const char *option,
                            const char *value, GError **error)
{
    g_autofree char *path = g_strdup_printf("/sys/class/net/%s/bonding/%s", bond, option);

    return write_file(files, path, value, error);
}

gboolean
guest_link_files_set_flags(const GuestLinkFiles *files, const char *link, const char *flags,
                           GError **error)
{
    g_autofree char *path = g_strdup_printf("/sys/class/net/%s/flags", link);

    return write_file(files, path, flags, error);
}
