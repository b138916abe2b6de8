/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who goes where when a host is emptied, who stays and why, and how long it takes. Pure. */
#pragma once

#include "common/cli/drain_guest.h"
#include "common/cli/schedule.h"

/* What was told of a host that guests may go to. */
typedef struct {
    char *name;
    json_t *load;     /* of Storage.DescribeHost */
    json_t *networks; /* of Network.ListPhysicalNetworks: an array */
    GError *failure;  /* one of them could not be asked; NULL: all is known */
} DrainHost;

/* Owned by the caller; nothing is known yet. */
DrainHost *drain_host_new(const char *name);
void drain_host_free(DrainHost *host);

typedef struct {
    gboolean include_manual; /* guests whose mode is manual or pinned move, too */
    ScheduleLimits limits;
    unsigned overcommit;         /* guests' processors for each one of a host */
    guint64 bandwidth_mebibytes; /* a second, of one move, for the estimate */
} DrainRules;

/* What is to become of one guest. */
typedef struct {
    DrainGuest *guest;
    int number;   /* of its place in the placement; -1: it has none, reason says why */
    char *reason; /* why it stays where it is; NULL: it moves */
} DrainItem;

typedef struct {
    GPtrArray *items; /* of DrainItem *, the guests in the order in which they were given */
    GPtrArray *hosts; /* of DrainHost *: numbers are those of the placement's */
    Placement *placement;
    DrainRules rules;
} DrainPlan;

/* Takes over @guests (of DrainGuest *) and @hosts (of DrainHost *). Never NULL. */
DrainPlan *drain_plan_new(GPtrArray *guests, GPtrArray *hosts, const DrainRules *rules);
void drain_plan_free(DrainPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DrainPlan, drain_plan_free)

/* The name of the host that @item goes to; NULL if it stays. Borrowed. */
const char *drain_plan_host(const DrainPlan *plan, const DrainItem *item);
/* How many guests stay. */
guint drain_plan_staying(const DrainPlan *plan);
/* {fits, seconds, guests, hosts}. New reference. */
json_t *drain_plan_to_json(const DrainPlan *plan);
