/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How guests are to be migrated: the values, and which of several levels says so. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef enum {
    POLICY_BANDWIDTH,     /* MiB per second; 0: libvirt's default */
    POLICY_MAX_DOWNTIME,  /* milliseconds; 0: libvirt's default */
    POLICY_PARALLEL,      /* connections; 0: one per 10 Gbit/s of the link */
    POLICY_AUTO_CONVERGE, /* boolean */
    POLICY_COMPRESSION,   /* a Compression */
    POLICY_TIMEOUT,       /* seconds that memory may be sent before on-timeout; 0: no limit */
    POLICY_ON_TIMEOUT,    /* a TimeoutAction */
    POLICY_TLS,           /* boolean */
    POLICY_MODE,          /* a MigrationChoice: who may begin a migration */
    POLICY_PRIORITY,      /* a Priority: when its host is emptied */
    POLICY_FALLBACK,      /* a Fallback: when it cannot leave a host that is emptied */
    POLICY_KEYS           /* not a key: how many there are */
} PolicyKey;

typedef enum {
    COMPRESSION_NONE,
    COMPRESSION_XBZRLE,
    COMPRESSION_ZSTD,
} Compression;

/* What becomes of a migration that does not converge. */
typedef enum {
    TIMEOUT_CONTINUE, /* nothing: it goes on */
    TIMEOUT_ABORT,    /* the guest stays where it is */
    TIMEOUT_SUSPEND,  /* the guest stands still until it has arrived */
    TIMEOUT_POSTCOPY, /* the guest runs on the destination and fetches what is missing */
} TimeoutAction;

/* Whether a guest moves when its host is emptied. */
typedef enum {
    CHOICE_AUTOMATIC,
    CHOICE_MANUAL, /* only if somebody says so for this guest, or for all */
    CHOICE_PINNED, /* likewise: it belongs to its host */
} MigrationChoice;

typedef enum {
    PRIORITY_HIGH,
    PRIORITY_MEDIUM,
    PRIORITY_LOW,
} Priority;

/* What becomes of a guest that cannot leave a host that is emptied. */
typedef enum {
    FALLBACK_LEAVE,     /* it stays and runs */
    FALLBACK_HIBERNATE, /* its memory is saved to disk */
    FALLBACK_SHUTDOWN,  /* it is asked to shut down */
} Fallback;

/* From the farthest to the nearest, which wins. */
typedef enum {
    POLICY_LEVEL_DEFAULT, /* of this program */
    POLICY_LEVEL_GLOBAL,  /* [migration] of the configuration */
    POLICY_LEVEL_CLUSTER, /* [cluster NAME] of it */
    POLICY_LEVEL_GUEST,   /* the guest's metadata */
    POLICY_LEVEL_REQUEST, /* this one call */
} PolicyLevel;

/* What one level says. */
typedef struct {
    gboolean is_set[POLICY_KEYS];
    guint64 values[POLICY_KEYS];
} PolicySettings;

/* What counts. */
typedef struct {
    guint64 values[POLICY_KEYS];
    PolicyLevel levels[POLICY_KEYS]; /* who said so */
} Policy;

/* The built-in defaults: everything as libvirt has it, a migration may take its time, and a guest
 * moves with its host's others. */
Policy policy_new(void);
/* Lays @settings (NULL: none) of @level over what farther levels said. */
void policy_apply(Policy *policy, PolicyLevel level, const PolicySettings *settings);

/* "max-downtime", as in the configuration, the metadata and the command. Static. */
const char *policy_key_name(PolicyKey key);
/* "maximumDowntimeMilliseconds": the member of a request. Static. NULL: no request has it, as it is
 * not about how a guest is migrated. */
const char *policy_key_member(PolicyKey key);
/* One sentence for people: what it is, with its unit. Static. */
const char *policy_key_summary(PolicyKey key);
/* FALSE if there is no key called @name. */
gboolean policy_key_from_name(const char *name, PolicyKey *ret_key);
const char *policy_level_name(PolicyLevel level); /* "cluster" */

/* Reads "300", "yes" or "postcopy", whatever @key takes, for @level: a level that is not about one
 * guest may not decide that it is stopped. FALSE with *ret_mistake (owned): what it should be. */
gboolean policy_parse(PolicyKey key, PolicyLevel level, const char *text, guint64 *ret_value,
                      char **ret_mistake);
/* The reverse. Owned. */
char *policy_print(PolicyKey key, guint64 value);

/* The members of a request that are policy; those absent or null are not set.
 * FAULT_INVALID_ARGUMENT naming the member. */
gboolean policy_from_request(const json_t *request, PolicySettings *ret_settings, GError **error);
/* @value as the member of a request has it: new reference. */
json_t *policy_value_to_json(PolicyKey key, guint64 value);
