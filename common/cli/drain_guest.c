/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the reading of what was told about a guest. */
#include "common/cli/drain_guest.h"

#include "common/cli/reply.h"
#include "common/host_name.h"

DrainGuest *
drain_guest_new(const char *name, const char *uuid, const char *state)
{
    DrainGuest *guest = g_new0(DrainGuest, 1);

    guest->name = g_strdup(name);
    guest->uuid = g_strdup(uuid);
    guest->state = g_strdup(state);
    return guest;
}

void
drain_guest_free(DrainGuest *guest)
{
    if (!guest)
        return;
    g_free(guest->name);
    g_free(guest->uuid);
    g_free(guest->state);
    json_decref(guest->values);
    json_decref(guest->results);
    json_decref(guest->verdicts);
    for (int service = 0; service < SERVICE_COUNT; service++)
        json_decref(guest->facts[service]);
    g_clear_pointer(&guest->copied, g_hash_table_unref);
    g_free(guest);
}

static const json_t *
find_value(const DrainGuest *guest, const char *name)
{
    size_t i;
    json_t *value;

    json_array_foreach (guest->values, i, value) {
        if (g_str_equal(reply_text(value, "name"), name))
            return value;
    }
    return NULL;
}

guint64
drain_guest_policy(const DrainGuest *guest, PolicyKey key)
{
    const json_t *told = find_value(guest, policy_key_name(key));
    const Policy defaults = policy_new();
    g_autofree char *mistake = NULL;
    guint64 value;

    /* Whoever said so was checked where it was said. */
    if (told &&
        policy_parse(key, POLICY_LEVEL_REQUEST, reply_text(told, "value"), &value, &mistake))
        return value;
    return defaults.values[key];
}

const char *
drain_guest_place(const DrainGuest *guest, const char *name)
{
    const json_t *value = find_value(guest, name);
    const char *text = value ? reply_text(value, "value") : "";

    return *text ? text : NULL;
}

json_t *
drain_guest_copies(const DrainGuest *guest)
{
    json_t *copies = json_array();
    size_t i;
    json_t *disk;

    json_array_foreach (json_object_get(guest->facts[SERVICE_STORAGE], "disks"), i, disk) {
        const char *path = reply_text(disk, "path");
        json_int_t bytes = json_integer_value(json_object_get(disk, "virtualSizeBytes"));

        if (g_str_equal(reply_text(disk, "migration"), "copy") &&
            (!guest->copied || g_hash_table_contains(guest->copied, path)))
            json_array_append_new(copies, json_pack("{s:s, s:I}", "path", path, "bytes", bytes));
    }
    return copies;
}

guint64
drain_guest_bytes(const DrainGuest *guest)
{
    json_auto_t *copies = drain_guest_copies(guest);
    json_int_t bytes =
        json_integer_value(json_object_get(guest->facts[SERVICE_STORAGE], "memoryBytes"));
    size_t i;
    json_t *disk;

    json_array_foreach (copies, i, disk)
        bytes += json_integer_value(json_object_get(disk, "bytes"));
    return (guint64)MAX(bytes, 0);
}

static gboolean
is_blocker(const json_t *result)
{
    gboolean unanswered = g_str_equal(reply_text(result, "check"), "host.daemons-answer") &&
                          !g_str_equal(reply_text(result, "outcome"), "passed");

    return unanswered || (g_str_equal(reply_text(result, "outcome"), "failed") &&
                          g_str_equal(reply_text(result, "severity"), "blocker"));
}

/* The first blocker that the checks of @role found on @host (NULL: any); NULL if none. */
static char *
find_blocker(const DrainGuest *guest, const char *role, const char *host)
{
    size_t i;
    json_t *result;

    json_array_foreach (guest->results, i, result) {
        if (g_str_equal(reply_text(result, "role"), role) &&
            (!host || g_str_equal(reply_text(result, "host"), host)) && is_blocker(result))
            return g_strdup_printf("%s, %s: %s", reply_text(result, "check"),
                                   reply_text(result, "object"), reply_text(result, "evidence"));
    }
    return NULL;
}

char *
drain_guest_hindrance(const DrainGuest *guest)
{
    if (!g_str_equal(guest->state, "running"))
        return g_strdup_printf("only a guest that runs can be moved, it is %s", guest->state);
    return find_blocker(guest, "source", NULL);
}

static gboolean
is_allowed(const DrainGuest *guest, const char *host)
{
    const char *text = drain_guest_place(guest, "hosts");
    g_auto(GStrv) names = text ? g_strsplit(text, " ", -1) : NULL;
    gboolean found = !names;

    for (char **name = names; name && *name; name++)
        found = found || host_name_is_own(*name, host);
    return found;
}

static gboolean
is_blocked(const DrainGuest *guest, const char *host)
{
    size_t i;
    json_t *verdict;

    json_array_foreach (guest->verdicts, i, verdict) {
        if (g_str_equal(reply_text(verdict, "destination"), host))
            return g_str_equal(reply_text(verdict, "verdict"), "blocked");
    }
    return FALSE;
}

char *
drain_guest_obstacle(const DrainGuest *guest, const char *host)
{
    g_autofree char *blocker = find_blocker(guest, "destination", host);

    if (!is_allowed(guest, host))
        return g_strdup("its policy does not allow that host");
    if (blocker)
        return g_steal_pointer(&blocker);
    /* Of the way there, which the source was asked for. */
    if (is_blocked(guest, host) && (blocker = find_blocker(guest, "passage", NULL)))
        return g_steal_pointer(&blocker);
    return NULL;
}
