/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges the places of VFs on the guest's PCI buses. */
#include "netprep/hotplug_check.h"

#include <string.h>

#include "common/guest_pci.h"
#include "netprep/vnic.h"
#include "netprep/vnic_path.h"

typedef struct {
    GuestSubject *subject;
    const char *label;
    const GuestView *view;  /* borrowed of the subject */
    const GPtrArray *vnics; /* likewise */
    xmlDoc *document;
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    g_clear_pointer(&context->document, xmlFreeDoc);
    guest_subject_unref(context->subject);
    g_free(context);
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;
    CheckReadiness readiness =
        guest_subject_read(context->subject, &context->view, &context->vnics, error);

    if (readiness != CHECK_READY)
        return readiness;
    if (context->vnics->len == 0)
        return CHECK_NOTHING;
    context->document = xml_tree_parse(context->view->guest->xml, context->label, error);
    return context->document ? CHECK_READY : CHECK_HINDERED;
}

static const xmlNode *
root_of(const Context *context)
{
    return xmlDocGetRootElement(context->document);
}

/* "pc-q35-7.2": the version, 0 of other machines. */
static double
q35_version(const Context *context)
{
    g_autofree char *machine = xml_tree_attribute(
        xml_tree_child(xml_tree_child(root_of(context), "os"), "type"), "machine");
    const char *found = machine ? strstr(machine, "q35") : NULL;

    if (!found)
        return 0;
    return found[strlen("q35")] == '-' ? g_ascii_strtod(found + strlen("q35-"), NULL) : G_MAXDOUBLE;
}

/* The controller whose bus is @bus, as the guest's XML numbers them; NULL if it names none. */
static const xmlNode *
find_controller(const Context *context, const char *bus)
{
    for (xmlNode *node = xml_tree_child(xml_tree_child(root_of(context), "devices"), "controller");
         node; node = xml_tree_next(node, "controller")) {
        if (xml_tree_attribute_is(node, "type", "pci") && xml_tree_attribute_is(node, "index", bus))
            return node;
    }
    return NULL;
}

/* Why the device at @address cannot be unplugged; NULL: it can. "0000:04:00.0". */
static const char *
find_obstacle(const Context *context, const char *address)
{
    gboolean express = q35_version(context) > 0;
    guint64 number = strlen(address) > 7 ? g_ascii_strtoull(address + 5, NULL, 16) : 0;
    g_autofree char *bus = g_strdup_printf("%u", (unsigned)number);
    const xmlNode *controller = find_controller(context, bus);

    if (number == 0)
        return express ? "is on the root complex, where nothing can be unplugged" : NULL;
    if (xml_tree_attribute_is(xml_tree_child(controller, "target"), "hotplug", "off"))
        return "is on a port whose hotplug is off";
    return NULL;
}

static void
check_possible(void *data, CheckReport *report)
{
    const Context *context = data;

    for (guint i = 0; i < context->vnics->len; i++) {
        const Vnic *vnic = context->vnics->pdata[i];
        g_autofree char *object = vnic_label(vnic);
        const char *obstacle =
            vnic->guest_address ? find_obstacle(context, vnic->guest_address) : NULL;

        if (!vnic_path_unplugs(vnic))
            check_pass(report, object, "is not unplugged: %s", vnic->path_reason);
        else if (!vnic->guest_address)
            check_unknown(report, object, "the guest's XML does not tell where it is");
        else if (obstacle)
            check_fail(report, object, NULL, "%s (%s)", obstacle, vnic->guest_address);
        else
            check_pass(report, object, "is at %s, which can be unplugged and is free then",
                       vnic->guest_address);
    }
}

/* QEMU's options that libvirt's XML knows no better form for. */
static gboolean
turns_acpi_hotplug_off(const xmlNode *root)
{
    for (xmlNode *arg = xml_tree_child(xml_tree_child(root, "commandline"), "arg"); arg;
         arg = xml_tree_next(arg, "arg")) {
        g_autofree char *value = xml_tree_attribute(arg, "value");

        if (value && strstr(value, "acpi-pci-hotplug-with-bridge-support=off"))
            return TRUE;
    }
    return FALSE;
}

static void
check_fast(void *data, CheckReport *report)
{
    const Context *context = data;
    double version = q35_version(context);
    gboolean acpi = xml_tree_child(xml_tree_child(root_of(context), "features"), "acpi") != NULL;

    if (!acpi)
        check_fail(report, context->label, NULL,
                   "has no ACPI: PCIe's own hotplug waits 5 s for a button and 1 s for power");
    else if (version > 0 && version < 6.1)
        check_fail(report, context->label, NULL,
                   "has a machine type before pc-q35-6.1, with PCIe's own hotplug: 6 s at least");
    else if (turns_acpi_hotplug_off(root_of(context)))
        check_fail(report, context->label, NULL, "has ACPI hotplug turned off: 6 s at least");
    else
        check_pass(report, context->label, "unplugs through ACPI, which has no fixed delay");
}

CheckGroup
hotplug_check(GuestSubject *subject)
{
    static const Check checks[] = { { "network.hotplug-possible", check_possible },
                                    { "network.hotplug-fast", check_fast },
                                    { 0 } };
    Context *context = g_new0(Context, 1);

    context->subject = guest_subject_ref(subject);
    context->label = guest_subject_label(subject);
    return (CheckGroup) { .object = context->label,
                          .checks = checks,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}
