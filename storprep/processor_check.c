/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares the processors of two hosts, and a guest's pinning with this host's topology. */
#include "storprep/processor_check.h"

#include "common/number_set.h"

#define HOST "this host"

typedef struct {
    CheckSubject *subject;
    GuestFacts *facts;
    const HypervisorHost *host; /* borrowed of the subject */
    char *vendor, *model;       /* NULL: libvirt does not name them */
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    guest_facts_free(context->facts);
    check_subject_unref(context->subject);
    g_free(context->vendor);
    g_free(context->model);
    g_free(context);
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;

    context->host = check_subject_host(context->subject, error);
    if (!context->host)
        return CHECK_HINDERED;
    hypervisor_host_name_processor(context->host, &context->vendor, &context->model);
    return CHECK_READY;
}

static void
check_vendor(void *data, CheckReport *report)
{
    const Context *context = data;
    const char *there = context->facts->processor_vendor;

    if (!there)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (!context->vendor)
        check_unknown(report, HOST, "libvirt does not name the processor's vendor");
    else if (g_str_equal(there, context->vendor))
        check_pass(report, HOST, "has a processor of %s, too", there);
    else if (g_strcmp0(context->facts->type, "qemu") == 0)
        check_pass(report, HOST, "has one of %s, the guest's host of %s, and QEMU emulates it",
                   context->vendor, there);
    else
        check_fail(report, HOST, NULL, "has a processor of %s, the guest's host of %s",
                   context->vendor, there);
}

static void
check_model(void *data, CheckReport *report)
{
    const Context *context = data;
    const char *there = context->facts->processor_model;
    gboolean own = g_strcmp0(context->facts->processor_mode, "host-passthrough") == 0;

    if (!there || !context->facts->processor_mode)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (!context->model)
        check_unknown(report, HOST, "libvirt does not name the processor's model");
    else if (g_str_equal(there, context->model))
        check_pass(report, HOST, "is a %s, too", there);
    else if (!own)
        check_pass(report, HOST,
                   "is a %s, the guest's host a %s, and the guest has a model of its own",
                   context->model, there);
    else
        check_fail(report, HOST, NULL,
                   "is a %s, the guest's host a %s, and the guest has its host's own (%s)",
                   context->model, there, context->facts->processor_mode);
}

/* FALSE: @text needs what @available lacks, which is reported. */
static gboolean
fits(const char *text, GHashTable *available, const char *what, CheckReport *report)
{
    int missing = -1;

    if (!text)
        return TRUE;
    if (!number_set_find_missing(text, available, &missing))
        check_unknown(report, HOST, "the guest's host told '%s', which is no set", text);
    else if (missing >= 0)
        check_fail(report, HOST, NULL, "has no %s %d, to which the guest is pinned (%s)", what,
                   missing, text);
    else
        return TRUE;
    return FALSE;
}

static void
check_pinning(void *data, CheckReport *report)
{
    const Context *context = data;
    const GuestFacts *facts = context->facts;
    g_autoptr(GHashTable) processors = NULL;
    g_autoptr(GHashTable) nodes = NULL;

    if (!facts->name) {
        check_unknown(report, HOST, CHECK_NOT_TOLD);
        return;
    }
    hypervisor_host_topology(context->host, &processors, &nodes);
    gboolean runs = fits(facts->pinned_processors, processors, "processor", report);
    gboolean remembers = fits(facts->memory_nodes, nodes, "memory node", report);
    if (!runs || !remembers)
        return;
    if (facts->pinned_processors || facts->memory_nodes)
        check_pass(report, HOST,
                   "has the processors and memory nodes to which the guest is pinned");
    else
        check_pass(report, HOST, "the guest is not pinned");
}

/* libvirt's tolerance, which is KVM's: 250 ppm. */
static gboolean
is_near(guint64 a, guint64 b)
{
    return (a > b ? a - b : b - a) <= b / 1000000 * 250;
}

static void
check_tsc(void *data, CheckReport *report)
{
    const Context *context = data;
    guint64 wanted = context->facts->tsc_hertz, here = 0;
    gboolean scaling = FALSE;

    if (!context->facts->name)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (wanted == 0)
        check_pass(report, HOST, "the guest's TSC is not fixed to a frequency");
    else if (!hypervisor_host_tsc(context->host, &here, &scaling))
        check_unknown(report, HOST, "libvirt does not tell the frequency of the TSC");
    else if (scaling || is_near(wanted, here))
        check_pass(report, HOST, "gives the guest a TSC of %" G_GUINT64_FORMAT " Hz", wanted);
    else
        check_fail(report, HOST, NULL,
                   "its TSC has %" G_GUINT64_FORMAT
                   " Hz and cannot be scaled, the guest's is fixed to %" G_GUINT64_FORMAT,
                   here, wanted);
}

CheckGroup
processor_check(CheckSubject *subject, const GuestFacts *facts)
{
    static const Check list[] = { { "host.cpu-vendor-same", check_vendor },
                                  { "host.cpu-model-same", check_model },
                                  { "host.pinning-fits", check_pinning },
                                  { "host.tsc-fits", check_tsc },
                                  { 0 } };
    Context *context = g_new0(Context, 1);

    context->subject = check_subject_ref(subject);
    context->facts = guest_facts_copy(facts);
    return (CheckGroup) { .object = HOST,
                          .checks = list,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}
