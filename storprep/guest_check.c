/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks libvirt about a guest. */
#include "storprep/guest_check.h"

#include "common/domain_xml.h"
#include "common/fault.h"
#include "storprep/guest_facts.h"

typedef struct {
    CheckSubject *subject;
    const char *label;
    const Guest *guest; /* borrowed of the subject */
    DomainXml *domain;
    DomainFeatures *features;
    GuestCondition *condition; /* NULL: not asked yet */
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    domain_xml_free(context->domain);
    domain_features_free(context->features);
    guest_condition_free(context->condition);
    check_subject_unref(context->subject);
    g_free(context);
}

static Context *
context_new(CheckSubject *subject)
{
    Context *context = g_new0(Context, 1);

    context->subject = check_subject_ref(subject);
    context->label = check_subject_label(subject);
    return context;
}

static void
check_exists(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autoptr(GError) error = NULL;
    const Guest *guest = NULL;

    switch (check_subject_guest(context->subject, &guest, &error)) {
    case CHECK_READY:
        check_pass(report, context->label, "is here, UUID %s", guest->uuid);
        break;
    case CHECK_NOTHING:
        check_fail(report, context->label, NULL, "is not known to this host's libvirt");
        break;
    case CHECK_HINDERED:
        check_unknown(report, context->label, "%s", error->message);
        break;
    }
}

CheckGroup
guest_check_exists(CheckSubject *subject)
{
    static const Check list[] = { { "guest.exists", check_exists }, { 0 } };
    Context *context = context_new(subject);

    return (CheckGroup) {
        .object = context->label, .checks = list, .context = context, .free_context = context_free
    };
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;
    CheckReadiness readiness = check_subject_guest(context->subject, &context->guest, error);

    if (readiness != CHECK_READY)
        return readiness;
    context->domain = domain_xml_parse(context->guest->xml, error);
    if (context->domain)
        context->features = domain_features_parse(context->guest->xml, error);
    return context->features ? CHECK_READY : CHECK_HINDERED;
}

/* What helps a guest in this state; NULL: nothing is wrong. */
static const char *
find_remedy(GuestState state, const char **ret_name)
{
    switch (state) {
    case GUEST_STATE_RUNNING:
        *ret_name = "running";
        return NULL;
    case GUEST_STATE_PAUSED:
        *ret_name = "paused";
        return "virsh resume";
    case GUEST_STATE_SHUT_OFF:
        *ret_name = "shut off";
        return "virsh start";
    case GUEST_STATE_CRASHED:
        *ret_name = "crashed";
        return "virsh reset";
    case GUEST_STATE_OTHER:
        *ret_name = "neither running nor paused";
        return "virsh domstate --reason";
    }
    g_return_val_if_reached(NULL);
}

static void
check_running(void *data, CheckReport *report)
{
    const Context *context = data;
    const char *state = "";
    const char *verb = find_remedy(context->guest->state, &state);

    if (!verb) {
        check_pass(report, context->label, "is running");
        return;
    }
    g_autofree char *remedy = g_strdup_printf("%s GUEST", verb);
    check_fail(report, context->label, remedy, "is %s", state);
}

/* NULL, reported as unknown, if libvirt does not tell. It asks QEMU, which may itself wait for the
 * guest's disks. Borrowed. */
static const GuestCondition *
need_condition(Context *context, CheckReport *report)
{
    g_autoptr(GError) error = NULL;

    if (!context->condition && check_subject_storage(context->subject, &error))
        context->condition = hypervisor_inspect_guest(check_subject_hypervisor(context->subject),
                                                      context->guest->uuid, &error);
    if (!context->condition)
        check_unknown(report, context->label, "%s", error->message);
    return context->condition;
}

static void
check_no_job(void *data, CheckReport *report)
{
    Context *context = data;
    const GuestCondition *condition = need_condition(context, report);

    if (!condition)
        return;
    g_autofree char *abort_block = g_strdup_printf(
        "virsh blockjob GUEST %s --abort", condition->job_disk ? condition->job_disk : "DISK");
    if (context->guest->has_job)
        check_fail(report, context->label, "virsh domjobinfo GUEST; virsh domjobabort GUEST",
                   "libvirt runs a job on it");
    else if (condition->job_disk)
        check_fail(report, context->label, abort_block, "a block job runs on disk %s",
                   condition->job_disk);
    else if (context->features->copying_disk)
        check_fail(report, context->label, abort_block, "one of its disks is being copied");
    else
        check_pass(report, context->label, "libvirt runs no job on it or on its disks");
}

static void
check_no_snapshot(void *data, CheckReport *report)
{
    Context *context = data;
    const GuestCondition *condition = need_condition(context, report);

    if (condition && condition->snapshots > 0)
        check_fail(report, context->label, NULL, "has %u snapshots", condition->snapshots);
    else if (condition)
        check_pass(report, context->label, "has no snapshots");
}

static void
check_disks_healthy(void *data, CheckReport *report)
{
    Context *context = data;
    const GuestCondition *condition = need_condition(context, report);

    if (condition && condition->broken_disk)
        check_fail(report, context->label, NULL, "requests to a disk failed: %s",
                   condition->broken_disk);
    else if (condition)
        check_pass(report, context->label, "no disk reports an error");
}

static void
check_messages(void *data, CheckReport *report)
{
    Context *context = data;
    const GuestCondition *condition = need_condition(context, report);

    if (!condition)
        return;
    if (!condition->messages[0]) {
        check_pass(report, context->label, "libvirt has nothing to say about it");
        return;
    }
    g_autofree char *joined = g_strjoinv("; ", condition->messages);
    check_fail(report, context->label, NULL, "libvirt says: %s", joined);
}

static void
check_transient_disks(void *data, CheckReport *report)
{
    const Context *context = data;
    guint found = 0;

    for (guint i = 0; i < context->domain->disks->len; i++) {
        const DomainDisk *disk = context->domain->disks->pdata[i];

        if (!disk->transient)
            continue;
        check_fail(report, context->label, NULL, "disk %s is transient", disk->target);
        found++;
    }
    if (!found)
        check_pass(report, context->label, "has no transient disk");
}

/* What the guest needs, and what of it is this host's. */
static void
tell(void *data, CheckReport *report)
{
    const Context *context = data;
    json_auto_t *of_guest = guest_facts_of_guest(context->guest, context->features);
    const HypervisorHost *host = check_subject_host(context->subject, NULL);

    json_object_update(report->facts, of_guest);
    if (host) {
        json_auto_t *facts = guest_facts_of_host(host, context->features);
        json_object_update(report->facts, facts);
    }
}

CheckGroup
guest_check_state(CheckSubject *subject)
{
    static const Check list[] = { { "guest.running", check_running },
                                  { "guest.no-job", check_no_job },
                                  { "guest.no-snapshot", check_no_snapshot },
                                  { "guest.disks-healthy", check_disks_healthy },
                                  { "guest.untainted", check_messages },
                                  { "guest.not-transient-disk", check_transient_disks },
                                  { 0 } };
    Context *context = context_new(subject);

    return (CheckGroup) { .object = context->label,
                          .checks = list,
                          .prepare = prepare,
                          .tell = tell,
                          .context = context,
                          .free_context = context_free };
}
