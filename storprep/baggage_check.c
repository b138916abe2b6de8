/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges what a guest's XML binds it to. */
#include "storprep/baggage_check.h"

#include <string.h>

#include "common/domain_baggage.h"
#include "storprep/guest_policy.h"
#include "storprep/local_state.h"
#include "storprep/network_path.h"
#include "storprep/tpm_check.h"

typedef struct {
    const StorageChecks *checks; /* borrowed */
    CheckSubject *subject;
    const char *label;
    const Guest *guest; /* borrowed of the subject */
    DomainBaggage *baggage;
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    domain_baggage_free(context->baggage);
    check_subject_unref(context->subject);
    g_free(context);
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;
    CheckReadiness readiness = check_subject_guest(context->subject, &context->guest, error);

    if (readiness != CHECK_READY)
        return readiness;
    context->baggage = domain_baggage_parse(context->guest->xml, error);
    return context->baggage ? CHECK_READY : CHECK_HINDERED;
}

/* Paths of what the destination must have itself. */
static json_t *
list_files(const Context *context)
{
    json_auto_t *states = local_state_list(context->guest->xml, NULL);
    json_t *files = json_array();
    size_t i;
    json_t *state;

    json_array_foreach (states, i, state) {
        if (!json_is_true(json_object_get(state, "migrates")))
            json_array_append(files, json_object_get(state, "path"));
    }
    for (char **path = context->baggage->needed_files; *path; path++)
        json_array_append_new(files, json_string(*path));
    return files;
}

/* A policy that cannot be read is for `migprep policy` to say; it binds the guest to nothing. */
static void
tell_place(const Context *context, CheckReport *report)
{
    g_auto(GuestPlace) place = { 0 };

    if (!guest_policy_read_place(context->guest->xml, &place, NULL))
        return;
    if (place.values[GUEST_PLACE_HOSTS])
        check_fact(report, "onlyHosts", json_string(place.values[GUEST_PLACE_HOSTS]));
    if (place.values[GUEST_PLACE_APART])
        check_fact(report, "apartFrom", json_string(place.values[GUEST_PLACE_APART]));
}

static void
tell(void *data, CheckReport *report)
{
    const Context *context = data;
    const DomainBaggage *baggage = context->baggage;

    check_fact(report, "files", list_files(context));
    tell_place(context, report);
    if (baggage->tpm)
        check_fact(report, "tpm", json_string(baggage->tpm));
    if (baggage->pinned_processors)
        check_fact(report, "pinnedProcessors", json_string(baggage->pinned_processors));
    if (baggage->tsc_hertz > 0)
        check_fact(report, "tscHertz", json_integer((json_int_t)baggage->tsc_hertz));
    if (baggage->memory_nodes)
        check_fact(report, "memoryNodes", json_string(baggage->memory_nodes));
}

static void
check_mode(void *data, CheckReport *report)
{
    const Context *context = data;
    if (g_str_equal(context->baggage->mode, "none"))
        check_fail(report, context->label, NULL, "its policy forbids to move it");
    else
        check_pass(report, context->label, "its policy allows it: %s", context->baggage->mode);
}

static void
check_blockers(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autofree char *found = g_strjoinv(", ", context->baggage->unmovable);

    if (*found)
        check_fail(report, context->label, NULL, "has %s", found);
    else
        check_pass(report, context->label, "has no device that QEMU refuses to migrate");
}

/* QEMU takes the state of virtiofsd along since 8.2, and libvirt lets it since 10.0; whether
 * virtiofsd gives it away shows only when it is asked. */
static gboolean
moves_virtiofs(const Context *context)
{
    const HypervisorHost *host = check_subject_host(context->subject, NULL);

    return host && host->version >= 8002000 && host->library_version >= 10000000;
}

static void
check_directories(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autofree char *found = g_strjoinv(", ", context->baggage->shared_directories);

    if (*found && moves_virtiofs(context) && !strstr(found, "9p "))
        check_unknown(report, context->label,
                      "shares %s: that moves if virtiofsd is 1.11 or newer on both hosts and both "
                      "have the directory",
                      found);
    else if (*found)
        check_fail(report, context->label, NULL, "shares directories of this host: %s", found);
    else
        check_pass(report, context->label, "shares no directory of this host");
}

/* Where the TPM's state lies, if other hosts serve that; else NULL. Owned. */
static char *
find_shared_state(const Context *context)
{
    json_auto_t *states = local_state_list(context->guest->xml, NULL);
    size_t i;
    json_t *state;

    json_array_foreach (states, i, state) {
        const char *path = json_string_value(json_object_get(state, "path"));

        if (g_str_equal(json_string_value(json_object_get(state, "kind")), "tpm") &&
            network_path_is(path, context->checks->mount_info))
            return g_strdup(path);
    }
    return NULL;
}

/* The other host's swtpm opens the same files, which this one's has locked. */
static void
judge_shared_state(const Context *context, const char *path, CheckReport *report)
{
    g_autoptr(GError) error = NULL;
    gboolean can = FALSE;

    if (!tpm_can_share_state(context->checks, &can, &error))
        check_unknown(report, context->label, "its TPM's state is on shared storage: %s",
                      error->message);
    else if (can)
        check_pass(report, context->label,
                   "has an emulated TPM, whose state on shared storage swtpm hands over");
    else
        check_fail(report, context->label,
                   "swtpm socket --print-capabilities  # 0.8 or later, then restart the guest",
                   "its TPM's state is on shared storage, at %s, and this swtpm does not let it go",
                   path);
}

static void
check_tpm(void *data, CheckReport *report)
{
    const Context *context = data;
    const char *tpm = context->baggage->tpm;
    g_autofree char *shared = find_shared_state(context);

    if (!tpm)
        check_pass(report, context->label, "has no TPM");
    else if (shared)
        judge_shared_state(context, shared, report);
    else if (g_str_equal(tpm, "emulator"))
        check_pass(report, context->label, "has an emulated TPM, whose state QEMU sends along");
    else
        check_fail(report, context->label, NULL, "has a TPM of the kind '%s'", tpm);
}

static void
check_tsc(void *data, CheckReport *report)
{
    const Context *context = data;

    if (context->baggage->invariant_tsc)
        check_fail(report, context->label, NULL,
                   "its processor has invtsc, and no frequency is set for the timer 'tsc'");
    else
        check_pass(report, context->label, "does not depend on this host's TSC frequency");
}

CheckGroup
baggage_check(const StorageChecks *checks, CheckSubject *subject)
{
    static const Check list[] = { { "guest.migration-allowed", check_mode },
                                  { "guest.no-qemu-blockers", check_blockers },
                                  { "guest.no-shared-directories", check_directories },
                                  { "guest.tpm-movable", check_tpm },
                                  { "guest.tsc-movable", check_tsc },
                                  { 0 } };
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    context->subject = check_subject_ref(subject);
    context->label = check_subject_label(subject);
    return (CheckGroup) { .object = context->label,
                          .checks = list,
                          .prepare = prepare,
                          .tell = tell,
                          .context = context,
                          .free_context = context_free };
}
