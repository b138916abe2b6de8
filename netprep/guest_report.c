/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the JSON that netprep-guest printed inside a guest. */
#include "netprep/guest_report.h"

#include <string.h>

#include "common/fault.h"
#include "netprep/text_check.h"

#define INTERFACES_MAX 1024
#define BONDS_MAX      64
#define PORTS_MAX      64
#define NUMBER_MAX     G_MAXINT

static void
guest_interface_free(GuestInterface *interface)
{
    g_free(interface->name);
    g_free(interface->driver);
    g_free(interface->pci_path);
    g_free(interface->master);
    g_free(interface->mac);
    g_free(interface);
}

void
guest_bond_free(GuestBond *bond)
{
    if (!bond)
        return;
    g_free(bond->name);
    g_free(bond->mode);
    g_free(bond->active);
    g_free(bond->primary);
    g_free(bond->fail_over_mac);
    g_strfreev(bond->ports);
    g_strfreev(bond->advice);
    g_free(bond);
}

void
guest_report_free(GuestReport *report)
{
    if (!report)
        return;
    g_ptr_array_unref(report->interfaces);
    g_ptr_array_unref(report->bonds);
    g_free(report->arp);
    g_free(report);
}

const char *
guest_steering_name(GuestSteering steering)
{
    switch (steering) {
    case GUEST_STEERING_PROGRAM:
        return "program";
    case GUEST_STEERING_FILES:
        return "files";
    }
    g_return_val_if_reached("program");
}

GuestReport *
guest_report_new(GuestSteering steering)
{
    GuestReport *report = g_new0(GuestReport, 1);

    report->steering = steering;
    report->interfaces = g_ptr_array_new_with_free_func((GDestroyNotify)guest_interface_free);
    report->bonds = g_ptr_array_new_with_free_func((GDestroyNotify)guest_bond_free);
    return report;
}

GuestInterface *
guest_report_add_interface(GuestReport *report, const char *name)
{
    GuestInterface *interface = g_new0(GuestInterface, 1);

    interface->name = g_strdup(name);
    g_ptr_array_add(report->interfaces, interface);
    return interface;
}

GuestBond *
guest_bond_new(const char *name)
{
    GuestBond *bond = g_new0(GuestBond, 1);

    bond->name = g_strdup(name);
    bond->announcements = bond->up_delay_msec = -1;
    return bond;
}

/* Kept free of the guest's own words: an error message is not its place to speak. */
static void
refuse(const char *guest_name, const char *what, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", guest_name);

    fault_set(error, FAULT_AGENT_FAILED, object,
              "install this host's version of netprep-guest in the guest",
              "its report is not as agreed: %s", what);
}

static gboolean
is_word(const char *text)
{
    return text_is_name(text) && strlen(text) <= 64 && g_str_is_ascii(text);
}

/* A text member that passes @valid; null and absent are allowed unless @required. */
static gboolean
take_text(const json_t *object, const char *name, gboolean (*valid)(const char *),
          gboolean required, char **ret_text)
{
    const json_t *value = json_object_get(object, name);

    if (!required && (!value || json_typeof(value) == JSON_NULL))
        return TRUE;
    const char *text = json_string_value(value);
    if (!valid(text))
        return FALSE;
    *ret_text = g_strdup(text);
    return TRUE;
}

static GuestInterface *
parse_interface(const json_t *object)
{
    GuestInterface *interface = g_new0(GuestInterface, 1);
    const json_t *carrier = json_object_get(object, "carrier");
    const json_t *xdp = json_object_get(object, "xdp");

    interface->carrier = json_is_true(carrier);
    interface->has_xdp = json_is_true(xdp);
    interface->tells_xdp = json_is_boolean(xdp);
    if (json_is_boolean(carrier) &&
        take_text(object, "name", text_is_link_name, TRUE, &interface->name) &&
        take_text(object, "driver", is_word, FALSE, &interface->driver) &&
        take_text(object, "pciPath", text_is_pci_path, FALSE, &interface->pci_path) &&
        take_text(object, "macAddress", text_is_mac, FALSE, &interface->mac) &&
        take_text(object, "master", text_is_link_name, FALSE, &interface->master))
        return interface;
    guest_interface_free(interface);
    return NULL;
}

static gboolean
take_ports(const json_t *array, char ***ret_ports)
{
    gsize count = json_array_size(array);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (!json_is_array(array) || count > PORTS_MAX)
        return FALSE;
    for (gsize i = 0; i < count; i++) {
        const char *port = json_string_value(json_array_get(array, i));

        if (!text_is_link_name(port))
            return FALSE;
        g_strv_builder_add(builder, port);
    }
    *ret_ports = g_strv_builder_end(builder);
    return TRUE;
}

/* A number that is not negative; absent ones are left as they are. */
static gboolean
take_number(const json_t *object, const char *name, int *ret_number)
{
    const json_t *value = json_object_get(object, name);

    if (!value)
        return TRUE;
    if (json_typeof(value) != JSON_INTEGER || json_integer_value(value) < 0 ||
        json_integer_value(value) > NUMBER_MAX)
        return FALSE;
    *ret_number = (int)json_integer_value(value);
    return TRUE;
}

static GuestBond *
parse_bond(const json_t *object)
{
    g_autoptr(GuestBond) bond = guest_bond_new(NULL);
    int interval = -1;

    if (!take_number(object, "monitorIntervalMilliseconds", &interval) || interval < 0 ||
        !take_number(object, "gratuitousArp", &bond->announcements) ||
        !take_number(object, "upDelayMilliseconds", &bond->up_delay_msec))
        return NULL;
    bond->monitor_interval_msec = (unsigned)interval;
    if (!take_text(object, "name", text_is_link_name, TRUE, &bond->name) ||
        !take_text(object, "failOverMac", is_word, FALSE, &bond->fail_over_mac) ||
        !take_text(object, "mode", is_word, TRUE, &bond->mode) ||
        !take_text(object, "active", text_is_link_name, FALSE, &bond->active) ||
        !take_text(object, "primary", text_is_link_name, FALSE, &bond->primary) ||
        !take_ports(json_object_get(object, "ports"), &bond->ports))
        return NULL;
    return g_steal_pointer(&bond);
}

static gboolean
parse_interfaces(const json_t *array, GPtrArray *interfaces)
{
    if (!json_is_array(array) || json_array_size(array) > INTERFACES_MAX)
        return FALSE;
    for (gsize i = 0; i < json_array_size(array); i++) {
        GuestInterface *interface = parse_interface(json_array_get(array, i));

        if (!interface)
            return FALSE;
        g_ptr_array_add(interfaces, interface);
    }
    return TRUE;
}

static gboolean
parse_bonds(const json_t *array, GPtrArray *bonds)
{
    if (!json_is_array(array) || json_array_size(array) > BONDS_MAX)
        return FALSE;
    for (gsize i = 0; i < json_array_size(array); i++) {
        GuestBond *bond = parse_bond(json_array_get(array, i));

        if (!bond)
            return FALSE;
        g_ptr_array_add(bonds, bond);
    }
    return TRUE;
}

/* An older program tells nothing, and has none. Names that nobody knows are passed over. */
static unsigned
parse_hooks(const json_t *array)
{
    unsigned hooks = 0;

    for (gsize i = 0; i < MIN(json_array_size(array), GUEST_HOOKS_COUNT); i++) {
        GuestHooksPhase phase;

        if (guest_hooks_phase_parse(json_string_value(json_array_get(array, i)), &phase))
            hooks |= 1U << phase;
    }
    return hooks;
}

GuestReport *
guest_report_parse(const char *guest_name, const char *text, GError **error)
{
    json_auto_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    g_autoptr(GuestReport) report = guest_report_new(GUEST_STEERING_PROGRAM);

    report->hooks = parse_hooks(json_object_get(object, "hooks"));
    report->arp = g_strdup(json_string_value(json_object_get(object, "arp")));
    if (!json_is_object(object))
        refuse(guest_name, "it is not a JSON object", error);
    else if (!parse_interfaces(json_object_get(object, "interfaces"), report->interfaces))
        refuse(guest_name, "its interfaces are malformed or too many", error);
    else if (!parse_bonds(json_object_get(object, "bonds"), report->bonds))
        refuse(guest_name, "its bonds are malformed or too many", error);
    else
        return g_steal_pointer(&report);
    return NULL;
}

GuestBond *
guest_bond_parse(const char *guest_name, const char *text, GError **error)
{
    json_auto_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    GuestBond *bond = json_is_object(object) ? parse_bond(object) : NULL;

    if (!bond)
        refuse(guest_name, "it is not a bond", error);
    return bond;
}

const GuestInterface *
guest_report_find_path(const GuestReport *report, const char *pci_path)
{
    for (guint i = 0; pci_path && i < report->interfaces->len; i++) {
        const GuestInterface *interface = report->interfaces->pdata[i];

        if (g_strcmp0(interface->pci_path, pci_path) == 0)
            return interface;
    }
    return NULL;
}

const GuestInterface *
guest_report_find_link(const GuestReport *report, const char *name)
{
    for (guint i = 0; name && i < report->interfaces->len; i++) {
        const GuestInterface *interface = report->interfaces->pdata[i];

        if (g_str_equal(interface->name, name))
            return interface;
    }
    return NULL;
}

GuestBond *
guest_report_find_bond(const GuestReport *report, const char *name)
{
    for (guint i = 0; name && i < report->bonds->len; i++) {
        GuestBond *bond = report->bonds->pdata[i];

        if (g_str_equal(bond->name, name))
            return bond;
    }
    return NULL;
}

static json_t *
known_number(int number)
{
    return number < 0 ? NULL : json_integer(number);
}

static json_t *
texts_to_json(char **texts)
{
    json_t *array = json_array();

    for (gsize i = 0; texts && texts[i]; i++)
        json_array_append_new(array, json_string(texts[i]));
    return array;
}

json_t *
guest_bond_to_json(const GuestBond *bond)
{
    return json_pack("{s:s, s:s, s:s?, s:s?, s:i, s:s?, s:o*, s:o*, s:o, s:o}", "name", bond->name,
                     "mode", bond->mode, "active", bond->active, "primary", bond->primary,
                     "monitorIntervalMilliseconds", (int)bond->monitor_interval_msec, "failOverMac",
                     bond->fail_over_mac, "gratuitousArp", known_number(bond->announcements),
                     "upDelayMilliseconds", known_number(bond->up_delay_msec), "ports",
                     texts_to_json(bond->ports), "advice", texts_to_json(bond->advice));
}

json_t *
guest_report_bonds_to_json(const GuestReport *report)
{
    json_t *bonds = json_array();

    for (guint i = 0; i < report->bonds->len; i++)
        json_array_append_new(bonds, guest_bond_to_json(report->bonds->pdata[i]));
    return bonds;
}

json_t *
guest_report_hooks_to_json(const GuestReport *report)
{
    json_t *names = json_array();

    for (unsigned phase = 0; phase < GUEST_HOOKS_COUNT; phase++) {
        if (report->hooks & 1U << phase)
            json_array_append_new(names, json_string(guest_hooks_phase_name(phase)));
    }
    return names;
}
