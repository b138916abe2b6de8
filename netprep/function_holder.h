/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has a VF: guests and leases, marked in an inventory that was read from sysfs. */
#pragma once

#include "netprep/function_inventory.h"

/* Marks what guests (GPtrArray of Guest *) have. A VF that only a shut-off guest's configuration
 * names stays as it is, but has that guest as its holder. */
void function_holders_mark_guests(FunctionInventory *inventory, const GPtrArray *guests);

/* Marks what leases (GPtrArray of Lease *) hold, unless a guest has it. @held: what the database
 * says is held (lease_store_held()), which is more where a lease's record is damaged. */
void function_holders_mark_leases(FunctionInventory *inventory, const GPtrArray *leases,
                                  GHashTable *held);
