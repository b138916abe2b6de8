/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request for image files: parsed from JSON and checked as far as that needs no host. */
#pragma once

#include <jansson.h>

#include "storprep/image_target.h"

typedef struct {
    char *path;
    char *pool;         /* that it is to be a volume of; NULL: none */
    ImageRecipe recipe; /* borrows from chain */
    json_t *chain;      /* array of BaseImage, the nearest first; NULL: none */
} TargetImage;

typedef struct {
    char *owner;
    char *token;
    char *guest_name;
    char *guest_uuid; /* lower case */
    unsigned timeout_seconds;
    GPtrArray *images; /* of TargetImage *, 1 to LIMIT_DISKS */
    json_t *json;      /* {guest, targets} as asked, for comparing retries */
} TargetRequest;

void target_request_free(TargetRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TargetRequest, target_request_free)

/*
 * For the parameters of io.migprep.Storage.CreateTargets, which passed the interface's check. Where
 * a qcow2 target leaves a member out, the value is qemu-img's default: clusters of 64 KiB,
 * compat 1.1, 16 refcount bits. FAULT_INVALID_ARGUMENT, FAULT_LIMIT_EXCEEDED.
 */
TargetRequest *target_request_new(json_t *parameters, GError **error);
