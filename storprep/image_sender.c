/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns qemu-img's arguments and words when it copies or compares over a connection. */
#include "storprep/image_sender.h"

#include <errno.h>
#include <string.h>

#include "common/fault.h"
#include "common/program.h"
#include "storprep/image_chain.h"

#define SECONDS_AT_LEAST 600
#define SLOWEST_BYTES    (1 << 20) /* per second */
#define DIFFERENT        1         /* exit status of qemu-img compare */

/* Standard input is the connection. */
#define OTHER_END "driver=raw,file.driver=nbd,file.server.type=fd,file.server.str=0"

typedef struct {
    const ImageShipment *shipment;
    ImageSendStage stage;
    ImageSendProgress progress;
    void *data;
} Errand;

/* "    (40.05/100%)\r": the last one counts. */
static void
said(const char *text, void *data)
{
    const Errand *errand = data;
    const char *bracket = strrchr(text, '(');

    if (bracket)
        errand->progress(errand->stage, CLAMP(g_ascii_strtod(bracket + 1, NULL) / 100, 0, 1),
                         errand->data);
}

static gboolean
run_over(const Errand *errand, const char *const *argv, GCancellable *cancellable,
         ProgramResult *ret_result, GError **error)
{
    const ImageShipment *shipment = errand->shipment;
    ImageTunnel tunnel;

    if (!image_tunnel_open(&shipment->to, cancellable, &tunnel, error))
        return FALSE;
    const ProgramTask task = {
        .argv = argv,
        .input_fd = tunnel.fd,
        .timeout_seconds =
            SECONDS_AT_LEAST + (unsigned)(shipment->virtual_size_bytes / SLOWEST_BYTES),
        .cancellable = cancellable,
        .said = said,
        .data = (void *)errand,
    };
    gboolean ended = program_perform(&task, ret_result, error);
    image_tunnel_close(&tunnel);
    return ended;
}

static gboolean
judge(const ImageShipment *shipment, const ProgramResult *result, const char *verb, GError **error)
{
    g_autofree char *object = g_strdup_printf("image '%s'", shipment->path);
    gboolean full = strstr(result->error_text, g_strerror(ENOSPC)) != NULL;

    if (result->exit_status == 0)
        return TRUE;
    g_strstrip(result->error_text);
    fault_set(error, full ? FAULT_NO_SPACE : FAULT_PROGRAM_FAILED, object,
              full ? "make room on the destination"
                   : "see the journal of both hosts, and that the guest is shut off",
              "qemu-img %s to host '%s' ended with status %d: %s", verb, shipment->to.host,
              result->exit_status, result->error_text);
    return FALSE;
}

/* -n: the target has its shape already. writeback: what is flushed is on the disk when it ends. */
static gboolean
copy(const Errand *errand, GCancellable *cancellable, GError **error)
{
    const ImageShipment *shipment = errand->shipment;
    g_autofree char *rate = g_strdup_printf("%uM", shipment->mebibytes_per_second);
    const char *format = image_format_name(shipment->format);
    const char *limited[] = { "qemu-img",
                              "convert",
                              "-n",
                              "-p",
                              "-t",
                              "writeback",
                              "-r",
                              rate,
                              "-f",
                              format,
                              "--target-image-opts",
                              shipment->path,
                              OTHER_END,
                              NULL };
    const char *unlimited[] = { "qemu-img",     "convert", "-n",
                                "-p",           "-t",      "writeback",
                                "-f",           format,    "--target-image-opts",
                                shipment->path, OTHER_END, NULL };
    g_auto(ProgramResult) result = { 0 };

    return run_over(errand, shipment->mebibytes_per_second ? limited : unlimited, cancellable,
                    &result, error) &&
           judge(shipment, &result, "convert", error);
}

/* A path may hold what separates options. */
static char *
quote_option(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, ",", -1);

    return g_strjoinv(",,", parts);
}

static gboolean
compare(const Errand *errand, GCancellable *cancellable, GError **error)
{
    const ImageShipment *shipment = errand->shipment;
    g_autofree char *path = quote_option(shipment->path);
    g_autofree char *own = g_strdup_printf("driver=%s,file.driver=file,file.filename=%s",
                                           image_format_name(shipment->format), path);
    const char *argv[] = { "qemu-img", "compare", "-p", "--image-opts", own, OTHER_END, NULL };
    g_auto(ProgramResult) result = { 0 };

    if (!run_over(errand, argv, cancellable, &result, error))
        return FALSE;
    if (result.exit_status != DIFFERENT)
        return judge(shipment, &result, "compare", error);
    g_autofree char *object = g_strdup_printf("image '%s'", shipment->path);
    fault_set(error, FAULT_IMAGE_INVALID, object,
              "look for failing disks or memory on both hosts, then try again",
              "its copy on host '%s' is not equal", shipment->to.host);
    return FALSE;
}

gboolean
image_send(const ImageShipment *shipment, GCancellable *cancellable, ImageSendProgress progress,
           void *data, GError **error)
{
    const Errand sending = { shipment, IMAGE_SENDING, progress, data };
    const Errand comparing = { shipment, IMAGE_COMPARING, progress, data };

    return image_chain_check(shipment->path, shipment->format, shipment->directories, cancellable,
                             error) &&
           copy(&sending, cancellable, error) &&
           (!shipment->verify || compare(&comparing, cancellable, error));
}
