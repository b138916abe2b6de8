/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for a placement; for placement.c only. */
#pragma once

#include "common/cli/placement.h"

/* Guests that are placed as one. */
typedef struct {
    GArray *guests; /* of guint: their numbers */
    GArray *needs;  /* theirs together */
    double size;    /* the largest part of all there is that it needs of any resource */
    guint64 score;  /* what placing it is worth */
    int host;
} PlacementBlock;

/* Finds the best hosts for all blocks: GPtrArray of PlacementBlock *, owned by the caller. */
GPtrArray *placement_search(const Placement *placement);

/* The amount of resource number @resource, 0 beyond the end. */
guint64 placement_amount(const GArray *amounts, guint resource);
