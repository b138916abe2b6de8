/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of leases and guests, told as it happens: to the journal and to callers of Watch. */
#pragma once

#include "common/lease.h"
#include "common/open_metrics.h"
#include "common/varlink_server.h"

typedef enum {
    BULLETIN_RESERVED,
    BULLETIN_DETACHED,
    BULLETIN_ATTACHED,
    BULLETIN_RETURNED,  /* a detachment's VFs are in the guest again */
    BULLETIN_DEGRADED,  /* something could not be done, and is tried again */
    BULLETIN_RECOVERED, /* it could, at last */
    BULLETIN_EXPIRED,   /* a deadline passed; what it held is given back now */
    BULLETIN_RELEASED,  /* the VFs are free */
    BULLETIN_FORCED,    /* somebody ended the lease by force */
    BULLETIN_LEAK,      /* a VF is lost */
    BULLETIN_REPLACED,  /* another VF is held in the place of one that was taken */
} BulletinKind;

/* Thread-safe. Nobody who posts waits for those who watch: a watcher that does not read is cut off
 * by the server, and misses what comes until it watches again. */
typedef struct Bulletin Bulletin;
Bulletin *bulletin_new(void);
void bulletin_free(Bulletin *bulletin);

/* Writes it to the journal, with MESSAGE_ID and fields, and tells the watchers. @lease may be NULL;
 * @detail, for people, too. */
void bulletin_post(Bulletin *bulletin, BulletinKind kind, const Lease *lease, const char *detail);

/* Family events: how often each kind was posted. */
void bulletin_write_metrics(Bulletin *bulletin, OpenMetrics *metrics);

/* Adds the caller of Watch, who hears from now on of everything, first of that; a reference to
 * @call is kept as long as the caller is there. FAULT_LIMIT_EXCEEDED beyond LIMIT_WATCHERS. */
gboolean bulletin_watch(Bulletin *bulletin, VarlinkCall *call, GError **error);
/* What a caller of Announce says: for the watchers alone. @guest_name and @guest_uuid may be NULL.
 */
void bulletin_announce(Bulletin *bulletin, const char *kind, const char *guest_name,
                       const char *guest_uuid, const char *detail);
/* Tells @call alone. */
void bulletin_tell(VarlinkCall *call, BulletinKind kind, const Lease *lease, const char *detail);
/* Forgets watchers that have gone; to be called now and then. */
void bulletin_prune(Bulletin *bulletin);
