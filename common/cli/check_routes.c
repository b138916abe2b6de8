/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/check_routes.h"

/* One way, and what is known of it. */
typedef struct {
    const Peer *destination; /* borrowed */
    GMutex lock;             /* guards what follows; held while the way is tried */
    CheckRouteAnswers *answers;
} Entry;

struct CheckRoutes {
    GMutex lock;
    GPtrArray *entries; /* of Entry * */
};

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_mutex_clear(&entry->lock);
    check_route_answers_free(entry->answers);
    g_free(entry);
}

CheckRoutes *
check_routes_new(void)
{
    CheckRoutes *routes = g_new0(CheckRoutes, 1);

    g_mutex_init(&routes->lock);
    routes->entries = g_ptr_array_new_with_free_func(entry_free);
    return routes;
}

void
check_routes_free(CheckRoutes *routes)
{
    if (!routes)
        return;
    g_ptr_array_unref(routes->entries);
    g_mutex_clear(&routes->lock);
    g_free(routes);
}

static Entry *
find(CheckRoutes *routes, const Peer *destination)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&routes->lock);

    for (guint i = 0; i < routes->entries->len; i++) {
        Entry *entry = routes->entries->pdata[i];

        if (entry->destination == destination)
            return entry;
    }
    Entry *entry = g_new0(Entry, 1);
    entry->destination = destination;
    g_mutex_init(&entry->lock);
    g_ptr_array_add(routes->entries, entry);
    return entry;
}

CheckRouteAnswers *
check_routes_ask(CheckRoutes *routes, const CheckRoute *route)
{
    if (!routes || route->guest)
        return check_route_ask(route);
    Entry *entry = find(routes, route->destination);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&entry->lock);

    if (!entry->answers)
        entry->answers = check_route_ask(route);
    return check_route_answers_copy(entry->answers);
}
