/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom one call of Check is about: this host and, at the source, a guest. Several groups of checks
 * look at them at once, so libvirt is asked once for all. */
#pragma once

#include "common/check_run.h"
#include "common/hypervisor.h"
#include "storprep/storage_pulse.h"

typedef struct CheckSubject CheckSubject; /* thread-safe */

/* Who is asked about it. All borrowed. */
typedef struct {
    Hypervisor *hypervisor;
    StoragePulse *pulse;
    const char *mount_info; /* as network_path_find() */
} CheckSources;

/* @guest: a name or UUID; NULL: the host alone. Each group keeps a reference, as it may outlive the
 * call. */
CheckSubject *check_subject_new(const CheckSources *sources, const char *guest);
CheckSubject *check_subject_ref(CheckSubject *subject);
void check_subject_unref(void *subject);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckSubject, check_subject_unref)

Hypervisor *check_subject_hypervisor(const CheckSubject *subject); /* borrowed */
/* "guest 'web1'" or "this host". Borrowed. */
const char *check_subject_label(const CheckSubject *subject);

/* What libvirt says, asked by whoever comes first; others wait, and get the same. Borrowed. Both
 * block. The guest: CHECK_NOTHING if there is none, which guest.exists says. The host: NULL with
 * @error. */
CheckReadiness check_subject_guest(CheckSubject *subject, const Guest **ret_guest, GError **error);
const HypervisorHost *check_subject_host(CheckSubject *subject, GError **error);
/* Whether the servers of network storage that the guest's disks lie on answer, likewise. Who is
 * about to touch its images, or to have QEMU look at them, asks first. FAULT_TIMED_OUT and others
 * naming a server. Blocks for STORAGE_PULSE_SECONDS for each server. */
gboolean check_subject_storage(CheckSubject *subject, GError **error);
/* The guest whose images are about to be touched: both of these. */
CheckReadiness check_subject_images(CheckSubject *subject, const Guest **ret_guest, GError **error);
/* The network storage that they lie on: adds NetworkMount * to @mounts. FALSE if the guest cannot
 * be read. */
gboolean check_subject_mounts(CheckSubject *subject, GPtrArray *mounts, GError **error);
