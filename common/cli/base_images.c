/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the asking for digests of base images. */
#include "common/cli/base_images.h"

#include "common/cli/job_call.h"
#include "common/cli/reply.h"
#include "common/fault.h"

/* The chain that Describe told of the disk at @path; NULL: none. Borrowed. */
static const json_t *
find_chain(const Survey *survey, const char *path)
{
    size_t i;
    json_t *disk;

    json_array_foreach (survey->disks, i, disk) {
        if (g_strcmp0(reply_text(disk, "path"), path) == 0)
            return json_object_get(disk, "backing");
    }
    return NULL;
}

static json_t *
list_paths(const json_t *chain)
{
    json_t *paths = json_array();
    size_t i;
    json_t *base;

    json_array_foreach ((json_t *)chain, i, base)
        json_array_append(paths, json_object_get(base, "path"));
    return paths;
}

/* The images with what both tell of them: the format by the one, the rest by the other. */
static json_t *
join(const json_t *chain, const json_t *images)
{
    json_t *bases = json_array();

    for (size_t i = 0; i < json_array_size(chain); i++) {
        json_t *base = json_copy(json_array_get(images, i));

        json_object_set(base, "format", json_object_get(json_array_get(chain, i), "format"));
        json_array_append_new(bases, base);
    }
    return bases;
}

static json_t *
read_bases(Peer *source, const json_t *chain, GCancellable *cancellable, GError **error)
{
    json_auto_t *result =
        job_call(source,
                 &(JobCall) { .service = SERVICE_STORAGE,
                              .method = "DigestImages",
                              .parameters = json_pack("{s:o}", "paths", list_paths(chain)),
                              .cancellable = cancellable },
                 error);
    const json_t *images = json_object_get(result, "images");

    if (!result)
        return NULL;
    if (json_array_size(images) != json_array_size(chain)) {
        fault_set(error, FAULT_INTERNAL, peer_host(source), "update storprepd there",
                  "it did not tell the digests of all base images");
        return NULL;
    }
    return join(chain, images);
}

gboolean
base_images_add(Peer *source, const Survey *survey, json_t *targets, GCancellable *cancellable,
                GError **error)
{
    size_t i;
    json_t *target;

    json_array_foreach (targets, i, target) {
        const json_t *chain = find_chain(survey, reply_text(target, "path"));
        json_t *bases;

        if (json_array_size(chain) == 0)
            continue;
        bases = read_bases(source, chain, cancellable, error);
        if (!bases)
            return FALSE;
        json_object_set_new(target, "backing", bases);
    }
    return TRUE;
}
