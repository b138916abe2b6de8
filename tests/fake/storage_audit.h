/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares what storprepd's database says with what its host is like, by nobody's word but theirs.
 */
#pragma once

#include "fake/share_fixture.h"

/*
 * Reads the database by SQL of its own, and the fake host as it is; nothing of storprepd's is
 * asked. Fails the test unless the database is sound, each file, directory, export, mount, pool and
 * hole in the firewall belongs to a lease, and all that a lease says is made is there.
 */
void storage_audit(const ShareFixture *host);
/* Also: there is no lease, and so nothing of the others. */
void storage_audit_empty(const ShareFixture *host);
