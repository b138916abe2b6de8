/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of exports under leases: made, shared, restored, and taken back when unused. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "fake/share_fixture.h"
#include "fake/target_fixture.h"
#include "storprep/export.h"

#define AS_ASKED "rw,sync,no_subtree_check,sec=sys,no_root_squash"

static json_t *
asked(ShareFixture *fixture, const char *token, const char *host)
{
    return json_pack("{s:s, s:s, s:s, s:[s], s:s, s:i}", "owner", "test", "token", token,
                     "directory", fixture->images, "hosts", host, "squash", "none",
                     "timeoutSeconds", 600);
}

static Lease *
create_from(ShareFixture *fixture, json_t *parameters, GError **error)
{
    QemuConf conf = { .user = (char *)"+107", .group = (char *)"+108" };
    ShareRequest *request = export_request_new(parameters, &fixture->host, &conf, error);

    json_decref(parameters);
    return share_fixture_create(fixture, request, error);
}

static Lease *
create(ShareFixture *fixture, const char *token)
{
    g_autoptr(GError) error = NULL;
    Lease *lease = create_from(fixture, asked(fixture, token, "host2"), &error);

    g_assert_no_error(error);
    return lease;
}

static void
assert_refused(ShareFixture *fixture, json_t *parameters, FaultCode code)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(create_from(fixture, parameters, &error));
    g_assert_error(error, FAULT, (int)code);
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

/* A daemon whose process was killed: nothing is put in order. */
static void
restart(ShareFixture *fixture)
{
    share_fixture_stop_daemon(fixture);
    share_fixture_start_daemon(fixture);
}

static void
test_made_for_the_named_host_and_taken_back(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = create(fixture, "t");
    const NfsExport *share = fixture->fake_server->exports->pdata[0];

    g_assert_cmpstr(lease->state, ==, "ready");
    g_assert_cmpstr(export_path(lease), ==, fixture->images);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 1);
    g_assert_cmpstr(share->client, ==, "host2");
    g_assert_cmpstr(share->path, ==, fixture->images);
    g_assert_true(g_str_has_prefix(share->options, AS_ASKED));
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 0);
}

static void
test_squash_names_the_user_of_qemu(ShareFixture *fixture, const void *data)
{
    json_t *parameters = asked(fixture, "t", "host2");
    g_autoptr(Lease) lease = NULL;
    const NfsExport *share;

    json_object_set_new(parameters, "squash", json_string("qemu"));
    lease = create_from(fixture, parameters, NULL);
    share = fixture->fake_server->exports->pdata[0];
    g_assert_nonnull(strstr(share->options, "all_squash,anonuid=107,anongid=108"));
    g_assert_null(strstr(share->options, "no_root_squash"));
}

static void
test_bad_requests_leave_no_lease(ShareFixture *fixture, const void *data)
{
    g_autofree char *link = g_build_filename(fixture->images, "link", NULL);
    json_t *parameters;

    g_assert_cmpint(symlink("/tmp", link), ==, 0);
    assert_refused(fixture, asked(fixture, "t", "*"), FAULT_SHARE_REFUSED);
    assert_refused(fixture, asked(fixture, "t", "10.0.0.0/8"), FAULT_SHARE_REFUSED);
    parameters = asked(fixture, "t", "host2");
    json_object_set_new(parameters, "hosts", json_array());
    assert_refused(fixture, parameters, FAULT_INVALID_ARGUMENT);
    for (const char *const *path = (const char *[]) { "/etc", "/", "relative", link, NULL }; *path;
         path++) {
        parameters = asked(fixture, "t", "host2");
        json_object_set_new(parameters, "directory", json_string(*path));
        assert_refused(fixture, parameters, FAULT_TARGET_REFUSED);
    }
    fixture->fake_server->unknown_host = "host2";
    assert_refused(fixture, asked(fixture, "t", "host2"), FAULT_SHARE_REFUSED);
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 0);
}

static void
test_failure_leaves_nothing(ShareFixture *fixture, const void *data)
{
    fixture->fake_server->down = TRUE;
    assert_refused(fixture, asked(fixture, "t", "host2"), FAULT_SHARE_UNAVAILABLE);
    fixture->fake_server->down = FALSE;
    fixture->fake_server->fail = "add";
    assert_refused(fixture, asked(fixture, "t", "host2"), FAULT_PROGRAM_FAILED);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 0);
}

static void
test_failed_removal_is_kept_and_tried_again(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = create(fixture, "t");
    g_autofree char *state = NULL;
    g_autoptr(GError) error = NULL;

    fixture->fake_server->fail = "remove";
    g_assert_false(share_fixture_release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    state = share_fixture_state(fixture, lease);
    g_assert_cmpstr(state, ==, "degraded");
    fixture->fake_server->fail = NULL;
    share_fixture_reconcile_until(fixture, 0);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
}

static void
test_what_was_there_before_stays(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = NULL;
    gboolean kept = FALSE;

    fake_nfs_server_export(fixture->fake_server, "host2", fixture->images, AS_ASKED ",wdelay");
    lease = create(fixture, "t");
    g_assert_cmpuint(fixture->fake_server->additions, ==, 0);
    g_assert_true(share_leases_release(fixture->leases, lease->id, lease->generation, &kept, NULL));
    g_assert_true(kept);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 1);
}

static void
test_other_options_are_not_overwritten(ShareFixture *fixture, const void *data)
{
    const NfsExport *share;

    fake_nfs_server_export(fixture->fake_server, "host2", fixture->images, "ro,sync");
    assert_refused(fixture, asked(fixture, "t", "host2"), FAULT_SHARE_UNFIT);
    share = fixture->fake_server->exports->pdata[0];
    g_assert_cmpstr(share->options, ==, "ro,sync");
}

/* Exported by hand, in the meantime, with options of somebody's own. */
static void
test_what_replaced_ours_stays(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = create(fixture, "t");

    fake_nfs_server_export(fixture->fake_server, "host2", fixture->images, "ro,sync");
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 1);
}

static void
test_two_leases_share_one_export(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) first = create(fixture, "t");
    g_autoptr(Lease) second = create(fixture, "u");
    g_autoptr(Lease) again = create(fixture, "t");

    g_assert_cmpstr(first->id, ==, again->id);
    g_assert_cmpuint(fixture->fake_server->additions, ==, 1);
    g_assert_true(share_fixture_release(fixture, first, NULL));
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 1);
    g_assert_true(share_fixture_release(fixture, second, NULL));
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
}

static void
test_not_taken_from_its_users(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = create(fixture, "t");

    fixture->fake_server->user = "10.98.0.2:921";
    share_fixture_assert_busy(fixture, lease, "10.98.0.2:921");
    fixture->fake_server->user = NULL;
    share_fixture_add_guest(fixture, fixture->images);
    fake_hypervisor_set_job(fixture->fake_hypervisor, SHARE_GUEST_UUID, TRUE);
    share_fixture_assert_busy(fixture, lease, "web1");
    fake_hypervisor_set_job(fixture->fake_hypervisor, SHARE_GUEST_UUID, FALSE);
    g_assert_true(share_fixture_release(fixture, lease, NULL));
}

/* The last of them would be refused after the others had gone. */
static void
test_unexport_ends_all_leases_or_none(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) first = create(fixture, "t");
    g_autoptr(Lease) second = create(fixture, "u");
    g_autoptr(GError) error = NULL;
    gboolean kept = TRUE;

    fixture->fake_server->user = "10.98.0.2:921";
    g_assert_false(
        share_leases_end(fixture->leases, "export", "test", fixture->images, &kept, &error));
    g_assert_error(error, FAULT, FAULT_SHARE_BUSY);
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 2);
    fixture->fake_server->user = NULL;
    g_assert_true(
        share_leases_end(fixture->leases, "export", "test", fixture->images, &kept, NULL));
    g_assert_false(kept);
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 0);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
}

static void
test_expired_but_used_waits(ShareFixture *fixture, const void *data)
{
    json_t *parameters = asked(fixture, "t", "host2");
    g_autoptr(Lease) lease = NULL;
    g_autoptr(Lease) found = NULL;

    json_object_set_new(parameters, "timeoutSeconds", json_integer(1));
    fixture->fake_server->user = "10.98.0.2:921";
    lease = create_from(fixture, parameters, NULL);
    do {
        g_clear_pointer(&found, lease_free);
        share_leases_reconcile(fixture->leases);
        found = lease_store_get(fixture->store, lease->id, 0, NULL);
    } while (found->remaining_usec > 0 || !*found->reason);
    g_assert_nonnull(strstr(found->reason, "10.98.0.2:921"));
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 1);
    fixture->fake_server->user = NULL;
    share_fixture_reconcile_until(fixture, 0);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
}

/* The daemon's own thread may be at the lease just now. */
static void
reconcile_until_exported(ShareFixture *fixture)
{
    gint64 until = fixture_deadline();

    while (fake_nfs_server_count(fixture->fake_server) != 1) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        share_leases_reconcile(fixture->leases);
    }
}

static void
test_needed_exports_come_back(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) ready = create(fixture, "t");
    g_autoptr(Lease) committed = NULL;

    fake_nfs_server_forget(fixture->fake_server);
    reconcile_until_exported(fixture);
    committed = share_leases_commit(fixture->leases, ready->id, ready->generation, NULL);
    g_assert_cmpstr(committed->state, ==, "committed");
    fake_nfs_server_forget(fixture->fake_server);
    restart(fixture);
    reconcile_until_exported(fixture);
    g_assert_true(share_fixture_release(fixture, ready, NULL));
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
}

static json_t *
asked_through(ShareFixture *fixture, const char *token)
{
    json_t *parameters = asked(fixture, token, "host2");

    json_object_set_new(parameters, "openFirewall", json_true());
    return parameters;
}

static void
test_the_firewall_is_opened_only_on_request(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) plain = NULL;
    g_autoptr(Lease) first = NULL;
    g_autoptr(Lease) second = NULL;

    fixture->fake_firewall.active = TRUE;
    plain = create(fixture, "t");
    g_assert_false(fixture->fake_firewall.open);
    first = create_from(fixture, asked_through(fixture, "u"), NULL);
    second = create_from(fixture, asked_through(fixture, "v"), NULL);
    g_assert_true(fixture->fake_firewall.open);
    g_assert_cmpstr(export_path(first), ==, fixture->images);
    fixture->fake_firewall.open = FALSE; /* firewall-cmd --reload */
    while (!fixture->fake_firewall.open)
        share_leases_reconcile(fixture->leases);
    g_assert_true(share_fixture_release(fixture, first, NULL));
    g_assert_true(fixture->fake_firewall.open);
    g_assert_true(share_fixture_release(fixture, second, NULL));
    g_assert_false(fixture->fake_firewall.open);
}

static void
test_an_open_firewall_stays_open(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = NULL;

    fixture->fake_firewall.active = TRUE;
    fixture->fake_firewall.open = TRUE;
    lease = create_from(fixture, asked_through(fixture, "t"), NULL);
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_true(fixture->fake_firewall.open);
}

/* By the administrator, who wants NFS in from now on. */
static void
test_a_firewall_that_was_opened_for_good_stays_open(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = NULL;

    fixture->fake_firewall.active = TRUE;
    lease = create_from(fixture, asked_through(fixture, "t"), NULL);
    fixture->fake_firewall.permanent = TRUE;
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_true(fixture->fake_firewall.open);
}

static void
test_a_firewall_that_stays_shut_undoes_the_export(ShareFixture *fixture, const void *data)
{
    fixture->fake_firewall.active = TRUE;
    fixture->fake_firewall.fails = TRUE;
    assert_refused(fixture, asked_through(fixture, "t"), FAULT_PROGRAM_FAILED);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 0);
}

/* Killed between record and deed (nothing is exported) or between deed and record. */
static void
test_crash_while_making_leaves_nothing(ShareFixture *fixture, const void *data)
{
    for (unsigned exported = 0; exported < 2; exported++) {
        g_autoptr(Lease) lease = create(fixture, "t");
        LeaseAsset *asset = lease->assets->pdata[0];

        g_clear_pointer(&fixture->leases, share_leases_free);
        g_assert_true(share_record(&fixture->host, lease, asset, SHARE_MAKING,
                                   json_pack("{s:s}", "listed", ""), NULL));
        lease_store_set_state(fixture->store, lease->id, "making", "", NULL);
        if (!exported)
            fake_nfs_server_forget(fixture->fake_server);
        restart(fixture);
        share_fixture_reconcile_until(fixture, 0);
        g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
    }
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(ShareFixture *, const void *);
    } tests[] = {
        { "/export/made-and-taken-back", test_made_for_the_named_host_and_taken_back },
        { "/export/squash", test_squash_names_the_user_of_qemu },
        { "/export/bad-requests", test_bad_requests_leave_no_lease },
        { "/export/failure", test_failure_leaves_nothing },
        { "/export/failed-removal", test_failed_removal_is_kept_and_tried_again },
        { "/export/there-before", test_what_was_there_before_stays },
        { "/export/other-options", test_other_options_are_not_overwritten },
        { "/export/replaced", test_what_replaced_ours_stays },
        { "/export/two-leases", test_two_leases_share_one_export },
        { "/export/users", test_not_taken_from_its_users },
        { "/export/all-or-none", test_unexport_ends_all_leases_or_none },
        { "/export/expired-but-used", test_expired_but_used_waits },
        { "/export/come-back", test_needed_exports_come_back },
        { "/export/firewall", test_the_firewall_is_opened_only_on_request },
        { "/export/firewall-open", test_an_open_firewall_stays_open },
        { "/export/firewall-for-good", test_a_firewall_that_was_opened_for_good_stays_open },
        { "/export/firewall-shut", test_a_firewall_that_stays_shut_undoes_the_export },
        { "/export/crash", test_crash_while_making_leaves_nothing },
    };

    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK |
                           G_LOG_LEVEL_CRITICAL); /* failures are provoked here */
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, ShareFixture, NULL, share_fixture_set_up, tests[i].test,
                   share_fixture_tear_down);
    return g_test_run();
}
