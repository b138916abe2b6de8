/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the mapping from Faults to exit statuses. */
#include "common/cli/exit_status.h"

const char exit_status_help[] = "Exit status:\n"
                                "  0 done                        10 guest agent silent\n"
                                "  1 other failure               11 guest kept its device\n"
                                "  2 wrong usage                 12 guest's bond unfit\n"
                                "  3 guest not found             13 guest busy\n"
                                "  4 guest not running           14 migration failed\n"
                                "  5 host unreachable            15 disk cannot be moved\n"
                                "  6 daemon missing              16 permission denied\n"
                                "  7 no free virtual function    17 guest safe, but something is\n"
                                "  8 target file exists             not as before\n"
                                "  9 no space                    130 cancelled\n";

ExitStatus
exit_status_of(FaultCode code)
{
    switch (code) {
    case FAULT_CANCELLED:
        return EXIT_STATUS_CANCELLED;
    case FAULT_INVALID_ARGUMENT:
        return EXIT_STATUS_USAGE;
    case FAULT_GUEST_NOT_FOUND:
        return EXIT_STATUS_GUEST_NOT_FOUND;
    case FAULT_GUEST_NOT_RUNNING:
        return EXIT_STATUS_GUEST_NOT_RUNNING;
    case FAULT_PEER_UNREACHABLE:
        return EXIT_STATUS_UNREACHABLE;
    case FAULT_DAEMON_UNAVAILABLE:
        return EXIT_STATUS_NO_DAEMON;
    case FAULT_NO_FREE_FUNCTION:
    case FAULT_FUNCTION_BUSY:
        return EXIT_STATUS_NO_FUNCTION;
    case FAULT_TARGET_EXISTS:
        return EXIT_STATUS_TARGET_EXISTS;
    case FAULT_NO_SPACE:
        return EXIT_STATUS_NO_SPACE;
    case FAULT_AGENT_UNAVAILABLE:
    case FAULT_AGENT_FAILED:
        return EXIT_STATUS_AGENT;
    case FAULT_UNPLUG_REFUSED:
    case FAULT_UNPLUG_TIMED_OUT:
        return EXIT_STATUS_UNPLUG;
    case FAULT_BOND_UNFIT:
        return EXIT_STATUS_BOND;
    case FAULT_GUEST_BUSY:
    case FAULT_LEASE_BUSY:
        return EXIT_STATUS_BUSY;
    case FAULT_MIGRATION_FAILED:
        return EXIT_STATUS_MIGRATION;
    case FAULT_SHARE_REFUSED:
    case FAULT_SHARE_UNFIT:
    case FAULT_SHARE_BUSY:
    case FAULT_SHARE_UNAVAILABLE:
    case FAULT_DISK_UNSUPPORTED:
    case FAULT_IMAGE_INVALID:
    case FAULT_TARGET_REFUSED:
        return EXIT_STATUS_DISK;
    case FAULT_PERMISSION_DENIED:
        return EXIT_STATUS_PERMISSION;
    case FAULT_ROLLBACK_INCOMPLETE:
        return EXIT_STATUS_DEGRADED;
    case FAULT_INTERNAL:
    case FAULT_TIMED_OUT:
    case FAULT_LIMIT_EXCEEDED:
    case FAULT_HYPERVISOR_UNAVAILABLE:
    case FAULT_HYPERVISOR_FAILED:
    case FAULT_FUNCTION_FAILED:
    case FAULT_LEASE_NOT_FOUND:
    case FAULT_LEASE_CONFLICT:
    case FAULT_STALE_GENERATION:
    case FAULT_STORE_FAILED:
    case FAULT_JOB_NOT_FOUND:
    case FAULT_PROGRAM_FAILED:
    case FAULT_HOST_IN_MAINTENANCE:
    case FAULT_CHECK_FAILED:
    case FAULT_COUNT:
        return EXIT_STATUS_FAILED;
    }
    return EXIT_STATUS_FAILED;
}
