/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/target_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static const char domain[] =
    "<domain type='kvm'><name>web1</name><uuid>" GUEST_UUID "</uuid></domain>";

gint64
fixture_deadline(void)
{
    const char *slowness = g_getenv("TEST_SLOWNESS");

    return g_get_monotonic_time() +
           20 * G_USEC_PER_SEC *
               (slowness ? MAX(1, (gint64)g_ascii_strtoull(slowness, NULL, 10)) : 1);
}

void
fixture_start_daemon(TargetFixture *fixture)
{
    g_autoptr(GError) error = NULL;
    const char *directories[] = { fixture->images, NULL };

    fixture->store = lease_store_open(fixture->database, &error);
    g_assert_no_error(error);
    fixture->leases =
        target_leases_new(fixture->store, fixture->hypervisor, directories, fixture->directory,
                          fixture->sockets, fixture->pulse ? fixture->pulse : &storage_pulse_real);
}

void
fixture_stop_daemon(TargetFixture *fixture)
{
    g_clear_pointer(&fixture->leases, target_leases_free);
    g_clear_pointer(&fixture->store, lease_store_free);
}

void
fixture_set_up(TargetFixture *fixture, const void *data)
{
    fixture->directory = g_dir_make_tmp("target-lease-XXXXXX", NULL);
    fixture->images = g_build_filename(fixture->directory, "images", NULL);
    fixture->database = g_build_filename(fixture->directory, "state", "leases.db", NULL);
    fixture->sockets = g_build_filename(fixture->directory, "state", "sockets", NULL);
    fixture->first = g_build_filename(fixture->images, "a.qcow2", NULL);
    fixture->second = g_build_filename(fixture->images, "b.raw", NULL);
    g_assert_cmpint(g_mkdir(fixture->images, 0700), ==, 0);
    fixture->fake = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake);
    fixture_start_daemon(fixture);
}

void
fixture_tear_down(TargetFixture *fixture, const void *data)
{
    const char *argv[] = { "rm", "-rf", "--", fixture->directory, NULL };

    fixture_stop_daemon(fixture);
    hypervisor_free(fixture->hypervisor);
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_free(fixture->directory);
    g_free(fixture->images);
    g_free(fixture->database);
    g_free(fixture->sockets);
    g_free(fixture->first);
    g_free(fixture->second);
}

json_t *
fixture_parameters(TargetFixture *fixture, const char *token, unsigned timeout_seconds)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}], s:i}", "owner",
                     "test", "token", token, "guest", "name", "web1", "uuid", GUEST_UUID, "targets",
                     "path", fixture->first, "format", "qcow2", "virtualSizeBytes", 1 << 20, "path",
                     fixture->second, "format", "raw", "virtualSizeBytes", 1 << 20,
                     "timeoutSeconds", (int)timeout_seconds);
}

json_t *
fixture_one_raw(TargetFixture *fixture, const char *token, const char *path, json_int_t size)
{
    json_t *asked = fixture_parameters(fixture, token, 60);

    json_object_set_new(
        asked, "targets",
        json_pack("[{s:s, s:s, s:I}]", "path", path, "format", "raw", "virtualSizeBytes", size));
    return asked;
}

Lease *
fixture_create_from(TargetFixture *fixture, json_t *asked, GError **error)
{
    g_autoptr(TargetRequest) request = target_request_new(asked, error);

    json_decref(asked);
    return request ? target_leases_create(fixture->leases, request, error) : NULL;
}

Lease *
fixture_create(TargetFixture *fixture, const char *token, unsigned timeout_seconds)
{
    g_autoptr(GError) error = NULL;
    Lease *lease =
        fixture_create_from(fixture, fixture_parameters(fixture, token, timeout_seconds), &error);

    g_assert_no_error(error);
    return lease;
}

void
fixture_assert_create_fails(TargetFixture *fixture, json_t *asked, FaultCode code,
                            const char *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = fixture_create_from(fixture, asked, &error);

    g_assert_null(lease);
    g_assert_cmpint(fault_code(error), ==, code);
    g_assert_nonnull(strstr(fault_object(error), object));
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

gboolean
fixture_release(TargetFixture *fixture, const Lease *lease, GError **error)
{
    gboolean kept = FALSE;

    return target_leases_release(fixture->leases, lease->id, lease->generation, &kept, error) &&
           kept;
}

void
fixture_add_guest(TargetFixture *fixture, GuestState state)
{
    fake_hypervisor_add_guest(fixture->fake, domain, state, TRUE);
}

unsigned
fixture_count_leases(TargetFixture *fixture)
{
    g_autoptr(GPtrArray) all = target_leases_list(fixture->leases, NULL);

    return all->len;
}

unsigned
fixture_count_files(TargetFixture *fixture)
{
    g_autoptr(GDir) dir = g_dir_open(fixture->images, 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

void
fixture_assert_nothing_left(TargetFixture *fixture)
{
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 0);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 0);
}

void
fixture_reconcile_until(TargetFixture *fixture, unsigned leases)
{
    gint64 until = fixture_deadline();

    while (fixture_count_leases(fixture) != leases) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        target_leases_reconcile(fixture->leases);
    }
}
