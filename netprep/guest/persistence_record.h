/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was written for a bond, kept in the guest so that it can be taken back. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "netprep/guest/failure.h"

/* Each bond has a file of its own below @root; these block on the file system. */

/* {bond, system, files}, owned by the caller; NULL: there is none, or it is damaged. */
json_t *persistence_record_read(const char *root, const char *bond);

/* Keeps it durably. @files is what config_changes_record() says; it is borrowed. */
bool persistence_record_write(const char *root, const char *bond, const char *system, json_t *files,
                              Failure *failure);

/* A repeat does nothing. */
void persistence_record_delete(const char *root, const char *bond);
