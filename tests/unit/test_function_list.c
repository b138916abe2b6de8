/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every VF that the kernel describes is found, however long the list, and a broken message ends it.
 */
#include "netprep/function_list.h"

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* Built without libnl, whose own check would not let a list wrap as the kernel's does. */
static void
begin_message(GByteArray *bytes)
{
    struct nlmsghdr header = { .nlmsg_type = RTM_NEWLINK };
    struct ifinfomsg info = { .ifi_index = 2 };

    g_byte_array_append(bytes, (const guint8 *)&header, sizeof(header));
    g_byte_array_append(bytes, (const guint8 *)&info, sizeof(info));
}

static guint
begin_attribute(GByteArray *bytes, guint16 type)
{
    struct nlattr attribute = { .nla_type = type };

    g_byte_array_append(bytes, (const guint8 *)&attribute, sizeof(attribute));
    return bytes->len - (guint)sizeof(attribute);
}

static void
end_attribute(GByteArray *bytes, guint start)
{
    struct nlattr *attribute = (void *)(bytes->data + start);

    attribute->nla_len = (guint16)(bytes->len - start); /* wraps, as in the kernel */
}

static void
add_attribute(GByteArray *bytes, guint16 type, const void *data, guint length)
{
    guint start = begin_attribute(bytes, type);

    g_byte_array_append(bytes, data, length);
    end_attribute(bytes, start);
}

static void
add_switch(GByteArray *bytes, guint16 type, unsigned index, guint32 value)
{
    struct ifla_vf_trust setting = { index, value };

    add_attribute(bytes, type, &setting, sizeof(setting));
}

static void
add_vlan(GByteArray *bytes, unsigned index)
{
    struct ifla_vf_vlan_info info = { index, index % 4095, 5, g_htons(ETH_P_8021AD) };
    guint list = begin_attribute(bytes, IFLA_VF_VLAN_LIST);

    add_attribute(bytes, IFLA_VF_VLAN_INFO, &info, sizeof(info));
    end_attribute(bytes, list);
}

static void
add_function(GByteArray *bytes, unsigned index)
{
    struct ifla_vf_mac mac = { .vf = index,
                               .mac = { 2, 0, 0, 0, (guint8)(index >> 8), (guint8)index } };
    struct ifla_vf_rate rate = { index, 10, 100 };
    struct ifla_vf_link_state state = { index, IFLA_VF_LINK_STATE_DISABLE };
    struct ifla_vf_guid guid = { index, 0x1122334455667788 };
    guint start = begin_attribute(bytes, IFLA_VF_INFO);

    add_attribute(bytes, IFLA_VF_MAC, &mac, sizeof(mac));
    add_vlan(bytes, index);
    add_attribute(bytes, IFLA_VF_RATE, &rate, sizeof(rate));
    add_attribute(bytes, IFLA_VF_LINK_STATE, &state, sizeof(state));
    add_switch(bytes, IFLA_VF_SPOOFCHK, index, 1);
    add_switch(bytes, IFLA_VF_TRUST, index, G_MAXUINT32);
    add_switch(bytes, IFLA_VF_RSS_QUERY_EN, index, 0);
    add_attribute(bytes, IFLA_VF_IB_PORT_GUID, &guid, sizeof(guid));
    end_attribute(bytes, start);
}

static GByteArray *
make_message(unsigned functions)
{
    GByteArray *bytes = g_byte_array_new();
    guint32 mtu = 1500;

    begin_message(bytes);
    add_attribute(bytes, IFLA_MTU, &mtu, sizeof(mtu));
    guint list = begin_attribute(bytes, IFLA_VFINFO_LIST);
    for (unsigned i = 0; i < functions; i++)
        add_function(bytes, i);
    end_attribute(bytes, list);
    add_attribute(bytes, IFLA_GROUP, &mtu, sizeof(mtu));
    ((struct nlmsghdr *)(void *)bytes->data)->nlmsg_len = bytes->len;
    return bytes;
}

static GArray *
parse(const GByteArray *bytes)
{
    GArray *entries = g_array_new(FALSE, TRUE, sizeof(FunctionEntry));

    function_list_parse((struct nlmsghdr *)(void *)bytes->data, entries);
    return entries;
}

static void
test_reads_all_that_the_kernel_tells(void)
{
    g_autoptr(GByteArray) bytes = make_message(8);
    g_autoptr(GArray) entries = parse(bytes);

    g_assert_cmpuint(entries->len, ==, 8);
    const FunctionEntry *entry = &g_array_index(entries, FunctionEntry, 7);
    FunctionSettings expected = { .mac = { 2, 0, 0, 0, 0, 7 },
                                  .vlan = 7,
                                  .qos = 5,
                                  .vlan_dot1ad = TRUE,
                                  .spoof_check = TRUE,
                                  .link_state = FUNCTION_LINK_DISABLE,
                                  .minimum_rate = 10,
                                  .maximum_rate = 100,
                                  .port_guid = 0x1122334455667788,
                                  .unreported = FUNCTION_OPTION_BIT(FUNCTION_OPTION_TRUST) };
    g_assert_cmpuint(entry->index, ==, 7);
    g_assert_cmpmem(&entry->settings, sizeof(expected), &expected, sizeof(expected));
}

static void
test_goes_on_where_the_length_wrapped(void)
{
    g_autoptr(GByteArray) bytes = make_message(1024);
    g_autoptr(GArray) entries = parse(bytes);

    g_assert_cmpuint(bytes->len, >, 2 * 65536);
    g_assert_cmpuint(entries->len, ==, 1024);
    for (unsigned i = 0; i < entries->len; i++)
        g_assert_cmpuint(g_array_index(entries, FunctionEntry, i).index, ==, i);
}

static void
test_link_without_functions_has_none(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    begin_message(bytes);
    ((struct nlmsghdr *)(void *)bytes->data)->nlmsg_len = bytes->len;
    g_autoptr(GArray) entries = parse(bytes);
    g_assert_cmpuint(entries->len, ==, 0);
}

/* Every shorter message, in memory of exactly its size, so that a sanitizer sees what goes past. */
static void
test_cut_message_is_not_read_past_its_end(void)
{
    g_autoptr(GByteArray) whole = make_message(3);

    for (guint length = NLMSG_LENGTH(sizeof(struct ifinfomsg)); length < whole->len; length++) {
        g_autofree guint8 *part = g_memdup2(whole->data, length);
        g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(FunctionEntry));

        ((struct nlmsghdr *)(void *)part)->nlmsg_len = length;
        function_list_parse((struct nlmsghdr *)(void *)part, entries);
        g_assert_cmpuint(entries->len, <=, 3);
    }
}

/* One VF with what older kernels and odd drivers tell of it. */
static FunctionSettings
parse_one(void (*tell)(GByteArray *bytes))
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct ifla_vf_mac mac = { .vf = 0, .mac = { 2 } };

    begin_message(bytes);
    guint list = begin_attribute(bytes, IFLA_VFINFO_LIST);
    guint start = begin_attribute(bytes, IFLA_VF_INFO);
    add_attribute(bytes, IFLA_VF_MAC, &mac, sizeof(mac));
    tell(bytes);
    end_attribute(bytes, start);
    end_attribute(bytes, list);
    ((struct nlmsghdr *)(void *)bytes->data)->nlmsg_len = bytes->len;
    g_autoptr(GArray) entries = parse(bytes);
    g_assert_cmpuint(entries->len, ==, 1);
    return g_array_index(entries, FunctionEntry, 0).settings;
}

static void
tell_old_forms(GByteArray *bytes)
{
    struct ifla_vf_vlan vlan = { 0, 12, 3 };
    struct ifla_vf_tx_rate rate = { 0, 100 };
    guint8 short_entry = 0;

    guint list = begin_attribute(bytes, IFLA_VF_VLAN_LIST);
    add_attribute(bytes, IFLA_VF_VLAN_INFO, &short_entry, sizeof(short_entry));
    g_byte_array_append(bytes, (const guint8 *)"\0\0\0", 3); /* as netlink aligns */
    end_attribute(bytes, list);
    add_attribute(bytes, IFLA_VF_VLAN, &vlan, sizeof(vlan));
    add_attribute(bytes, IFLA_VF_TX_RATE, &rate, sizeof(rate));
}

static void
tell_nothing(GByteArray *bytes)
{
    struct ifla_vf_link_state state = { 0, 99 };

    add_attribute(bytes, IFLA_VF_LINK_STATE, &state, sizeof(state));
}

static void
test_old_forms_are_read(void)
{
    FunctionSettings settings = parse_one(tell_old_forms);

    g_assert_cmpuint(settings.vlan, ==, 12);
    g_assert_cmpuint(settings.qos, ==, 3);
    g_assert_cmpuint(settings.maximum_rate, ==, 100);
}

static void
test_what_is_not_told_is_not_there(void)
{
    FunctionSettings settings = parse_one(tell_nothing);

    g_assert_cmpuint(settings.vlan, ==, 0);
    g_assert_cmpuint(settings.maximum_rate, ==, 0);
    g_assert_cmpint(settings.link_state, ==, 0);
}

/* Nobody's VF: a description without a MAC, and one that is cut off. */
static void
test_description_without_a_mac_is_passed_over(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint32 nothing = 0;
    struct nlattr cut = { .nla_len = 64, .nla_type = IFLA_VF_MAC };

    begin_message(bytes);
    guint list = begin_attribute(bytes, IFLA_VFINFO_LIST);
    guint start = begin_attribute(bytes, IFLA_VF_INFO);
    add_switch(bytes, IFLA_VF_TRUST, 0, 1);
    end_attribute(bytes, start);
    start = begin_attribute(bytes, IFLA_VF_INFO);
    add_attribute(bytes, IFLA_VF_MAC, &nothing, sizeof(nothing)); /* too short */
    end_attribute(bytes, start);
    end_attribute(bytes, list);
    g_byte_array_append(bytes, (const guint8 *)&cut, sizeof(cut));
    ((struct nlmsghdr *)(void *)bytes->data)->nlmsg_len = bytes->len;
    g_autoptr(GArray) entries = parse(bytes);
    g_assert_cmpuint(entries->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/function-list/reads-all-that-the-kernel-tells",
                    test_reads_all_that_the_kernel_tells);
    g_test_add_func("/function-list/goes-on-where-the-length-wrapped",
                    test_goes_on_where_the_length_wrapped);
    g_test_add_func("/function-list/link-without-functions-has-none",
                    test_link_without_functions_has_none);
    g_test_add_func("/function-list/cut-message-is-not-read-past-its-end",
                    test_cut_message_is_not_read_past_its_end);
    g_test_add_func("/function-list/old-forms", test_old_forms_are_read);
    g_test_add_func("/function-list/not-told", test_what_is_not_told_is_not_there);
    g_test_add_func("/function-list/no-mac", test_description_without_a_mac_is_passed_over);
    return g_test_run();
}
