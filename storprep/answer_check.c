/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has all servers that matter answer, beside each other. */
#include "storprep/answer_check.h"

#include "common/fault.h"
#include "common/limits.h"
#include "common/parallel.h"

#define HOST "this host"

typedef struct {
    const StorageChecks *checks; /* borrowed */
    CheckSubject *subject;       /* of a guest that is here; else NULL */
    GuestFacts *facts;           /* of one that is to come; else NULL */
    GPtrArray *mounts;           /* of NetworkMount * */
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    if (context->subject)
        check_subject_unref(context->subject);
    guest_facts_free(context->facts);
    g_clear_pointer(&context->mounts, g_ptr_array_unref);
    g_free(context);
}

static void
add_paths(const Context *context, const json_t *list, const char *member)
{
    size_t i;
    json_t *entry;

    json_array_foreach ((json_t *)list, i, entry) {
        const char *path = json_string_value(member ? json_object_get(entry, member) : entry);
        NetworkMount *mount =
            path && *path == '/' ? network_path_find(path, context->checks->mount_info) : NULL;

        if (mount)
            g_ptr_array_add(context->mounts, mount);
    }
}

/* The first mount of each server stands for all of them. */
static void
keep_one_of_each_server(GPtrArray *mounts)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < mounts->len;) {
        if (g_hash_table_add(seen, network_mount_server(mounts->pdata[i])))
            i++;
        else
            g_ptr_array_remove_index(mounts, i);
    }
}

static CheckReadiness
finish(const Context *context)
{
    keep_one_of_each_server(context->mounts);
    return context->mounts->len > 0 ? CHECK_READY : CHECK_NOTHING;
}

static CheckReadiness
prepare_guest(void *data, GError **error)
{
    Context *context = data;
    const Guest *guest = NULL;
    CheckReadiness readiness = check_subject_guest(context->subject, &guest, error);

    if (readiness != CHECK_READY)
        return readiness;
    if (!check_subject_mounts(context->subject, context->mounts, error))
        return CHECK_HINDERED;
    return finish(context);
}

static CheckReadiness
prepare_arrival(void *data, GError **error)
{
    Context *context = data;

    add_paths(context, context->facts->disks, "path");
    add_paths(context, context->facts->files, NULL);
    return finish(context);
}

static CheckReadiness
prepare_host(void *data, GError **error)
{
    Context *context = data;

    g_ptr_array_unref(context->mounts);
    context->mounts = network_path_list(context->checks->mount_info);
    return finish(context);
}

/* What each server said. */
typedef struct {
    const Context *context;
    GError *errors[LIMIT_SERVERS]; /* NULL: it answered */
} Answers;

static gboolean
ask_one(guint index, void *data, GError **error)
{
    Answers *answers = data;
    const Context *context = answers->context;

    (void)storage_pulse_ask(context->checks->pulse, context->mounts->pdata[index],
                            &answers->errors[index]);
    return TRUE;
}

static void
judge(const NetworkMount *mount, const GError *error, CheckReport *report)
{
    g_autofree char *server = network_mount_server(mount);
    g_autofree char *object = g_strdup_printf("server '%s'", server);

    if (error)
        check_fail(report, object, fault_remedy(error), "%s", fault_cause(error));
    else
        check_pass(report, object, "answers for %s", mount->target);
}

static void
check_servers(void *data, CheckReport *report)
{
    const Context *context = data;
    Answers answers = { .context = context };
    guint count = MIN(context->mounts->len, LIMIT_SERVERS);

    (void)parallel_run(count, ask_one, &answers, NULL);
    for (guint i = 0; i < count; i++) {
        judge(context->mounts->pdata[i], answers.errors[i], report);
        g_clear_error(&answers.errors[i]);
    }
    if (context->mounts->len > count)
        check_unknown(report, HOST, "has storage of more than %d servers", LIMIT_SERVERS);
}

static CheckGroup
group_new(const StorageChecks *checks, CheckReadiness (*prepare)(void *, GError **))
{
    static const Check list[] = { { "storage.server-answers", check_servers }, { 0 } };
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    context->mounts = g_ptr_array_new_with_free_func((GDestroyNotify)network_mount_free);
    return (CheckGroup) { .object = HOST,
                          .checks = list,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}

CheckGroup
answer_check_guest(const StorageChecks *checks, CheckSubject *subject)
{
    CheckGroup group = group_new(checks, prepare_guest);
    Context *context = group.context;

    context->subject = check_subject_ref(subject);
    group.object = check_subject_label(subject);
    return group;
}

CheckGroup
answer_check_arrival(const StorageChecks *checks, const GuestFacts *facts)
{
    CheckGroup group = group_new(checks, prepare_arrival);

    ((Context *)group.context)->facts = guest_facts_copy(facts);
    return group;
}

CheckGroup
answer_check_host(const StorageChecks *checks)
{
    return group_new(checks, prepare_host);
}
