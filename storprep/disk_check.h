/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of a guest's disks on its own host. */
#pragma once

#include "storprep/check_subject.h"

/* storage.disks-movable, .format-matches, .cache-mode; tells the other host the disks. */
CheckGroup disk_check(CheckSubject *subject);
