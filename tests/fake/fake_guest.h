/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a guest: netprep-guest behind the guest agent, with bond0 over "vf" at PCI path
 * 04.0 and "virtio" at 03.0. */
#pragma once

#include <glib.h>

typedef struct FakeGuest FakeGuest;

FakeGuest *fake_guest_new(void);
void fake_guest_free(FakeGuest *guest);

/* A FakeAgent whose data is a FakeGuest. */
char *fake_guest_agent(const char *uuid, const char *command, void *data);

void fake_guest_set_silent(FakeGuest *guest, gboolean silent);
/* The next @count calls of @verb ("join") fail; with -1, all. */
void fake_guest_fail(FakeGuest *guest, const char *verb, int count);
/* `use` says that it worked, but the bond keeps its port. */
void fake_guest_set_stubborn(FakeGuest *guest, gboolean stubborn);
/* What `report` prints instead of the truth; NULL: the truth. */
void fake_guest_set_report(FakeGuest *guest, const char *report);
/* Whether it has its bond from the start (the default). */
void fake_guest_set_bonded(FakeGuest *guest, gboolean bonded);
/* It has also bond1 over "vf1" at PCI path 06.0 and "virtio1" at 05.0. */
void fake_guest_set_two_bonds(FakeGuest *guest);
/* Commands of @verb end only when @count of them were started. */
void fake_guest_end_together(FakeGuest *guest, const char *verb, unsigned count);
void fake_guest_set_virtio_carrier(FakeGuest *guest, gboolean carrier);

/* num_grat_arp of its bond, which `repair` makes 3 (the default). */
void fake_guest_set_announcements(FakeGuest *guest, unsigned announcements);
/* Without netprep-guest it is asked and steered by the files of its agent, if that may read them.
 */
void fake_guest_set_program(FakeGuest *guest, gboolean present);
void fake_guest_set_files(FakeGuest *guest, gboolean allowed);
/* Whether its agent says that it may run commands (the default); it runs them all the same. */
void fake_guest_set_exec(FakeGuest *guest, gboolean allowed);
/* Files that were opened and not closed. */
unsigned fake_guest_open_files(FakeGuest *guest);
/* all_slaves_active, as the files say. */
gboolean fake_guest_hears_all(FakeGuest *guest);
/* The VF is in the guest, but not in its bond. */
void fake_guest_take_vf_out(FakeGuest *guest);
/* Whether the guest has the VF (the default). Without it `join` fails, and the bond falls back to
 * VirtIO until the next `join`. */
void fake_guest_set_function(FakeGuest *guest, gboolean present);
gboolean fake_guest_has_joined(FakeGuest *guest);
/* Without a carrier on the VF `join` fails, too. */
void fake_guest_set_function_carrier(FakeGuest *guest, gboolean carrier);

/* The active port; a static string. */
const char *fake_guest_active(FakeGuest *guest);
/* How often @verb was called. */
unsigned fake_guest_count(FakeGuest *guest, const char *verb);
