/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the guests of this host went when it was emptied, for bringing them back. */
#pragma once

#include "common/cli/drain.h"

/* Beyond this many guests the oldest are forgotten. */
#define DRAIN_RECORD_MAX 4096

typedef struct DrainRecord DrainRecord;

/* Reads it below @root ("" or, for tests, what stands for "/"); one that is not there is empty.
 * FAULT_STORE_FAILED if it cannot be understood. */
DrainRecord *drain_record_load(const char *root, GError **error);
void drain_record_free(DrainRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DrainRecord, drain_record_free)

/* The guests: array of {name, uuid, host, outcome}, host null if it was stopped here. Borrowed. */
const json_t *drain_record_guests(const DrainRecord *record);

/* Notes where @guest went, or is about to go (@host NULL: nowhere, it is stopped), or forgets it;
 * on disk when it returns. Whether it is there has to be asked there. FAULT_STORE_FAILED. */
gboolean drain_record_add(DrainRecord *record, const DrainGuest *guest, const char *host,
                          DrainOutcome outcome, GError **error);
gboolean drain_record_forget(DrainRecord *record, const char *uuid, GError **error);
