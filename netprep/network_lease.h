/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two kinds of lease that netprepd keeps, and how they are written down. */
#pragma once

#include "netprep/network_host.h"
#include "netprep/vnic.h"

/*
 * A reservation holds free VFs for a guest that is to come: each asset's detail is {vnic}.
 *   reserved -> attaching -> attached (its VFs are the guest's now; the row stays until its
 * deadline to answer repeats) or degraded (the guest runs here, but without some VF; retried). A
 * detachment holds VFs that were unplugged from a guest: detail is {vnic, xml, configXml}.
 *   detaching -> detached -> returning -> removed, or watching (all is back, but the guest may yet
 *   let a device go that it did not in time), or degraded (something is not back; retried).
 * A VF that is lost gives its place to another one, whose detail is {vnic, configXml, replaced}.
 */
#define LEASE_RESERVATION "reservation"
#define LEASE_DETACHMENT  "detachment"
#define ASSET_FUNCTION    "function"

#define NETWORK_LEASE_REPLACED "replaced" /* addresses of those that were lost, oldest first */

#define STATE_RESERVED  "reserved"
#define STATE_ATTACHING "attaching"
#define STATE_ATTACHED  "attached"
#define STATE_DETACHING "detaching"
#define STATE_DETACHED  "detached"
#define STATE_RETURNING "returning"
#define STATE_WATCHING  "watching"
#define STATE_DEGRADED  "degraded"

#define ASSET_ATTACHED   "attached"
#define ASSET_UNPLUGGING "unplugging" /* the guest was asked to let it go */
#define ASSET_UNPLUGGED  "unplugged"
#define ASSET_RESERVED   "reserved"
#define ASSET_CONFIGURED "configured" /* its PF's settings may have been changed */

/* The type Lease of io.migprep.Network. */
json_t *network_lease_to_json(const Lease *lease);
gboolean network_lease_is(const Lease *lease, const char *kind, const char *state);

/* The lease of @kind that @owner made with @token, or NULL in *ret_lease. Blocks. */
gboolean network_lease_find(LeaseStore *leases, const char *kind, const char *owner,
                            const char *token, Lease **ret_lease, GError **error);

/* A lease to be created; assets are to be added. Strings are copied, @request is stolen. */
Lease *network_lease_draft(const char *kind, const char *owner, const char *token,
                           const char *guest_name, const char *guest_uuid, const char *state,
                           json_t *request);

/* Records how far one VF of a lease is. Blocks. */
gboolean network_lease_mark(LeaseStore *leases, const Lease *lease, const LeaseAsset *asset,
                            const char *state, GError **error);

/* Puts the lease into state "degraded" with @failure as the reason, and tells of it unless it was
 * so before. Blocks. */
void network_lease_degrade(const NetworkHost *host, const Lease *lease, const GError *failure);
/* Tells that the lease came to @kind; and before that, that it is not degraded any more, if @lease,
 * as read before, was. */
void network_lease_announce(const NetworkHost *host, const Lease *lease, BulletinKind kind);
/* Removes the lease, whose end @kind tells. Blocks. */
gboolean network_lease_end(const NetworkHost *host, const Lease *lease, BulletinKind kind,
                           GError **error);

/* The vNIC that an asset is about. */
Vnic *network_lease_vnic(const LeaseAsset *asset, GError **error);
/* Whether the VF was in the guest before it was held; else it was chosen for it. */
gboolean network_lease_had(const LeaseAsset *asset);
/* The VFs in whose place it is, as a GStrv of its own; and with itself, as a JSON array. */
char **network_lease_replaced(const LeaseAsset *asset);
json_t *network_lease_replaced_with(const LeaseAsset *asset);
/* The addresses of the VFs it holds, as a JSON array. */
json_t *network_lease_functions(const Lease *lease);
