/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the guests go that leave a host, so that all of them fit together. Pure. */
#pragma once

#include <glib.h>

/*
 * Theory of operation. Whatever a host has and a guest needs is an amount of a resource, known by
 * its name: bytes of memory, free virtual functions of one physical network, and so on. A guest is
 * placed on a host that has all it needs besides what was placed there before; of those it gets the
 * one that is left the least full, so that the load is spread. Guests of one group that stay
 * together are placed as one. If not all find a place so, the search goes back on its decisions, up
 * to a bound; a placement of all that it finds is proof that they fit, and what it leaves out when
 * they do not are guests of low priority rather than of high.
 */

#define PLACEMENT_NOWHERE (-1)

typedef struct {
    char *name;
    GArray *offers;       /* of guint64, by resource; shorter: nothing of the rest */
    GHashTable *together; /* set: groups that have a guest there */
    GHashTable *apart;    /* likewise */
} PlacementHost;

typedef struct {
    char *name;
    unsigned priority;    /* 0 is the most important; at most PLACEMENT_PRIORITIES - 1 */
    char *together;       /* group that is to be on one host; NULL: none */
    char *apart;          /* group of which no two may be on one host; NULL: none */
    GArray *needs;        /* as offers */
    GPtrArray *obstacles; /* of char *, by host: why it cannot go there; NULL or shorter: it can */
    double seconds;       /* how long its move is expected to take */
    int host;             /* outcome: its place among the hosts, or PLACEMENT_NOWHERE */
    char *reason;         /* outcome: why it is nowhere; NULL if it is somewhere */
} PlacementGuest;

#define PLACEMENT_PRIORITIES 3

typedef struct {
    GPtrArray *resources; /* of char *: "virtual functions of 'blue'" */
    GPtrArray *hosts;     /* of PlacementHost * */
    GPtrArray *guests;    /* of PlacementGuest * */
} Placement;

/* Without hosts and guests. Owned by the caller. */
Placement *placement_new(void);
void placement_free(Placement *placement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Placement, placement_free)

/* Adds one; the name is copied. Borrowed. */
PlacementHost *placement_add_host(Placement *placement, const char *name);
PlacementGuest *placement_add_guest(Placement *placement, const char *name);

/* Adds to what a host has, or a guest needs, of the resource called @resource. */
void placement_offer(Placement *placement, PlacementHost *host, const char *resource,
                     guint64 amount);
void placement_need(Placement *placement, PlacementGuest *guest, const char *resource,
                    guint64 amount);
/* @guest cannot go to host number @host; only the first reason is kept. */
void placement_bar(PlacementGuest *guest, guint host, const char *reason);

/* Places all guests anew: fills their host and reason. TRUE if all have a place. Takes a bounded
 * time. */
gboolean placement_solve(Placement *placement);

/* Whether guest number @guest may be on host number @host beside what is placed there now, itself
 * not counted; *ret_obstacle (owned, may be NULL) says why not. */
gboolean placement_fits(const Placement *placement, guint guest, guint host, char **ret_obstacle);

/* Gives guest number @guest the best other place than @barred (by host; NULL: all are allowed)
 * while all others stay. FALSE, and it stays where it is, if there is none. */
gboolean placement_place_elsewhere(Placement *placement, guint guest, const gboolean *barred);

/* How full host number @host is with what is placed on it: the fullest of its resources, 0-1. */
double placement_fullness(const Placement *placement, guint host);
