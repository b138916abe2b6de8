/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the way down a chain of backing files, each opened as what the one above says it is. */
#include "storprep/image_chain.h"

#include <jansson.h>

#include "common/fault.h"
#include "common/limits.h"
#include "common/program.h"

#define QEMU_IMG_SECONDS 60

/* What the header of @path says of the image below; a new object, empty without one. */
static json_t *
read_link(const char *path, GCancellable *cancellable, GError **error)
{
    const char *argv[] = { "qemu-img", "info", "-f", "qcow2", "--output=json", path, NULL };
    g_auto(ProgramResult) result = { 0 };
    g_autofree char *object = g_strdup_printf("image '%s'", path);

    if (!program_run(argv, NULL, QEMU_IMG_SECONDS, cancellable, &result, error))
        return NULL;
    json_t *told = result.exit_status == 0 ? json_loads(result.output, 0, NULL) : NULL;
    if (!json_is_object(told)) {
        json_decref(told);
        g_strstrip(result.error_text);
        fault_set(error, FAULT_PROGRAM_FAILED, object, "see 'qemu-img info' of it",
                  "qemu-img info ended with status %d: %s", result.exit_status, result.error_text);
        return NULL;
    }
    return told;
}

static gboolean
refuse(const char *path, const char *base, GError **error)
{
    g_autofree char *object = g_strdup_printf("image '%s'", path);
    g_autofree char *remedy = g_strdup_printf(
        "write it down with 'qemu-img rebase -u -b %s -F raw|qcow2 %s'", base, path);

    fault_set(error, FAULT_IMAGE_INVALID, object, remedy,
              "it lies on '%s', but does not say whether that is raw or qcow2", base);
    return FALSE;
}

gboolean
image_chain_check(const char *path, ImageFormat format, GCancellable *cancellable, GError **error)
{
    g_autofree char *image = g_strdup(path);

    for (unsigned depth = 0; depth <= LIMIT_BACKING; depth++) {
        if (format == IMAGE_FORMAT_RAW)
            return TRUE;
        json_auto_t *told = read_link(image, cancellable, error);
        const char *base = json_string_value(json_object_get(told, "full-backing-filename"));
        const char *name = json_string_value(json_object_get(told, "backing-filename-format"));

        if (!told || !base)
            return told != NULL;
        if (!name || !image_format_from_name(name, &format))
            return refuse(image, base, error);
        g_free(image);
        image = g_strdup(base);
    }
    fault_set(error, FAULT_LIMIT_EXCEEDED, path, "merge some of them with 'qemu-img commit'",
              "more than %d images lie below it", LIMIT_BACKING);
    return FALSE;
}
