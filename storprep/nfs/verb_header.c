/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns reading an image's header where that may take for ever. */
#include "common/fault.h"
#include "storprep/image_header.h"
#include "storprep/nfs/verbs.h"

int
verb_header(char **arguments)
{
    g_autoptr(GError) error = NULL;
    ImageFormat format;
    ImageHeader header;

    if (!image_format_from_name(arguments[1], &format))
        return verb_fail("'%s' is no image format", arguments[1]);
    if (!image_header_read(arguments[0], format, &header, &error))
        return verb_reply(json_pack("{s:s}", "reason", fault_cause(error)));
    return verb_reply(json_pack(
        "{s:I, s:i, s:i, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:I, s:I}", "virtualSizeBytes",
        (json_int_t)header.shape.virtual_size_bytes, "clusterSizeBytes",
        (int)header.shape.cluster_size_bytes, "version", (int)header.shape.version, "refcountBits",
        (int)header.shape.refcount_bits, "extendedL2", header.shape.extended_l2, "lazyRefcounts",
        header.shape.lazy_refcounts, "dirty", header.dirty, "corrupt", header.corrupt, "encrypted",
        header.encrypted, "backing", header.has_backing, "dataFile", header.has_data_file,
        "snapshots", (json_int_t)header.snapshots, "unknownFeatures",
        (json_int_t)header.unknown_features));
}
