/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest says about its network devices and bonds. A guest is not trusted: whatever it says
 * is bounded and checked before anything is done with it, or shown to anybody. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "common/guest_hooks.h"

typedef struct {
    char *name;
    char *driver;   /* NULL: none */
    char *pci_path; /* NULL: not a PCI device */
    char *master;   /* NULL: none */
    char *mac;      /* NULL: not told */
    gboolean carrier;
    gboolean has_xdp;   /* it has an XDP program */
    gboolean tells_xdp; /* that was told */
} GuestInterface;

typedef struct {
    char *name;
    char *mode;
    char *active;  /* NULL: none */
    char *primary; /* NULL: none */
    unsigned monitor_interval_msec;
    char *fail_over_mac; /* none | active | follow; NULL: not told */
    int announcements;   /* num_grat_arp: gratuitous ARPs after a switch; -1: not told */
    int up_delay_msec;   /* updelay; -1: not told */
    char **ports;
    char **advice; /* what could be better, in words; NULL: not judged yet */
} GuestBond;

/* By what the guest was asked, and can be steered. */
typedef enum {
    GUEST_STEERING_PROGRAM, /* netprep-guest, run by the guest agent */
    GUEST_STEERING_FILES,   /* the guest agent's file commands: the guest runs nothing of ours */
} GuestSteering;
const char *guest_steering_name(GuestSteering steering); /* "program" | "files" */

typedef struct {
    GuestSteering steering;
    GPtrArray *interfaces; /* of GuestInterface * */
    GPtrArray *bonds;      /* of GuestBond * */
    char *arp;             /* its ARP table as far as its bonds are in it; NULL: not told */
    unsigned hooks;        /* bit 1 << GuestHooksPhase: it has hooks of that phase */
} GuestReport;

/* Empty, to be filled by who asked the guest: names must be checked before. */
GuestReport *guest_report_new(GuestSteering steering);
GuestInterface *guest_report_add_interface(GuestReport *report, const char *name);
/* Nothing known but its name. Owned by the caller; ports is NULL. */
GuestBond *guest_bond_new(const char *name);

/* @text is what netprep-guest printed; @guest_name is for errors. FAULT_AGENT_FAILED if it is not a
 * report, or larger than a report may be. */
GuestReport *guest_report_parse(const char *guest_name, const char *text, GError **error);
void guest_report_free(GuestReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestReport, guest_report_free)

/* The same for a single bond object. */
GuestBond *guest_bond_parse(const char *guest_name, const char *text, GError **error);
void guest_bond_free(GuestBond *bond);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestBond, guest_bond_free)

/* Borrowed, or NULL. */
const GuestInterface *guest_report_find_path(const GuestReport *report, const char *pci_path);
const GuestInterface *guest_report_find_link(const GuestReport *report, const char *name);
GuestBond *guest_report_find_bond(const GuestReport *report, const char *name);

/* The type Bond of io.migprep.Network. */
json_t *guest_bond_to_json(const GuestBond *bond);
json_t *guest_report_bonds_to_json(const GuestReport *report);
/* The names of the phases that it has hooks of. */
json_t *guest_report_hooks_to_json(const GuestReport *report);
