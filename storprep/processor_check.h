/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of the processors and memory nodes that a guest is to get here. */
#pragma once

#include "storprep/check_subject.h"
#include "storprep/guest_facts.h"

/* host.cpu-vendor-same, .cpu-model-same, .pinning-fits. */
CheckGroup processor_check(CheckSubject *subject, const GuestFacts *facts);
