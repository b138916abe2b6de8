/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest that one call of Check is about. Several groups of checks look at it at once, so
 * libvirt and the PFs are asked once for all. */
#pragma once

#include "netprep/guest_view.h"
#include "netprep/network_host.h"

typedef struct GuestSubject GuestSubject; /* thread-safe */

/* @guest: a name or UUID. @host is borrowed. Each group keeps a reference, as it may outlive the
 * call. */
GuestSubject *guest_subject_new(const NetworkHost *host, const char *guest);
GuestSubject *guest_subject_ref(GuestSubject *subject);
void guest_subject_unref(void *subject);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestSubject, guest_subject_unref)

const NetworkHost *guest_subject_host(const GuestSubject *subject); /* borrowed */
/* "guest 'web1'". Borrowed. */
const char *guest_subject_label(const GuestSubject *subject);

/* The guest and its vNICs (GPtrArray of Vnic *, not to be changed), read by whoever comes first;
 * others wait, and get the same. Borrowed. CHECK_NOTHING if there is no such guest, which
 * guest.exists says. Blocks. */
CheckReadiness guest_subject_read(GuestSubject *subject, const GuestView **ret_view,
                                  const GPtrArray **ret_vnics, GError **error);
