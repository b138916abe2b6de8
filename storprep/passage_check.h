/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of what lies between this host, where a guest is, and the one that it is to go to. */
#pragma once

#include "common/check_method.h"
#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/*
 * host.name-resolves, .ssh-reachable, .libvirt-ports-reachable, .migration-ports-reachable.
 * @facts: what the destination told. Ports are tried, whoever listens there: a refusal comes from
 * the host itself, so nothing in between keeps the guest off.
 */
CheckGroup passage_check(const StorageChecks *checks, const CheckPassage *passage,
                         const GuestFacts *facts);
/* host.ssh-login: what passage_check() is without, as it takes the longest and needs no facts. */
CheckGroup passage_check_login(const StorageChecks *checks, const CheckPassage *passage);
/* guest.converges: watches the guest's memory for passage->measure_seconds. Costs it a little. */
CheckGroup passage_check_rate(const StorageChecks *checks, const CheckPassage *passage);
