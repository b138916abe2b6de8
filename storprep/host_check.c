/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares what a guest needs with what libvirt says of this host. */
#include "storprep/host_check.h"

#include "common/fault.h"
#include "common/xml_tree.h"

#define HOST "this host"
#define KIB  ((guint64)1 << 10)
#define MIB  ((guint64)1 << 20)

typedef struct {
    CheckSubject *subject;
    GuestFacts *facts;          /* NULL where none are needed */
    const HypervisorHost *host; /* borrowed of the subject */
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    guest_facts_free(context->facts);
    check_subject_unref(context->subject);
    g_free(context);
}

static Context *
context_new(CheckSubject *subject, const GuestFacts *facts)
{
    Context *context = g_new0(Context, 1);

    context->subject = check_subject_ref(subject);
    context->facts = facts ? guest_facts_copy(facts) : NULL;
    return context;
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;

    context->host = check_subject_host(context->subject, error);
    return context->host ? CHECK_READY : CHECK_HINDERED;
}

static void
check_libvirt(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autoptr(GError) error = NULL;
    const HypervisorHost *host = check_subject_host(context->subject, &error);

    if (!host) {
        check_fail(report, HOST, NULL, "libvirt does not answer: %s", fault_cause(error));
        return;
    }
    g_autofree char *version = hypervisor_version_to_text(host->version);
    g_autofree char *library = hypervisor_version_to_text(host->library_version);
    check_pass(report, HOST, "libvirt %s answers, with %s %s", library, host->type, version);
}

/* A session's libvirt has guests, networks and rights of its own: "qemu:///session". */
static void
check_instance(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autoptr(GError) error = NULL;
    const HypervisorHost *host = check_subject_host(context->subject, &error);

    if (!host || !host->uri)
        check_unknown(report, HOST, "libvirt does not tell: %s",
                      error ? fault_cause(error) : "it has no URI");
    else if (g_str_has_suffix(host->uri, "/system"))
        check_pass(report, HOST, "uses %s", host->uri);
    else
        check_fail(report, HOST, NULL, "uses %s, which is not the system's", host->uri);
}

CheckGroup
host_check_libvirt(CheckSubject *subject)
{
    static const Check list[] = { { "host.libvirt-answers", check_libvirt },
                                  { "host.libvirt-system", check_instance },
                                  { 0 } };

    return (CheckGroup) { .object = HOST,
                          .checks = list,
                          .context = context_new(subject, NULL),
                          .free_context = context_free };
}

/* FALSE if there is no guest called @text; unknown results are reported. */
static gboolean
find_guest(const Context *context, const char *text, const char *label, CheckReport *report,
           Guest **ret_guest)
{
    g_autoptr(GError) error = NULL;

    *ret_guest = hypervisor_get_guest(check_subject_hypervisor(context->subject), text, &error);
    if (*ret_guest || g_error_matches(error, FAULT, FAULT_GUEST_NOT_FOUND))
        return TRUE;
    check_unknown(report, label, "%s", error->message);
    return FALSE;
}

static gboolean
is_active(const Guest *guest)
{
    return guest->state != GUEST_STATE_SHUT_OFF && guest->state != GUEST_STATE_CRASHED;
}

static void
check_absent(void *data, CheckReport *report)
{
    const Context *context = data;
    const GuestFacts *facts = context->facts;
    g_autofree char *label = g_strdup_printf("guest '%s'", facts->name ? facts->name : "?");
    g_autoptr(Guest) same = NULL;
    g_autoptr(Guest) namesake = NULL;

    if (!facts->uuid)
        check_unknown(report, label, CHECK_NOT_TOLD);
    else if (!find_guest(context, facts->uuid, label, report, &same) ||
             !find_guest(context, facts->name, label, report, &namesake))
        return;
    else if (same && is_active(same))
        check_fail(report, label, NULL, "is active here, too");
    else if (namesake && g_ascii_strcasecmp(namesake->uuid, facts->uuid) != 0)
        check_fail(report, label,
                   "virsh domrename GUEST NEW-NAME  # here, or the other one on its host",
                   "another guest here has that name, UUID %s", namesake->uuid);
    else
        check_pass(report, label, same ? "is defined here, and not active" : "is not here");
}

static void
check_machine(void *data, CheckReport *report)
{
    const Context *context = data;
    const GuestFacts *facts = context->facts;
    g_autoptr(GError) error = NULL;
    gboolean known = FALSE;

    if (!facts->machine)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (!hypervisor_host_knows_machine(context->host, facts->architecture, facts->machine,
                                            &known, &error))
        check_unknown(report, HOST, "%s", error->message);
    else if (known)
        check_pass(report, HOST, "offers machine type %s", facts->machine);
    else
        check_fail(report, HOST, NULL, "does not offer machine type %s", facts->machine);
}

CheckGroup
host_check_guest(CheckSubject *subject, const GuestFacts *facts)
{
    static const Check list[] = { { "guest.absent-there", check_absent },
                                  { "guest.machine-known-there", check_machine },
                                  { 0 } };

    return (CheckGroup) { .object = HOST,
                          .checks = list,
                          .prepare = prepare,
                          .context = context_new(subject, facts),
                          .free_context = context_free };
}

static void
check_hypervisor(void *data, CheckReport *report)
{
    const Context *context = data;

    if (!context->facts->hypervisor)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (g_str_equal(context->facts->hypervisor, context->host->type))
        check_pass(report, HOST, "runs %s, too", context->host->type);
    else
        check_fail(report, HOST, NULL, "runs %s, the guest's host %s", context->host->type,
                   context->facts->hypervisor);
}

static void
check_version(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autofree char *here = hypervisor_version_to_text(context->host->version);
    g_autofree char *there = hypervisor_version_to_text(context->facts->hypervisor_version);

    if (!context->facts->hypervisor_version)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (context->host->version >= context->facts->hypervisor_version)
        check_pass(report, HOST, "has version %s, the guest's host %s", here, there);
    else
        check_fail(report, HOST, NULL, "has version %s, the guest's host a newer one: %s", here,
                   there);
}

static void
check_library(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autofree char *here = hypervisor_version_to_text(context->host->library_version);
    g_autofree char *there = hypervisor_version_to_text(context->facts->library_version);

    if (!context->facts->library_version)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (context->host->library_version >= context->facts->library_version)
        check_pass(report, HOST, "has libvirt %s, the guest's host %s", here, there);
    else
        check_fail(report, HOST, NULL, "has libvirt %s, the guest's host a newer one: %s", here,
                   there);
}

static void
check_type(void *data, CheckReport *report)
{
    const Context *context = data;
    const GuestFacts *facts = context->facts;
    g_autoptr(GError) error = NULL;
    gboolean offered = FALSE;

    if (!facts->type)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (!hypervisor_host_offers(context->host, facts->architecture, facts->type, &offered,
                                     &error))
        check_unknown(report, HOST, "%s", error->message);
    else if (offered)
        check_pass(report, HOST, "offers guests of type %s", facts->type);
    else
        check_fail(report, HOST, NULL, "offers no guests of type %s%s", facts->type,
                   g_str_equal(facts->type, "kvm") ? ": its processor's virtualization is off"
                                                   : "");
}

/* The element comes from another host: only what is one at all is given to libvirt. */
static gboolean
compare(const Context *context, char **ret_obstacle, GError **error)
{
    const GuestFacts *facts = context->facts;
    const HypervisorMachine machine = { .architecture = facts->architecture,
                                        .type = facts->type,
                                        .own = g_strcmp0(facts->processor_mode,
                                                         "host-passthrough") == 0 };
    g_autoptr(xmlDoc) document = xml_tree_parse(facts->processor, "the guest's processor", error);

    return document &&
           hypervisor_compare_processor(check_subject_hypervisor(context->subject), &machine,
                                        facts->processor, ret_obstacle, error);
}

static void
check_processor(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autofree char *obstacle = NULL;
    g_autoptr(GError) error = NULL;

    if (g_strcmp0(context->facts->processor_mode, "none") == 0)
        check_pass(report, HOST, "the guest has the hypervisor's default processor");
    else if (!context->facts->processor)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (!compare(context, &obstacle, &error))
        check_unknown(report, HOST, "%s", error->message);
    else if (obstacle)
        check_fail(report, HOST, NULL, "cannot run the guest's processor: %s", obstacle);
    else
        check_pass(report, HOST, "can run the guest's processor");
}

static void
check_vcpus(void *data, CheckReport *report)
{
    const Context *context = data;
    unsigned wanted = context->facts->processors, here = context->host->processors;

    if (!wanted)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (wanted <= here)
        check_pass(report, HOST, "has %u processors, the guest %u", here, wanted);
    else
        check_fail(report, HOST, NULL, "has %u processors, the guest %u", here, wanted);
}

/* What of the guest's memory is not in huge pages. */
static guint64
usual_bytes(const GuestFacts *facts)
{
    guint64 huge = 0;

    for (guint i = 0; facts->huge_pages && i < facts->huge_pages->len; i++)
        huge += g_array_index(facts->huge_pages, DomainPages, i).bytes;
    return facts->memory_bytes > huge ? facts->memory_bytes - huge : 0;
}

static void
check_memory(void *data, CheckReport *report)
{
    const Context *context = data;
    guint64 wanted = usual_bytes(context->facts), here = context->host->available_bytes;

    if (!context->facts->memory_bytes)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (!wanted)
        check_pass(report, HOST, "the guest takes its memory from huge pages");
    else if (!here)
        check_unknown(report, HOST, "libvirt does not tell how much memory is free");
    else if (wanted <= here)
        check_pass(report, HOST,
                   "has %" G_GUINT64_FORMAT " MiB available, the guest needs %" G_GUINT64_FORMAT,
                   here / MIB, wanted / MIB);
    else
        check_fail(report, HOST, NULL,
                   "has %" G_GUINT64_FORMAT " MiB available, the guest needs %" G_GUINT64_FORMAT,
                   here / MIB, wanted / MIB);
}

/* The most that huge pages of @size (any, for the default) can hold. */
static guint64
free_in_huge_pages(const HypervisorHost *host, guint64 size)
{
    guint64 bytes = 0;

    for (guint i = 0; i < host->huge_pages->len; i++) {
        const HugePages *pages = &g_array_index(host->huge_pages, HugePages, i);

        if (size == HUGE_PAGES_DEFAULT_SIZE || size == pages->size_bytes)
            bytes = MAX(bytes, pages->size_bytes * pages->free_count);
    }
    return bytes;
}

/* How many more pages the kernel is to set aside; their size is not known if it is the usual one.
 */
static char *
remedy_for_pages(const DomainPages *need, guint64 here)
{
    guint64 size = need->page_bytes == HUGE_PAGES_DEFAULT_SIZE ? 2 * MIB : need->page_bytes;

    return g_strdup_printf("virsh allocpages --pagesize %" G_GUINT64_FORMAT
                           "KiB --pagecount %" G_GUINT64_FORMAT " --add",
                           size / KIB, (need->bytes - here + size - 1) / size);
}

static void
judge_pages(const Context *context, const DomainPages *need, CheckReport *report)
{
    guint64 here = free_in_huge_pages(context->host, need->page_bytes);
    g_autofree char *object =
        need->page_bytes == HUGE_PAGES_DEFAULT_SIZE
            ? g_strdup("huge pages of the usual size")
            : g_strdup_printf("huge pages of %" G_GUINT64_FORMAT " KiB", need->page_bytes / KIB);

    if (here >= need->bytes) {
        check_pass(report, object,
                   "%" G_GUINT64_FORMAT " MiB are free, the guest needs %" G_GUINT64_FORMAT,
                   here / MIB, need->bytes / MIB);
        return;
    }
    g_autofree char *remedy = remedy_for_pages(need, here);
    check_fail(report, object, remedy,
               "%" G_GUINT64_FORMAT " MiB are free, the guest needs %" G_GUINT64_FORMAT, here / MIB,
               need->bytes / MIB);
}

static void
check_huge_pages(void *data, CheckReport *report)
{
    const Context *context = data;
    const GArray *needs = context->facts->huge_pages;

    if (!needs)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (needs->len == 0)
        check_pass(report, HOST, "the guest needs no huge pages");
    for (guint i = 0; needs && i < needs->len; i++)
        judge_pages(context, &g_array_index(needs, DomainPages, i), report);
}

CheckGroup
host_check_fit(CheckSubject *subject, const GuestFacts *facts)
{
    static const Check list[] = { { "host.hypervisor-same", check_hypervisor },
                                  { "host.version-not-older", check_version },
                                  { "host.libvirt-not-older", check_library },
                                  { "host.virtualization-on", check_type },
                                  { "host.vcpus-fit", check_vcpus },
                                  { "host.memory-enough", check_memory },
                                  { "host.huge-pages-enough", check_huge_pages },
                                  { "host.cpu-compatible", check_processor },
                                  { 0 } };

    return (CheckGroup) { .object = HOST,
                          .checks = list,
                          .prepare = prepare,
                          .context = context_new(subject, facts),
                          .free_context = context_free };
}
