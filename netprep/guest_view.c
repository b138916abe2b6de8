/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a guest and its XML from libvirt in one go. */
#include "netprep/guest_view.h"

#include "common/fault.h"

GuestView *
guest_view_read(Hypervisor *hypervisor, const char *guest, GError **error)
{
    g_autoptr(GuestView) view = g_new0(GuestView, 1);

    view->guest = hypervisor_get_guest(hypervisor, guest, error);
    if (!view->guest)
        return NULL;
    view->live = domain_xml_parse(view->guest->xml, error);
    if (!view->live)
        return NULL;
    if (view->guest->inactive_xml) {
        view->config = domain_xml_parse(view->guest->inactive_xml, error);
        if (!view->config)
            return NULL;
    }
    return g_steal_pointer(&view);
}

gboolean
guest_view_find_guest(Hypervisor *hypervisor, const char *guest, GuestView **ret_view,
                      GError **error)
{
    g_autoptr(GError) failure = NULL;
    GuestView *view = guest_view_read(hypervisor, guest, &failure);

    if (!view && !g_error_matches(failure, FAULT, FAULT_GUEST_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    *ret_view = view;
    return TRUE;
}

void
guest_view_free(GuestView *view)
{
    if (!view)
        return;
    guest_free(view->guest);
    domain_xml_free(view->live);
    domain_xml_free(view->config);
    g_free(view);
}

gboolean
guest_view_is_active(const GuestView *view)
{
    switch (view->guest->state) {
    case GUEST_STATE_RUNNING:
    case GUEST_STATE_PAUSED:
    case GUEST_STATE_OTHER:
        return TRUE;
    case GUEST_STATE_SHUT_OFF:
    case GUEST_STATE_CRASHED:
        return FALSE;
    }
    g_return_val_if_reached(TRUE);
}

gboolean
guest_view_check_running(const GuestView *view, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", view->guest->name);

    if (view->guest->state == GUEST_STATE_RUNNING)
        return TRUE;
    fault_set(error, FAULT_GUEST_NOT_RUNNING, object, "start or resume it, then try again",
              "does not run on this host");
    return FALSE;
}

const DomainPassthrough *
guest_view_find(const DomainXml *domain, const char *function)
{
    for (guint i = 0; domain && i < domain->passthrough->len; i++) {
        const DomainPassthrough *device = domain->passthrough->pdata[i];

        if (g_strcmp0(device->function, function) == 0)
            return device;
    }
    return NULL;
}

const DomainPassthrough *
guest_view_find_configured(const DomainXml *config, const char *function, const char *mac,
                           const char *guest_address)
{
    const DomainPassthrough *found = guest_view_find(config, function);

    for (guint i = 0; !found && config && mac && i < config->passthrough->len; i++) {
        const DomainPassthrough *device = config->passthrough->pdata[i];

        if (g_strcmp0(device->mac, mac) == 0)
            found = device;
    }
    if (found || !config)
        return found;
    found = guest_view_find_at(config, guest_address);
    return found && !found->function ? found : NULL;
}

const DomainPassthrough *
guest_view_find_at(const DomainXml *domain, const char *guest_address)
{
    for (guint i = 0; guest_address && i < domain->passthrough->len; i++) {
        const DomainPassthrough *device = domain->passthrough->pdata[i];

        if (g_strcmp0(device->guest_address, guest_address) == 0)
            return device;
    }
    return NULL;
}
