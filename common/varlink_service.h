/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.varlink.service: how a client finds out what a server offers. */
#pragma once

#include "common/varlink_server.h"

typedef struct {
    char *product;
    char *version;
    GPtrArray *served; /* of VarlinkServed *, all interfaces of the server; borrowed */
} VarlinkService;

extern const char varlink_service_description[];
/* Their context is a VarlinkService. */
extern const VarlinkMethod varlink_service_methods[];
extern const VarlinkBrief varlink_service_brief[];
