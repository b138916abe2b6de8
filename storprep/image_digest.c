/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the reading of whole images, in a child since their storage may not answer. */
#include "storprep/image_digest.h"

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_place.h"
#include "storprep/nfs_program.h"

#define DIGEST_SECONDS 1800

typedef struct {
    json_t *paths;
    const char *const *directories; /* borrowed */
} Order;

/* Whose progress it is. */
typedef struct {
    Job *job;
    const char *path;
} Reading;

static void
tell(const json_t *progress, void *data)
{
    const Reading *reading = data;
    json_t *record = json_pack("{s:s}", "path", reading->path);

    json_object_update_missing(record, (json_t *)progress);
    job_progress(reading->job, record);
}

gboolean
image_digest_read(const char *path, const char *const *directories, Job *job, guint64 *ret_bytes,
                  char **ret_digest, GError **error)
{
    const char *root = image_place_root(path, directories, error);
    const char *arguments[] = { "digest", root, path, NULL };
    g_autofree char *object = g_strdup_printf("image '%s'", path);
    Reading reading = { job, path };
    const NfsProgramTask task = { .arguments = arguments,
                                  .seconds = DIGEST_SECONDS,
                                  .cancellable = job ? job_cancellable(job) : NULL,
                                  .object = object,
                                  .told = job ? tell : NULL,
                                  .data = &reading };
    json_auto_t *reply = NULL;
    json_int_t bytes;
    const char *digest;
    int status;

    if (!root || !nfs_program_perform(&task, &status, &reply, error))
        return FALSE;
    if (json_unpack(reply, "{s:I, s:s}", "sizeBytes", &bytes, "digest", &digest) != 0) {
        fault_set(error, FAULT_PROGRAM_FAILED, object, "try again", "its digest was not told");
        return FALSE;
    }
    *ret_bytes = (guint64)bytes;
    *ret_digest = g_strdup(digest);
    return TRUE;
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
