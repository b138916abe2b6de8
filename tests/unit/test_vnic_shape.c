/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A vNIC is written again as it was, with another host's VF. */
#include <string.h>

#include "common/fault.h"
#include "common/vnic_shape.h"

#define GUEST_ADDRESS "<address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/>"

static VnicShape *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    VnicShape *shape = vnic_shape_parse(xml, &error);

    g_assert_no_error(error);
    return shape;
}

/* What libvirt would be given on another host, read again. */
static DomainXml *
carry(const char *xml, char **ret_written)
{
    g_autoptr(VnicShape) shape = parse(xml);
    g_autoptr(GError) error = NULL;
    char *written = vnic_shape_build(shape, "0000:09:10.4", &error);

    g_assert_no_error(error);
    g_autofree char *text = g_strdup_printf(
        "<domain><name>n</name><uuid>u</uuid><devices>%s</devices></domain>", written);
    DomainXml *domain = domain_xml_parse(text, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(domain->passthrough->len, ==, 1);
    *ret_written = written;
    return domain;
}

static void
test_plain_device_gets_another_function(void)
{
    g_autofree char *written = NULL;
    g_autoptr(DomainXml) domain =
        carry("<hostdev mode='subsystem' type='pci' managed='no'><driver name='vfio'/><source>"
              "<address domain='0' bus='1' slot='16' function='2'/></source>"
              "<alias name='ua-vf0'/><rom bar='off' file='/x'/>" GUEST_ADDRESS "</hostdev>",
              &written);
    const DomainPassthrough *device = domain->passthrough->pdata[0];

    g_assert_cmpint(device->form, ==, VNIC_FORM_HOSTDEV);
    g_assert_cmpstr(device->function, ==, "0000:09:10.4");
    g_assert_cmpstr(device->guest_address, ==, "0000:04:00.0");
    g_assert_cmpstr(device->alias, ==, "ua-vf0");
    g_assert_nonnull(strstr(written, "managed=\"yes\""));
    g_assert_nonnull(strstr(written, "<rom bar=\"off\"/>"));
    g_assert_null(strstr(written, "/x"));
}

static void
test_interface_keeps_mac_vlan_and_order(void)
{
    g_autofree char *written = NULL;
    g_autoptr(DomainXml) domain =
        carry("<interface type='hostdev' managed='yes'><mac address='52:54:00:AA:00:01'/><source>"
              "<address type='pci' domain='0' bus='1' slot='16' function='2'/></source>"
              "<vlan><tag id='42'/></vlan><boot order='2'/><acpi index='7'/>" GUEST_ADDRESS
              "</interface>",
              &written);
    const DomainPassthrough *device = domain->passthrough->pdata[0];

    g_assert_cmpint(device->form, ==, VNIC_FORM_INTERFACE);
    g_assert_cmpstr(device->function, ==, "0000:09:10.4");
    g_assert_cmpstr(device->mac, ==, "52:54:00:aa:00:01");
    g_assert_nonnull(strstr(written, "<vlan><tag id=\"42\"/></vlan>"));
    g_assert_nonnull(strstr(written, "<boot order=\"2\"/>"));
    g_assert_nonnull(strstr(written, "<acpi index=\"7\"/>"));
}

static void
test_network_form_leaves_the_function_to_libvirt(void)
{
    g_autofree char *written = NULL;
    g_autoptr(DomainXml) domain =
        carry("<interface type='network'><mac address='52:54:00:aa:00:01'/>"
              "<source network='pool &amp; co' portgroup='gold'/>" GUEST_ADDRESS "</interface>",
              &written);
    const DomainPassthrough *device = domain->passthrough->pdata[0];

    g_assert_cmpint(device->form, ==, VNIC_FORM_NETWORK);
    g_assert_null(device->function);
    g_assert_cmpstr(device->network, ==, "pool & co");
    g_assert_nonnull(strstr(written, "portgroup=\"gold\""));
    g_assert_null(strstr(written, "managed"));
}

static void
test_teaming_pair_stays_one(void)
{
    g_autofree char *written = NULL;
    g_autoptr(DomainXml) domain =
        carry("<interface type='network'><mac address='52:54:00:aa:00:01'/>"
              "<source network='pool'/><teaming type='transient' persistent='ua-net0'/>"
              "</interface>",
              &written);
    const DomainPassthrough *device = domain->passthrough->pdata[0];

    g_assert_cmpstr(device->teaming, ==, "transient");
    g_assert_nonnull(strstr(written, "persistent=\"ua-net0\""));
}

static void
test_what_libvirt_chooses_is_left_out(void)
{
    g_autofree char *written = NULL;
    g_autoptr(DomainXml) domain =
        carry("<hostdev mode='subsystem' type='pci'><source>"
              "<address domain='0' bus='1' slot='16' function='2'/></source>"
              "<alias name='hostdev0'/></hostdev>",
              &written);

    g_assert_nonnull(domain);
    g_assert_null(strstr(written, "alias"));
    g_assert_null(strstr(written, "type=\"pci\" domain"));
}

static void
test_needs_exact_addresses(void)
{
    static const char *const bad[] = { "",
                                       "01:10.2",
                                       "0000:01:20.2",
                                       "0000:01:10.8",
                                       "0000:01:10.2 ",
                                       "0000:01:1g.2",
                                       "0000-01-10.2",
                                       "0000:01:10.2'/><x" };
    VnicShape shape = { .form = VNIC_FORM_HOSTDEV };
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_null(vnic_shape_build(&shape, bad[i], &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
        g_clear_error(&error);
    }
    shape.guest_address = "4";
    g_assert_null(vnic_shape_build(&shape, "0000:01:10.2", &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
}

static void
test_other_devices_have_no_shape(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(vnic_shape_parse("<disk type='file'/>", &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
    g_clear_error(&error);
    g_assert_null(vnic_shape_parse("<hostdev", &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vnic-shape/plain-device-gets-another-function",
                    test_plain_device_gets_another_function);
    g_test_add_func("/vnic-shape/interface-keeps-mac-vlan-and-order",
                    test_interface_keeps_mac_vlan_and_order);
    g_test_add_func("/vnic-shape/network-form-leaves-the-function-to-libvirt",
                    test_network_form_leaves_the_function_to_libvirt);
    g_test_add_func("/vnic-shape/teaming-pair-stays-one", test_teaming_pair_stays_one);
    g_test_add_func("/vnic-shape/what-libvirt-chooses-is-left-out",
                    test_what_libvirt_chooses_is_left_out);
    g_test_add_func("/vnic-shape/needs-exact-addresses", test_needs_exact_addresses);
    g_test_add_func("/vnic-shape/other-devices-have-no-shape", test_other_devices_have_no_shape);
    return g_test_run();
}
