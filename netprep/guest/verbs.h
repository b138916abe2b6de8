/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What netprep-guest can be told to do. */
#pragma once

#include <jansson.h>

#include "netprep/guest/links.h"
#include "netprep/guest/persistence.h"

/* Each verb returns the JSON it prints, or NULL with @failure, and blocks until it is done. */

/* All network devices and bonds, and which phases have hooks. @root is "" or where the guest's
 * files are, as for all verbs. */
json_t *verb_report(const Kernel *kernel, const char *root, Failure *failure);

/* Makes @port the active one of @bond and has the bond prefer none, so that it stays so. */
json_t *verb_use(const Kernel *kernel, const char *bond, const char *port, Failure *failure);

/* Waits until the device at @pci_path is there and has a link, makes it a port of @bond, preferred
 * and active. */
json_t *verb_join(const Kernel *kernel, const char *bond, const char *pci_path,
                  unsigned timeout_seconds, Failure *failure);

typedef struct {
    const char *bond;
    const char *primary_path;
    const uint8_t *backup_mac;
    uint32_t fail_over_mac; /* BOND_FAIL_OVER_MAC_NONE or _ACTIVE */
    PersistenceChoice choice;
    const char *root;
} CreateBond;

/* Creates an active-backup bond over the devices at @primary_path and with @backup_mac, moves their
 * addresses and routes to it, and writes it for the next boot; if any of it fails, all is put back.
 * Changes nothing that is so. Returns the bond with {persistence}. */
json_t *verb_create_bond(const Kernel *kernel, const CreateBond *request, Failure *failure);

typedef struct {
    const char *bond;
    const char *primary_path; /* NULL: the port that is no VirtIO device */
    PersistenceChoice choice;
    const char *root;
} Persist;

/* Writes a bond that is there for the next boot, with the options that it has: what
 * persistence_finish() says. */
json_t *verb_persist(const Kernel *kernel, const Persist *request, Failure *failure);

/* Takes it back: what persistence_remove() says. */
json_t *verb_unpersist(const char *root, const char *bond, Failure *failure);

/* Gives an active-backup bond the recommended options, and writes it unless the choice is none.
 * Returns {bond, changes: [{option, from, to}], left: [{option, from, to, remedy}], persistence}.
 * Never changes a mode. */
json_t *verb_repair(const Kernel *kernel, const Persist *request, Failure *failure);
