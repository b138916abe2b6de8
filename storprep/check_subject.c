/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/check_subject.h"

#include "common/domain_xml.h"
#include "common/fault.h"
#include "common/once.h"

struct CheckSubject {
    CheckSources sources;
    char *name; /* of the guest; NULL: none */
    char *label;
    Once about_guest, about_host, about_storage;
    Guest *guest;
    HypervisorHost *host;
};

CheckSubject *
check_subject_new(const CheckSources *sources, const char *guest)
{
    CheckSubject *subject = g_atomic_rc_box_new0(CheckSubject);

    subject->sources = *sources;
    subject->name = g_strdup(guest);
    subject->label = guest ? g_strdup_printf("guest '%s'", guest) : g_strdup("this host");
    once_init(&subject->about_guest);
    once_init(&subject->about_host);
    once_init(&subject->about_storage);
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
    once_clear(&subject->about_storage);
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
    return subject->sources.hypervisor;
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

    subject->guest = hypervisor_get_guest(subject->sources.hypervisor, subject->name, error);
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

    subject->host = hypervisor_get_host(subject->sources.hypervisor, error);
    return subject->host != NULL;
}

const HypervisorHost *
check_subject_host(CheckSubject *subject, GError **error)
{
    return once_ask(&subject->about_host, ask_for_host, subject, error) ? subject->host : NULL;
}

static void
add_mount(const CheckSubject *subject, const char *path, GPtrArray *mounts)
{
    NetworkMount *mount =
        path && *path == '/' ? network_path_find(path, subject->sources.mount_info) : NULL;

    if (mount)
        g_ptr_array_add(mounts, mount);
}

gboolean
check_subject_mounts(CheckSubject *subject, GPtrArray *mounts, GError **error)
{
    const Guest *guest = NULL;

    if (check_subject_guest(subject, &guest, error) != CHECK_READY)
        return FALSE;
    g_autoptr(DomainXml) domain = domain_xml_parse(guest->xml, error);
    if (!domain)
        return FALSE;
    for (guint i = 0; i < domain->disks->len; i++) {
        const DomainDisk *disk = domain->disks->pdata[i];

        add_mount(subject, disk->source, mounts);
        for (guint j = 0; disk->backing && j < disk->backing->len; j++)
            add_mount(subject, ((const DomainBacking *)disk->backing->pdata[j])->source, mounts);
    }
    return TRUE;
}

static gboolean
ask_for_storage(void *data, GError **error)
{
    CheckSubject *subject = data;
    g_autoptr(GPtrArray) mounts =
        g_ptr_array_new_with_free_func((GDestroyNotify)network_mount_free);

    if (!check_subject_mounts(subject, mounts, error))
        return FALSE;
    for (guint i = 0; i < mounts->len; i++) {
        if (!storage_pulse_ask(subject->sources.pulse, mounts->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

gboolean
check_subject_storage(CheckSubject *subject, GError **error)
{
    return once_ask(&subject->about_storage, ask_for_storage, subject, error);
}

CheckReadiness
check_subject_images(CheckSubject *subject, const Guest **ret_guest, GError **error)
{
    CheckReadiness readiness = check_subject_guest(subject, ret_guest, error);

    if (readiness == CHECK_READY && !check_subject_storage(subject, error))
        return CHECK_HINDERED;
    return readiness;
}
