/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/guest_subject.h"

#include "common/fault.h"
#include "common/once.h"
#include "netprep/vnic.h"

struct GuestSubject {
    const NetworkHost *host;
    char *name;
    char *label;
    Once reading;
    GuestView *view;
    GPtrArray *vnics;
};

GuestSubject *
guest_subject_new(const NetworkHost *host, const char *guest)
{
    GuestSubject *subject = g_atomic_rc_box_new0(GuestSubject);

    subject->host = host;
    subject->name = g_strdup(guest);
    subject->label = network_guest_label(guest);
    once_init(&subject->reading);
    return subject;
}

GuestSubject *
guest_subject_ref(GuestSubject *subject)
{
    return g_atomic_rc_box_acquire(subject);
}

static void
subject_clear(gpointer data)
{
    GuestSubject *subject = data;

    guest_view_free(subject->view);
    g_clear_pointer(&subject->vnics, g_ptr_array_unref);
    once_clear(&subject->reading);
    g_free(subject->name);
    g_free(subject->label);
}

void
guest_subject_unref(void *subject)
{
    g_atomic_rc_box_release_full(subject, subject_clear);
}

const NetworkHost *
guest_subject_host(const GuestSubject *subject)
{
    return subject->host;
}

const char *
guest_subject_label(const GuestSubject *subject)
{
    return subject->label;
}

static gboolean
read_all(void *data, GError **error)
{
    GuestSubject *subject = data;

    subject->view = guest_view_read(subject->host->hypervisor, subject->name, error);
    if (subject->view)
        subject->vnics = vnics_describe(subject->host, subject->view, error);
    return subject->vnics != NULL;
}

CheckReadiness
guest_subject_read(GuestSubject *subject, const GuestView **ret_view, const GPtrArray **ret_vnics,
                   GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (once_ask(&subject->reading, read_all, subject, &failure)) {
        *ret_view = subject->view;
        *ret_vnics = subject->vnics;
        return CHECK_READY;
    }
    if (g_error_matches(failure, FAULT, FAULT_GUEST_NOT_FOUND))
        return CHECK_NOTHING;
    g_propagate_error(error, g_steal_pointer(&failure));
    return CHECK_HINDERED;
}
