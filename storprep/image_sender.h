/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends what an image holds to an equal one on another host, while no guest uses either. */
#pragma once

#include "storprep/image_header.h"
#include "storprep/image_tunnel.h"

typedef struct {
    const char *path;
    ImageFormat format;
    guint64 virtual_size_bytes;
    const char *const *directories; /* where what lies below it may be; NULL-terminated */
    ImageAddress to;
    unsigned mebibytes_per_second; /* 0: as fast as it goes */
    gboolean verify;               /* read all of both and compare */
} ImageShipment;

typedef enum {
    IMAGE_SENDING,
    IMAGE_COMPARING,
} ImageSendStage;

/* @part: how much of the stage is done, 0 to 1. */
typedef void (*ImageSendProgress)(ImageSendStage stage, double part, void *data);

/*
 * Sends the content of the whole chain; what was never written stays so. It is flushed to the other
 * host's disk before this returns. QEMU locks the image meanwhile, so no guest can start with it.
 * FAULT_IMAGE_INVALID (see image_chain_check(); or, verified, the copy differs), FAULT_NO_SPACE and
 * FAULT_PROGRAM_FAILED (of the other host's too), FAULT_PEER_UNREACHABLE, FAULT_TIMED_OUT,
 * FAULT_CANCELLED. Blocks as long as it takes, at most a second for each MiB.
 */
gboolean image_send(const ImageShipment *shipment, GCancellable *cancellable,
                    ImageSendProgress progress, void *data, GError **error);
