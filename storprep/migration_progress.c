/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the figures of a migration under way, as callers get them. */
#include "storprep/migration_progress.h"

const char *
migration_phase_name(MigrationPhase phase)
{
    static const char *const names[] = { "queued",    "preparing", "disks",     "memory",
                                         "suspended", "postcopy",  "cancelling" };

    return names[phase];
}

MigrationPhase
migration_phase_of(const MigrationProgress *progress)
{
    if (progress->memory_total_bytes)
        return MIGRATION_PHASE_MEMORY;
    return progress->disk_total_bytes ? MIGRATION_PHASE_DISKS : MIGRATION_PHASE_PREPARING;
}

gint64
migration_seconds_left(const MigrationProgress *progress)
{
    guint64 left = progress->memory_remaining_bytes + progress->disk_remaining_bytes;
    guint64 gain = progress->rate_bytes_per_second > progress->dirty_rate_bytes_per_second
                       ? progress->rate_bytes_per_second - progress->dirty_rate_bytes_per_second
                       : 0;

    if (!gain || !(progress->memory_total_bytes + progress->disk_total_bytes))
        return -1;
    return (gint64)(left / gain + (left % gain != 0));
}

json_t *
migration_progress_pack(MigrationPhase phase, const MigrationProgress *progress)
{
    const struct {
        const char *name;
        guint64 value;
    } figures[] = {
        { "memoryTotalBytes", progress->memory_total_bytes },
        { "memoryRemainingBytes", progress->memory_remaining_bytes },
        { "diskTotalBytes", progress->disk_total_bytes },
        { "diskRemainingBytes", progress->disk_remaining_bytes },
        { "rateBytesPerSecond", progress->rate_bytes_per_second },
        { "dirtyRateBytesPerSecond", progress->dirty_rate_bytes_per_second },
        { "downtimeMilliseconds", progress->downtime_msec },
        { "iteration", progress->iteration },
        { "throttlePercent", progress->throttle_percent },
    };
    json_t *record = json_pack("{s:s}", "phase", migration_phase_name(phase));
    gint64 left = migration_seconds_left(progress);

    for (size_t i = 0; i < G_N_ELEMENTS(figures); i++)
        json_object_set_new(record, figures[i].name, json_integer((json_int_t)figures[i].value));
    if (left >= 0)
        json_object_set_new(record, "secondsLeft", json_integer(left));
    return record;
}
