/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells what becomes of leases and guests. */
#include "netprep/bulletin.h"

#include "common/fault.h"
#include "common/limits.h"

struct Bulletin {
    GMutex lock;
    GPtrArray *watchers; /* of VarlinkCall * */
    guint64 posted[BULLETIN_REPLACED + 1];
};

typedef struct {
    const char *name;       /* as in the type Event */
    const char *message_id; /* for `journalctl MESSAGE_ID=` */
    GLogLevelFlags level;
    const char *words; /* what it says of a guest */
} Headline;

static const Headline headlines[] = {
    [BULLETIN_RESERVED] = { "reserved", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a01", G_LOG_LEVEL_MESSAGE,
                            "has functions reserved for it" },
    [BULLETIN_DETACHED] = { "detached", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a02", G_LOG_LEVEL_MESSAGE,
                            "runs on VirtIO, its functions are held" },
    [BULLETIN_ATTACHED] = { "attached", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a03", G_LOG_LEVEL_MESSAGE,
                            "has its reserved functions" },
    [BULLETIN_RETURNED] = { "returned", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a04", G_LOG_LEVEL_MESSAGE,
                            "has its functions back" },
    [BULLETIN_DEGRADED] = { "degraded", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a05", G_LOG_LEVEL_WARNING,
                            "is degraded" },
    [BULLETIN_RECOVERED] = { "recovered", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a06", G_LOG_LEVEL_MESSAGE,
                             "is not degraded any more" },
    [BULLETIN_EXPIRED] = { "expired", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a07", G_LOG_LEVEL_MESSAGE,
                           "has a lease that nobody renewed" },
    [BULLETIN_RELEASED] = { "released", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a08", G_LOG_LEVEL_MESSAGE,
                            "holds no functions here any more" },
    [BULLETIN_FORCED] = { "forced", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a09", G_LOG_LEVEL_WARNING,
                          "had its lease ended by force" },
    [BULLETIN_LEAK] = { "leak", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a0a", G_LOG_LEVEL_WARNING,
                        "may have lost a function" },
    [BULLETIN_REPLACED] = { "replaced", "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a0b", G_LOG_LEVEL_MESSAGE,
                            "is to have another function" },
};

Bulletin *
bulletin_new(void)
{
    Bulletin *bulletin = g_new0(Bulletin, 1);

    g_mutex_init(&bulletin->lock);
    bulletin->watchers = g_ptr_array_new_with_free_func((GDestroyNotify)varlink_call_unref);
    return bulletin;
}

void
bulletin_free(Bulletin *bulletin)
{
    if (!bulletin)
        return;
    g_ptr_array_unref(bulletin->watchers);
    g_mutex_clear(&bulletin->lock);
    g_free(bulletin);
}

/* @guest is stolen. */
static json_t *
make_event(const char *kind, const char *lease, json_t *guest, const char *detail)
{
    return json_pack("{s:{s:s, s:s?, s:o, s:s, s:I}}", "event", "kind", kind, "lease", lease,
                     "guest", guest, "detail", detail ? detail : "", "atUnixMilliseconds",
                     (json_int_t)(g_get_real_time() / 1000));
}

static json_t *
make_guest(const char *name, const char *uuid)
{
    return name ? json_pack("{s:s, s:s}", "name", name, "uuid", uuid) : json_null();
}

static json_t *
make_lease_event(BulletinKind kind, const Lease *lease, const char *detail)
{
    return make_event(
        headlines[kind].name, lease ? lease->id : NULL,
        make_guest(lease ? lease->guest_name : NULL, lease ? lease->guest_uuid : NULL), detail);
}

static void
write_journal(const Headline *headline, const Lease *lease, const char *detail)
{
    g_autofree char *message =
        lease ? g_strdup_printf("guest '%s' %s%s%s (lease %s)", lease->guest_name, headline->words,
                                detail ? ": " : "", detail ? detail : "", lease->id)
              : g_strdup(detail ? detail : headline->words);

    g_log_structured(G_LOG_DOMAIN, headline->level, "MESSAGE_ID", headline->message_id,
                     "MIGPREP_EVENT", headline->name, "MIGPREP_LEASE", lease ? lease->id : "",
                     "MIGPREP_GUEST", lease ? lease->guest_name : "", "MIGPREP_GUEST_UUID",
                     lease ? lease->guest_uuid : "", "MESSAGE", "%s", message);
}

/* With the lock. */
static void
forget_gone(Bulletin *bulletin)
{
    for (guint i = bulletin->watchers->len; i > 0; i--) {
        if (varlink_call_is_closed(bulletin->watchers->pdata[i - 1]))
            g_ptr_array_remove_index_fast(bulletin->watchers, i - 1);
    }
}

/* With the lock. */
static void
notify(Bulletin *bulletin, const json_t *event)
{
    forget_gone(bulletin);
    for (guint i = 0; i < bulletin->watchers->len; i++)
        varlink_call_notify(bulletin->watchers->pdata[i], json_deep_copy(event));
}

void
bulletin_post(Bulletin *bulletin, BulletinKind kind, const Lease *lease, const char *detail)
{
    json_auto_t *event = make_lease_event(kind, lease, detail);

    write_journal(&headlines[kind], lease, detail);
    g_mutex_lock(&bulletin->lock);
    bulletin->posted[kind]++;
    notify(bulletin, event);
    g_mutex_unlock(&bulletin->lock);
}

void
bulletin_announce(Bulletin *bulletin, const char *kind, const char *guest_name,
                  const char *guest_uuid, const char *detail)
{
    json_auto_t *event = make_event(kind, NULL, make_guest(guest_name, guest_uuid), detail);

    g_mutex_lock(&bulletin->lock);
    notify(bulletin, event);
    g_mutex_unlock(&bulletin->lock);
}

void
bulletin_write_metrics(Bulletin *bulletin, OpenMetrics *metrics)
{
    open_metrics_family(metrics, METRIC_COUNTER, "events", "What became of leases");
    g_mutex_lock(&bulletin->lock);
    for (gsize kind = 0; kind < G_N_ELEMENTS(bulletin->posted); kind++)
        open_metrics_sample(metrics, (double)bulletin->posted[kind], "kind", headlines[kind].name,
                            NULL);
    g_mutex_unlock(&bulletin->lock);
}

gboolean
bulletin_watch(Bulletin *bulletin, VarlinkCall *call, GError **error)
{
    g_mutex_lock(&bulletin->lock);
    forget_gone(bulletin);
    gboolean room = bulletin->watchers->len < LIMIT_WATCHERS;
    if (room) {
        varlink_call_notify(call, make_event("watching", NULL, json_null(), NULL));
        g_ptr_array_add(bulletin->watchers, varlink_call_ref(call));
    }
    g_mutex_unlock(&bulletin->lock);
    if (!room)
        fault_set(error, FAULT_LIMIT_EXCEEDED, "Watch", "end some of them",
                  "%d callers watch already", LIMIT_WATCHERS);
    return room;
}

void
bulletin_tell(VarlinkCall *call, BulletinKind kind, const Lease *lease, const char *detail)
{
    varlink_call_notify(call, make_lease_event(kind, lease, detail));
}

void
bulletin_prune(Bulletin *bulletin)
{
    g_mutex_lock(&bulletin->lock);
    forget_gone(bulletin);
    g_mutex_unlock(&bulletin->lock);
}
