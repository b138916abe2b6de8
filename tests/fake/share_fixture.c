/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/share_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "fake/target_fixture.h"
#include "storprep/nfs_mount.h"

void
share_fixture_start_daemon(ShareFixture *fixture)
{
    g_autoptr(GError) error = NULL;
    LeaseStore *store = lease_store_open(fixture->database, &error);

    g_assert_no_error(error);
    share_fixture_start_daemon_on(fixture, store);
}

void
share_fixture_start_daemon_on(ShareFixture *fixture, LeaseStore *store)
{
    static const char *const networks[] = { NULL };

    fixture->store = store;
    fixture->host = (ShareHost) {
        .store = fixture->store,
        .hypervisor = fixture->hypervisor,
        .server = fixture->server,
        .mounts = fixture->mounts,
        .firewall = fixture->firewall,
        .directories = (const char *const *)fixture->roots,
        .networks = networks,
        .root = fixture->directory,
    };
    fixture->leases = share_leases_new(&fixture->host);
}

void
share_fixture_stop_daemon(ShareFixture *fixture)
{
    g_clear_pointer(&fixture->leases, share_leases_free);
    g_clear_pointer(&fixture->store, lease_store_free);
}

void
share_fixture_set_up(ShareFixture *fixture, const void *data)
{
    fixture->directory = g_dir_make_tmp("share-lease-XXXXXX", NULL);
    fixture->images = g_build_filename(fixture->directory, "images", NULL);
    fixture->database = g_build_filename(fixture->directory, "state", "leases.db", NULL);
    fixture->roots[0] = fixture->images;
    g_assert_cmpint(g_mkdir(fixture->images, 0700), ==, 0);
    fixture->fake_hypervisor = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake_hypervisor);
    fixture->fake_server = fake_nfs_server_new();
    fixture->server = fake_nfs_server_get(fixture->fake_server);
    fixture->firewall = fake_firewall_get(&fixture->fake_firewall);
    fixture->fake_mounts = fake_mount_table_new();
    fixture->mounts = fake_mount_table_get(fixture->fake_mounts);
    share_fixture_start_daemon(fixture);
}

void
share_fixture_tear_down(ShareFixture *fixture, const void *data)
{
    const char *argv[] = { "rm", "-rf", "--", fixture->directory, NULL };

    share_fixture_stop_daemon(fixture);
    nfs_server_free(fixture->server);
    firewall_free(fixture->firewall);
    mount_table_free(fixture->mounts);
    fake_mount_table_free(fixture->fake_mounts);
    fake_nfs_server_free(fixture->fake_server);
    hypervisor_free(fixture->hypervisor);
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_free(fixture->directory);
    g_free(fixture->images);
    g_free(fixture->database);
}

Lease *
share_fixture_create(ShareFixture *fixture, ShareRequest *request, GError **error)
{
    Lease *lease = request ? share_leases_create(fixture->leases, request, error) : NULL;

    share_request_free(request);
    return lease;
}

gboolean
share_fixture_release(ShareFixture *fixture, const Lease *lease, GError **error)
{
    gboolean kept;

    return share_leases_release(fixture->leases, lease->id, lease->generation, &kept, error);
}

static void
add_guest_with(ShareFixture *fixture, const char *type, const char *source)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web1</name><uuid>" SHARE_GUEST_UUID "</uuid><devices>"
        "<disk type='%s' device='disk'>%s<target dev='vda'/></disk></devices></domain>",
        type, source);

    fake_hypervisor_add_guest(fixture->fake_hypervisor, xml, GUEST_STATE_RUNNING, TRUE);
}

void
share_fixture_add_guest(ShareFixture *fixture, const char *directory)
{
    g_autofree char *source = g_strdup_printf("<source file='%s/a.qcow2'/>", directory);

    add_guest_with(fixture, "file", source);
}

void
share_fixture_add_guest_of_pool(ShareFixture *fixture, const char *directory)
{
    FakeHost *host = fake_hypervisor_host(fixture->fake_hypervisor);

    host->pool = "images";
    host->pool_path = g_intern_string(directory);
    add_guest_with(fixture, "volume", "<source pool='images' volume='a.qcow2'/>");
}

void
share_fixture_assert_busy(ShareFixture *fixture, const Lease *lease, const char *user)
{
    unsigned exports = fake_nfs_server_count(fixture->fake_server);
    unsigned mounts = fake_mount_table_count(fixture->fake_mounts);
    g_autoptr(GError) error = NULL;

    g_assert_false(share_fixture_release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_SHARE_BUSY);
    g_assert_nonnull(strstr(fault_cause(error), user));
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, exports);
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, mounts);
}

unsigned
share_fixture_count_leases(ShareFixture *fixture)
{
    g_autoptr(GPtrArray) all = lease_store_list(fixture->store, NULL);

    return all->len;
}

char *
share_fixture_state(ShareFixture *fixture, const Lease *lease)
{
    g_autoptr(Lease) now = lease_store_get(fixture->store, lease->id, 0, NULL);

    return g_strdup(now ? now->state : "gone");
}

void
share_fixture_reconcile_until(ShareFixture *fixture, unsigned leases)
{
    gint64 until = fixture_deadline();

    while (share_fixture_count_leases(fixture) != leases) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        share_leases_reconcile(fixture->leases);
    }
}

/* Mounts. */

char *
share_fixture_point(ShareFixture *fixture)
{
    return g_build_filename(fixture->images, "shared", NULL);
}

json_t *
share_fixture_ask_mount(ShareFixture *fixture, const char *token)
{
    g_autofree char *path = share_fixture_point(fixture);

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "owner", "test", "token", token, "server",
                     "host1", "exportPath", "/srv/images", "path", path, "timeoutSeconds", 600);
}

Lease *
share_fixture_mount(ShareFixture *fixture, json_t *parameters, GError **error)
{
    ShareRequest *request = nfs_mount_request_new(parameters, &fixture->host, error);

    json_decref(parameters);
    return share_fixture_create(fixture, request, error);
}

void
share_fixture_assert_mount_refused(ShareFixture *fixture, json_t *parameters, FaultCode code)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(share_fixture_mount(fixture, parameters, &error));
    g_assert_error(error, FAULT, (int)code);
    g_assert_cmpstr(fault_remedy(error), !=, "");
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 0);
}

unsigned
share_fixture_count_files(ShareFixture *fixture)
{
    g_autoptr(GDir) dir = g_dir_open(fixture->images, 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

void
share_fixture_assert_nothing_left(ShareFixture *fixture)
{
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 0);
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 0);
    g_assert_cmpuint(share_fixture_count_files(fixture), ==, 0);
}
