/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at files, pools and mounts; the group that may wait for an NFS server. */
#include "storprep/place_check.h"

#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "storprep/check_arrival.h"
#include "storprep/host_state.h"
#include "storprep/mount_table.h"
#include "storprep/network_path.h"
#include "storprep/qemu_conf.h"

static char *
remedy_for_file(const CheckArrival *arrival, const char *path)
{
    const char *source = arrival->facts->host_name;
    g_autofree char *host = check_word(source ? source : "SOURCE");
    g_autofree char *word = check_word(path);

    return g_strdup_printf("scp %s:%s %s  # or eject it from the guest's drive", host, word, word);
}

/* Files that stay where they are: a kernel, an ISO in a drive. */
static void
check_files(void *data, CheckReport *report)
{
    const CheckArrival *arrival = data;
    size_t i;
    json_t *file;

    if (!arrival->facts->files)
        check_unknown(report, CHECK_ARRIVAL_HOST, CHECK_NOT_TOLD);
    json_array_foreach (arrival->facts->files, i, file) {
        g_autofree char *object = g_strdup_printf("file '%s'", json_string_value(file));
        g_autoptr(GError) error = NULL;
        g_autofree char *remedy = remedy_for_file(arrival, json_string_value(file));

        if (!storage_pulse_check(arrival->checks->pulse, json_string_value(file),
                                 arrival->checks->mount_info, &error))
            check_unknown(report, object, "%s", error->message);
        else if (access(json_string_value(file), F_OK) == 0)
            check_pass(report, object, "is there");
        else
            check_fail(report, object, remedy, "is not there");
    }
}

static void
judge_backing(const CheckArrival *arrival, const char *path, const char *target,
              CheckReport *report)
{
    g_autofree char *object = g_strdup_printf("disk %s", target);
    g_autofree char *word = check_word(path);
    g_autofree char *remedy = g_strdup_printf("findmnt -T %s  # mount there what it is on", word);
    g_autoptr(GError) error = NULL;

    if (!storage_pulse_check(arrival->checks->pulse, path, arrival->checks->mount_info, &error))
        check_unknown(report, object, "%s", error->message);
    else if (access(path, F_OK) == 0)
        check_pass(report, object, "what its image is based on is there: %s", path);
    else
        check_fail(report, object, remedy, "what its image is based on is not there: %s", path);
}

/* A copy is whole; an image that is here already, or that is on no host, is opened with all that is
 * below it. */
static gboolean
is_opened_as_it_is(const CheckArrival *arrival, const json_t *disk)
{
    const char *migration = json_string_value(json_object_get(disk, "migration"));
    const char *path = json_string_value(json_object_get(disk, "path"));

    if (g_strcmp0(migration, "none") == 0)
        return TRUE;
    return path && *path == '/' &&
           storage_pulse_check(arrival->checks->pulse, path, arrival->checks->mount_info, NULL) &&
           access(path, F_OK) == 0;
}

static void
check_backing(void *data, CheckReport *report)
{
    const CheckArrival *arrival = data;
    size_t i, j;
    json_t *disk, *backing;

    if (!arrival->facts->disks)
        check_unknown(report, CHECK_ARRIVAL_HOST, CHECK_NOT_TOLD);
    json_array_foreach (arrival->facts->disks, i, disk) {
        const char *target = json_string_value(json_object_get(disk, "target"));

        if (!target || !is_opened_as_it_is(arrival, disk))
            continue;
        json_array_foreach (json_object_get(disk, "backing"), j, backing) {
            const char *path = json_string_value(json_object_get(backing, "path"));

            if (path && *path == '/')
                judge_backing(arrival, path, target, report);
        }
    }
}

static const StoragePool *
find_pool(const GPtrArray *pools, const json_t *wanted)
{
    for (guint i = 0; i < pools->len; i++) {
        const StoragePool *pool = pools->pdata[i];

        if (g_strcmp0(pool->name, json_string_value(json_object_get(wanted, "name"))) == 0)
            return pool;
    }
    return NULL;
}

static void
judge_pool(const StoragePool *pool, const json_t *wanted, CheckReport *report)
{
    const char *name = json_string_value(json_object_get(wanted, "name"));
    const char *path = json_string_value(json_object_get(wanted, "path"));
    g_autofree char *object = g_strdup_printf("storage pool '%s'", name);
    g_autofree char *word = check_word(name);
    g_autofree char *remedy = g_strdup_printf("virsh pool-start %s", word);

    if (!pool)
        check_fail(report, object, remedy, "is not active or not defined");
    else if (g_strcmp0(pool->path, path) != 0)
        check_fail(report, object, NULL, "is at %s here, and at %s on the guest's host",
                   pool->path ? pool->path : "no path", path ? path : "no path");
    else
        check_pass(report, object, "is active at %s", path);
}

static void
check_pools(void *data, CheckReport *report)
{
    const CheckArrival *arrival = data;
    g_autoptr(GError) error = NULL;
    size_t i;
    json_t *wanted;

    if (!arrival->facts->pools) {
        check_unknown(report, CHECK_ARRIVAL_HOST, CHECK_NOT_TOLD);
        return;
    }
    g_autoptr(GPtrArray) pools = hypervisor_list_pools(arrival->checks->hypervisor, &error);
    if (!pools) {
        check_unknown(report, CHECK_ARRIVAL_HOST, "%s", error->message);
        return;
    }
    json_array_foreach (arrival->facts->pools, i, wanted)
        judge_pool(find_pool(pools, wanted), wanted, report);
}

/* The options of the network mount under each of the guest's disks here; calls @judge for it. */
static void
for_each_network_disk(const CheckArrival *arrival, CheckReport *report,
                      void (*judge)(const CheckArrival *arrival, const char *object,
                                    const char *options, CheckReport *report))
{
    size_t i;
    json_t *disk;

    if (!arrival->facts->disks)
        check_unknown(report, CHECK_ARRIVAL_HOST, CHECK_NOT_TOLD);
    json_array_foreach (arrival->facts->disks, i, disk) {
        const char *path = json_string_value(json_object_get(disk, "path"));
        g_autoptr(NetworkMount) mount =
            path && *path == '/' ? network_path_find(path, arrival->checks->mount_info) : NULL;
        g_autofree char *object = g_strdup_printf("path '%s'", path ? path : "");

        if (mount)
            judge(arrival, object, mount->options, report);
    }
}

static void
judge_options(const CheckArrival *arrival, const char *object, const char *options,
              CheckReport *report)
{
    const char *bad = mount_options_danger(options);

    if (bad)
        check_fail(report, object, NULL, "lies on network storage mounted with '%s'", bad);
    else
        check_pass(report, object, "lies on network storage mounted with %s", options);
}

static void
check_options(void *data, CheckReport *report)
{
    for_each_network_disk(data, report, judge_options);
}

/* "vers=3" of the options that the kernel shows; other file systems have none. */
static void
judge_version(const CheckArrival *arrival, const char *object, const char *options,
              CheckReport *report)
{
    const char *found = strstr(options, "vers=");

    if (!found)
        check_pass(report, object, "lies on network storage that is no NFS");
    else if (found[strlen("vers=")] >= '4')
        check_pass(report, object, "lies on NFS %.3s", found + strlen("vers="));
    else
        check_fail(report, object, NULL,
                   "lies on NFS %c: locks depend on rpc.statd, and are forgotten when it restarts",
                   found[strlen("vers=")]);
}

static void
check_nfs_version(void *data, CheckReport *report)
{
    for_each_network_disk(data, report, judge_version);
}

static gboolean
is_allowed(const char *root)
{
    g_autofree char *path = g_strconcat(root, "/sys/fs/selinux/booleans/virt_use_nfs", NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && *text == '1';
}

static void
judge_boolean(const CheckArrival *arrival, const char *object, const char *options,
              CheckReport *report)
{
    g_autofree char *selinux = host_state_selinux(arrival->checks->root);

    if (!g_str_equal(selinux, "enforcing"))
        check_pass(report, object, "SELinux is %s", selinux);
    else if (is_allowed(arrival->checks->root))
        check_pass(report, object, "SELinux lets guests use NFS");
    else
        check_fail(report, object, NULL, "SELinux keeps guests from NFS: virt_use_nfs is off");
}

static void
check_boolean(void *data, CheckReport *report)
{
    for_each_network_disk(data, report, judge_boolean);
}

static void
judge_user(const CheckArrival *arrival, const char *object, const char *options,
           CheckReport *report)
{
    g_autofree char *path = g_strconcat(arrival->checks->root, QEMU_CONF_PATH, NULL);
    g_auto(QemuConf) conf = { 0 };
    g_autoptr(GError) error = NULL;
    uid_t uid;
    gid_t gid;

    qemu_conf_read(path, &conf);
    if (!arrival->facts->tells_qemu_user)
        check_unknown(report, object, CHECK_NOT_TOLD);
    else if (!qemu_conf_ids(&conf, &uid, &gid, &error))
        check_unknown(report, object, "%s", error->message);
    else if (uid == arrival->facts->qemu_user)
        check_pass(report, object, "QEMU runs as user %u on both hosts", uid);
    else
        check_fail(report, object, NULL, "QEMU runs as user %u here, and as %u on the guest's host",
                   uid, (unsigned)arrival->facts->qemu_user);
}

static void
check_user(void *data, CheckReport *report)
{
    for_each_network_disk(data, report, judge_user);
}

CheckGroup
place_check(const StorageChecks *checks, const GuestFacts *facts)
{
    static const Check list[] = {
        { "storage.pools-there", check_pools },       { "storage.nfs-options", check_options },
        { "storage.nfs-version", check_nfs_version }, { "storage.virt-use-nfs", check_boolean },
        { "storage.qemu-user-same", check_user },     { "guest.files-there", check_files },
        { "storage.backing-there", check_backing },   { 0 }
    };

    return check_arrival_group(checks, facts, list, NULL);
}
