/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/fault.h"

typedef struct {
    char *object;
    char *cause;
    char *remedy;
} FaultPrivate;

static void
fault_private_init(FaultPrivate *private)
{
    private->object = private->cause = private->remedy = NULL;
}

static void
fault_private_copy(const FaultPrivate *from, FaultPrivate *to)
{
    to->object = g_strdup(from->object);
    to->cause = g_strdup(from->cause);
    to->remedy = g_strdup(from->remedy);
}

static void
fault_private_clear(FaultPrivate *private)
{
    g_free(private->object);
    g_free(private->cause);
    g_free(private->remedy);
}

G_DEFINE_EXTENDED_ERROR(Fault, fault)

/* What GLib defines registers the domain when it is first asked for, without a lock: two threads
 * that fail at the same time would register it twice, which GLib calls critical. */
__attribute__((constructor)) static void
register_domain(void)
{
    fault_quark();
}

static const char *const code_names[FAULT_COUNT] = {
    [FAULT_INTERNAL] = "Internal",
    [FAULT_CANCELLED] = "Cancelled",
    [FAULT_TIMED_OUT] = "TimedOut",
    [FAULT_INVALID_ARGUMENT] = "InvalidArgument",
    [FAULT_LIMIT_EXCEEDED] = "LimitExceeded",
    [FAULT_HYPERVISOR_UNAVAILABLE] = "HypervisorUnavailable",
    [FAULT_HYPERVISOR_FAILED] = "HypervisorFailed",
    [FAULT_GUEST_NOT_FOUND] = "GuestNotFound",
    [FAULT_GUEST_NOT_RUNNING] = "GuestNotRunning",
    [FAULT_GUEST_BUSY] = "GuestBusy",
    [FAULT_AGENT_UNAVAILABLE] = "AgentUnavailable",
    [FAULT_AGENT_FAILED] = "AgentFailed",
    [FAULT_BOND_UNFIT] = "BondUnfit",
    [FAULT_UNPLUG_REFUSED] = "UnplugRefused",
    [FAULT_UNPLUG_TIMED_OUT] = "UnplugTimedOut",
    [FAULT_NO_FREE_FUNCTION] = "NoFreeFunction",
    [FAULT_FUNCTION_BUSY] = "FunctionBusy",
    [FAULT_FUNCTION_FAILED] = "FunctionFailed",
    [FAULT_LEASE_NOT_FOUND] = "LeaseNotFound",
    [FAULT_LEASE_CONFLICT] = "LeaseConflict",
    [FAULT_LEASE_BUSY] = "LeaseBusy",
    [FAULT_STALE_GENERATION] = "StaleGeneration",
    [FAULT_STORE_FAILED] = "StoreFailed",
    [FAULT_JOB_NOT_FOUND] = "JobNotFound",
    [FAULT_TARGET_EXISTS] = "TargetExists",
    [FAULT_TARGET_REFUSED] = "TargetRefused",
    [FAULT_NO_SPACE] = "NoSpace",
    [FAULT_SHARE_REFUSED] = "ShareRefused",
    [FAULT_SHARE_UNFIT] = "ShareUnfit",
    [FAULT_SHARE_BUSY] = "ShareBusy",
    [FAULT_SHARE_UNAVAILABLE] = "ShareUnavailable",
    [FAULT_HOST_IN_MAINTENANCE] = "HostInMaintenance",
    [FAULT_CHECK_FAILED] = "CheckFailed",
    [FAULT_DISK_UNSUPPORTED] = "DiskUnsupported",
    [FAULT_IMAGE_INVALID] = "ImageInvalid",
    [FAULT_MIGRATION_FAILED] = "MigrationFailed",
    [FAULT_PROGRAM_FAILED] = "ProgramFailed",
    [FAULT_PEER_UNREACHABLE] = "PeerUnreachable",
    [FAULT_DAEMON_UNAVAILABLE] = "DaemonUnavailable",
    [FAULT_PERMISSION_DENIED] = "PermissionDenied",
    [FAULT_ROLLBACK_INCOMPLETE] = "RollbackIncomplete",
};

void
fault_set(GError **error, FaultCode code, const char *object, const char *remedy, const char *cause,
          ...)
{
    va_list arguments;

    g_return_if_fail((int)code >= 0 && code < FAULT_COUNT);
    if (!error)
        return;
    va_start(arguments, cause);
    g_autofree char *text = g_strdup_vprintf(cause, arguments);
    va_end(arguments);

    if (remedy && *remedy)
        g_set_error(error, FAULT, code, "%s: %s; %s", object, text, remedy);
    else
        g_set_error(error, FAULT, code, "%s: %s", object, text);
    FaultPrivate *private = fault_get_private(*error);
    private->object = g_strdup(object);
    private->cause = g_steal_pointer(&text);
    private->remedy = g_strdup(remedy);
}

static const char *
or_empty(const char *text)
{
    return text ? text : "";
}

const char *
fault_object(const GError *error)
{
    return error->domain == FAULT ? or_empty(fault_get_private(error)->object) : "";
}

const char *
fault_cause(const GError *error)
{
    return error->domain == FAULT ? or_empty(fault_get_private(error)->cause) : error->message;
}

const char *
fault_remedy(const GError *error)
{
    return error->domain == FAULT ? or_empty(fault_get_private(error)->remedy) : "";
}

FaultCode
fault_code(const GError *error)
{
    return error->domain == FAULT ? (FaultCode)error->code : FAULT_INTERNAL;
}

const char *
fault_code_name(FaultCode code)
{
    g_return_val_if_fail((int)code >= 0 && code < FAULT_COUNT, "Internal");
    return code_names[code];
}

gboolean
fault_code_from_name(const char *name, FaultCode *ret_code)
{
    for (int code = 0; code < FAULT_COUNT; code++) {
        if (g_strcmp0(code_names[code], name) == 0) {
            *ret_code = (FaultCode)code;
            return TRUE;
        }
    }
    return FALSE;
}
