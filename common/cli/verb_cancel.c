/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep cancel`: stops the jobs that move a guest, and sees them undo what they did. */
#include <stdio.h>

#include "common/cli/exit_status.h"
#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/cli/verb.h"
#include "common/fault.h"

/* What an administrator named: a job, or a guest whose moving jobs are meant. */
typedef struct {
    const char *word;
    char *uuid; /* NULL: @word is no guest of this host */
    gboolean json;
    unsigned found;
    GError *failure; /* the first */
} Cancel;

static void
cancel_clear(Cancel *cancel)
{
    g_free(cancel->uuid);
    g_clear_error(&cancel->failure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cancel, cancel_clear)

static json_t *
call(Peer *peer, Service service, const char *method, json_t *parameters, GError **error)
{
    return peer_call(peer,
                     &(PeerCall) { .service = service,
                                   .method = method,
                                   .parameters = parameters,
                                   .timeout_seconds = PEER_CALL_SECONDS },
                     error);
}

static void
keep_first(Cancel *cancel, GError *error)
{
    if (cancel->failure)
        g_error_free(error);
    else
        cancel->failure = error;
}

static gboolean
is_meant(const Cancel *cancel, const json_t *job)
{
    const char *kind = reply_text(job, "kind");

    if (g_strcmp0(reply_text(job, "state"), "running") != 0)
        return FALSE;
    if (g_strcmp0(reply_text(job, "job"), cancel->word) == 0)
        return TRUE;
    return cancel->uuid && g_strcmp0(reply_text(job, "subject"), cancel->uuid) == 0 &&
           (g_strcmp0(kind, "Migrate") == 0 || g_strcmp0(kind, "Detach") == 0);
}

static void
report(const Cancel *cancel, const json_t *job, const char *outcome, const char *detail)
{
    if (cancel->json)
        output_json_line(stdout, json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "cancel", "job",
                                           reply_text(job, "job"), "kind", reply_text(job, "kind"),
                                           "outcome", outcome, "detail", detail));
    else
        printf("%s job %s: %s: %s\n", reply_text(job, "kind"), reply_text(job, "job"), outcome,
               detail);
}

static void
ignore_progress(const json_t *parameters, void *data)
{
}

/* The job tells itself what it undid; it may also have been too far to stop. */
static void
see_end(Cancel *cancel, Peer *peer, Service service, const json_t *job)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *reply =
        peer_call(peer,
                  &(PeerCall) { .service = service,
                                .method = "WatchJob",
                                .parameters = json_pack("{s:s}", "job", reply_text(job, "job")),
                                .progress = ignore_progress },
                  &error);

    if (reply) {
        report(cancel, job, "finished", "it had ended before it could be cancelled");
        g_autofree char *object = g_strdup_printf("job %s", reply_text(job, "job"));
        fault_set(&error, FAULT_JOB_NOT_FOUND, object, "see 'migprep status'",
                  "too late to cancel, it is finished");
    } else if (fault_code(error) == FAULT_CANCELLED) {
        report(cancel, job, "cancelled", fault_cause(error));
        return;
    } else {
        report(cancel, job, "failed", fault_cause(error));
    }
    keep_first(cancel, g_steal_pointer(&error));
}

static void
cancel_job(Cancel *cancel, Peer *peer, Service service, const json_t *job)
{
    GError *error = NULL;
    json_auto_t *reply =
        call(peer, service, "CancelJob", json_pack("{s:s}", "job", reply_text(job, "job")), &error);

    cancel->found++;
    if (reply)
        see_end(cancel, peer, service, job);
    else
        keep_first(cancel, error);
}

static void
cancel_jobs(Cancel *cancel, Peer *peer, Service service)
{
    GError *error = NULL;
    json_auto_t *reply = call(peer, service, "ListJobs", NULL, &error);
    size_t i;
    json_t *job;

    if (!reply) {
        keep_first(cancel, error);
        return;
    }
    json_array_foreach (json_object_get(reply, "jobs"), i, job) {
        if (is_meant(cancel, job))
            cancel_job(cancel, peer, service, job);
    }
}

/* A word that is no guest is a job's name, so that is no failure yet. */
static void
find_guest(Cancel *cancel, Peer *peer)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *reply =
        call(peer, SERVICE_STORAGE, "Describe", json_pack("{s:s}", "guest", cancel->word), &error);

    if (reply)
        cancel->uuid = g_strdup(reply_text(json_object_get(reply, "guest"), "uuid"));
    else if (fault_code(error) != FAULT_GUEST_NOT_FOUND)
        keep_first(cancel, g_steal_pointer(&error));
}

static void
judge_nothing_found(Cancel *cancel)
{
    if (cancel->found || cancel->failure)
        return;
    if (cancel->uuid) {
        g_autofree char *object = g_strdup_printf("guest '%s'", cancel->word);
        fault_set(&cancel->failure, FAULT_JOB_NOT_FOUND, object, "see 'migprep status'",
                  "is not being moved from this host");
        return;
    }
    g_autofree char *object = g_strdup_printf("'%s'", cancel->word);
    fault_set(&cancel->failure, FAULT_GUEST_NOT_FOUND, object,
              "list guests with 'virsh list --all' and jobs with 'migprep status'",
              "neither a guest nor a running job of this host");
}

static int
run(int argc, char **argv)
{
    g_auto(Connection) connection = { 0 };
    g_auto(Cancel) cancel = { 0 };
    const GOptionEntry entries[] = {
        { "json", 0, 0, G_OPTION_ARG_NONE, &cancel.json, "print JSON Lines", NULL },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "GUEST | JOB",
        .summary = "Cancels the jobs that move a guest away from this host, or one job, and tells\n"
                   "what they put back. The command that started the move undoes the rest.",
        .examples = "Examples:\n  migprep cancel web1\n"
                    "  migprep cancel 2f0c1c0e-5d0b-4d5e-9d59-0e8f6c1f6a11\n",
        .entries = entries,
        .connection = &connection,
    };

    if (!verb_parse(&options, argc, &argv, 1))
        return EXIT_STATUS_USAGE;
    g_autoptr(Peer) peer = connection_open_local(&connection);
    cancel.word = argv[1];
    find_guest(&cancel, peer);
    cancel_jobs(&cancel, peer, SERVICE_STORAGE);
    cancel_jobs(&cancel, peer, SERVICE_NETWORK);
    judge_nothing_found(&cancel);
    return cancel.failure ? verb_fail(cancel.failure, cancel.json) : EXIT_STATUS_OK;
}

const Verb verb_cancel = { "cancel", "stop moving a guest", run };
