/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks for lost VFs from time to time and tells the journal of each once. */
#pragma once

#include "netprep/leak.h"

typedef struct LeakWatch LeakWatch;

/* The journal's MESSAGE_ID of a leak found, with fields VF, LEAK (its kind) and REMEDY. */
#define LEAK_MESSAGE_ID "6f1b0a6c4d7c4b5c9a5a4f0d3f0b7e21"

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
