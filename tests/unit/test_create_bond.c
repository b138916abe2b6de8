/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bond is made of two devices, and of nothing if any step fails. */
#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>

#include "fake/fake_kernel.h"
#include "netprep/guest/verbs.h"

#define PRIMARY_PATH "02.3/00.0"
#define BACKUP_MAC   "52:54:00:aa:00:01"

static void
add_devices(FakeKernel *fake, const char *function_mac)
{
    fake_kernel_add_nic(fake, "ens3", BACKUP_MAC, "virtio_net", "0000:00:02.2/0000:01:00.0");
    fake_kernel_add_nic(fake, "ens4", function_mac, "igbvf", "0000:00:02.3/0000:02:00.0");
    fake_kernel_add_nic(fake, "ens9", "52:54:00:bb:00:01", "e1000", "0000:00:02.7/0000:09:00.0");
}

/* What a guest may have of all kinds, on @name. */
static void
add_layer3(FakeKernel *fake, const char *name)
{
    g_autofree char *label = g_strdup_printf("%s:web", name);

    fake_kernel_add_address(fake, "ens9", "203.0.113.1/24", NULL, IFA_F_PERMANENT, 0);
    fake_kernel_add_route(fake,
                          &(FakeRoute) { .via = "203.0.113.254", .name = "ens9", .metric = 500 });
    fake_kernel_add_address(fake, name, "192.0.2.5/24", name, 0, 3600);
    fake_kernel_add_address(fake, name, "192.0.2.6/24", label, IFA_F_PERMANENT, 0);
    fake_kernel_add_address(fake, name, "2001:db8::5/64", NULL, IFA_F_NOPREFIXROUTE, 600);
    fake_kernel_add_route(
        fake, &(FakeRoute) {
                  .to = "2001:db8::/64", .name = name, .metric = 100, .protocol = RTPROT_KERNEL });
    fake_kernel_add_route(
        fake, &(FakeRoute) {
                  .via = "2001:db8::1", .name = name, .protocol = RTPROT_RA, .seconds = 1800 });
    fake_kernel_add_route(fake, &(FakeRoute) { .via = "192.0.2.1",
                                               .name = name,
                                               .metric = 100,
                                               .source = "192.0.2.5",
                                               .protocol = RTPROT_DHCP });
    fake_kernel_add_route(
        fake,
        &(FakeRoute) { .to = "198.51.100.0/24", .via = "192.0.2.1", .name = name, .table = 200 });
    fake_kernel_add_route(
        fake, &(FakeRoute) {
                  .to = "10.1.0.0/16", .via = "10.9.9.9", .name = name, .flags = RTNH_F_ONLINK });
    fake_kernel_add_route(fake, &(FakeRoute) { .to = "10.2.0.0/16",
                                               .via = "192.0.2.1",
                                               .name = name,
                                               .via2 = "203.0.113.9",
                                               .name2 = "ens9" });
}

static json_t *
create(FakeKernel *fake, uint32_t fail_over_mac, Failure *failure)
{
    uint8_t mac[ETH_ALEN];
    const CreateBond request = { .bond = "bond0",
                                 .primary_path = PRIMARY_PATH,
                                 .backup_mac = mac,
                                 .fail_over_mac = fail_over_mac,
                                 .choice = PERSISTENCE_NONE,
                                 .root = "/nonexistent" };

    g_assert_true(link_parse_mac(BACKUP_MAC, mac));
    return verb_create_bond(fake_kernel_get(fake), &request, failure);
}

static void
assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("no '%s' in\n%s", part, text);
}

/* The addresses and routes among the lines, with @name called bond0. */
static char *
layer3_on_bond(const char *text, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GRegex) regex = g_regex_new(name, 0, 0, NULL);
    g_autofree char **kept = g_new0(char *, g_strv_length(lines) + 1);

    for (gsize i = 0, used = 0; lines[i]; i++) {
        if (!g_str_has_prefix(lines[i], "device "))
            kept[used++] = lines[i];
    }
    g_autofree char *joined = g_strjoinv("\n", kept);
    char *renamed = g_regex_replace(regex, joined, -1, 0, "bond0", 0, NULL);
    return renamed;
}

static void
assert_same_layer3(const char *before, const char *after, const char *name)
{
    g_autofree char *wanted = layer3_on_bond(before, name);
    g_autofree char *found = layer3_on_bond(after, "bond0");
    g_auto(GStrv) lines = g_strsplit(wanted, "\n", -1);

    g_assert_cmpuint(strlen(wanted), ==, strlen(found));
    for (gsize i = 0; lines[i]; i++)
        assert_has(found, lines[i]);
}

static void
check_move(const char *name, const char *function_mac)
{
    g_autoptr(FakeKernel) fake = fake_kernel_new();
    Failure failure = { 0 };

    add_devices(fake, function_mac);
    add_layer3(fake, name);
    g_autofree char *before = fake_kernel_print(fake);
    json_auto_t *bond = create(fake, BOND_FAIL_OVER_MAC_NONE, &failure);
    g_assert_cmpstr(failure.text, ==, "");
    g_autofree char *after = fake_kernel_print(fake);
    assert_same_layer3(before, after, name);
    assert_has(after, "device bond0 " BACKUP_MAC " mtu 1500 up active ens3 primary ens4 mode 1 "
                      "failOverMac 0 monitorIntervalMilliseconds 100 upDelayMilliseconds 200 "
                      "gratuitousArp 3");
    assert_has(after, "device ens3 " BACKUP_MAC " mtu 1500 up master bond0");
    assert_has(after, "device ens4 " BACKUP_MAC " mtu 1500 up master bond0");
}

static void
test_moves_all_from_the_virtio_device(void)
{
    check_move("ens3", "02:00:00:00:00:01");
}

static void
test_moves_all_from_the_function(void)
{
    check_move("ens4", "02:00:00:00:00:01");
}

static void
test_tells_devices_of_one_mac_apart(void)
{
    check_move("ens3", BACKUP_MAC);
    check_move("ens4", BACKUP_MAC);
}

static void
test_says_what_it_made(void)
{
    g_autoptr(FakeKernel) fake = fake_kernel_new();
    Failure failure = { 0 };

    add_devices(fake, "02:00:00:00:00:01");
    json_auto_t *bond = create(fake, BOND_FAIL_OVER_MAC_ACTIVE, &failure);
    json_auto_t *wanted = json_pack(
        "{s:s, s:s, s:s, s:s, s:[s, s], s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:b, s:{s:s, s:b, s:n, "
        "s:[], s:[], s:[]}}",
        "name", "bond0", "macAddress", BACKUP_MAC, "active", "ens3", "primary", "ens4", "ports",
        "ens3", "ens4", "mode", "active-backup", "failOverMac", "active",
        "monitorIntervalMilliseconds", 100, "upDelayMilliseconds", 200, "gratuitousArp", 3,
        "peerNotifyDelayMilliseconds", 0, "primaryReselect", "always", "allPortsActive", 0,
        "persistence", "system", "unknown", "atBoot", 0, "file", "written", "saved",
        "instructions");
    g_assert_true(json_equal(bond, wanted));
}

static void
test_a_repeat_changes_nothing(void)
{
    g_autoptr(FakeKernel) fake = fake_kernel_new();
    Failure failure = { 0 };

    add_devices(fake, "02:00:00:00:00:01");
    add_layer3(fake, "ens3");
    json_auto_t *first = create(fake, BOND_FAIL_OVER_MAC_NONE, &failure);
    g_autofree char *before = fake_kernel_print(fake);
    json_auto_t *second = create(fake, BOND_FAIL_OVER_MAC_NONE, &failure);
    g_autofree char *after = fake_kernel_print(fake);
    g_assert_true(json_equal(first, second));
    g_assert_cmpstr(before, ==, after);
}

static void
test_keeps_the_mtu_that_peers_count_on(void)
{
    g_autoptr(FakeKernel) fake = fake_kernel_new();
    Failure failure = { 0 };

    add_devices(fake, "02:00:00:00:00:01");
    add_layer3(fake, "ens4");
    fake_kernel_set_mtu(fake, "ens4", 9000);
    json_auto_t *bond = create(fake, BOND_FAIL_OVER_MAC_NONE, &failure);
    g_assert_nonnull(bond);
    g_autofree char *after = fake_kernel_print(fake);
    assert_has(after, "device ens3 " BACKUP_MAC " mtu 9000");
}

/* As many runs as there are calls to fail; each ends as it began. */
static void
check_each_failure(gboolean known, gboolean done)
{
    for (unsigned call = 1;; call++) {
        g_autoptr(FakeKernel) fake = fake_kernel_new();
        Failure failure = { 0 };

        add_devices(fake, "02:00:00:00:00:01");
        add_layer3(fake, call % 2 ? "ens3" : "ens4");
        if (known)
            fake_kernel_add_bond(fake, "bond0", "02:00:00:00:00:99");
        g_autofree char *before = fake_kernel_print(fake);
        fake_kernel_fail(fake, call, -EPERM, done);
        json_auto_t *bond = create(fake, BOND_FAIL_OVER_MAC_NONE, &failure);
        if (fake_kernel_calls(fake) < call) {
            g_assert_nonnull(bond);
            g_assert_cmpuint(call, >, 30);
            return;
        }
        g_autofree char *after = fake_kernel_print(fake);
        if (bond)
            g_error("call %u failed unseen", call);
        g_assert_cmpstr(failure.text, !=, "");
        /* The last call only asks what was made: there is nothing to put back. */
        if (!strstr(after, "upDelayMilliseconds 200 "))
            g_assert_cmpstr(after, ==, before);
    }
}

static void
test_each_failing_call_is_undone(void)
{
    check_each_failure(FALSE, FALSE);
}

static void
test_each_lost_answer_is_undone(void)
{
    check_each_failure(FALSE, TRUE);
}

static void
test_an_unused_bond_is_used_and_put_back(void)
{
    check_each_failure(TRUE, FALSE);
}

static void
check_refused(FakeKernel *fake, const char *part)
{
    Failure failure = { 0 };
    g_autofree char *before = fake_kernel_print(fake);

    g_assert_null(create(fake, BOND_FAIL_OVER_MAC_NONE, &failure));
    g_autofree char *after = fake_kernel_print(fake);
    g_assert_cmpstr(before, ==, after);
    assert_has(failure.text, part);
}

static void
test_refuses_a_device_with_a_vlan(void)
{
    g_autoptr(FakeKernel) fake = fake_kernel_new();

    add_devices(fake, "02:00:00:00:00:01");
    fake_kernel_set_lower(fake, "ens9", "ens3");
    check_refused(fake, "ens9 stands on ens3");
}

static void
test_refuses_what_is_no_bond(void)
{
    g_autoptr(FakeKernel) fake = fake_kernel_new();

    add_devices(fake, "02:00:00:00:00:01");
    fake_kernel_add_nic(fake, "bond0", "52:54:00:cc:00:01", "e1000", "0000:00:02.8/0000:0a:00.0");
    check_refused(fake, "bond0 exists");
}

static void
test_refuses_a_missing_device(void)
{
    g_autoptr(FakeKernel) fake = fake_kernel_new();

    fake_kernel_add_nic(fake, "ens3", BACKUP_MAC, "virtio_net", "0000:00:02.2/0000:01:00.0");
    check_refused(fake, "no network device at PCI path 02.3/00.0");
    fake_kernel_add_nic(fake, "ens4", "02:00:00:00:00:01", "igbvf", "0000:00:02.3/0000:02:00.0");
    fake_kernel_set_lower(fake, "ens3", "ens4");
    check_refused(fake, "ens3 stands on ens4");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/create-bond/moves-all-from-the-virtio-device",
                    test_moves_all_from_the_virtio_device);
    g_test_add_func("/create-bond/moves-all-from-the-function", test_moves_all_from_the_function);
    g_test_add_func("/create-bond/tells-devices-of-one-mac-apart",
                    test_tells_devices_of_one_mac_apart);
    g_test_add_func("/create-bond/says-what-it-made", test_says_what_it_made);
    g_test_add_func("/create-bond/a-repeat-changes-nothing", test_a_repeat_changes_nothing);
    g_test_add_func("/create-bond/keeps-the-mtu-that-peers-count-on",
                    test_keeps_the_mtu_that_peers_count_on);
    g_test_add_func("/create-bond/each-failing-call-is-undone", test_each_failing_call_is_undone);
    g_test_add_func("/create-bond/each-lost-answer-is-undone", test_each_lost_answer_is_undone);
    g_test_add_func("/create-bond/an-unused-bond-is-used-and-put-back",
                    test_an_unused_bond_is_used_and_put_back);
    g_test_add_func("/create-bond/refuses-a-device-with-a-vlan", test_refuses_a_device_with_a_vlan);
    g_test_add_func("/create-bond/refuses-what-is-no-bond", test_refuses_what_is_no_bond);
    g_test_add_func("/create-bond/refuses-a-missing-device", test_refuses_a_missing_device);
    return g_test_run();
}
