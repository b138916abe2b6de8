/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be shared under a lease (an export, a mount, a probe file), and what each needs. */
#pragma once

#include "common/hypervisor.h"
#include "common/lease_store.h"

/* States of an asset: PLANNED -> FOREIGN, or PLANNED -> MAKING -> MADE. */
#define SHARE_PLANNED "planned"
#define SHARE_FOREIGN "foreign" /* it was there before: used, never taken away */
#define SHARE_MAKING  "making"  /* recorded as not there; from now on it may be */
#define SHARE_MADE    "made"

typedef struct Firewall Firewall;
typedef struct MountTable MountTable;
typedef struct NfsServer NfsServer;

/* What the kinds work with; all borrowed. */
typedef struct {
    LeaseStore *store;
    Hypervisor *hypervisor;
    NfsServer *server;
    MountTable *mounts;
    Firewall *firewall;
    const char *const *directories; /* image directories */
    const char *const *networks;    /* export networks */
    const char *root;               /* "", or a directory that stands for "/" */
} ShareHost;

/*
 * One kind. All functions block and concern one asset of @lease; @asset is as the store has it.
 * Nobody else works on the asset's subject meanwhile.
 */
typedef struct {
    const char *kind; /* of the asset */
    /* Makes it, recording each step in the store before its effect; the last state, which is that
     * of no effect, is only noted (share_note()), and recorded by the caller. */
    gboolean (*make)(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error);
    /* FAULT_SHARE_BUSY naming who uses it, where that forbids to undo it. */
    gboolean (*check_unused)(const ShareHost *host, const LeaseAsset *asset, GError **error);
    /* Takes away what make() left, whenever that was interrupted; only called while no other lease
     * holds it. A repeat is harmless. */
    gboolean (*undo)(const ShareHost *host, const LeaseAsset *asset, GError **error);
    /* Takes away what make() prepared while the asset was PLANNED; NULL: it prepares nothing. */
    gboolean (*discard)(const LeaseAsset *asset, GError **error);
    /* Makes it again if it is gone; NULL: such a thing does not vanish. */
    gboolean (*restore)(const ShareHost *host, const Lease *lease, LeaseAsset *asset,
                        GError **error);
} ShareKind;

extern const ShareKind export_kind;
extern const ShareKind firewall_kind;
extern const ShareKind mount_kind;
extern const ShareKind pool_kind;
extern const ShareKind probe_kind;

/* An asset of @kind about @subject, in state PLANNED: what two leases may hold together. Takes
 * @detail over, which share_text() reads. */
LeaseAsset *share_asset_new(const char *kind, const char *subject, json_t *detail);
const char *share_subject(const LeaseAsset *asset);
/* The text member @name of the asset's detail; "" if it has none. Borrowed. */
const char *share_text(const LeaseAsset *asset, const char *name);
/* Whether it is in one of the states in which it may exist and is ours. */
gboolean share_is_ours(const LeaseAsset *asset);

/* Changes the state of *@asset, and its detail by the members of @more (stolen; may be NULL); not
 * in the store. */
void share_note(LeaseAsset *asset, const char *state, json_t *more);
/* Durably changes the state of @asset, and its detail by the members of @more (stolen; may be
 * NULL), in the store and in *@asset. FAULT_STORE_FAILED, FAULT_LEASE_NOT_FOUND. */
gboolean share_record(const ShareHost *host, const Lease *lease, LeaseAsset *asset,
                      const char *state, json_t *more, GError **error);
/* Sets *ret_other to the asset of another lease with the same subject that is ours, or NULL.
 * FAULT_STORE_FAILED. Owned by the caller. */
gboolean share_find_other(const ShareHost *host, const Lease *lease, const LeaseAsset *asset,
                          LeaseAsset **ret_other, GError **error);
/* The same of those alone whose detail has @id as its "id" (0: whatever it has). */
gboolean share_find_other_with_id(const ShareHost *host, const Lease *lease,
                                  const LeaseAsset *asset, guint64 id, LeaseAsset **ret_other,
                                  GError **error);

/* Sets *ret_lease to the id of a lease that has files of its own at or below @directory, targets or
 * a probe, or NULL: it could not take them away without what is mounted there. FAULT_STORE_FAILED.
 */
gboolean share_find_tenant(const ShareHost *host, const char *directory, char **ret_lease,
                           GError **error);
/*
 * Sets *ret_guest to the name of an active guest with an image below @directory, be it a file or a
 * volume of a pool, or NULL; with @only_moving only guests that have a job count.
 * FAULT_HYPERVISOR_UNAVAILABLE, FAULT_HYPERVISOR_FAILED.
 */
gboolean share_find_guest(const ShareHost *host, const char *directory, gboolean only_moving,
                          char **ret_guest, GError **error);
