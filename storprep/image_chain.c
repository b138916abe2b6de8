/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the way down a chain of backing files, each opened as what the one above says it is. */
#include "storprep/image_chain.h"

#include <jansson.h>

#include <stdlib.h>

#include "common/fault.h"
#include "common/limits.h"
#include "common/program.h"
#include "storprep/image_place.h"

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
    if (!told) {
        g_strstrip(result.error_text);
        fault_set(error, FAULT_PROGRAM_FAILED, object, "see 'qemu-img info' of it",
                  "qemu-img info ended with status %d: %s", result.exit_status, result.error_text);
        return NULL;
    }
    return told;
}

static gboolean
refuse(const char *path, const char *remedy, const char *cause, GError **error)
{
    g_autofree char *object = g_strdup_printf("image '%s'", path);

    fault_set(error, FAULT_IMAGE_INVALID, object, remedy, "%s", cause);
    return FALSE;
}

/* What qemu-img would do with it beyond reading it as an image: it does so as root. */
static gboolean
check_header(const char *path, ImageFormat format, GError **error)
{
    ImageHeader header;

    if (!image_header_read(path, format, &header, error))
        return FALSE;
    if (header.has_data_file)
        return refuse(path, "convert it to a plain qcow2 image",
                      "it keeps its data in an external file", error);
    if (header.unknown_features || header.encrypted || header.corrupt)
        return refuse(path, "convert it to a plain qcow2 image",
                      "it is encrypted, corrupt, or has features that are not known here", error);
    return TRUE;
}

/* Where @base really is, if images may be there: a header may name any file of this host, or an
 * address, and whoever made the image may have written it. NULL with the error about @path. */
static char *
find_base(const char *path, const char *base, const char *const *directories, GError **error)
{
    g_autofree char *real = *base == '/' ? realpath(base, NULL) : NULL; /* malloc() is GLib's */
    g_autofree char *cause = g_strdup_printf("it lies on '%s', which is no file in an image "
                                             "directory",
                                             base);

    for (; real && *directories; directories++) {
        g_autofree char *directory = realpath(*directories, NULL);
        const char *const only[] = { directory, NULL };

        if (directory && image_place_root(real, only, NULL))
            return g_steal_pointer(&real);
    }
    refuse(path,
           "if it belongs there, add its directory to image-directories in migprep.conf, or "
           "flatten the image with 'qemu-img convert'",
           cause, error);
    return NULL;
}

static gboolean
refuse_guess(const char *path, const char *base, GError **error)
{
    g_autofree char *object = g_strdup_printf("image '%s'", path);
    g_autofree char *remedy = g_strdup_printf(
        "write it down with 'qemu-img rebase -u -b %s -F raw|qcow2 %s'", base, path);

    fault_set(error, FAULT_IMAGE_INVALID, object, remedy,
              "it lies on '%s', but does not say whether that is raw or qcow2", base);
    return FALSE;
}

gboolean
image_chain_check(const char *path, ImageFormat format, const char *const *directories,
                  GCancellable *cancellable, GError **error)
{
    g_autofree char *image = g_strdup(path);

    for (unsigned depth = 0; depth <= LIMIT_BACKING; depth++) {
        if (!check_header(image, format, error))
            return FALSE;
        if (format == IMAGE_FORMAT_RAW)
            return TRUE;
        json_auto_t *told = read_link(image, cancellable, error);
        const char *base = json_string_value(json_object_get(told, "full-backing-filename"));
        const char *name = json_string_value(json_object_get(told, "backing-filename-format"));

        if (!told || !base)
            return told != NULL;
        if (!name || !image_format_from_name(name, &format))
            return refuse_guess(image, base, error);
        char *real = find_base(image, base, directories, error);
        if (!real)
            return FALSE;
        g_free(image);
        image = real;
    }
    fault_set(error, FAULT_LIMIT_EXCEEDED, path, "merge some of them with 'qemu-img commit'",
              "more than %d images lie below it", LIMIT_BACKING);
    return FALSE;
}
