/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/bandwidth.h"

#include "common/fault.h"
#include "common/program.h"

#define SAMPLE_MEBIBYTES 32
#define MIB              ((gsize)1 << 20)
#define SECONDS          20

/* Connecting takes its time, too, so an empty @sample is what to compare with. */
static gboolean
send(const char *host, const char *ssh, const char *sample, GCancellable *cancellable,
     gint64 *ret_usec, GError **error)
{
    const char *argv[] = { ssh ? ssh : "ssh",
                           "-T",
                           "-o",
                           "BatchMode=yes",
                           "-o",
                           "Compression=no",
                           "--",
                           host,
                           "dd",
                           "of=/dev/null",
                           "bs=1M",
                           "status=none",
                           NULL };
    g_auto(GStrv) environment = g_get_environ(); /* ssh may need the user's agent */
    g_auto(ProgramResult) result = { 0 };
    gint64 start = g_get_monotonic_time();

    if (!program_run_with(argv, (const char *const *)environment, sample, SECONDS, cancellable,
                          &result, error))
        return FALSE;
    *ret_usec = g_get_monotonic_time() - start;
    if (result.exit_status == 0)
        return TRUE;
    g_autofree char *object = g_strdup_printf("bandwidth to host %s", host);
    fault_set(error, FAULT_PROGRAM_FAILED, object, "name it: --bandwidth", "%s",
              g_strchomp(result.error_text));
    return FALSE;
}

gboolean
bandwidth_measure(const char *host, const char *ssh, GCancellable *cancellable,
                  guint64 *ret_mebibytes, GError **error)
{
    g_autofree char *sample = g_strnfill(SAMPLE_MEBIBYTES * MIB, 'x');
    gint64 empty_usec = 0, full_usec = 0;

    if (!send(host, ssh, "", cancellable, &empty_usec, error) ||
        !send(host, ssh, sample, cancellable, &full_usec, error))
        return FALSE;
    *ret_mebibytes = SAMPLE_MEBIBYTES * (guint64)G_USEC_PER_SEC /
                     (guint64)MAX(full_usec - empty_usec, G_TIME_SPAN_MILLISECOND);
    return TRUE;
}
