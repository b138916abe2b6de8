/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the proof that two hosts share a disk. The type of a file system proves nothing: two hosts
 * may have mounted different servers, and the server itself sees a local directory. */
#include "common/cli/shared_disks.h"

#include "common/cli/reply.h"
#include "common/fault.h"
#include "common/parallel.h"

#define PROBE_LEASE_SECONDS 30
#define LOOKS               3 /* at an image that its guest may be writing to */

typedef struct {
    Peer *source, *destination;
    GCancellable *cancellable;
} Proof;

/* @parameters is stolen. */
static json_t *
call(const Proof *proof, Peer *peer, const char *method, json_t *parameters, GError **error)
{
    return peer_call(peer,
                     &(PeerCall) { .service = SERVICE_STORAGE,
                                   .method = method,
                                   .parameters = parameters,
                                   .timeout_seconds = PEER_CALL_SECONDS,
                                   .cancellable = proof->cancellable },
                     error);
}

/* Images. */

static json_t *
identify(const Proof *proof, Peer *peer, const json_t *paths, GError **error)
{
    json_auto_t *reply = call(proof, peer, "IdentifyImages",
                              json_pack("{s:o}", "paths", json_copy((json_t *)paths)), error);

    return reply ? json_incref(json_object_get(reply, "images")) : NULL;
}

/* A host where the path may hold no image at all shares none. */
static json_t *
identify_at_destination(const Proof *proof, const json_t *paths, GError **error)
{
    g_autoptr(GError) failure = NULL;
    json_t *images = identify(proof, proof->destination, paths, &failure);

    if (!images && fault_code(failure) == FAULT_TARGET_REFUSED)
        return json_array();
    if (!images)
        g_propagate_error(error, g_steal_pointer(&failure));
    return images;
}

static gboolean
is_same_image(const json_t *a, const json_t *b)
{
    static const char *const members[] = { "inode", "sizeBytes", "headDigest" };

    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        if (!json_equal(json_object_get(a, members[i]), json_object_get(b, members[i])))
            return FALSE;
    }
    return json_is_true(json_object_get(a, "found")) && json_is_true(json_object_get(b, "found"));
}

/* The guest runs: its image may have grown between the two answers, which is no proof against. */
static gboolean
compare_images(const Proof *proof, const char *path, gboolean *ret_same, GError **error)
{
    json_auto_t *paths = json_pack("[s]", path);
    gboolean same = FALSE;

    for (unsigned look = 0; look < LOOKS && !same; look++) {
        json_auto_t *here = identify(proof, proof->source, paths, error);
        json_auto_t *there = here ? identify(proof, proof->destination, paths, error) : NULL;

        if (!there)
            return FALSE;
        same = is_same_image(json_array_get(here, 0), json_array_get(there, 0));
    }
    *ret_same = same;
    return TRUE;
}

/* Directories. */

static void
drop_probe(const Proof *proof, Peer *peer, const json_t *lease)
{
    g_autoptr(GError) error = NULL;
    /* Also when cancelled: the file should not outlive the question. */
    json_auto_t *reply =
        peer_call(peer,
                  &(PeerCall) { .service = SERVICE_STORAGE,
                                .method = "Release",
                                .parameters = json_pack(
                                    "{s:O, s:O}", "lease", json_object_get(lease, "lease"),
                                    "generation", json_object_get(lease, "generation")),
                                .timeout_seconds = PEER_CALL_SECONDS },
                  &error);

    if (!reply)
        g_info("a probe file on %s goes with its lease: %s", peer_host(peer), error->message);
}

/* Whether what @placer puts into @directory is seen there by @finder. */
static gboolean
probe(const Proof *proof, Peer *placer, Peer *finder, const char *directory, gboolean *ret_seen,
      GError **error)
{
    g_autofree char *token = g_uuid_string_random();
    json_auto_t *placed =
        call(proof, placer, "PlaceProbe",
             json_pack("{s:s, s:s, s:s, s:i}", "owner", "migprep", "token", token, "directory",
                       directory, "timeoutSeconds", PROBE_LEASE_SECONDS),
             error);
    json_auto_t *found = NULL;

    if (!placed)
        return FALSE;
    found =
        call(proof, finder, "FindProbe",
             json_pack("{s:s, s:O, s:O}", "directory", directory, "name",
                       json_object_get(placed, "name"), "nonce", json_object_get(placed, "nonce")),
             error);
    drop_probe(proof, placer, json_object_get(placed, "lease"));
    *ret_seen = json_is_true(json_object_get(found, "found"));
    return found != NULL;
}

/* From the source to the destination, and back. */
typedef struct {
    const Proof *proof;
    const char *directory;
    gboolean seen[2];
    GError *failures[2];
} BothWays;

static gboolean
probe_one_way(guint index, void *data, GError **error)
{
    BothWays *ways = data;
    const Proof *proof = ways->proof;
    Peer *placer = index == 0 ? proof->source : proof->destination;
    Peer *finder = index == 0 ? proof->destination : proof->source;

    (void)probe(proof, placer, finder, ways->directory, &ways->seen[index], &ways->failures[index]);
    return TRUE;
}

/* Neither way needs the other's answer. */
static gboolean
probe_both_ways(const Proof *proof, const char *directory, gboolean *ret_same, GError **error)
{
    BothWays ways = { .proof = proof, .directory = directory };

    (void)parallel_run(2, probe_one_way, &ways, NULL);
    g_autoptr(GError) first = ways.failures[0] ? ways.failures[0] : ways.failures[1];
    if (ways.failures[0])
        g_clear_error(&ways.failures[1]);
    if (first) {
        g_propagate_error(error, g_steal_pointer(&first));
        return FALSE;
    }
    *ret_same = ways.seen[0] && ways.seen[1];
    return TRUE;
}

/* Remembers in @known what was found out about a directory. */
static gboolean
check_directory(const Proof *proof, const char *directory, GHashTable *known, gboolean *ret_same,
                GError **error)
{
    void *answer;

    if (g_hash_table_lookup_extended(known, directory, NULL, &answer)) {
        *ret_same = GPOINTER_TO_INT(answer);
        return TRUE;
    }
    if (!probe_both_ways(proof, directory, ret_same, error))
        return FALSE;
    g_hash_table_insert(known, g_strdup(directory), GINT_TO_POINTER(*ret_same));
    return TRUE;
}

/* Disks. */

static gboolean
is_provable(const json_t *disk)
{
    return json_is_true(json_object_get(disk, "provable")) && reply_text(disk, "path");
}

static json_t *
list_paths(const Survey *survey)
{
    json_t *paths = json_array();
    size_t i;
    json_t *disk;

    json_array_foreach (survey->disks, i, disk) {
        if (is_provable(disk))
            json_array_append(paths, json_object_get(disk, "path"));
    }
    return paths;
}

static gboolean
is_there(const json_t *images, const char *path)
{
    size_t i;
    json_t *image;

    json_array_foreach (images, i, image) {
        if (g_strcmp0(reply_text(image, "path"), path) == 0)
            return json_is_true(json_object_get(image, "found"));
    }
    return FALSE;
}

static gboolean
judge(const Proof *proof, json_t *disk, GHashTable *known, GError **error)
{
    const char *path = reply_text(disk, "path");
    g_autofree char *directory = g_path_get_dirname(path);
    gboolean same = FALSE;

    if (!check_directory(proof, directory, known, &same, error) ||
        (same && !compare_images(proof, path, &same, error)))
        return FALSE;
    if (same)
        json_object_set_new(disk, "migration", json_string("shared"));
    return TRUE;
}

json_t *
shared_disks_look(Peer *destination, const Survey *survey, GCancellable *cancellable,
                  GError **error)
{
    const Proof proof = { NULL, destination, cancellable };
    json_auto_t *paths = list_paths(survey);

    return json_array_size(paths) > 0 ? identify_at_destination(&proof, paths, error)
                                      : json_array();
}

gboolean
shared_disks_prove(Peer *source, Peer *destination, const Survey *survey, const json_t *there,
                   GCancellable *cancellable, GError **error)
{
    const Proof proof = { source, destination, cancellable };
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    size_t i;
    json_t *disk;

    json_array_foreach (survey->disks, i, disk) {
        if (is_provable(disk) && is_there(there, reply_text(disk, "path")) &&
            !judge(&proof, disk, known, error))
            return FALSE;
    }
    return TRUE;
}
