/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/lease_crowd.h"

#include <glib/gstdio.h>

#include "fake/fake_bridge_fdb.h"
#include "fake/fake_function_control.h"
#include "fake/fake_leg_probe.h"
#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/network_lease.h"

#define CARDS            4
#define FUNCTIONS        256 /* of a card */
#define PATIENCE_SECONDS 100
#define LOOK_USEC        1000

static const char vnic_text[] =
    "{\"alias\": \"hostdev0\", \"function\": \"0000:01:10.0\", \"form\": \"hostdev\"}";

static void
add_lease(LeaseStore *store, unsigned index, const char *function, unsigned seconds)
{
    g_autofree char *name = g_strdup_printf("guest%u", index);
    g_autofree char *uuid = g_strdup_printf("7c8a1f9e-6f0e-4d5b-9c39-%012x", index);
    g_autoptr(Lease) draft = network_lease_draft(LEASE_RESERVATION, "crowd", name, name, uuid,
                                                 STATE_RESERVED, json_object());
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(draft->assets,
                    lease_asset_new(ASSET_FUNCTION, function, ASSET_RESERVED,
                                    json_pack("{s:o}", "vnic", json_loads(vnic_text, 0, NULL))));
    g_autoptr(Lease) lease =
        lease_store_create(store, draft, seconds, FAULT_FUNCTION_BUSY, NULL, &error);
    g_assert_no_error(error);
}

/* As fake_sysfs_add_large_card() has them. */
static char *
function_address(unsigned index)
{
    unsigned card = index / FUNCTIONS, place = index % FUNCTIONS;

    return g_strdup_printf("0000:%02x:%02x.%x", card * 0x10 + 2, place / 8, place % 8);
}

static void
add_leases(LeaseCrowd *crowd, unsigned seconds)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LeaseStore) store = lease_store_open(crowd->database, &error);

    g_assert_no_error(error);
    for (unsigned i = 0; i < CROWD_LEASES; i++) {
        g_autofree char *function = function_address(i);

        add_lease(store, i, function, seconds);
    }
}

LeaseCrowd *
lease_crowd_new(unsigned seconds)
{
    LeaseCrowd *crowd = g_new0(LeaseCrowd, 1);

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    crowd->directory = g_dir_make_tmp("crowd-XXXXXX", NULL);
    crowd->database = g_build_filename(crowd->directory, "leases.db", NULL);
    crowd->sysfs = fake_sysfs_new();
    for (unsigned card = 0; card < CARDS; card++) {
        g_autofree char *name = g_strdup_printf("npf%u", card);

        fake_sysfs_add_large_card(crowd->sysfs, name, card * 0x10 + 1, FUNCTIONS);
    }
    add_leases(crowd, seconds);
    return crowd;
}

void
lease_crowd_free(LeaseCrowd *crowd)
{
    lease_crowd_stop(crowd);
    fake_sysfs_remove(crowd->sysfs);
    g_assert_cmpint(g_remove(crowd->database), ==, 0);
    g_assert_cmpint(g_rmdir(crowd->directory), ==, 0);
    g_free(crowd->database);
    g_free(crowd->directory);
    g_free(crowd);
}

void
lease_crowd_start(LeaseCrowd *crowd)
{
    g_autoptr(GError) error = NULL;
    LeaseStore *store = lease_store_open(crowd->database, &error);

    g_assert_no_error(error);
    crowd->host =
        network_host_new(fake_hypervisor_get(fake_hypervisor_new()), store,
                         fake_function_control_get(fake_function_control_new()),
                         fake_leg_probe_get(fake_leg_probe_new()),
                         fake_bridge_fdb_get(fake_bridge_fdb_new()), &crowd->config, crowd->sysfs);
    g_free(crowd->host->root); /* this machine may be in maintenance */
    crowd->host->root = g_strdup(crowd->sysfs);
}

void
lease_crowd_stop(LeaseCrowd *crowd)
{
    g_clear_pointer(&crowd->host, network_host_free);
}

unsigned
lease_crowd_count(LeaseCrowd *crowd)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(crowd->host->leases, &error);

    g_assert_no_error(error);
    return leases->len;
}

void
lease_crowd_await(LeaseCrowd *crowd, unsigned leases)
{
    gint64 deadline =
        g_get_monotonic_time() + PATIENCE_SECONDS * network_fixture_slowness() * G_USEC_PER_SEC;

    while (lease_crowd_count(crowd) != leases) {
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        g_usleep(LOOK_USEC); /* jobs that end tell nobody */
    }
}
