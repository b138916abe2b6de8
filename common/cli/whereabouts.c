/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the judgement on who runs a guest. */
#include "common/cli/whereabouts.h"

#include "common/fault.h"
#include "common/parallel.h"

#define ASK_AGAIN_USEC (G_USEC_PER_SEC / 2)

/* What one host says. */
typedef enum {
    SIGHT_RUNNING,
    SIGHT_PAUSED,
    SIGHT_MIGRATING,
    SIGHT_ABSENT, /* defined, but not active */
    SIGHT_GONE,   /* not even defined */
    SIGHT_NO_ANSWER,
} Sight;

static Sight
sight_of(const json_t *described)
{
    const char *state = json_string_value(json_object_get(described, "state"));

    if (json_is_true(json_object_get(described, "migrating")))
        return SIGHT_MIGRATING;
    if (g_strcmp0(state, "running") == 0)
        return SIGHT_RUNNING;
    return g_strcmp0(state, "paused") == 0 ? SIGHT_PAUSED : SIGHT_ABSENT;
}

static Sight
look(Peer *peer, const char *uuid)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *described =
        peer_call(peer,
                  &(PeerCall) { .service = SERVICE_STORAGE,
                                .method = "Describe",
                                .parameters = json_pack("{s:s}", "guest", uuid),
                                .timeout_seconds = PEER_CALL_SECONDS },
                  &error);

    if (described)
        return sight_of(described);
    return fault_code(error) == FAULT_GUEST_NOT_FOUND ? SIGHT_GONE : SIGHT_NO_ANSWER;
}

/* A guest that runs on the source cannot run on the destination, so that needs no second answer.
 * Paused on the source is where a failed migration leaves a guest that it could not resume; it is
 * the truth only if the destination has surely none. Absent on both sides decides nothing: the
 * guest may have ended on the destination, where its newest data then is. */
static Whereabouts
judge(Sight source, Sight destination)
{
    if (source == SIGHT_RUNNING)
        return WHEREABOUTS_SOURCE;
    if (destination == SIGHT_RUNNING && source != SIGHT_MIGRATING)
        return WHEREABOUTS_DESTINATION;
    if (source == SIGHT_PAUSED && (destination == SIGHT_ABSENT || destination == SIGHT_GONE))
        return WHEREABOUTS_SOURCE;
    return WHEREABOUTS_UNKNOWN;
}

Whereabouts
whereabouts_find(Peer *source, Peer *destination, const char *uuid, unsigned patience_seconds)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)patience_seconds * G_USEC_PER_SEC;

    for (;;) {
        Sight there = look(source, uuid);
        Sight here = there == SIGHT_RUNNING ? SIGHT_NO_ANSWER : look(destination, uuid);
        Whereabouts found = judge(there, here);
        if (found != WHEREABOUTS_UNKNOWN)
            return found;
        if (there != SIGHT_MIGRATING && g_get_monotonic_time() > deadline)
            return WHEREABOUTS_UNKNOWN;
        g_usleep(ASK_AGAIN_USEC); /* there is no event across hosts to wait for */
    }
}

/* Both absent is a damage that this command did not do, so it is not for it to decide. */
static Whereabouts
judge_definition(Sight source, Sight destination)
{
    if (source != SIGHT_GONE && source != SIGHT_NO_ANSWER)
        return WHEREABOUTS_SOURCE;
    if (source == SIGHT_GONE && destination == SIGHT_ABSENT)
        return WHEREABOUTS_DESTINATION;
    return WHEREABOUTS_UNKNOWN;
}

Whereabouts
whereabouts_find_definition(Peer *source, Peer *destination, const char *uuid,
                            unsigned patience_seconds)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)patience_seconds * G_USEC_PER_SEC;

    for (;;) {
        Whereabouts found = judge_definition(look(source, uuid), look(destination, uuid));

        if (found != WHEREABOUTS_UNKNOWN || g_get_monotonic_time() > deadline)
            return found;
        g_usleep(ASK_AGAIN_USEC); /* there is no event across hosts to wait for */
    }
}

static gboolean
is_active(Sight sight)
{
    return sight == SIGHT_RUNNING || sight == SIGHT_PAUSED || sight == SIGHT_MIGRATING;
}

static const char *
state_of(Sight sight)
{
    switch (sight) {
    case SIGHT_RUNNING:
        return "running";
    case SIGHT_PAUSED:
        return "paused";
    case SIGHT_MIGRATING:
        return "migrating";
    case SIGHT_ABSENT:
        return "shutoff";
    case SIGHT_GONE:
    case SIGHT_NO_ANSWER:
        return NULL;
    }
    g_return_val_if_reached(NULL);
}

/* Whoever does not answer may have it, unless it runs on the other host. */
static GuestPlace
place_of(Sight source, Sight destination)
{
    gboolean silent = source == SIGHT_NO_ANSWER || destination == SIGHT_NO_ANSWER;
    gboolean active = is_active(source) || is_active(destination);
    gboolean here = active ? is_active(source) : source == SIGHT_ABSENT;
    gboolean there = active ? is_active(destination) : destination == SIGHT_ABSENT;

    if (silent && source != SIGHT_RUNNING && destination != SIGHT_RUNNING)
        return (GuestPlace) { "unknown", NULL };
    if (here && there)
        return (GuestPlace) { "both", state_of(source) };
    if (here || there)
        return (GuestPlace) { here ? "source" : "destination",
                              state_of(here ? source : destination) };
    return (GuestPlace) { "unknown", NULL };
}

/* Looks at both hosts at once. */
typedef struct {
    Peer *peers[2];
    const char *guest;
    Sight sights[2];
} Looking;

static gboolean
look_at(guint index, void *data, GError **error)
{
    Looking *looking = data;

    looking->sights[index] = look(looking->peers[index], looking->guest);
    return TRUE;
}

GuestPlace
whereabouts_tell(Peer *source, Peer *destination, const char *guest)
{
    Looking looking = { { source, destination }, guest, { 0 } };

    (void)parallel_run(2, look_at, &looking, NULL);
    return place_of(looking.sights[0], looking.sights[1]);
}
