/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings that a physical function (PF) keeps for its virtual functions (VFs). */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "common/fault.h"

#define FUNCTION_MAC_BYTES 6

typedef enum {
    FUNCTION_LINK_AUTO, /* as the PF's link */
    FUNCTION_LINK_ENABLE,
    FUNCTION_LINK_DISABLE,
} FunctionLinkState;

/* What one request to the driver changes, in the order in which they are set. */
typedef enum {
    FUNCTION_OPTION_MAC,  /* the administrative MAC; all zero clears it */
    FUNCTION_OPTION_VLAN, /* vlan, qos and protocol */
    FUNCTION_OPTION_SPOOF_CHECK,
    FUNCTION_OPTION_TRUST,
    FUNCTION_OPTION_LINK_STATE,
    FUNCTION_OPTION_RATES,
    FUNCTION_OPTION_RSS_QUERY,
    FUNCTION_OPTION_NODE_GUID, /* InfiniBand */
    FUNCTION_OPTION_PORT_GUID,
} FunctionOption;

#define FUNCTION_OPTIONS          (FUNCTION_OPTION_PORT_GUID + 1)
#define FUNCTION_OPTION_BIT(name) (1U << (name))

/*
 * All that the kernel tells of a VF in IFLA_VF_INFO, statistics aside. The MAC is the one in
 * effect, which may be an administrative one or the VF's own choice: the kernel does not say.
 */
typedef struct {
    guint8 mac[FUNCTION_MAC_BYTES]; /* all zero: none */
    unsigned vlan;                  /* 0-4094, 0: none */
    unsigned qos;                   /* 0-7 */
    gboolean vlan_dot1ad;           /* 802.1ad instead of 802.1Q */
    gboolean spoof_check;
    gboolean trust;
    FunctionLinkState link_state;
    unsigned minimum_rate; /* Mbit/s, 0: unlimited */
    unsigned maximum_rate;
    gboolean rss_query;
    guint64 node_guid;   /* 0: none */
    guint64 port_guid;   /* 0: none */
    unsigned unreported; /* FUNCTION_OPTION_BITs of switches that the driver does not report */
} FunctionSettings;

typedef struct {
    unsigned index;
    FunctionSettings settings;
} FunctionEntry;

/* Host access: the real one asks the kernel about one PF at a time; tests have a fake. Blocks. */
typedef struct {
    /* All VFs that the kernel lists for the PF: GArray of FunctionEntry. FAULT_FUNCTION_FAILED
     * naming the PF. */
    GArray *(*list)(void *self, const char *physical_function, GError **error);
    /* Sets @option to its value in @wanted: 0 or a negative errno. */
    int (*set)(void *self, const char *physical_function, unsigned index, FunctionOption option,
               const FunctionSettings *wanted);
    /* The PF's driver, "igb"; NULL if unknown. Owned by the caller. */
    char *(*driver)(void *self, const char *physical_function);
    /* Its firmware, as the driver words it; likewise. */
    char *(*firmware)(void *self, const char *physical_function);
    void (*free)(void *self);
} FunctionControlOps;

typedef struct FunctionControl FunctionControl;

/* Takes @self over. */
FunctionControl *function_control_new(const FunctionControlOps *ops, void *self);
/* The real one, by rtnetlink. Keeps nothing open. */
FunctionControl *function_control_new_netlink(void);
void function_control_free(FunctionControl *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FunctionControl, function_control_free)

/* Whether the guest's bond gives the VF its MAC, or the PF does. */
typedef enum {
    FUNCTION_HANDOVER_GUEST_MAC, /* no administrative MAC, trust: the guest's bond sets the MAC */
    FUNCTION_HANDOVER_ADMIN_MAC, /* the administrative MAC is the guest's, from the plug on */
} FunctionHandover;

/* All VFs that the kernel lists for the PF: GArray of FunctionEntry, for the caller to unref.
 * FAULT_FUNCTION_FAILED naming the PF. Blocks on netlink, up to 2 ms a VF. */
GArray *function_settings_list(FunctionControl *control, const char *physical_function,
                               GError **error);

/* The PF's driver and its firmware, "22.31.1014 (MT_0000000359)"; NULL if unknown. Owned by the
 * caller. Block briefly. */
char *function_control_driver(FunctionControl *control, const char *physical_function);
char *function_control_firmware(FunctionControl *control, const char *physical_function);
/* Reads the kernel's settings of one VF. FAULT_FUNCTION_FAILED naming the VF and the driver. Blocks
 * on netlink. */
gboolean function_settings_read(FunctionControl *control, const char *physical_function,
                                unsigned index, FunctionSettings *ret_settings, GError **error);

/*
 * Makes the VF's settings those of @wanted and reads them back. Only what differs is set, so that a
 * driver without some option is no obstacle while its value is right anyway; a VLAN, trust or limit
 * that the VF has and @wanted does not is written as none; what @wanted has as unreported stays as
 * it is. @with_mac: the administrative MAC, too
 * (all zero: none, which lets the VF choose its own); refused before the driver sees it if another
 * VF of the PF has it. A driver that knows no trust leaves every VF free to choose its MAC, so
 * trust alone may be unsupported.
 *
 * FAULT_FUNCTION_FAILED names the driver and the option that it refused, with all that was changed
 * put back (a MAC is left clear, since the one in effect before may have been the VF's own).
 * FAULT_ROLLBACK_INCOMPLETE names what could not be put back, too. A repeat changes nothing.
 * Blocks.
 */
gboolean function_settings_apply(FunctionControl *control, const char *physical_function,
                                 unsigned index, const FunctionSettings *wanted, gboolean with_mac,
                                 GError **error);

/*
 * Makes a free VF ready for a guest with the settings of @wanted, in the way that loses the least
 * traffic of those that its driver can be seen to allow:
 *   FUNCTION_HANDOVER_GUEST_MAC: the NIC goes on delivering the guest's MAC to its VirtIO path
 *     until the guest's bond puts it on the VF. Chosen when the driver takes trust (or knows none)
 *     and, read back, does not keep an administrative MAC.
 *   FUNCTION_HANDOVER_ADMIN_MAC: otherwise, with @guest_mac ("52:54:00:aa:00:01"; NULL: unknown, so
 *     that this is refused): nothing reaches the guest from here until its driver is up.
 * Errors as of function_settings_apply(), after which the VF is as it was. Blocks.
 */
gboolean function_settings_prepare_handover(FunctionControl *control, const char *physical_function,
                                            unsigned index, const FunctionSettings *wanted,
                                            const char *guest_mac, FunctionHandover *ret_technique,
                                            GError **error);

/*
 * The same for a VF that its guest has already, e.g. because it was started with it: all but the
 * MAC, which is the guest's or libvirt's affair by then. Trust is set where the driver takes it, so
 * that a repeat leaves the technique as it is, and the guest's bond may set the MAC. Errors as of
 * function_settings_apply(). Blocks.
 */
gboolean function_settings_resume_handover(FunctionControl *control, const char *physical_function,
                                           unsigned index, const FunctionSettings *wanted,
                                           GError **error);

/*
 * Makes the VF fit for its next user: no administrative MAC, VLAN, trust, rates, RSS query or
 * forced link state, and no InfiniBand identity. Spoof check stays as it is, because its default is
 * the driver's. Blocks.
 */
gboolean function_settings_reset(FunctionControl *control, const char *physical_function,
                                 unsigned index, GError **error);

/* To and from the type Settings of io.migprep.Network. from_json: FAULT_INVALID_ARGUMENT when out
 * of range. */
json_t *function_settings_to_json(const FunctionSettings *settings);
gboolean function_settings_from_json(const json_t *object, FunctionSettings *ret_settings,
                                     GError **error);

/* "52:54:00:aa:00:01", owned by the caller; NULL for all zero. */
char *function_mac_to_text(const guint8 *mac);
/* Reads that form into FUNCTION_MAC_BYTES bytes, which are all zero for NULL. FALSE if malformed.
 */
gboolean function_mac_from_text(const char *text, guint8 *ret_mac);
