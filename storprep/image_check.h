/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells another host by what it would recognise a guest's images. */
#pragma once

#include "storprep/check_subject.h"
#include "storprep/storage_check.h"

/* A group without checks of its own; apart from the others, since it may wait for an NFS server. */
CheckGroup image_check(const StorageChecks *checks, CheckSubject *subject);
