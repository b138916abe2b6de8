/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the look of a progress bar. */
#include "common/cli/progress_bar.h"

#include <string.h>

#define BAR_CELLS     30U
#define BAR_CELLS_MIN 5U

/* Memory that the guest dirties is sent again, so what remains may exceed what there is. */
static guint64
sent_bytes(guint64 total, guint64 remaining)
{
    return remaining < total ? total - remaining : 0;
}

static guint64
all_sent(const MoveProgress *progress)
{
    return sent_bytes(progress->memory_total_bytes, progress->memory_remaining_bytes) +
           sent_bytes(progress->disk_total_bytes, progress->disk_remaining_bytes);
}

static guint64
all_bytes(const MoveProgress *progress)
{
    return progress->memory_total_bytes + progress->disk_total_bytes;
}

unsigned
progress_bar_percent(const MoveProgress *progress)
{
    guint64 total = all_bytes(progress);

    return total ? (unsigned)((double)all_sent(progress) * 100.0 / (double)total) : 0;
}

static char *
describe_numbers(const MoveProgress *progress)
{
    guint64 sent = all_sent(progress), total = all_bytes(progress);
    guint64 rate = progress->rate_bytes_per_second;
    g_autofree char *sent_text = g_format_size_full(sent, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *total_text = g_format_size_full(total, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *rate_text = g_format_size_full(rate, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *dirty_text =
        g_format_size_full(progress->dirty_rate_bytes_per_second, G_FORMAT_SIZE_IEC_UNITS);
    GString *text = g_string_new(NULL);

    if (progress->phase && g_strcmp0(progress->phase, "memory") != 0)
        g_string_append_printf(text, "%s  ", progress->phase);
    g_string_append_printf(text, "%3u %%  %s of %s", progress_bar_percent(progress), sent_text,
                           total_text);
    if (rate)
        g_string_append_printf(text, "  %s/s", rate_text);
    if (progress->dirty_rate_bytes_per_second)
        g_string_append_printf(text, "  %s/s dirtied", dirty_text);
    if (progress->seconds_left >= 0)
        g_string_append_printf(text, "  about %" G_GINT64_FORMAT " s left", progress->seconds_left);
    return g_string_free(text, FALSE);
}

static char *
draw_bar(unsigned percent, unsigned cells)
{
    GString *bar = g_string_new("[");

    for (unsigned i = 0; i < cells; i++)
        g_string_append_c(bar, i < percent * cells / 100 ? '#' : '.');
    g_string_append(bar, "]  ");
    return g_string_free(bar, FALSE);
}

/* GLib separates number and unit by a no-break space: one column, two bytes. */
static void
use_plain_spaces(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        gboolean no_break = strncmp(from, "\u00a0", 2) == 0;
        *to++ = no_break ? ' ' : *from;
        from += no_break;
    }
    *to = '\0';
}

char *
progress_bar_format(const MoveProgress *progress, unsigned columns)
{
    if (all_bytes(progress) == 0)
        return g_strndup(progress->phase ? progress->phase : "starting", columns);

    const unsigned frame = 4; /* brackets and two spaces */
    g_autofree char *numbers = describe_numbers(progress);
    use_plain_spaces(numbers);
    size_t used = strlen(numbers) + frame;
    if (columns < used + BAR_CELLS_MIN)
        return g_strndup(numbers, columns);
    g_autofree char *bar =
        draw_bar(progress_bar_percent(progress), MIN(columns - (unsigned)used, BAR_CELLS));
    return g_strconcat(bar, numbers, NULL);
}
