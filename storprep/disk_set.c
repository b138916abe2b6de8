/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the sum over a guest's disks. */
#include "storprep/disk_set.h"

typedef struct {
    const char *const *shared;
    const char *const *copy; /* NULL: whatever can be */
} Wish;

typedef enum {
    PART_NOTHING, /* nothing moves with it: empty, or the same medium is there */
    PART_SHARED,
    PART_COPIED,
} Part;

void
disk_set_verdict_clear(DiskSetVerdict *verdict)
{
    g_clear_pointer(&verdict->reason, g_free);
}

static const char *
find_wrong_copy(const Disk *disk, gboolean shared)
{
    if (shared)
        return "it is one file on both hosts, so that a copy would overwrite itself: leave it out "
               "of copyDisks";
    if (disk->read_only)
        return "it is read-only, which QEMU refuses to copy: leave it out of copyDisks";
    switch (disk->migration) {
    case DISK_COPY:
        return NULL;
    case DISK_NONE:
    case DISK_IMPOSSIBLE:
        return disk->reason;
    }
    g_return_val_if_reached(NULL);
}

static const char *
find_wrong_stay(const Disk *disk)
{
    switch (disk->migration) {
    case DISK_COPY:
        return "it is neither proven to be on both hosts nor to be copied: name it in copyDisks";
    case DISK_NONE:
        return NULL;
    case DISK_IMPOSSIBLE:
        return disk->reason;
    }
    g_return_val_if_reached(NULL);
}

/* NULL: there is nothing against it, and *ret_part is what it becomes. */
static const char *
judge_disk(const Disk *disk, const Wish *wish, Part *ret_part)
{
    gboolean shared = g_strv_contains(wish->shared, disk->target);
    gboolean copied = wish->copy ? g_strv_contains(wish->copy, disk->target)
                                 : !shared && disk->migration == DISK_COPY;

    if (copied) {
        *ret_part = PART_COPIED;
        return find_wrong_copy(disk, shared);
    }
    *ret_part = shared || (disk->storage == DISK_ON_NETWORK && !disk->read_only) ? PART_SHARED
                                                                                 : PART_NOTHING;
    if (shared)
        return disk->provable ? NULL
                              : "it is no plain file, which alone can be proven to be shared";
    return find_wrong_stay(disk);
}

static const char *
find_unknown(const GPtrArray *disks, const char *const *targets)
{
    for (; targets && *targets; targets++) {
        gboolean found = FALSE;

        for (guint i = 0; i < disks->len && !found; i++)
            found = g_str_equal(((const Disk *)disks->pdata[i])->target, *targets);
        if (!found)
            return *targets;
    }
    return NULL;
}

static DiskSetVerdict
refuse(const char *target, const char *reason)
{
    return (DiskSetVerdict) { DISK_SET_NONE, g_strdup_printf("disk '%s': %s", target, reason) };
}

void
disk_set_judge(const GPtrArray *disks, const char *const *shared, const char *const *copy,
               DiskSetVerdict *ret_verdict)
{
    static const char *const none[] = { NULL };
    const Wish wish = { shared ? shared : none, copy };
    const char *unknown = find_unknown(disks, shared);
    guint parts[PART_COPIED + 1] = { 0 };

    if (!unknown)
        unknown = find_unknown(disks, copy);
    if (unknown) {
        *ret_verdict = refuse(unknown, "the guest has none of that name");
        return;
    }
    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];
        Part part;
        const char *reason = judge_disk(disk, &wish, &part);

        if (reason) {
            *ret_verdict = refuse(disk->target, reason);
            return;
        }
        parts[part]++;
    }
    *ret_verdict = (DiskSetVerdict) { DISK_SET_SHARED, NULL };
    if (parts[PART_COPIED])
        ret_verdict->migration = parts[PART_SHARED] ? DISK_SET_MIXED : DISK_SET_COPY;
}

const char *
disk_set_migration_name(DiskSetMigration migration)
{
    switch (migration) {
    case DISK_SET_SHARED:
        return "shared";
    case DISK_SET_COPY:
        return "copy";
    case DISK_SET_MIXED:
        return "mixed";
    case DISK_SET_NONE:
        return "none";
    }
    g_return_val_if_reached("none");
}
