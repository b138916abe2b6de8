/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hypervisor in memory: guests with devices, an agent that answers from a callback, and failures
 * on demand. Behaves as the contract tests in tests/contract say libvirt does. */
#pragma once

#include "common/fault.h"
#include "common/hypervisor.h"
#include "fake/fake_event_source.h"
#include "fake/fake_hypervisor_host.h"
#include "fake/fake_hypervisor_job.h"
#include "fake/fake_hypervisor_life.h"
#include "fake/fake_networks.h"

/* What a guest does when asked to let a device go. */
typedef enum {
    FAKE_UNPLUG_AT_ONCE, /* DEVICE_REMOVED before detach_device returns */
    FAKE_UNPLUG_REFUSED, /* DEVICE_REFUSED */
    FAKE_UNPLUG_SILENT,  /* nothing; fake_hypervisor_finish_unplug() may follow */
} FakeUnplug;

/* The Hypervisor owns the fake: free it by hypervisor_free(fake_hypervisor_get(fake)). */
FakeHypervisor *fake_hypervisor_new(void);
Hypervisor *fake_hypervisor_get(FakeHypervisor *fake); /* borrowed */
/* All its events, for those who hold other handles to it. Borrowed. */
FakeEventSource *fake_hypervisor_events(FakeHypervisor *fake);

/* @xml is the live and, if @persistent, the inactive configuration. One that is PAUSED comes in. */
void fake_hypervisor_add_guest(FakeHypervisor *fake, const char *xml, GuestState state,
                               gboolean persistent);
void fake_hypervisor_remove_guest(FakeHypervisor *fake, const char *uuid); /* emits STOPPED */
/* The same with nobody told. */
void fake_hypervisor_lose_guest(FakeHypervisor *fake, const char *uuid);
void fake_hypervisor_set_state(FakeHypervisor *fake, const char *uuid,
                               GuestState state); /* emits */
void fake_hypervisor_set_job(FakeHypervisor *fake, const char *uuid, gboolean has_job);
void fake_hypervisor_set_unplug(FakeHypervisor *fake, const char *alias, FakeUnplug behaviour);
void fake_hypervisor_finish_unplug(FakeHypervisor *fake, const char *uuid, const char *alias);
/* Replies to agent commands: raw JSON in, raw JSON out (owned), or NULL: silent. */
typedef char *(*FakeAgent)(const char *uuid, const char *command, void *data);
void fake_hypervisor_set_agent(FakeHypervisor *fake, FakeAgent agent, void *data);
/* Borrowed. */
FakeNetworks *fake_hypervisor_networks(FakeHypervisor *fake);
/* A network of VFs of @pf, or one more PF for it; a network that guests reach through @bridge. */
void fake_hypervisor_add_network(FakeHypervisor *fake, const char *name, const char *pf);
void fake_hypervisor_add_bridge(FakeHypervisor *fake, const char *name, const char *bridge);
/* The @nth next call (1 = the next) of @operation ("attach_device") fails with @code. */
void fake_hypervisor_fail(FakeHypervisor *fake, const char *operation, unsigned nth,
                          FaultCode code);
/* What its host offers; set before it is asked. Borrowed. */
FakeHost *fake_hypervisor_host(FakeHypervisor *fake);
/* Its migration. Borrowed. */
FakeJob *fake_hypervisor_job(FakeHypervisor *fake);
/* For its operations in files of their own: calls @use with the guest, which nobody else sees
 * meanwhile. FAULT_GUEST_NOT_FOUND. */
gboolean fake_hypervisor_with_guest(FakeHypervisor *fake, const char *uuid,
                                    void (*use)(Guest *, void *), void *data, GError **error);
/* For its operations in files of their own: notes the call; FALSE if it is the one that is to fail.
 */
gboolean fake_hypervisor_enter(FakeHypervisor *fake, const char *operation, const char *detail,
                               GError **error);
/* "detach_device hostdev0 live|config", ... in order: what was asked so far. Owned by the fake. */
const char *const *fake_hypervisor_calls(FakeHypervisor *fake);
/* Forgets them, and what it returned of them. */
void fake_hypervisor_forget_calls(FakeHypervisor *fake);
