/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/drain_news.h"

#include "common/cli/journal.h"
#include "common/cli/output.h"

/* A daemon that does not answer must not hold up the drain. */
#define ANNOUNCE_SECONDS 3

typedef struct {
    const char *message_id; /* for `journalctl MESSAGE_ID=` */
    const char *kind;       /* as in the type Event of io.migprep.Network */
} Headline;

static const Headline started = { "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a30", "started" };
static const Headline moved = { "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a31", "moved" };
static const Headline failed = { "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a32", "failed" };
static const Headline degraded = { "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a33", "degraded" };
static const Headline stopped = { "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a34", "stopped" };
static const Headline drained = { "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a35", "drained" };
static const Headline blocked = { "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a36", "blocked" };
static const Headline cancelled = { "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a37", "cancelled" };

/* How an end is told; NULL: it is not. */
static const Headline *
headline_of(DrainOutcome outcome)
{
    switch (outcome) {
    case DRAIN_MOVED:
        return &moved;
    case DRAIN_DEGRADED:
        return &degraded;
    case DRAIN_HIBERNATED:
    case DRAIN_SHUT_DOWN:
        return &stopped;
    case DRAIN_LEFT:
    case DRAIN_FAILED:
        return &failed;
    case DRAIN_CANCELLED:
        return &cancelled;
    case DRAIN_GONE:
    case DRAIN_PENDING:
        return NULL;
    }
    g_return_val_if_reached(NULL);
}

/* The journal has it whatever becomes of this. */
static void
announce(DrainNews *news, const char *kind, const DrainGuest *guest, const char *sentence)
{
    g_autoptr(GError) error = NULL;

    if (!news->host || news->unheard)
        return;
    json_t *subject =
        guest ? json_pack("{s:s, s:s}", "name", guest->name, "uuid", guest->uuid) : json_null();
    const PeerCall call = {
        .service = SERVICE_NETWORK,
        .method = "Announce",
        .parameters =
            json_pack("{s:s, s:o, s:s}", "kind", kind, "guest", subject, "detail", sentence),
        .timeout_seconds = ANNOUNCE_SECONDS,
    };
    json_decref(peer_call(news->host, &call, &error));
    if (!error)
        return;
    news->unheard = TRUE;
    output_error(error);
}

static void
tell_guest(DrainNews *news, const Headline *headline, const DrainEvent *event, const char *sentence)
{
    const JournalEntry entry = { .message_id = headline->message_id,
                                 .event = event->kind == DRAIN_EVENT_OVER
                                              ? drain_outcome_name(event->outcome)
                                              : headline->kind,
                                 .guest = event->guest->name,
                                 .warning = event->error != NULL };

    journal_tell(&entry, "guest '%s' %s", event->guest->name, sentence);
    announce(news, headline->kind, event->guest, sentence);
}

void
drain_news_event(DrainNews *news, const DrainEvent *event)
{
    if (event->kind == DRAIN_EVENT_STARTED) {
        g_autofree char *sentence = g_strdup_printf("%s %s", event->host ? "moves to" : "begins to",
                                                    event->host ? event->host : event->text);
        tell_guest(news, &started, event, sentence);
    } else if (event->kind == DRAIN_EVENT_OVER && headline_of(event->outcome)) {
        const char *why = drain_event_reason(event);
        g_autofree char *sentence = g_strdup_printf(
            "%s%s%s%s%s", drain_outcome_name(event->outcome), event->host ? " to " : "",
            event->host ? event->host : "", why ? ": " : "", why ? why : "");
        tell_guest(news, headline_of(event->outcome), event, sentence);
    }
}

static void
tell_host(DrainNews *news, const Headline *headline, DrainResultKind kind, const char *sentence)
{
    const JournalEntry entry = { .message_id = headline->message_id,
                                 .event = drain_result_name(kind),
                                 .warning = kind != DRAIN_RESULT_DRAINED };

    journal_tell(&entry, "%s", sentence);
    announce(news, headline->kind, NULL, sentence);
}

void
drain_news_result(DrainNews *news, DrainResultKind kind)
{
    switch (kind) {
    case DRAIN_RESULT_DRAINED:
        tell_host(news, &drained, kind, "no guest runs on this host any more");
        return;
    case DRAIN_RESULT_PARTLY:
        tell_host(news, &blocked, kind, "not all guests could leave this host");
        return;
    case DRAIN_RESULT_BLOCKED:
        tell_host(news, &blocked, kind, "no guest could leave this host");
        return;
    case DRAIN_RESULT_CANCELLED:
        tell_host(news, &cancelled, kind, "emptying this host was cancelled");
        return;
    }
}
