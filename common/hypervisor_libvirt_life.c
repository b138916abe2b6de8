/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HypervisorOps: guests that stop and start. */
#include <libvirt/virterror.h>

#include "common/hypervisor_libvirt.h"

typedef int (*Change)(virDomainPtr domain);

static gboolean
change(void *self, const char *uuid, Change make, GError **error)
{
    g_autoptr(virDomain) domain = libvirt_find_guest(self, uuid, error);

    if (!domain)
        return FALSE;
    g_autofree char *object = g_strdup_printf("guest '%s'", virDomainGetName(domain));
    if (make(domain) == 0)
        return TRUE;
    libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, "look at: journalctl -u libvirtd");
    return FALSE;
}

static int
save(virDomainPtr domain)
{
    return virDomainManagedSave(domain, 0);
}

gboolean
libvirt_save(void *self, const char *uuid, GError **error)
{
    return change(self, uuid, save, error);
}

gboolean
libvirt_shut_down(void *self, const char *uuid, GError **error)
{
    return change(self, uuid, virDomainShutdown, error);
}

gboolean
libvirt_start(void *self, const char *uuid, GError **error)
{
    return change(self, uuid, virDomainCreate, error);
}
