/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a restarted storprepd needs until it has a thousand leases of targets in hand again:
 * recovery_targets prints one JSON object, as recovery.c does for netprepd.
 */
#include <gio/gio.h>
#include <stdio.h>

#include "fake/target_fixture.h"

#define LEASES       1000
#define TARGET_BYTES 65536

static void
quiet(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
}

static double
milliseconds_since(gint64 start)
{
    return (double)(g_get_monotonic_time() - start) / 1000;
}

static void
create_leases(TargetFixture *fixture)
{
    for (unsigned i = 0; i < LEASES; i++) {
        g_autofree char *token = g_strdup_printf("%u", i);
        g_autofree char *path = g_strdup_printf("%s/%u.raw", fixture->images, i);
        g_autoptr(GError) error = NULL;
        g_autoptr(Lease) lease = fixture_create_from(
            fixture, fixture_one_raw(fixture, token, path, TARGET_BYTES), &error);

        g_assert_no_error(error);
    }
}

/* While no daemon is there to act on it. */
static void
expire_leases(const TargetFixture *fixture)
{
    g_autoptr(LeaseStore) store = lease_store_open(fixture->database, NULL);
    g_autoptr(GPtrArray) leases = lease_store_list(store, NULL);

    for (guint i = 0; i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        g_assert_true(lease_store_renew(store, lease->id, lease->generation, 0, NULL));
    }
}

/* Until each lease was looked at, and only @left are left. */
static double
restart(TargetFixture *fixture, unsigned left)
{
    gint64 start = g_get_monotonic_time();

    fixture_start_daemon(fixture);
    target_leases_reconcile(fixture->leases);
    fixture_reconcile_until(fixture, left);
    return milliseconds_since(start);
}

int
main(void)
{
    TargetFixture fixture = { 0 };

    g_log_set_handler("migprep", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE, quiet, NULL);
    fixture_set_up(&fixture, NULL);
    create_leases(&fixture);
    fixture_stop_daemon(&fixture);
    double open = restart(&fixture, LEASES);
    fixture_stop_daemon(&fixture);
    expire_leases(&fixture);
    double expired = restart(&fixture, 0);
    g_assert_cmpuint(fixture_count_files(&fixture), ==, 0);
    json_auto_t *figures = json_pack("{s:i, s:f, s:f}", "leases", LEASES, "openMilliseconds", open,
                                     "expiredMilliseconds", expired);
    g_autofree char *text = json_dumps(figures, JSON_INDENT(2));
    puts(text);
    fixture_tear_down(&fixture, NULL);
    return 0;
}
