/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest is occupied or troubled with, as libvirt tells beside its XML. */
#pragma once

#include <glib.h>

typedef struct {
    unsigned snapshots;
    char *job_disk;    /* a disk with a block job ("vda"); NULL: none */
    char *broken_disk; /* a disk whose requests failed ("vda: no space"); NULL: none */
    char **messages;   /* of libvirt: what taints it, what is deprecated; NULL-terminated */
} GuestCondition;

void guest_condition_free(GuestCondition *condition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestCondition, guest_condition_free)
