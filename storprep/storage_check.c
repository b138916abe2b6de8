/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts the groups of checks together that a role needs. */
#include "storprep/storage_check.h"

#include "common/check_method.h"
#include "common/limits.h"
#include "storprep/access_check.h"
#include "storprep/affinity_check.h"
#include "storprep/answer_check.h"
#include "storprep/baggage_check.h"
#include "storprep/directory_check.h"
#include "storprep/disk_check.h"
#include "storprep/guest_check.h"
#include "storprep/host_check.h"
#include "storprep/host_state.h"
#include "storprep/image_check.h"
#include "storprep/login.h"
#include "storprep/passage_check.h"
#include "storprep/place_check.h"
#include "storprep/processor_check.h"
#include "storprep/server_check.h"
#include "storprep/system_check.h"
#include "storprep/target_check.h"
#include "storprep/tpm_check.h"

#define FAREWELL_SECONDS 5

StorageChecks *
storage_checks_new(Hypervisor *hypervisor, LeaseStore *store, const char *const *directories)
{
    StorageChecks *checks = g_new0(StorageChecks, 1);

    checks->runner = check_runner_new();
    checks->pulse = storage_pulse_new(&storage_pulse_real);
    checks->hypervisor = hypervisor;
    checks->store = store;
    checks->directories = directories;
    checks->root = "";
    checks->host_name = g_get_host_name();
    checks->firewall_program = "firewall-cmd";
    checks->tpm_program = "swtpm";
    checks->read_label = directory_label_read;
    checks->reach = &reach_network;
    checks->log_in = login_try;
    checks->try_access = file_access_try;
    return checks;
}

gboolean
storage_checks_free(StorageChecks *checks)
{
    if (!checks)
        return TRUE;
    if (!check_runner_finish(checks->runner, FAREWELL_SECONDS))
        return FALSE;
    check_runner_free(checks->runner);
    storage_pulse_free(checks->pulse);
    g_free(checks);
    return TRUE;
}

static CheckSubject *
subject_new(const StorageChecks *checks, const char *guest)
{
    const CheckSources sources = { checks->hypervisor, checks->pulse, checks->mount_info };

    return check_subject_new(&sources, guest);
}

CheckReport *
storage_check_source(const StorageChecks *checks, const char *guest)
{
    g_autoptr(CheckSubject) subject = subject_new(checks, guest);
    const CheckGroup groups[] = {
        host_check_libvirt(subject),         guest_check_exists(subject),
        guest_check_state(subject),          disk_check(subject),
        image_check(checks, subject),        baggage_check(checks, subject),
        answer_check_guest(checks, subject), affinity_check_left(subject)
    };
    CheckReport *report =
        check_runner_run(checks->runner, groups, G_N_ELEMENTS(groups), guest, CHECK_TIMEOUT_MSEC);
    json_auto_t *facts = host_state_facts(checks->root, checks->host_name, checks->cluster);

    /* Last, so that the other host sees this one's clock as late as can be. */
    json_object_update(report->facts, facts);
    return report;
}

CheckReport *
storage_check_destination(const StorageChecks *checks, const json_t *object, GError **error)
{
    g_autoptr(GuestFacts) facts = guest_facts_from_json(object, error);

    if (!facts)
        return NULL;
    g_autoptr(CheckSubject) subject = subject_new(checks, NULL);
    const CheckGroup groups[] = {
        host_check_libvirt(subject),     host_check_guest(subject, facts),
        host_check_fit(subject, facts),  target_check(checks, facts),
        system_check_host(checks),       system_check_pair(checks, facts),
        processor_check(subject, facts), place_check(checks, facts),
        access_check(checks, facts),     answer_check_arrival(checks, facts),
        affinity_check(checks, facts),   directory_check(checks, facts),
        server_check(checks, facts),     tpm_check(checks, facts)
    };
    CheckReport *report = check_runner_run(checks->runner, groups, G_N_ELEMENTS(groups),
                                           facts->name, CHECK_TIMEOUT_MSEC);
    json_auto_t *own = host_state_facts(checks->root, checks->host_name, checks->cluster);

    json_object_update(report->facts, own);
    return report;
}

CheckReport *
storage_check_host(const StorageChecks *checks)
{
    g_autoptr(CheckSubject) subject = subject_new(checks, NULL);
    const CheckGroup groups[] = { host_check_libvirt(subject), system_check_host(checks),
                                  answer_check_host(checks) };

    return check_runner_run(checks->runner, groups, G_N_ELEMENTS(groups), NULL, CHECK_TIMEOUT_MSEC);
}

CheckReport *
storage_check_passage(const StorageChecks *checks, const CheckPassage *passage, GError **error)
{
    g_autoptr(GuestFacts) facts = guest_facts_from_json(passage->facts, error);

    if (!facts)
        return NULL;
    CheckGroup groups[2];
    gsize count = 0;

    groups[count++] = passage->login ? passage_check_login(checks, passage)
                                     : passage_check(checks, passage, facts);

    if (passage->measure_seconds > 0)
        groups[count++] = passage_check_rate(checks, passage);
    return check_runner_run(checks->runner, groups, count, passage->guest, CHECK_TIMEOUT_MSEC);
}

CheckReport *
storage_check_address(const StorageChecks *checks)
{
    CheckReport *report = check_report_new();
    json_auto_t *facts = host_state_facts(checks->root, checks->host_name, checks->cluster);

    json_object_update(report->facts, facts);
    return report;
}

static CheckReport *
check_source(const void *checks, const char *guest)
{
    return storage_check_source(checks, guest);
}

static CheckReport *
check_destination(const void *checks, const json_t *facts, GError **error)
{
    return storage_check_destination(checks, facts, error);
}

static CheckReport *
check_host(const void *checks)
{
    return storage_check_host(checks);
}

static CheckReport *
check_passage(const void *checks, const CheckPassage *passage, GError **error)
{
    return storage_check_passage(checks, passage, error);
}

static CheckReport *
check_address(const void *checks)
{
    return storage_check_address(checks);
}

void
storage_check_serve(const StorageChecks *checks, VarlinkCall *call, const json_t *parameters)
{
    static const CheckRoles roles = { check_source, check_destination, check_host, check_passage,
                                      check_address };

    check_method_serve(&roles, checks, call, parameters);
}
