/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/check_subject.h"

#include "common/fault.h"
#include "common/once.h"

struct CheckSubject {
    Hypervisor *hypervisor;
    char *name; /* of the guest; NULL: none */
    char *label;
    Once about_guest, about_host;
    Guest *guest;
    HypervisorHost *host;
};

CheckSubject *
check_subject_new(Hypervisor *hypervisor, const char *guest)
{
    CheckSubject *subject = g_atomic_rc_box_new0(CheckSubject);

    subject->hypervisor = hypervisor;
    subject->name = g_strdup(guest);
    subject->label = guest ? g_strdup_printf("guest '%s'", guest) : g_strdup("this host");
    once_init(&subject->about_guest);
    once_init(&subject->about_host);
    return subject;
}

CheckSubject *
check_subject_ref(CheckSubject *subject)
{
    return g_atomic_rc_box_acquire(subject);
}

static void
subject_clear(gpointer data)
{
    CheckSubject *subject = data;

    guest_free(subject->guest);
    hypervisor_host_free(subject->host);
    once_clear(&subject->about_guest);
    once_clear(&subject->about_host);
    g_free(subject->name);
    g_free(subject->label);
}

void
check_subject_unref(void *subject)
{
    g_atomic_rc_box_release_full(subject, subject_clear);
}

Hypervisor *
check_subject_hypervisor(const CheckSubject *subject)
{
    return subject->hypervisor;
}

const char *
check_subject_label(const CheckSubject *subject)
{
    return subject->label;
}

static gboolean
ask_for_guest(void *data, GError **error)
{
    CheckSubject *subject = data;

    subject->guest = hypervisor_get_guest(subject->hypervisor, subject->name, error);
    return subject->guest != NULL;
}

CheckReadiness
check_subject_guest(CheckSubject *subject, const Guest **ret_guest, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (once_ask(&subject->about_guest, ask_for_guest, subject, &failure)) {
        *ret_guest = subject->guest;
        return CHECK_READY;
    }
    if (g_error_matches(failure, FAULT, FAULT_GUEST_NOT_FOUND))
        return CHECK_NOTHING;
    g_propagate_error(error, g_steal_pointer(&failure));
    return CHECK_HINDERED;
}

static gboolean
ask_for_host(void *data, GError **error)
{
    CheckSubject *subject = data;

    subject->host = hypervisor_get_host(subject->hypervisor, error);
    return subject->host != NULL;
}

const HypervisorHost *
check_subject_host(CheckSubject *subject, GError **error)
{
    return once_ask(&subject->about_host, ask_for_host, subject, error) ? subject->host : NULL;
}
