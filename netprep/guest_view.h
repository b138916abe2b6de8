/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest as libvirt sees it at one moment, its XML already read. */
#pragma once

#include "common/domain_xml.h"
#include "common/hypervisor.h"

typedef struct {
    Guest *guest;
    DomainXml *live;   /* of a shut-off guest its configuration */
    DomainXml *config; /* persistent configuration; NULL if transient */
} GuestView;

/* @guest is a name or UUID. FAULT_GUEST_NOT_FOUND. Blocks. */
GuestView *guest_view_read(Hypervisor *hypervisor, const char *guest, GError **error);
/* The same, but a guest that libvirt does not know is NULL in *ret_view. Blocks. */
gboolean guest_view_find_guest(Hypervisor *hypervisor, const char *guest, GuestView **ret_view,
                               GError **error);
void guest_view_free(GuestView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestView, guest_view_free)

/* Running or paused here, not merely defined. */
gboolean guest_view_is_active(const GuestView *view);
/* FAULT_GUEST_NOT_RUNNING unless it runs. */
gboolean guest_view_check_running(const GuestView *view, GError **error);

/* The passthrough device that uses the host's @function, or NULL. Borrowed. */
const DomainPassthrough *guest_view_find(const DomainXml *domain, const char *function);
/* The same in a configuration. Where a libvirt network chooses the VF at each start, the
 * configuration names none: then it is the device with @mac, or the one at @guest_address; both may
 * be NULL. Borrowed. @config may be NULL. */
const DomainPassthrough *guest_view_find_configured(const DomainXml *config, const char *function,
                                                    const char *mac, const char *guest_address);
/* The passthrough device at guest PCI address @guest_address, or NULL. Borrowed. */
const DomainPassthrough *guest_view_find_at(const DomainXml *domain, const char *guest_address);
