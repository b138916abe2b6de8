/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the questions about images, and who looks at those that may lie on an NFS server. */
#include "storprep/image_identity.h"

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/identity_deed.h"
#include "storprep/image_place.h"
#include "storprep/local_path.h"
#include "storprep/nfs_program.h"

#define IDENTIFY_SECONDS 10

static json_t *
look(const char *root, const char *path, GError **error)
{
    const char *arguments[] = { "identify", root, path, NULL };
    g_autofree char *object = g_strdup_printf("image '%s'", path);
    g_autofree char *directory = g_path_get_dirname(path);
    json_t *reply = NULL;
    int status;

    if (local_path_is(directory, NULL))
        return identity_deed(root, path);
    return nfs_program_run(arguments, IDENTIFY_SECONDS, object, &status, &reply, error) ? reply
                                                                                        : NULL;
}

static json_t *
identify(const char *path, const char *const *directories, GError **error)
{
    const char *root = image_place_root(path, directories, error);
    json_t *reply = root ? look(root, path, error) : NULL;

    if (!reply)
        return NULL;
    json_object_set_new(reply, "path", json_string(path));
    return reply;
}

json_t *
image_identity_list(json_t *paths, const char *const *directories, GError **error)
{
    json_auto_t *identities = json_array();
    json_t *path;
    size_t i;

    if (json_array_size(paths) > LIMIT_DISKS) {
        fault_set(error, FAULT_LIMIT_EXCEEDED, "paths", "ask for fewer images at once",
                  "more than %d images", LIMIT_DISKS);
        return NULL;
    }
    json_array_foreach (paths, i, path) {
        json_t *identity = identify(json_string_value(path), directories, error);

        if (!identity)
            return NULL;
        json_array_append_new(identities, identity);
    }
    return json_incref(identities);
}

static gboolean
is_equal(const json_t *a, const json_t *b, const char *member)
{
    return json_equal(json_object_get(a, member), json_object_get(b, member));
}

gboolean
image_identity_is_same(const json_t *earlier, const json_t *later)
{
    return json_is_true(json_object_get(earlier, "found")) &&
           json_is_true(json_object_get(later, "found")) && is_equal(earlier, later, "inode") &&
           is_equal(earlier, later, "headDigest") &&
           json_integer_value(json_object_get(later, "sizeBytes")) >=
               json_integer_value(json_object_get(earlier, "sizeBytes"));
}
