/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of how long the reading of a whole image may take. */
#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_digest.h"
#include "storprep/nfs_program.h"

#define TEBIBYTE           (G_GUINT64_CONSTANT(1) << 40)
#define SLOW_BYTES_PER_SEC (32 << 20) /* a busy server's */
#define TELL_BYTES         (1 << 30)
#define SLICE_USEC         10000

static const char *const directories[] = { "/srv", NULL };

/* What the program that reads does. */
static struct {
    guint64 size_bytes;
    gboolean silent;       /* its storage does not answer */
    gint overdue;          /* whoever waits for it has waited long enough. Atomic. */
    GCancellable *cancels; /* the job, while it reads */
} reader;

gboolean __wrap_nfs_program_perform(const NfsProgramTask *task, int *ret_status, json_t **ret_reply,
                                    GError **error);
gboolean __real_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time);
gboolean __wrap_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time);

/* Time goes by when it is overdue. */
gboolean
__wrap_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    while (!g_atomic_int_get(&reader.overdue)) {
        if (__real_g_cond_wait_until(cond, mutex, g_get_monotonic_time() + SLICE_USEC))
            return TRUE;
        if (g_get_monotonic_time() > end_time)
            return FALSE;
    }
    return FALSE;
}

static gboolean
wait_for_cancellation(const NfsProgramTask *task, GError **error)
{
    g_atomic_int_set(&reader.overdue, reader.silent);
    if (reader.cancels)
        g_cancellable_cancel(reader.cancels);
    for (unsigned i = 0; i < 2000 && !g_cancellable_is_cancelled(task->cancellable); i++)
        g_usleep(SLICE_USEC);
    g_atomic_int_set(&reader.overdue, FALSE);
    g_assert_true(g_cancellable_is_cancelled(task->cancellable));
    fault_set(error, FAULT_CANCELLED, task->object, NULL, "cancelled while it ran");
    return FALSE;
}

gboolean
__wrap_nfs_program_perform(const NfsProgramTask *task, int *ret_status, json_t **ret_reply,
                           GError **error)
{
    guint64 seconds = reader.size_bytes / SLOW_BYTES_PER_SEC;

    if (reader.silent || reader.cancels)
        return wait_for_cancellation(task, error);
    for (guint64 done = 0; done < reader.size_bytes && task->told; done += TELL_BYTES) {
        json_auto_t *progress = json_pack("{s:I}", "doneBytes", (json_int_t)done);

        task->told(progress, task->data);
    }
    if (seconds > task->seconds) {
        fault_set(error, FAULT_TIMED_OUT, task->object, NULL, "killed after %u s", task->seconds);
        return FALSE;
    }
    *ret_status = 0;
    *ret_reply = json_pack("{s:I, s:s}", "sizeBytes", (json_int_t)reader.size_bytes, "digest", "d");
    return TRUE;
}

static gboolean
read_image(GError **error)
{
    g_autofree char *digest = NULL;
    guint64 bytes = 0;
    gboolean good = image_digest_read("/srv/base.raw", directories, NULL, &bytes, &digest, error);

    if (good)
        g_assert_cmpuint(bytes, ==, reader.size_bytes);
    return good;
}

static void
test_large_images_have_the_time_that_they_take(void)
{
    static const guint64 sizes[] = { 0, TEBIBYTE, 8 * TEBIBYTE };

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GError) error = NULL;

        reader.size_bytes = sizes[i];
        read_image(&error);
        g_assert_no_error(error);
    }
}

static void
test_storage_that_does_not_answer_is_given_up(void)
{
    g_autoptr(GError) error = NULL;

    reader.silent = TRUE;
    g_assert_false(read_image(&error));
    reader.silent = FALSE;
    g_assert_error(error, FAULT, FAULT_TIMED_OUT);
    g_assert_cmpstr(fault_object(error), ==, "image '/srv/base.raw'");
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
test_job_that_is_cancelled_ends_it(void)
{
    g_autoptr(JobRegistry) jobs = job_registry_new();
    json_auto_t *paths = json_pack("[s]", "/srv/base.raw");
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();

    reader.cancels = cancellable;
    g_autoptr(Job) job = image_digest_start(jobs, paths, directories, &error);
    g_assert_no_error(error);
    while (!g_cancellable_is_cancelled(cancellable))
        g_usleep(SLICE_USEC);
    g_cancellable_cancel(job_cancellable(job));
    g_assert_null(job_wait(job, &error));
    reader.cancels = NULL;
    g_assert_error(error, FAULT, FAULT_CANCELLED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image-digest/large", test_large_images_have_the_time_that_they_take);
    g_test_add_func("/image-digest/silent", test_storage_that_does_not_answer_is_given_up);
    g_test_add_func("/image-digest/cancelled", test_job_that_is_cancelled_ends_it);
    return g_test_run();
}
