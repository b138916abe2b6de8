/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/storage_recovery.h"

#include "fake/storage_audit.h"

void
storage_recovery_run(StorageProcess *process, const CrashPlay *play)
{
    storage_process_restart(process, play->later_point ? play->later : INJECT_NOTHING,
                            play->later_point);
    storage_process_settle(process);
    injector_arm(process->injector, INJECT_NOTHING, 0);
    storage_process_settle(process);
    storage_audit(&process->host);
    storage_process_expire(process);
    storage_process_settle(process);
    storage_audit_empty(&process->host);
}
