/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job that sends the disks of a guest that is shut off to targets on another host. */
#pragma once

#include "common/hypervisor.h"
#include "common/job.h"
#include "common/policy.h"

typedef struct {
    Hypervisor *hypervisor;         /* borrowed, must outlive the job */
    const char *ssh;                /* the program, borrowed likewise */
    char *const *image_directories; /* likewise; NULL-terminated */
    const Guest *guest;
    const Policy *policy; /* what all levels but the call say */
} DiskDelivery;

/*
 * Starts the job for the parameters of io.migprep.Storage.SendDisks, which passed the interface's
 * check. FAULT_INVALID_ARGUMENT, FAULT_LIMIT_EXCEEDED, FAULT_DISK_UNSUPPORTED (a disk cannot be
 * copied), FAULT_IMAGE_INVALID (its target has another size), FAULT_GUEST_BUSY (it is not shut off,
 * or another job of ours works on it). Errors of the job: see image_send(), and FAULT_GUEST_BUSY if
 * the guest was started meanwhile. Blocks on the disks' images. Returns a reference.
 */
Job *disk_delivery_start(JobRegistry *jobs, const DiskDelivery *delivery, json_t *parameters,
                         GError **error);
