/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at what the directories lie on, and how they are labelled. */
#include "storprep/directory_check.h"

#include <sys/xattr.h>

#include "common/fault.h"
#include "storprep/check_arrival.h"
#include "storprep/host_state.h"
#include "storprep/sector_size.h"

#define LABEL_BYTES 256

char *
directory_label_read(const char *path)
{
    char label[LABEL_BYTES];
    ssize_t length = getxattr(path, "security.selinux", label, sizeof label - 1);

    return length > 0 ? g_strndup(label, (gsize)length) : NULL;
}

static const char *
text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));

    return value ? value : "";
}

/* Servers that are away are waited for by one thread, whose checks are then unknown. */
static CheckReadiness
prepare(void *data, GError **error)
{
    const CheckArrival *arrival = data;
    size_t i;
    json_t *disk;

    json_array_foreach (arrival->facts->disks, i, disk) {
        const char *path = text(disk, "path");

        if (*path == '/' &&
            !storage_pulse_check(arrival->checks->pulse, path, arrival->checks->mount_info, error))
            return CHECK_HINDERED;
    }
    return CHECK_READY;
}

typedef void (*Judge)(const CheckArrival *arrival, const char *path, const char *directory,
                      CheckReport *report);

/* Calls @judge for each path that a disk is to be copied to. */
static void
for_each_copy(const CheckArrival *arrival, CheckReport *report, Judge judge)
{
    size_t i;
    json_t *disk;

    if (!arrival->facts->disks)
        check_unknown(report, CHECK_ARRIVAL_HOST, CHECK_NOT_TOLD);
    json_array_foreach (arrival->facts->disks, i, disk) {
        const char *path = text(disk, "path");
        g_autofree char *directory = g_path_get_dirname(path);

        if (*path == '/' && g_str_equal(text(disk, "migration"), "copy"))
            judge(arrival, path, directory, report);
    }
}

/* What the guest's host told of the storage under @path; 0: nothing. */
static unsigned
find_told(const CheckArrival *arrival, const char *path)
{
    size_t i;
    json_t *entry;

    json_array_foreach (arrival->facts->sectors, i, entry) {
        if (g_str_equal(text(entry, "path"), path))
            return (unsigned)json_integer_value(json_object_get(entry, "bytes"));
    }
    return 0;
}

static void
judge_sectors(const CheckArrival *arrival, const char *path, const char *directory,
              CheckReport *report)
{
    g_autofree char *object = g_strdup_printf("directory '%s'", directory);
    g_autofree char *word = check_word(directory);
    g_autofree char *remedy = g_strdup_printf(
        "lsblk -o NAME,LOG-SEC,MOUNTPOINTS  # copy it elsewhere than to %s: --disk", word);
    unsigned here = sector_size_find(arrival->checks->root, directory);
    unsigned there = find_told(arrival, path);

    if (!here)
        check_pass(report, object, "lies on no block device of this host, which has sectors");
    else if (!there && here > 512)
        check_unknown(report, object,
                      "has sectors of %u bytes; those of the guest's host are not told", here);
    else if (here <= MAX(there, 512))
        check_pass(report, object, "has sectors of %u bytes", here);
    else
        check_fail(report, object, remedy,
                   "has sectors of %u bytes, on the guest's host they have %u: what the guest "
                   "writes in smaller pieces is read first, and an odd size is refused",
                   here, there);
}

static void
check_sectors(void *data, CheckReport *report)
{
    for_each_copy(data, report, judge_sectors);
}

/* Types of directories that the policy lets guests go through. */
static gboolean
is_for_guests(const char *label)
{
    static const char *const types[] = { "virt_image_t", "svirt_image_t",    "virt_content_t",
                                         "nfs_t",        "virt_var_lib_t",   "cifs_t",
                                         "fusefs_t",     "container_file_t", NULL };
    g_auto(GStrv) parts = g_strsplit(label, ":", 4);

    return g_strv_length(parts) >= 3 && g_strv_contains((const char *const *)types, parts[2]);
}

static void
judge_label(const CheckArrival *arrival, const char *path, const char *directory,
            CheckReport *report)
{
    g_autofree char *object = g_strdup_printf("directory '%s'", directory);
    g_autofree char *selinux = host_state_selinux(arrival->checks->root);
    g_autofree char *label = arrival->checks->read_label(directory);
    g_autofree char *pattern = g_strconcat(directory, "(/.*)?", NULL);
    g_autofree char *quoted = g_shell_quote(pattern);
    g_autofree char *word = check_word(directory);
    g_autofree char *remedy =
        g_strdup_printf("semanage fcontext -a -t virt_image_t %s; restorecon -R %s", quoted, word);

    if (!g_str_equal(selinux, "enforcing"))
        check_pass(report, object, "SELinux is %s", selinux);
    else if (!label)
        check_unknown(report, object, "its SELinux label cannot be read");
    else if (is_for_guests(label))
        check_pass(report, object, "is labelled %s", label);
    else
        check_fail(report, object, remedy, "is labelled %s, which SELinux may keep guests from",
                   label);
}

static void
check_label(void *data, CheckReport *report)
{
    for_each_copy(data, report, judge_label);
}

CheckGroup
directory_check(const StorageChecks *checks, const GuestFacts *facts)
{
    static const Check list[] = { { "storage.sectors-fit", check_sectors },
                                  { "storage.target-label", check_label },
                                  { 0 } };

    return check_arrival_group(checks, facts, list, prepare);
}
