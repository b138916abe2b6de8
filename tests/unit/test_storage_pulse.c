/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers of network storage are asked once for all who want to know. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/parallel.h"
#include "storprep/storage_pulse.h"

#define ASKERS 20

/* One test runs at a time; the operations have no context. */
static int asked; /* atomic */
static gint64 now;
static gboolean silent, stale;

static gboolean
fake_ask(const char *target, GError **error)
{
    g_atomic_int_inc(&asked);
    if (silent)
        fault_set(error, FAULT_TIMED_OUT, target, NULL, "it was killed");
    else if (stale)
        fault_set(error, FAULT_PROGRAM_FAILED, target, NULL, "Stale file handle");
    return !silent && !stale;
}

static gint64
fake_now(void)
{
    return now;
}

static const StoragePulseOps fake = { fake_ask, fake_now };
static const NetworkMount images = { (char *)"host1:/a", (char *)"/srv/a", (char *)"rw" };
static const NetworkMount media = { (char *)"host1:/b", (char *)"/srv/b", (char *)"rw" };
static const NetworkMount elsewhere = { (char *)"host9:/a", (char *)"/srv/c", (char *)"rw" };

static StoragePulse *
begin(gboolean is_silent)
{
    asked = 0;
    now = G_USEC_PER_SEC;
    silent = is_silent;
    stale = FALSE;
    return storage_pulse_new(&fake);
}

static gboolean
ask_for_images(guint index, void *pulse, GError **error)
{
    g_autoptr(GError) failure = NULL;

    g_assert_false(storage_pulse_ask(pulse, &images, &failure));
    g_assert_error(failure, FAULT, FAULT_TIMED_OUT);
    g_assert_cmpstr(fault_object(failure), ==, "server 'host1'");
    return TRUE;
}

static void
test_silence_is_told_to_all_who_come(void)
{
    g_autoptr(StoragePulse) pulse = begin(TRUE);

    g_assert_true(parallel_run(ASKERS, ask_for_images, pulse, NULL));
    g_assert_cmpint(asked, ==, 1);
    g_assert_false(storage_pulse_ask(pulse, &media, NULL));
    g_assert_cmpint(asked, ==, 1);
    silent = FALSE;
    g_assert_true(storage_pulse_ask(pulse, &elsewhere, NULL));
    g_assert_cmpint(asked, ==, 2);
}

static void
test_verdicts_grow_old(void)
{
    g_autoptr(StoragePulse) pulse = begin(TRUE);

    g_assert_false(storage_pulse_ask(pulse, &images, NULL));
    silent = FALSE;
    now += STORAGE_PULSE_SILENT_SECONDS * G_USEC_PER_SEC - 1;
    g_assert_false(storage_pulse_ask(pulse, &images, NULL));
    now++;
    g_assert_true(storage_pulse_ask(pulse, &images, NULL));
    silent = TRUE;
    g_assert_true(storage_pulse_ask(pulse, &images, NULL));
    now += STORAGE_PULSE_GOOD_SECONDS * G_USEC_PER_SEC;
    g_assert_false(storage_pulse_ask(pulse, &images, NULL));
    g_assert_cmpint(asked, ==, 3);
}

/* The server is there, so its other directories may well be. */
static void
test_what_it_says_of_one_directory_is_not_told_to_others(void)
{
    g_autoptr(StoragePulse) pulse = begin(FALSE);
    g_autoptr(GError) error = NULL;

    stale = TRUE;
    g_assert_false(storage_pulse_ask(pulse, &images, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_nonnull(strstr(fault_cause(error), "Stale file handle"));
    g_assert_true(storage_pulse_ask(pulse, &media, NULL));
}

static void
test_local_storage_is_not_asked(void)
{
    g_autoptr(StoragePulse) pulse = begin(TRUE);
    g_autofree char *file = NULL;

    close(g_file_open_tmp("mountinfo-XXXXXX", &file, NULL));
    g_assert_true(g_file_set_contents(
        file, "28 1 254:0 / / rw - ext4 /dev/vda1 rw\n90 28 0:51 / /srv rw - nfs4 host1:/srv rw\n",
        -1, NULL));
    g_assert_true(storage_pulse_check(pulse, "/var/a", file, NULL));
    g_assert_cmpint(asked, ==, 0);
    g_assert_false(storage_pulse_check(pulse, "/srv/a", file, NULL));
    g_unlink(file);
}

/* The real storprep-nfs, of a file system that is always there. */
static void
test_real_one_answers(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(storage_pulse_real.ask("/", &error));
    g_assert_no_error(error);
    g_assert_false(storage_pulse_real.ask("/nonesuch", &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/storage-pulse/silence", test_silence_is_told_to_all_who_come);
    g_test_add_func("/storage-pulse/old", test_verdicts_grow_old);
    g_test_add_func("/storage-pulse/stale",
                    test_what_it_says_of_one_directory_is_not_told_to_others);
    g_test_add_func("/storage-pulse/local", test_local_storage_is_not_asked);
    g_test_add_func("/storage-pulse/real", test_real_one_answers);
    return g_test_run();
}
