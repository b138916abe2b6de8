/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the reading of whole images, in a child since their storage may not answer. */
#include "storprep/image_digest.h"

#include "common/fault.h"
#include "common/limits.h"
#include "common/parallel.h"
#include "storprep/image_place.h"
#include "storprep/nfs_program.h"

#define SILENCE_SECONDS 300       /* it tells of every 64 MiB, as slow as its storage may be */
#define SLOWEST_BYTES   (1 << 20) /* a second, if nobody could watch it */

typedef struct {
    json_t *paths;
    const char *const *directories; /* borrowed */
} Order;

/* Theory of operation. How long a whole image takes nobody can say, so the program that reads it is
 * ended when it tells no progress, in whose thread we wait, by another one that watches. */
typedef struct {
    Job *job; /* NULL: nobody is told */
    const char *path;
    NfsProgramTask task;
    GMutex lock; /* guards all below */
    GCond changed;
    guint64 told; /* how often */
    gboolean ended, given_up;
    json_t *reply;
} Reading;

static void
tell(const json_t *progress, void *data)
{
    Reading *reading = data;
    json_t *record;

    g_mutex_lock(&reading->lock);
    reading->told++;
    g_cond_broadcast(&reading->changed);
    g_mutex_unlock(&reading->lock);
    if (!reading->job)
        return;
    record = json_pack("{s:s}", "path", reading->path);
    json_object_update_missing(record, (json_t *)progress);
    job_progress(reading->job, record);
}

static gboolean
perform(Reading *reading, GError **error)
{
    int status;
    gboolean good = nfs_program_perform(&reading->task, &status, &reading->reply, error);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&reading->lock);

    reading->ended = TRUE;
    g_cond_broadcast(&reading->changed);
    return good;
}

static void
watch(Reading *reading)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&reading->lock);

    while (!reading->ended && !reading->given_up) {
        gint64 until = g_get_monotonic_time() + SILENCE_SECONDS * G_USEC_PER_SEC;
        guint64 told = reading->told;

        while (!reading->ended && reading->told == told && !reading->given_up)
            reading->given_up = !g_cond_wait_until(&reading->changed, &reading->lock, until);
    }
    if (!reading->ended)
        g_cancellable_cancel(reading->task.cancellable);
}

static gboolean
take_part(guint worker, void *data, GError **error)
{
    if (worker == 0)
        return perform(data, error);
    watch(data);
    return TRUE;
}

static void
pass_on(GCancellable *cancellable, void *other)
{
    g_cancellable_cancel(other);
}

/* With whoever cancels the job, if there is one. */
static gboolean
perform_watched(Reading *reading, GError **error)
{
    GCancellable *job = reading->job ? job_cancellable(reading->job) : NULL;
    gulong handler =
        job ? g_cancellable_connect(job, G_CALLBACK(pass_on), reading->task.cancellable, NULL) : 0;
    g_autoptr(GError) failure = NULL;

    if (!parallel_run(2, take_part, reading, &failure) && reading->given_up)
        fault_set(error, FAULT_TIMED_OUT, reading->task.object,
                  "see whether its storage answers, then try again",
                  "nothing could be read of it for %d s", SILENCE_SECONDS);
    else if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    g_cancellable_disconnect(job, handler);
    return reading->reply != NULL;
}

static gboolean
unpack_digest(const Reading *reading, guint64 *ret_bytes, char **ret_digest, GError **error)
{
    json_int_t bytes;
    const char *digest;

    if (json_unpack(reading->reply, "{s:I, s:s}", "sizeBytes", &bytes, "digest", &digest) != 0) {
        fault_set(error, FAULT_PROGRAM_FAILED, reading->task.object, "try again",
                  "its digest was not told");
        return FALSE;
    }
    *ret_bytes = (guint64)bytes;
    *ret_digest = g_strdup(digest);
    return TRUE;
}

gboolean
image_digest_read(const char *path, const char *const *directories, Job *job, guint64 *ret_bytes,
                  char **ret_digest, GError **error)
{
    const char *root = image_place_root(path, directories, error);
    const char *arguments[] = { "digest", root, path, NULL };
    g_autofree char *object = g_strdup_printf("image '%s'", path);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    Reading reading = { .job = job,
                        .path = path,
                        .task = { .arguments = arguments,
                                  .seconds = LIMIT_IMAGE_BYTES / SLOWEST_BYTES,
                                  .cancellable = cancellable,
                                  .object = object,
                                  .told = tell,
                                  .data = &reading } };

    if (!root)
        return FALSE;
    g_mutex_init(&reading.lock);
    g_cond_init(&reading.changed);
    gboolean good =
        perform_watched(&reading, error) && unpack_digest(&reading, ret_bytes, ret_digest, error);
    json_decref(reading.reply);
    g_cond_clear(&reading.changed);
    g_mutex_clear(&reading.lock);
    return good;
}

static gboolean
prove_image(const json_t *base, const char *const *directories, GError **error)
{
    const char *path = json_string_value(json_object_get(base, "path"));
    const char *wanted = json_string_value(json_object_get(base, "digest"));
    g_autofree char *digest = NULL;
    guint64 bytes;

    if (!image_digest_read(path, directories, NULL, &bytes, &digest, error))
        return FALSE;
    if (bytes == (guint64)json_integer_value(json_object_get(base, "sizeBytes")) &&
        g_ascii_strcasecmp(digest, wanted) == 0)
        return TRUE;
    g_autofree char *object = g_strdup_printf("image '%s'", path);
    fault_set(error, FAULT_IMAGE_INVALID, object,
              "copy it anew from the source, or have the whole chain copied into one image",
              "it is not the one that the source has: %" G_GUINT64_FORMAT " bytes with SHA-256 %s",
              bytes, digest);
    return FALSE;
}

gboolean
image_digest_prove(const json_t *chain, const char *const *directories, GError **error)
{
    for (size_t i = 0; i < json_array_size(chain); i++) {
        if (!prove_image(json_array_get(chain, i), directories, error))
            return FALSE;
    }
    return TRUE;
}

static json_t *
run(Job *job, void *data, GError **error)
{
    const Order *order = data;
    json_auto_t *images = json_array();

    for (size_t i = 0; i < json_array_size(order->paths); i++) {
        const char *path = json_string_value(json_array_get(order->paths, i));
        g_autofree char *digest = NULL;
        guint64 bytes;

        if (!image_digest_read(path, order->directories, job, &bytes, &digest, error))
            return NULL;
        json_array_append_new(images, json_pack("{s:s, s:I, s:s}", "path", path, "sizeBytes",
                                                (json_int_t)bytes, "digest", digest));
    }
    return json_pack("{s:O}", "images", images);
}

static void
order_free(void *data)
{
    Order *order = data;

    json_decref(order->paths);
    g_free(order);
}

Job *
image_digest_start(JobRegistry *jobs, json_t *paths, const char *const *directories, GError **error)
{
    Order *order;

    if (json_array_size(paths) > LIMIT_DISKS) {
        fault_set(error, FAULT_LIMIT_EXCEEDED, "paths", "ask for fewer images at once",
                  "more than %d images", LIMIT_DISKS);
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(paths); i++) {
        if (!image_place_root(json_string_value(json_array_get(paths, i)), directories, error))
            return NULL;
    }
    order = g_new0(Order, 1);
    order->paths = json_deep_copy(paths);
    order->directories = directories;
    return job_start(jobs, "DigestImages", NULL, run, order, order_free, error);
}
