/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libvirt tells of the guests that leases of targets wait for: whether one that came and went
 * has run here. */
#pragma once

#include "common/hypervisor.h"

/*
 * Theory of operation. A migration that fails leaves its part of a disk in the target, and so does
 * a guest that arrived, ran and ended: only libvirt's events tell them apart, and only to who has
 * heard all of them. So a visit begins by libvirt's word that the guest comes in, and has failed
 * only if the next word is that it is gone, or if libvirt itself ended and came back without it.
 * After a restart of ours, or a connection that broke otherwise, nothing is known until the guest
 * is seen coming in.
 */
typedef struct TargetVisits TargetVisits;

typedef enum {
    VISIT_UNKNOWN,
    VISIT_COMING,
    VISIT_FAILED, /* it came in and went without having run */
    VISIT_STAYED, /* it arrived, running or paused */
} Visit;

/* All functions are thread-safe and do not block; whatever libvirt has told by then they have
 * heard. @hypervisor is borrowed. */
TargetVisits *target_visits_new(Hypervisor *hypervisor);
void target_visits_free(TargetVisits *visits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TargetVisits, target_visits_free)

/* Listens for lease @id, whose guest is @uuid; anew, if it did already. */
void target_visits_expect(TargetVisits *visits, const char *id, const char *uuid);
/* Harmless if it is not listened for. */
void target_visits_forget(TargetVisits *visits, const char *id);

/* To be called now and then, so that what libvirt tells does not pile up. */
void target_visits_listen(TargetVisits *visits);
/* How often libvirt was away: to be asked before libvirt is. */
guint64 target_visits_breaks(TargetVisits *visits);
/* libvirt had the guest, coming in, when it was asked after @breaks; if it was away since, that
 * says nothing any more. */
void target_visits_see(TargetVisits *visits, const char *id, guint64 breaks);
/* libvirt does not have the guest. What is known of its visit: one that comes in has
 * TARGET_VISIT_WORD_SECONDS until libvirt says how that ended, and is unknown then. */
#define TARGET_VISIT_WORD_SECONDS 10
Visit target_visits_miss(TargetVisits *visits, const char *id);
/* The failed visit has been seen to: it says nothing of what is written from now on. */
void target_visits_close(TargetVisits *visits, const char *id);
