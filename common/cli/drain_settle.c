/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/drain_settle.h"

#include "common/cli/reply.h"
#include "common/fault.h"

static json_t *
list(const DrainQuestion *question, Peer *peer, Service service, const char *method)
{
    return peer_call(peer,
                     &(PeerCall) { .service = service,
                                   .method = method,
                                   .timeout_seconds = PEER_CALL_SECONDS,
                                   .cancellable = question->cancellable },
                     NULL);
}

/* The UUID of a guest that is migrated away now, owned; NULL: none is. */
static char *
find_migrating(const DrainQuestion *question)
{
    json_auto_t *reply = list(question, question->source, SERVICE_STORAGE, "ListJobs");
    size_t i;
    json_t *job;

    json_array_foreach (json_object_get(reply, "jobs"), i, job) {
        if (g_str_equal(reply_text(job, "kind"), "Migrate") &&
            g_str_equal(reply_text(job, "state"), "running"))
            return g_strdup(reply_text(job, "subject"));
    }
    return NULL;
}

static GHashTable *
list_running(const DrainQuestion *question)
{
    GHashTable *uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    json_auto_t *reply = list(question, question->source, SERVICE_STORAGE, "ListGuests");
    size_t i;
    json_t *entry;

    json_array_foreach (json_object_get(reply, "guests"), i, entry) {
        if (g_str_equal(reply_text(entry, "state"), "running"))
            g_hash_table_add(uuids, g_strdup(reply_text(json_object_get(entry, "guest"), "uuid")));
    }
    return uuids;
}

/* The name of one of the guests that has a lease of @kind at @peer, owned; NULL: none has. */
static char *
find_lease(const DrainQuestion *question, Peer *peer, Service service, const char *kind,
           GHashTable *uuids)
{
    json_auto_t *reply = list(question, peer, service, "ListLeases");
    size_t i;
    json_t *lease;

    json_array_foreach (json_object_get(reply, "leases"), i, lease) {
        const json_t *guest = json_object_get(lease, "guest");

        if (g_str_equal(reply_text(lease, "kind"), kind) &&
            g_hash_table_contains(uuids, reply_text(guest, "uuid")))
            return g_strdup(reply_text(guest, "name"));
    }
    return NULL;
}

static char *
find_leftover(const DrainQuestion *question)
{
    g_autoptr(GHashTable) uuids = list_running(question);
    char *name = find_lease(question, question->source, SERVICE_NETWORK, "detachment", uuids);

    for (guint i = 0; !name && i < question->destinations->len; i++) {
        Peer *peer = question->destinations->pdata[i];

        name = find_lease(question, peer, SERVICE_NETWORK, "reservation", uuids);
        if (!name)
            name = find_lease(question, peer, SERVICE_STORAGE, "targets", uuids);
    }
    return name;
}

/* FALSE once it is cancelled. */
static gboolean
pause_for(const DrainQuestion *question, unsigned msec)
{
    GPollFD poll = { 0 };

    if (!question->cancellable || !g_cancellable_make_pollfd(question->cancellable, &poll)) {
        g_usleep(msec * 1000UL);
        return TRUE;
    }
    g_poll(&poll, 1, (gint)msec);
    g_cancellable_release_fd(question->cancellable);
    return !g_cancellable_is_cancelled(question->cancellable);
}

/* Once: @told remembers. */
static void
tell(const DrainSettling *settling, const char *guest, const char *what, gboolean *told)
{
    g_autofree char *sentence = g_strdup_printf("waiting for guest '%s', %s", guest, what);

    if (!*told && settling->tell)
        settling->tell(sentence, settling->data);
    *told = TRUE;
}

gboolean
drain_settle(const DrainQuestion *question, const DrainSettling *settling, GError **error)
{
    gint64 patience = (gint64)settling->patience_seconds * G_USEC_PER_SEC;
    gint64 deadline = g_get_monotonic_time() + patience;
    gboolean told = FALSE;

    do {
        g_autofree char *migrating = find_migrating(question);
        g_autofree char *leftover = migrating ? NULL : find_leftover(question);

        if (migrating)
            deadline = g_get_monotonic_time() + patience;
        if (!migrating && (!leftover || g_get_monotonic_time() > deadline))
            return TRUE;
        tell(settling, migrating ? migrating : leftover,
             migrating ? "which is being migrated" : "whose abandoned move is being undone", &told);
    } while (pause_for(question, settling->pause_msec));
    fault_set(error, FAULT_CANCELLED, "the drain", "run the command again", "was cancelled");
    return FALSE;
}
