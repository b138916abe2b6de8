/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fast the way to another host is, as far as this host's own end of it tells. */
#pragma once

#include <glib.h>

/* Pure: the host in a URI that migration_check_uri() accepts. Owned; NULL if there is none. */
char *link_speed_host(const char *uri);
/* Megabits per second of network device @name below @class_directory ("/sys/class/net"); 0 if it
 * does not tell. The kernel answers for bonds and bridges, too. */
unsigned link_speed_of_device(const char *class_directory, const char *name);
/* Megabits per second of the device that packets to @host leave by; 0: unknown. Nothing is sent but
 * the question for its address, which may block for as long as the name service takes. */
unsigned link_speed_to(const char *host);
