/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways from a host to several others: they are the same for all its guests, so each is tried
 * once. */
#pragma once

#include "common/cli/check_route.h"

typedef struct CheckRoutes CheckRoutes; /* thread-safe */

/* No way is known. Owned by the caller. */
CheckRoutes *check_routes_new(void);
void check_routes_free(CheckRoutes *routes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckRoutes, check_routes_free)

/* As check_route_ask(). Who asks for a way that somebody else is asking for waits for that answer.
 * With @routes NULL, or for a guest's memory, it is asked for anew. */
CheckRouteAnswers *check_routes_ask(CheckRoutes *routes, const CheckRoute *route);
