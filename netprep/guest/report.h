/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network devices and bonds as JSON. */
#pragma once

#include <jansson.h>

#include "netprep/guest/links.h"

/* {interfaces, bonds}; owned by the caller. */
json_t *report_all(const Links *links);
/* One bond, the element of bonds. */
json_t *report_bond(const Links *links, const Link *bond);
