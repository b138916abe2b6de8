/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks for lost VFs from time to time and tells of each once: the journal and callers of Watch. */
#pragma once

#include "netprep/leak.h"

typedef struct LeakWatch LeakWatch;

/* @host is borrowed and must outlive it. */
LeakWatch *leak_watch_new(const NetworkHost *host);
/* Looks each minute from now on, in a thread of its own. */
void leak_watch_run(LeakWatch *watch);
/* Ends the thread. */
void leak_watch_free(LeakWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LeakWatch, leak_watch_free)

/*
 * Looks now. A leak is told when it is seen for the second time in a row, since a VF that libvirt
 * is just moving has no holder for a moment; and again only after it was gone. Returns how many
 * were told. A host that cannot be looked at is warned about once. Blocks. Not while it runs.
 */
unsigned leak_watch_look(LeakWatch *watch);
