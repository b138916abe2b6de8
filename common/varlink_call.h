/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of the server: how a call comes into being and runs. Its public face is varlink_server.h.
 */
#pragma once

#include "common/tally.h"
#include "common/varlink_connection.h"
#include "common/varlink_idl.h"
#include "common/varlink_message.h"
#include "common/varlink_server.h"

/* An interface with those who answer for it. Calls hold it, since jobs may outlive the server. */
typedef struct {
    VarlinkInterface *iface;
    const VarlinkMethod *methods; /* borrowed */
    const VarlinkBrief *brief;    /* borrowed; NULL: none */
    void *context;
    Tally *failures; /* by method and error; owned */
} VarlinkServed;     /* from g_atomic_rc_box_new() */
void varlink_served_unref(VarlinkServed *served);

/* @request is taken over and left empty. */
VarlinkCall *varlink_call_new(VarlinkConnection *connection, VarlinkRequest *request);
/* Finds the method among @served and checks the parameters; or ends the call with the error that
 * the protocol has for it. */
gboolean varlink_call_prepare(VarlinkCall *call, VarlinkServed *served);
/* Runs the method that was found if it needs no worker. FALSE: it does. Does not block. */
gboolean varlink_call_run_at_once(VarlinkCall *call);
/* Runs the method that was found. Blocks as long as that does. */
void varlink_call_run(VarlinkCall *call);

const char *varlink_call_interface(const VarlinkCall *call); /* as asked for */
/* Final error of the protocol itself: org.varlink.service.@code. @parameters is stolen. */
void varlink_call_refuse(VarlinkCall *call, const char *code, json_t *parameters);
