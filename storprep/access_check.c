/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges what a server of network storage lets QEMU's user and root do. */
#include "storprep/access_check.h"

#include "common/fault.h"
#include "storprep/network_path.h"

typedef struct {
    const StorageChecks *checks; /* borrowed */
    GuestFacts *facts;
    uid_t uid;     /* QEMU's */
    json_t *files; /* as file_access_try() tells */
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    guest_facts_free(context->facts);
    json_decref(context->files);
    g_free(context);
}

static const char *
text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));

    return value ? value : "";
}

/* What lies on network storage here; NULL if one of its servers does not answer. */
static json_t *
list_paths(const Context *context, GError **error)
{
    const StorageChecks *checks = context->checks;
    json_auto_t *paths = json_array();
    size_t i;
    json_t *disk;

    json_array_foreach (context->facts->disks, i, disk) {
        const char *path = text(disk, "path");
        g_autoptr(NetworkMount) mount =
            *path == '/' ? network_path_find(path, checks->mount_info) : NULL;

        if (mount && !storage_pulse_ask(checks->pulse, mount, error))
            return NULL;
        if (mount)
            json_array_append_new(paths, json_string(path));
    }
    return json_incref(paths);
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;
    g_autofree char *path = g_strconcat(context->checks->root, QEMU_CONF_PATH, NULL);
    g_auto(QemuConf) conf = { 0 };
    gid_t gid;

    if (!context->facts->disks) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "facts", NULL,
                  "the guest's host did not tell what disks it has");
        return CHECK_HINDERED;
    }
    json_auto_t *paths = list_paths(context, error);
    if (json_array_size(paths) == 0)
        return paths ? CHECK_NOTHING : CHECK_HINDERED;
    qemu_conf_read(path, &conf);
    if (qemu_conf_ids(&conf, &context->uid, &gid, error))
        context->files = context->checks->try_access(paths, context->uid, gid, error);
    return context->files ? CHECK_READY : CHECK_HINDERED;
}

static const json_t *
find_disk(const Context *context, const char *path)
{
    size_t i;
    json_t *disk;

    json_array_foreach (context->facts->disks, i, disk) {
        if (g_str_equal(text(disk, "path"), path))
            return disk;
    }
    return NULL;
}

typedef void (*Judge)(const Context *context, const json_t *file, const json_t *disk,
                      const char *object, CheckReport *report);

/* Calls @judge for each file; what is to be copied need not be there yet. */
static void
for_each_file(const Context *context, CheckReport *report, Judge judge)
{
    size_t i;
    json_t *file;

    json_array_foreach (context->files, i, file) {
        const json_t *disk = find_disk(context, text(file, "path"));
        g_autofree char *object = g_strdup_printf("path '%s'", text(file, "path"));

        if (json_is_true(json_object_get(file, "absent")) &&
            g_str_equal(text(disk, "migration"), "copy"))
            continue;
        judge(context, file, disk, object, report);
    }
}

static void
judge_rights(const Context *context, const json_t *file, const json_t *disk, const char *object,
             CheckReport *report)
{
    gboolean readable = json_is_true(json_object_get(file, "readable"));
    gboolean writable = json_is_true(json_object_get(file, "writable"));

    if (*text(file, "reason"))
        check_fail(report, object,
                   "findmnt  # mount the same storage here, or give QEMU's user a right to it",
                   "cannot be reached here: %s", text(file, "reason"));
    else if (readable && (writable || json_is_true(json_object_get(disk, "readOnly"))))
        check_pass(report, object, "QEMU's user %u may read%s it", context->uid,
                   writable ? " and write" : "");
    else
        check_fail(report, object, NULL, "QEMU's user %u may not %s it", context->uid,
                   readable ? "write" : "read");
}

static void
judge_locks(const Context *context, const json_t *file, const json_t *disk, const char *object,
            CheckReport *report)
{
    const json_t *lockable = json_object_get(file, "lockable");

    if (!lockable)
        check_unknown(report, object, "it could not be opened");
    else if (json_is_true(lockable))
        check_pass(report, object, "its server answers for locks");
    else
        check_fail(report, object, NULL, "its server has no locks, which QEMU takes on its images");
}

/* libvirt, as root, gives images to QEMU's user; what is that user's already needs no root. */
static void
judge_squash(const Context *context, const json_t *file, const json_t *disk, const char *object,
             CheckReport *report)
{
    json_int_t owner = json_integer_value(json_object_get(file, "owner"));

    if (*text(file, "reason"))
        check_unknown(report, object, "cannot be reached here: %s", text(file, "reason"));
    else if (json_is_true(json_object_get(file, "root")))
        check_pass(report, object, "its server lets root write");
    else if (owner == (json_int_t)context->uid)
        check_pass(report, object, "its server does not let root write, and it is QEMU's already");
    else
        check_fail(report, object, NULL,
                   "its server does not let root write (root_squash), and its owner is %u, not "
                   "QEMU's user %u",
                   (unsigned)owner, context->uid);
}

static void
check_rights(void *context, CheckReport *report)
{
    for_each_file(context, report, judge_rights);
}

static void
check_locks(void *context, CheckReport *report)
{
    for_each_file(context, report, judge_locks);
}

static void
check_squash(void *context, CheckReport *report)
{
    for_each_file(context, report, judge_squash);
}

CheckGroup
access_check(const StorageChecks *checks, const GuestFacts *facts)
{
    static const Check list[] = { { "storage.nfs-rights", check_rights },
                                  { "storage.nfs-locks", check_locks },
                                  { "storage.nfs-squash", check_squash },
                                  { 0 } };
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    context->facts = guest_facts_copy(facts);
    return (CheckGroup) { .object = "this host",
                          .checks = list,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}
