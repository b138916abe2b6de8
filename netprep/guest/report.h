/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network devices and bonds as JSON. */
#pragma once

#include <jansson.h>

#include "netprep/guest/links.h"

/* {interfaces, bonds}, with who configures each bond; owned by the caller. */
json_t *report_all(const Links *links, const char *root);
/* One bond, the element of bonds. */
json_t *report_bond(const Links *links, const Link *bond);
