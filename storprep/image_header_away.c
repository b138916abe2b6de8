/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the carriage of an image header from storprep-nfs. */
#include "storprep/image_header_away.h"

#include "common/fault.h"
#include "storprep/nfs_program.h"

#define HEADER_SECONDS 10

static gboolean
unpack(json_t *reply, ImageFormat format, ImageHeader *ret_header)
{
    json_int_t size, unknown;
    int cluster, version, refcount, extended, lazy, dirty, corrupt, encrypted, backing, data;
    json_int_t snapshots;

    if (json_unpack(reply, "{s:I, s:i, s:i, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:I, s:I}",
                    "virtualSizeBytes", &size, "clusterSizeBytes", &cluster, "version", &version,
                    "refcountBits", &refcount, "extendedL2", &extended, "lazyRefcounts", &lazy,
                    "dirty", &dirty, "corrupt", &corrupt, "encrypted", &encrypted, "backing",
                    &backing, "dataFile", &data, "snapshots", &snapshots, "unknownFeatures",
                    &unknown) != 0)
        return FALSE;
    *ret_header = (ImageHeader) {
        .shape = { .format = format,
                   .virtual_size_bytes = (guint64)size,
                   .cluster_size_bytes = (guint32)cluster,
                   .version = (unsigned)version,
                   .refcount_bits = (unsigned)refcount,
                   .extended_l2 = extended,
                   .lazy_refcounts = lazy },
        .dirty = dirty,
        .corrupt = corrupt,
        .encrypted = encrypted,
        .has_backing = backing,
        .has_data_file = data,
        .snapshots = (guint32)snapshots,
        .unknown_features = (guint64)unknown,
    };
    return TRUE;
}

gboolean
image_header_read_away(const char *path, ImageFormat format, ImageHeader *ret_header,
                       GError **error)
{
    const char *arguments[] = { "header", path, image_format_name(format), NULL };
    g_autofree char *object = g_strdup_printf("image '%s'", path);
    json_auto_t *reply = NULL;
    const char *mistake;
    int status;

    if (!nfs_program_run(arguments, HEADER_SECONDS, object, &status, &reply, error))
        return FALSE;
    if (unpack(reply, format, ret_header))
        return TRUE;
    mistake = json_string_value(json_object_get(reply, "reason"));
    fault_set(error, FAULT_IMAGE_INVALID, object, "see what is wrong with the image", "%s",
              mistake ? mistake : "its header cannot be read");
    return FALSE;
}
