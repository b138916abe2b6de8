/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the parsing of requests for targets. */
#include "storprep/target_request.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_digest.h"
#include "storprep/request_field.h"

#define CLUSTER_BYTES_DEFAULT 65536
#define REFCOUNT_BITS_DEFAULT 16

static void
target_image_free(void *data)
{
    TargetImage *image = data;

    g_free(image->path);
    g_free(image->pool);
    json_decref(image->chain);
    g_free(image);
}

void
target_request_free(TargetRequest *request)
{
    if (!request)
        return;
    g_free(request->owner);
    g_free(request->token);
    g_free(request->guest_name);
    g_free(request->guest_uuid);
    g_clear_pointer(&request->images, g_ptr_array_unref);
    json_decref(request->json);
    g_free(request);
}

static char *
unpack_uuid(json_t *guest, GError **error)
{
    const char *value = json_string_value(json_object_get(guest, "uuid"));

    if (g_uuid_string_is_valid(value))
        return g_ascii_strdown(value, -1);
    fault_set(error, FAULT_INVALID_ARGUMENT, "guest.uuid", "give the UUID that Describe reports",
              "it is not a UUID");
    return NULL;
}

/* An integer member of a target that fits @maximum; @fallback if absent or null. */
static gboolean
unpack_integer(json_t *target, const char *name, json_int_t fallback, json_int_t maximum,
               guint64 *ret_value, GError **error)
{
    json_t *value = json_object_get(target, name);
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : fallback;

    if (number < 0 || number > maximum) {
        fault_set(error, FAULT_INVALID_ARGUMENT, name, "ask for what Describe gives for the source",
                  "it is not within 0-%" JSON_INTEGER_FORMAT, maximum);
        return FALSE;
    }
    *ret_value = (guint64)number;
    return TRUE;
}

static gboolean
unpack_version(json_t *target, unsigned fallback, unsigned *ret_version, GError **error)
{
    const char *compat = json_string_value(json_object_get(target, "compat"));

    if (!compat)
        *ret_version = fallback;
    else if (g_str_equal(compat, "0.10"))
        *ret_version = 2;
    else if (g_str_equal(compat, "1.1"))
        *ret_version = 3;
    else {
        fault_set(error, FAULT_INVALID_ARGUMENT, "compat", "ask for 0.10 or 1.1",
                  "'%.20s' is no compatibility level of qcow2", compat);
        return FALSE;
    }
    return TRUE;
}

static gboolean
unpack_shape(json_t *target, ImageShape *ret_shape, GError **error)
{
    const char *format = json_string_value(json_object_get(target, "format"));
    ImageShape shape = { .format = IMAGE_FORMAT_RAW };
    guint64 cluster, refcount;
    gboolean qcow2;

    if (!image_format_from_name(format, &shape.format)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "format", "ask for qcow2 or raw",
                  "'%.20s' is not supported", format);
        return FALSE;
    }
    qcow2 = shape.format == IMAGE_FORMAT_QCOW2;
    if (!unpack_integer(target, "virtualSizeBytes", 0, LIMIT_IMAGE_BYTES, &shape.virtual_size_bytes,
                        error) ||
        !unpack_integer(target, "clusterSizeBytes", qcow2 ? CLUSTER_BYTES_DEFAULT : 0, G_MAXINT32,
                        &cluster, error) ||
        !unpack_integer(target, "refcountBits", qcow2 ? REFCOUNT_BITS_DEFAULT : 0, G_MAXINT32,
                        &refcount, error) ||
        !unpack_version(target, qcow2 ? 3 : 0, &shape.version, error))
        return FALSE;
    shape.cluster_size_bytes = (guint32)cluster;
    shape.refcount_bits = (unsigned)refcount;
    shape.extended_l2 = json_is_true(json_object_get(target, "extendedL2"));
    shape.lazy_refcounts = json_is_true(json_object_get(target, "lazyRefcounts"));
    *ret_shape = shape;
    return TRUE;
}

static gboolean
check_base(const json_t *base, GError **error)
{
    const char *path = json_string_value(json_object_get(base, "path"));
    const char *digest = json_string_value(json_object_get(base, "digest"));

    if (path[0] == '/' && strlen(path) <= LIMIT_BACKING_BYTES &&
        strlen(digest) == IMAGE_DIGEST_CHARACTERS)
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "backing",
              "pass on what Describe tells of the chain, and DigestImages of its images",
              "a path is not absolute or longer than %d bytes, or a digest is none",
              LIMIT_BACKING_BYTES);
    return FALSE;
}

/* The names in @chain stay where they are. */
static gboolean
unpack_chain(const json_t *chain, ImageRecipe *recipe, GError **error)
{
    const json_t *nearest = json_array_get(chain, 0);

    if (json_array_size(chain) > LIMIT_BACKING) {
        fault_set(error, FAULT_LIMIT_EXCEEDED, "backing", "merge images with 'virsh blockpull'",
                  "more than %d images below", LIMIT_BACKING);
        return FALSE;
    }
    for (size_t i = 0; i < json_array_size(chain); i++) {
        if (!check_base(json_array_get(chain, i), error))
            return FALSE;
    }
    recipe->backing = json_string_value(json_object_get(nearest, "path"));
    return !nearest || image_format_from_name(json_string_value(json_object_get(nearest, "format")),
                                              &recipe->backing_format);
}

static gboolean
unpack_recipe(json_t *target, const char *path, ImageRecipe *ret_recipe, GError **error)
{
    ImageRecipe recipe = { 0 };

    if (!image_allocation_from_name(json_string_value(json_object_get(target, "preallocation")),
                                    &recipe.allocation)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "preallocation",
                  "ask for off, metadata, falloc or full", "there is no such preallocation");
        return FALSE;
    }
    if (!unpack_shape(target, &recipe.shape, error) ||
        !unpack_chain(json_object_get(target, "backing"), &recipe, error) ||
        !image_recipe_check(&recipe, path, error))
        return FALSE;
    *ret_recipe = recipe;
    return TRUE;
}

static gboolean
check_path(const char *path, const GPtrArray *images, GError **error)
{
    if (strlen(path) > LIMIT_PATH_BYTES) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "path", "give a shorter path",
                  "it is longer than %d bytes", LIMIT_PATH_BYTES);
        return FALSE;
    }
    for (guint i = 0; i < images->len; i++) {
        const TargetImage *image = images->pdata[i];

        if (g_str_equal(image->path, path)) {
            fault_set(error, FAULT_INVALID_ARGUMENT, path, "name each path once",
                      "it is asked for twice");
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
unpack_image(json_t *target, GPtrArray *images, GError **error)
{
    const char *path = json_string_value(json_object_get(target, "path"));
    ImageRecipe recipe;
    TargetImage *image;

    if (!check_path(path, images, error) || !unpack_recipe(target, path, &recipe, error))
        return FALSE;
    image = g_new0(TargetImage, 1);
    image->path = g_strdup(path);
    image->pool = g_strdup(json_string_value(json_object_get(target, "pool")));
    image->recipe = recipe;
    image->chain = recipe.backing ? json_incref(json_object_get(target, "backing")) : NULL;
    g_ptr_array_add(images, image);
    return TRUE;
}

static gboolean
unpack_images(json_t *targets, GPtrArray *images, GError **error)
{
    size_t count = json_array_size(targets);

    if (count == 0 || count > LIMIT_DISKS) {
        fault_set(error, count ? FAULT_LIMIT_EXCEEDED : FAULT_INVALID_ARGUMENT, "targets",
                  "ask for the disks that Describe marks with copy", "%zu targets, not 1-%d", count,
                  LIMIT_DISKS);
        return FALSE;
    }
    for (size_t i = 0; i < count; i++) {
        if (!unpack_image(json_array_get(targets, i), images, error))
            return FALSE;
    }
    return TRUE;
}

TargetRequest *
target_request_new(json_t *parameters, GError **error)
{
    g_autoptr(TargetRequest) request = g_new0(TargetRequest, 1);
    json_t *guest = json_object_get(parameters, "guest");
    json_t *targets = json_object_get(parameters, "targets");

    request->images = g_ptr_array_new_with_free_func(target_image_free);
    request->json = json_pack("{s:O, s:O}", "guest", guest, "targets", targets);
    if (!request_unpack_timeout(parameters, &request->timeout_seconds, error) ||
        !(request->owner = request_unpack_name(parameters, "owner", error)) ||
        !(request->token = request_unpack_name(parameters, "token", error)) ||
        !(request->guest_name = request_unpack_name(guest, "name", error)) ||
        !(request->guest_uuid = unpack_uuid(guest, error)) ||
        !unpack_images(targets, request->images, error))
        return NULL;
    return g_steal_pointer(&request);
}
