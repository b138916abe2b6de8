/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the turns at a database and the groups that are committed together. */
#include "common/shared_commit.h"

#define GROUP_MAX 32

typedef struct {
    unsigned members; /* who began; with the turn, as the next two */
    unsigned kept;    /* whose changes are in it */
    GError *error;    /* why nothing of it counts */
    GMutex lock;      /* guards the rest */
    GCond changed;
    gboolean ended; /* and then nothing changes */
} Group;

struct SharedCommit {
    Database *database;
    gint waiting; /* to begin; atomic */
    GMutex turn;  /* held by who has the database; guards all below */
    GCond changed;
    Group *group;     /* the open one; NULL: none */
    unsigned readers; /* who waited for a group's end and have not read yet */
};

static Group *
group_new(void)
{
    Group *group = g_atomic_rc_box_new0(Group);

    g_mutex_init(&group->lock);
    g_cond_init(&group->changed);
    return group;
}

static void
group_clear(Group *group)
{
    g_clear_error(&group->error);
    g_mutex_clear(&group->lock);
    g_cond_clear(&group->changed);
}

static void
group_unref(Group *group)
{
    g_atomic_rc_box_release_full(group, (GDestroyNotify)group_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Group, group_unref)

static void
group_end(Group *group)
{
    g_mutex_lock(&group->lock);
    group->ended = TRUE;
    g_cond_broadcast(&group->changed);
    g_mutex_unlock(&group->lock);
}

/* FALSE: it failed, and *error is why, whatever it was. */
static gboolean
group_await(Group *group, GError **error)
{
    g_mutex_lock(&group->lock);
    while (!group->ended)
        g_cond_wait(&group->changed, &group->lock);
    g_mutex_unlock(&group->lock);
    if (!group->error)
        return TRUE;
    g_clear_error(error);
    g_propagate_error(error, g_error_copy(group->error));
    return FALSE;
}

/* @cause: why its transaction is gone, if that is known. */
static void
group_fail(Group *group, const GError *cause)
{
    if (cause && fault_code(cause) == FAULT_STORE_FAILED)
        group->error = g_error_copy(cause);
    else
        fault_set(&group->error, FAULT_STORE_FAILED, "lease database",
                  "see that its file system is writable and has space",
                  "what was to be written at once with others could not be");
}

SharedCommit *
shared_commit_new(Database *database)
{
    SharedCommit *commit = g_new0(SharedCommit, 1);

    commit->database = database;
    g_mutex_init(&commit->turn);
    g_cond_init(&commit->changed);
    return commit;
}

void
shared_commit_free(SharedCommit *commit)
{
    if (!commit)
        return;
    g_mutex_clear(&commit->turn);
    g_cond_clear(&commit->changed);
    g_free(commit);
}

static gboolean
run(SharedCommit *commit, const char *sql, GError **error)
{
    return database_run(commit->database, database_prepare(commit->database, error, sql, ""), NULL,
                        error);
}

/* Ends the open group, unless somebody comes who will. */
static void
commit_or_pass_on(SharedCommit *commit)
{
    Group *group = commit->group;

    if (!group->error && group->members < GROUP_MAX && shared_commit_waiting(commit) > 0)
        return;
    if (group->error || group->kept == 0 || !run(commit, "COMMIT", &group->error))
        (void)run(commit, "ROLLBACK", NULL);
    commit->group = NULL;
    g_cond_broadcast(&commit->changed);
    group_end(group);
    group_unref(group);
}

/* With the turn. FALSE: a group may be open all the same. */
static gboolean
join(SharedCommit *commit, GError **error)
{
    if (!commit->group && !run(commit, "BEGIN IMMEDIATE", error))
        return FALSE;
    if (!commit->group)
        commit->group = group_new();
    commit->group->members++;
    return run(commit, "SAVEPOINT member", error);
}

gboolean
shared_commit_begin(SharedCommit *commit, GError **error)
{
    g_atomic_int_inc(&commit->waiting);
    g_mutex_lock(&commit->turn);
    while (!commit->group && commit->readers > 0)
        g_cond_wait(&commit->changed, &commit->turn);
    (void)g_atomic_int_add(&commit->waiting, -1);
    if (join(commit, error))
        return TRUE;
    if (commit->group)
        commit_or_pass_on(commit);
    g_mutex_unlock(&commit->turn);
    return FALSE;
}

/* When a disk fails SQLite may give the whole transaction up, savepoints included: then nothing of
 * the group counts. */
static gboolean
leave(SharedCommit *commit, gboolean good, GError **error)
{
    Group *group = commit->group;

    if (good && run(commit, "RELEASE member", error)) {
        group->kept++;
        return TRUE;
    }
    if (!run(commit, "ROLLBACK TO member", NULL) || !run(commit, "RELEASE member", NULL))
        group_fail(group, error ? *error : NULL);
    return FALSE;
}

gboolean
shared_commit_end(SharedCommit *commit, gboolean good, GError **error)
{
    g_autoptr(Group) group = g_atomic_rc_box_acquire(commit->group);
    gboolean kept = leave(commit, good, error);

    commit_or_pass_on(commit);
    g_mutex_unlock(&commit->turn);
    return group_await(group, error) && kept;
}

void
shared_commit_begin_reading(SharedCommit *commit)
{
    g_mutex_lock(&commit->turn);
    if (!commit->group)
        return;
    commit->readers++;
    while (commit->group)
        g_cond_wait(&commit->changed, &commit->turn);
    if (--commit->readers == 0)
        g_cond_broadcast(&commit->changed);
}

void
shared_commit_end_reading(SharedCommit *commit)
{
    g_mutex_unlock(&commit->turn);
}

unsigned
shared_commit_waiting(SharedCommit *commit)
{
    return (unsigned)g_atomic_int_get(&commit->waiting);
}
