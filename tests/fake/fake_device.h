/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices in the domain XML of a guest that exists in memory only. */
#pragma once

#include <glib.h>

/* The alias of the device of domain @xml that @alias_or_xml names; NULL if there is none. Owned by
 * the caller. Like all below pure, for well-formed XML. */
char *fake_device_find_alias(const char *xml, const char *alias_or_xml);
/* Removes that device from the domain *@xml; FALSE if there is none. */
gboolean fake_device_remove(char **xml, const char *alias_or_xml);
/* Adds @device_xml to the domain *@xml; FALSE if an equal one is there. Gives it @alias unless that
 * is NULL or it brings one, and a vNIC a place in the guest. */
gboolean fake_device_add(char **xml, const char *device_xml, const char *alias);
