/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One method call, from its message to its final reply. For the server's own files. */
#pragma once

#include "common/varlink_connection.h"
#include "common/varlink_idl.h"
#include "common/varlink_server.h"

/* An interface as served. */
typedef struct {
    VarlinkInterface *description;
    const VarlinkMethod *methods;
    void *context;
} VarlinkService;

/* What calls share with their server, and keep when they outlive it: a job may end after that. */
typedef struct {
    GMutex lock;
    GCond idle;
    guint calls;         /* in workers */
    gboolean closing;    /* replies are dropped: the main loop is gone */
    GPtrArray *services; /* of VarlinkService *; added before the first call */
} VarlinkLedger;
VarlinkLedger *varlink_ledger_new(void);
void varlink_ledger_unref(VarlinkLedger *ledger);

/* Reads @text into a call on @connection. NULL if it is no call at all: close the connection. */
VarlinkCall *varlink_call_parse(VarlinkConnection *connection, VarlinkLedger *ledger,
                                const char *text);
/* Full name: "io.migprep.Network.Reserve". Borrowed. */
const char *varlink_call_method(const VarlinkCall *call);
json_t *varlink_call_parameters(const VarlinkCall *call);
/* From then on replies are checked, and errors named, by @service. */
void varlink_call_set_service(VarlinkCall *call, const VarlinkService *service,
                              const VarlinkMethod *method);
const VarlinkMethod *varlink_call_get_method(const VarlinkCall *call);
const VarlinkService *varlink_call_get_service(const VarlinkCall *call);
/* Ends the call with org.varlink.service.@name; @key and @value may be NULL. */
void varlink_call_fail_service(VarlinkCall *call, const char *name, const char *key,
                               const char *value);
