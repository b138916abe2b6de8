/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the questions behind a drain's plan. */
#include "common/cli/drain_survey.h"

#include "common/cli/check_batch.h"
#include "common/cli/reply.h"
#include "common/fault.h"
#include "common/parallel.h"

#define ASKERS 12 /* as many as survey guests: a daemon has workers for others, too */

typedef struct {
    const DrainQuestion *question;
    GPtrArray *guests; /* of DrainGuest * */
    GPtrArray *hosts;  /* of DrainHost * */
    int next;          /* atomic: the first guest that nobody asks about yet */
} Survey;

static json_t *
call(const DrainQuestion *question, Peer *peer, Service service, const char *method,
     json_t *parameters, GError **error)
{
    return peer_call(peer,
                     &(PeerCall) { .service = service,
                                   .method = method,
                                   .parameters = parameters,
                                   .timeout_seconds = PEER_CALL_SECONDS,
                                   .cancellable = question->cancellable },
                     error);
}

/* Guests. */

static gboolean
is_wanted(const DrainQuestion *question, const char *uuid, const char *state)
{
    if (question->only && !g_strv_contains((const char *const *)question->only, uuid))
        return FALSE;
    return g_str_equal(state, "running") || g_str_equal(state, "paused");
}

static GPtrArray *
list_guests(const DrainQuestion *question, GError **error)
{
    json_auto_t *reply =
        call(question, question->source, SERVICE_STORAGE, "ListGuests", NULL, error);
    size_t i;
    json_t *entry;

    if (!reply)
        return NULL;
    GPtrArray *guests = g_ptr_array_new_with_free_func((GDestroyNotify)drain_guest_free);
    json_array_foreach (json_object_get(reply, "guests"), i, entry) {
        const json_t *guest = json_object_get(entry, "guest");
        const char *state = reply_text(entry, "state");

        if (is_wanted(question, reply_text(guest, "uuid"), state))
            g_ptr_array_add(guests, drain_guest_new(reply_text(guest, "name"),
                                                    reply_text(guest, "uuid"), state));
    }
    return guests;
}

static void
take_checks(GPtrArray *guests, const GPtrArray *surveys)
{
    for (guint i = 0; i < guests->len; i++) {
        DrainGuest *guest = guests->pdata[i];
        const CheckSurvey *survey = surveys->pdata[i];

        guest->results = json_incref(survey->results);
        guest->verdicts = json_incref(survey->verdicts);
        for (int service = 0; service < SERVICE_COUNT; service++)
            guest->facts[service] = json_incref(survey->facts[service]);
    }
}

static void
check_guests(const DrainQuestion *question, GPtrArray *guests)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    const CheckPlan plan = { .source = question->source,
                             .destinations = question->destinations,
                             .cancellable = question->cancellable };

    for (guint i = 0; i < guests->len; i++)
        g_strv_builder_add(builder, ((DrainGuest *)guests->pdata[i])->uuid);
    g_auto(GStrv) uuids = g_strv_builder_end(builder);
    g_autoptr(GPtrArray) surveys = check_batch_run(&plan, uuids);
    take_checks(guests, surveys);
}

/* Which disks are on storage that all hosts share. */

static const json_t *
find_image(const json_t *images, const char *path)
{
    size_t i;
    json_t *image;

    json_array_foreach (images, i, image) {
        if (g_str_equal(reply_text(image, "path"), path))
            return image;
    }
    return NULL;
}

static gboolean
is_same(const json_t *here, const json_t *there)
{
    return here && there && json_is_true(json_object_get(there, "found")) &&
           json_equal(json_object_get(here, "inode"), json_object_get(there, "inode")) &&
           json_equal(json_object_get(here, "headDigest"), json_object_get(there, "headDigest"));
}

/* A host that may not or cannot tell shares nothing, as far as room for copies goes; whether it
 * does is proven when the guest moves. */
static void
note_copies(const Survey *survey, DrainGuest *guest, Peer *destination, const json_t *paths)
{
    const json_t *told = json_object_get(guest->facts[SERVICE_STORAGE], "images");
    json_auto_t *reply = call(survey->question, destination, SERVICE_STORAGE, "IdentifyImages",
                              json_pack("{s:O}", "paths", paths), NULL);
    size_t i;
    json_t *path;

    json_array_foreach (paths, i, path) {
        const char *text = json_string_value(path);

        if (!is_same(find_image(told, text), find_image(json_object_get(reply, "images"), text)))
            g_hash_table_add(guest->copied, g_strdup(text));
    }
}

static void
compare_images(const Survey *survey, DrainGuest *guest)
{
    json_auto_t *copies = drain_guest_copies(guest);
    json_auto_t *paths = json_array();
    size_t i;
    json_t *disk;

    json_array_foreach (copies, i, disk)
        json_array_append(paths, json_object_get(disk, "path"));
    guest->copied = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint k = 0; json_array_size(paths) > 0 && k < survey->question->destinations->len; k++) {
        if (!((DrainHost *)survey->hosts->pdata[k])->failure)
            note_copies(survey, guest, survey->question->destinations->pdata[k], paths);
    }
}

static void
ask_about(const Survey *survey, DrainGuest *guest)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *policy = call(survey->question, survey->question->source, SERVICE_STORAGE,
                               "GetPolicy", json_pack("{s:s}", "guest", guest->uuid), &error);

    if (policy)
        guest->values = json_incref(json_object_get(policy, "values"));
    else
        g_info("the policy of guest '%s' is not known: %s", guest->name, error->message);
    compare_images(survey, guest);
}

static gboolean
ask_some(guint asker, void *data, GError **error)
{
    Survey *survey = data;

    for (;;) {
        guint i = (guint)g_atomic_int_add(&survey->next, 1);

        if (i >= survey->guests->len)
            return TRUE;
        ask_about(survey, survey->guests->pdata[i]);
    }
}

/* Hosts. */

static gboolean
ask_host(guint index, void *data, GError **error)
{
    const Survey *survey = data;
    DrainHost *host = survey->hosts->pdata[index];
    Peer *peer = survey->question->destinations->pdata[index];

    host->load =
        call(survey->question, peer, SERVICE_STORAGE, "DescribeHost", NULL, &host->failure);
    json_auto_t *networks = host->load ? call(survey->question, peer, SERVICE_NETWORK,
                                              "ListPhysicalNetworks", NULL, &host->failure)
                                       : NULL;
    host->networks = json_incref(json_object_get(networks, "networks"));
    return TRUE;
}

DrainPlan *
drain_survey(const DrainQuestion *question, const DrainRules *rules, GError **error)
{
    Survey survey = { .question = question, .guests = list_guests(question, error) };

    if (!survey.guests)
        return NULL;
    survey.hosts = g_ptr_array_new();
    for (guint i = 0; i < question->destinations->len; i++)
        g_ptr_array_add(survey.hosts, drain_host_new(peer_host(question->destinations->pdata[i])));
    (void)parallel_run(survey.hosts->len, ask_host, &survey, NULL);
    check_guests(question, survey.guests);
    (void)parallel_run(MIN(ASKERS, survey.guests->len), ask_some, &survey, NULL);
    return drain_plan_new(survey.guests, survey.hosts, rules);
}
