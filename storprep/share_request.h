/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request to share something for a while: who asks, for how long, and what is to be made. */
#pragma once

#include "storprep/share_kind.h"

typedef struct {
    char *kind; /* of the lease: "export", "mount", "probe" */
    char *owner;
    char *token;
    unsigned timeout_seconds;
    json_t *json;      /* what was asked, for comparing retries */
    GPtrArray *assets; /* of LeaseAsset *, planned */
} ShareRequest;

void share_request_free(ShareRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ShareRequest, share_request_free)

/* The part that all requests have in common, without assets. FAULT_INVALID_ARGUMENT. */
ShareRequest *share_request_new(const char *kind, json_t *parameters, GError **error);
