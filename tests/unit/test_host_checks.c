/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storprepd's checks of hosts and of the way between them: each where it holds and where it is
 * broken. */
#include <glib/gstdio.h>
#include <string.h>

#include "fake/checked_host.h"
#include "storprep/host_state.h"

#define MIB (1 << 20)

static void
enter_maintenance(void *data)
{
    checked_host_write(data, "/run/migprep/maintenance", "new memory\nmore\n");
}

static void
be_localhost(void *data)
{
    ((CheckedHost *)data)->checks->host_name = "localhost.localdomain";
}

static void
lose_key(void *data)
{
    checked_host_write(data, "/etc/pki/qemu/ca-cert.pem", "");
    checked_host_write(data, "/etc/pki/qemu/server-cert.pem", "");
}

/* A firewalld that runs and lets in nothing. */
static void
shut_firewall(void *data)
{
    const CheckedHost *host = data;
    g_autofree char *program = g_strconcat(host->root, "/firewall-cmd", NULL);

    checked_host_write(data, "/firewall-cmd", "#!/bin/sh\n[ \"$1\" = --state ]\n");
    g_assert_cmpint(g_chmod(program, 0700), ==, 0);
    host->checks->firewall_program = g_intern_string(program);
}

static void
step_clock(void *data)
{
    checked_host_tell(data, "clockMilliseconds", json_integer(host_state_clock_msec() - 60000));
}

static void
relax_selinux(void *data)
{
    checked_host_write(data, "/sys/fs/selinux/enforce", "0");
}

static void
have_older_system(void *data)
{
    checked_host_tell(data, "system", json_string("rhel 9.1"));
}

static void
have_other_vendor(void *data)
{
    checked_host_tell(data, "processorVendor", json_string("AMD"));
}

static void
have_other_model(void *data)
{
    checked_host_tell(data, "processorModel", json_string("Skylake-Client"));
}

static void
pin_beyond(void *data)
{
    checked_host_tell(data, "pinnedProcessors", json_string("0-1,64"));
}

static FakeHost *
host_of(void *data)
{
    return fake_hypervisor_host(((CheckedHost *)data)->fixture.fake);
}

static void
be_a_session(void *data)
{
    host_of(data)->uri = "qemu:///session";
}

static void
turn_virtualization_off(void *data)
{
    host_of(data)->offered = "qemu";
}

static void
come_from_newer_libvirt(void *data)
{
    checked_host_tell(data, "libraryVersion", json_integer(11003000));
}

static void
tick_otherwise(void *data)
{
    checked_host_tell(data, "tscHertz", json_integer(2100000000));
}

static void
have_older_firmware(void *data)
{
    checked_host_write(data, "/sys/class/dmi/id/bios_version", "1.15\n");
}

static void
be_in_another_cluster(void *data)
{
    ((CheckedHost *)data)->checks->cluster = "south";
}

static void
plan_a_restart(void *data)
{
    checked_host_write(data, "/run/systemd/shutdown/scheduled",
                       "USEC=1790000000000000\nWARN_WALL=1\nMODE=reboot\n");
}

static void
forget_name(void *data)
{
    checked_host_way()->unknown_name = TRUE;
}

static void
block_ports(void *data)
{
    *checked_host_way() = (CheckedWay) { .first = 49200, .last = 65535 };
}

static void
block_ssh(void *data)
{
    *checked_host_way() = (CheckedWay) { .first = 22, .last = 22 };
}

static void
close_door(void *data)
{
    checked_host_way()->closed = TRUE;
}

static void
block_tls(void *data)
{
    *checked_host_way() = (CheckedWay) { .first = 16514, .last = 16514 };
}

static void
write_memory(void *data)
{
    host_of(data)->dirty_bytes_per_second = 200ULL * MIB;
}

static const CheckCase cases[] = {
    { "host.not-in-maintenance", CHECK_BLOCKER, enter_maintenance, "in maintenance: new memory",
      checked_host_alone },
    { "host.name-not-localhost", CHECK_BLOCKER, be_localhost, "localhost.localdomain",
      checked_host_alone },
    { "host.tls-files", CHECK_INFORMATION, lose_key, "server-key.pem is missing",
      checked_host_alone },
    { "host.firewall-open", CHECK_WARNING, shut_firewall, "49152-49215", checked_host_alone },
    { "host.clock-agrees", CHECK_WARNING, step_clock, "60 s ahead", checked_host_arrives },
    { "host.selinux-same", CHECK_WARNING, relax_selinux, "permissive here and enforcing",
      checked_host_arrives },
    { "host.system-supported", CHECK_INFORMATION, have_older_system, "older major release",
      checked_host_arrives },
    { "host.cpu-vendor-same", CHECK_BLOCKER, have_other_vendor, "of Intel, the guest's host of AMD",
      checked_host_arrives },
    { "host.cpu-model-same", CHECK_WARNING, have_other_model, "Skylake-Client",
      checked_host_arrives },
    { "host.pinning-fits", CHECK_BLOCKER, pin_beyond, "no processor 64", checked_host_arrives },
    { "host.libvirt-system", CHECK_BLOCKER, be_a_session, "qemu:///session", checked_host_alone },
    { "host.no-shutdown-planned", CHECK_WARNING, plan_a_restart, "a reboot is planned",
      checked_host_alone },
    { "host.virtualization-on", CHECK_BLOCKER, turn_virtualization_off, "virtualization is off",
      checked_host_arrives },
    { "host.libvirt-not-older", CHECK_WARNING, come_from_newer_libvirt, "a newer one: 11.3.0",
      checked_host_arrives },
    { "host.tsc-fits", CHECK_BLOCKER, tick_otherwise, "fixed to 2100000000", checked_host_arrives },
    { "host.firmware-same", CHECK_INFORMATION, have_older_firmware, "BIOS 1.15",
      checked_host_arrives },
    { "host.cluster-same", CHECK_WARNING, be_in_another_cluster,
      "'south', the guest's host in cluster 'north'", checked_host_arrives },
    { "host.name-resolves", CHECK_BLOCKER, forget_name, "cannot resolve", checked_host_leaves },
    { "host.migration-ports-reachable", CHECK_BLOCKER, block_ports, "16 of the ports",
      checked_host_leaves },
    { "host.ssh-reachable", CHECK_WARNING, block_ssh, "port 22 of 192.0.2.2", checked_host_leaves },
    { "host.ssh-login", CHECK_BLOCKER, close_door, "Permission denied", checked_host_logs_in },
    { "host.libvirt-ports-reachable", CHECK_INFORMATION, block_tls, "qemu+tls",
      checked_host_leaves },
    { "guest.converges", CHECK_WARNING, write_memory, "would not end", checked_host_leaves },
};

static void
test_name_that_is_the_loopback_leads_nowhere(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    checked_host_way()->loopback = TRUE;
    g_autoptr(CheckReport) report = checked_host_leave(host);
    g_assert_cmpint(check_case_outcome(report, "host.name-resolves"), ==, CHECK_FAILED);
    g_assert_cmpint(check_case_outcome(report, "host.migration-ports-reachable"), ==,
                    CHECK_UNKNOWN);
    g_assert_null(check_report_find(report, "guest.converges", NULL));
}

static void
test_rate_without_bandwidth_is_unknown(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();
    const CheckPassage passage = {
        .destination = "host2", .guest = "web1", .facts = host->facts, .measure_seconds = 1
    };

    checked_host_leaves(host);
    checked_host_add_guest(host);
    g_autoptr(CheckReport) report = storage_check_passage(host->checks, &passage, NULL);
    g_assert_cmpint(check_case_outcome(report, "guest.converges"), ==, CHECK_UNKNOWN);
}

static void
test_ports_are_those_of_the_destination(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    checked_host_tell(host, "firstMigrationPort", json_integer(50000));
    checked_host_tell(host, "lastMigrationPort", json_integer(50009));
    *checked_host_way() = (CheckedWay) { .first = 50008, .last = 50020 };
    g_autoptr(CheckReport) report = checked_host_leave(host);
    const CheckResult *result = check_report_find(report, "host.migration-ports-reachable", NULL);
    g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
    g_assert_nonnull(strstr(result->evidence, "2 of the ports 50000-50009"));
    g_assert_nonnull(strstr(result->remedy, "50000-50009/tcp"));
}

/* A host that is off has no firewall to be opened. */
static void
test_ports_of_a_host_that_is_silent_are_unknown(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    *checked_host_way() = (CheckedWay) { .first = 1, .last = 65535 };
    g_autoptr(CheckReport) walled = checked_host_leave(host);
    g_assert_cmpint(check_case_outcome(walled, "host.migration-ports-reachable"), ==, CHECK_FAILED);
    checked_host_tell(host, "firstMigrationPort", json_integer(0));
    g_autoptr(CheckReport) report = checked_host_leave(host);
    g_assert_cmpint(check_case_outcome(report, "host.migration-ports-reachable"), ==,
                    CHECK_UNKNOWN);
}

/* Nothing is looked at for that but files. */
static void
test_address_is_told_without_any_check(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();
    g_autoptr(CheckReport) report = storage_check_address(host->checks);

    g_assert_cmpuint(report->results->len, ==, 0);
    g_assert_cmpstr(json_string_value(json_object_get(report->facts, "hostName")), ==, "host1");
    g_assert_cmpint(json_integer_value(json_object_get(report->facts, "firstMigrationPort")), ==,
                    49152);
}

/* What takes longest is asked for by itself, and a name is never an option of ssh. */
static void
test_login_is_tried_alone_and_with_a_name_only(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();
    const CheckPassage odd = { .destination = "-oProxyCommand=x",
                               .facts = host->facts,
                               .login = TRUE };

    checked_host_logs_in(host);
    g_autoptr(CheckReport) report = checked_host_leave(host);
    g_assert_cmpuint(report->results->len, ==, 1);
    g_autoptr(CheckReport) refused = storage_check_passage(host->checks, &odd, NULL);
    g_assert_cmpint(check_case_outcome(refused, "host.ssh-login"), ==, CHECK_UNKNOWN);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    check_suite_add(&checked_host_suite, cases, G_N_ELEMENTS(cases));
    g_test_add_func("/host-checks/loopback", test_name_that_is_the_loopback_leads_nowhere);
    g_test_add_func("/host-checks/no-bandwidth", test_rate_without_bandwidth_is_unknown);
    g_test_add_func("/host-checks/login", test_login_is_tried_alone_and_with_a_name_only);
    g_test_add_func("/host-checks/silent", test_ports_of_a_host_that_is_silent_are_unknown);
    g_test_add_func("/host-checks/address", test_address_is_told_without_any_check);
    g_test_add_func("/host-checks/ports", test_ports_are_those_of_the_destination);
    return g_test_run();
}
