/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one error type: what object failed, why, and what the administrator can do about it. */
#pragma once

#include <glib.h>

/*
 * Error doctrine. A function that can fail takes a GError ** last and sets it to a Fault. Whoever
 * turns an error into an answer (a Varlink error, an exit status) or drops it on purpose logs it;
 * nobody in between does, so that each failure is logged exactly once.
 */
#define FAULT (fault_quark())
GQuark fault_quark(void);

typedef enum {
    FAULT_INTERNAL,               /* a bug or an unexpected refusal of the operating system */
    FAULT_CANCELLED,              /* the caller asked to stop */
    FAULT_TIMED_OUT,              /* a deadline passed and no more precise code applies */
    FAULT_INVALID_ARGUMENT,       /* the request itself is wrong */
    FAULT_LIMIT_EXCEEDED,         /* the request is larger than limits.h allows */
    FAULT_HYPERVISOR_UNAVAILABLE, /* libvirt does not answer */
    FAULT_HYPERVISOR_FAILED,      /* libvirt answered with an error */
    FAULT_GUEST_NOT_FOUND,
    FAULT_GUEST_NOT_RUNNING,
    FAULT_GUEST_BUSY,        /* the guest has a libvirt job, or another job of ours */
    FAULT_AGENT_UNAVAILABLE, /* the guest agent is absent or silent */
    FAULT_AGENT_FAILED,      /* the guest agent answered with an error */
    FAULT_BOND_UNFIT,        /* the guest's bond cannot carry its traffic without the VF */
    FAULT_UNPLUG_REFUSED,    /* the guest refused to let the device go */
    FAULT_UNPLUG_TIMED_OUT,  /* the guest did not let the device go within the deadline */
    FAULT_NO_FREE_FUNCTION,  /* too few free VFs on the physical network */
    FAULT_FUNCTION_BUSY,     /* the VF is in use or reserved by somebody else */
    FAULT_FUNCTION_FAILED,   /* the kernel or the driver refused a VF setting */
    FAULT_LEASE_NOT_FOUND,
    FAULT_LEASE_CONFLICT,   /* owner and token are known, but the request differs */
    FAULT_LEASE_BUSY,       /* an operation on this lease is still running */
    FAULT_STALE_GENERATION, /* the lease was replaced since the caller saw it */
    FAULT_STORE_FAILED,     /* the lease database cannot be read or written */
    FAULT_JOB_NOT_FOUND,
    FAULT_TARGET_EXISTS,  /* a file is already there; it is never overwritten */
    FAULT_TARGET_REFUSED, /* the path is not one where images may be created */
    FAULT_NO_SPACE,
    FAULT_SHARE_REFUSED,       /* what may not be exported or mounted so */
    FAULT_SHARE_UNFIT,         /* it is exported or mounted already, but otherwise than needed */
    FAULT_SHARE_BUSY,          /* somebody uses it, so it cannot be taken away */
    FAULT_SHARE_UNAVAILABLE,   /* the NFS server does not serve */
    FAULT_HOST_IN_MAINTENANCE, /* the host is being emptied, so no guest may come to it */
    FAULT_CHECK_FAILED,        /* a check says that the move must not be begun */
    FAULT_DISK_UNSUPPORTED,    /* this disk cannot be moved in the requested way */
    FAULT_IMAGE_INVALID,       /* the image header is damaged or not what was declared */
    FAULT_MIGRATION_FAILED,    /* libvirt ended the migration; both sides were asked */
    FAULT_PROGRAM_FAILED,      /* an external program failed */
    FAULT_PEER_UNREACHABLE,    /* another host cannot be reached */
    FAULT_DAEMON_UNAVAILABLE,  /* the host is reachable, but its daemon is not */
    FAULT_PERMISSION_DENIED,
    FAULT_ROLLBACK_INCOMPLETE, /* something could not be put back; the cause says what */
    FAULT_COUNT                /* not a code: how many there are */
} FaultCode;

/*
 * Sets *error. @object names what failed ("guest 'web1'", "virtual function 0000:01:10.2"), @cause
 * (printf) says why, @remedy what to do; @remedy may be NULL only where nothing can be done.
 * All strings are copied. @error may be NULL.
 */
void fault_set(GError **error, FaultCode code, const char *object, const char *remedy,
               const char *cause, ...) G_GNUC_PRINTF(5, 6);

/* The parts of a Fault; "" where unknown. For foreign errors the cause is the message. */
const char *fault_object(const GError *error);
const char *fault_cause(const GError *error);
const char *fault_remedy(const GError *error);
FaultCode fault_code(const GError *error); /* FAULT_INTERNAL for foreign errors */

/* "GuestNotFound" for FAULT_GUEST_NOT_FOUND: the last part of the Varlink error name. Static. */
const char *fault_code_name(FaultCode code);
/* The reverse; false if @name is none of ours. */
gboolean fault_code_from_name(const char *name, FaultCode *ret_code);
