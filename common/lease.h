/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One lease and what it holds, as read from the lease store. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct {
    char *kind;     /* e.g. "function", "target" */
    char *key;      /* e.g. "0000:01:10.2", "/var/lib/libvirt/images/a.qcow2" */
    char *state;    /* the owner's word for how far it is; never NULL */
    json_t *detail; /* what undo needs: object, owned */
} LeaseAsset;

typedef struct {
    char *id; /* UUID */
    guint64 generation;
    char *kind;  /* e.g. "reservation", "detachment", "targets" */
    char *owner; /* who asked */
    char *token; /* the caller's key for idempotent retry */
    char *guest_name;
    char *guest_uuid;
    char *state;           /* the daemon's word; starts as given to create */
    char *reason;          /* why it is in this state; "" if nothing to say */
    gint64 created_usec;   /* wall clock, for display only */
    gint64 remaining_usec; /* until the deadline, <= 0 when expired; as of the reading */
    json_t *request;       /* what was asked, for comparing retries: object, owned */
    GPtrArray *assets;     /* of LeaseAsset *, owned */
} Lease;

/* Copies the strings and takes @detail over (NULL: {}). */
LeaseAsset *lease_asset_new(const char *kind, const char *key, const char *state, json_t *detail);
void lease_asset_free(LeaseAsset *asset);
void lease_free(Lease *lease);
/* A deep copy, for the caller to free. */
Lease *lease_copy(const Lease *lease);
/* The asset with this kind and key, or NULL. Borrowed. */
LeaseAsset *lease_find_asset(const Lease *lease, const char *kind, const char *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LeaseAsset, lease_asset_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lease, lease_free)
