/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings that a physical function (PF) keeps for its virtual functions (VFs). */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "common/fault.h"

typedef enum {
    FUNCTION_LINK_AUTO, /* as the PF's link */
    FUNCTION_LINK_ENABLE,
    FUNCTION_LINK_DISABLE,
} FunctionLinkState;

/*
 * The administrative MAC is missing on purpose: what the kernel reports as a VF's MAC is the one in
 * effect, which says nothing about an administrative one. It can only be cleared.
 */
typedef struct {
    unsigned vlan;        /* 0-4094, 0: none */
    unsigned qos;         /* 0-7 */
    gboolean vlan_dot1ad; /* 802.1ad instead of 802.1Q */
    gboolean spoof_check;
    gboolean trust;
    FunctionLinkState link_state;
    unsigned minimum_rate; /* Mbit/s, 0: unlimited */
    unsigned maximum_rate;
} FunctionSettings;

/* What one request to the driver changes. */
typedef enum {
    FUNCTION_OPTION_MAC,  /* clears the administrative MAC */
    FUNCTION_OPTION_VLAN, /* vlan, qos and protocol */
    FUNCTION_OPTION_SPOOF_CHECK,
    FUNCTION_OPTION_TRUST,
    FUNCTION_OPTION_LINK_STATE,
    FUNCTION_OPTION_RATES,
} FunctionOption;

/* Host access: the real one asks the kernel about one PF at a time; tests have a fake. Blocks. */
typedef struct {
    /* FAULT_FUNCTION_FAILED naming the PF. */
    gboolean (*read)(void *self, const char *physical_function, unsigned index,
                     FunctionSettings *ret_settings, GError **error);
    /* Sets @option to its value in @wanted: 0 or a negative errno. */
    int (*set)(void *self, const char *physical_function, unsigned index, FunctionOption option,
               const FunctionSettings *wanted);
    void (*free)(void *self);
} FunctionControlOps;

typedef struct FunctionControl FunctionControl;

/* Takes @self over. */
FunctionControl *function_control_new(const FunctionControlOps *ops, void *self);
/* The real one, by rtnetlink. Keeps nothing open. */
FunctionControl *function_control_new_netlink(void);
void function_control_free(FunctionControl *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FunctionControl, function_control_free)

/* Reads the kernel's settings of one VF. Blocks on netlink. */
gboolean function_settings_read(FunctionControl *control, const char *physical_function,
                                unsigned index, FunctionSettings *ret_settings, GError **error);

/*
 * Makes the VF's settings those of @wanted and reads them back. Only what differs is set, so that a
 * driver without some option is no obstacle while its value is right anyway. A driver that knows no
 * trust leaves every VF free to choose its MAC, so trust alone may be unsupported. @clear_mac
 * removes an administrative MAC: without one the guest's bond may give the VF its own. Blocks.
 * FAULT_FUNCTION_FAILED names the option that was refused. A repeat changes nothing.
 */
gboolean function_settings_apply(FunctionControl *control, const char *physical_function,
                                 unsigned index, const FunctionSettings *wanted, gboolean clear_mac,
                                 GError **error);

/* Makes the VF fit for its next user: no administrative MAC, VLAN, trust, rates or forced link
 * state. Spoof check stays as it is, because its default is the driver's. */
gboolean function_settings_reset(FunctionControl *control, const char *physical_function,
                                 unsigned index, GError **error);

/* To and from the type Settings of io.migprep.Network. from_json: FAULT_INVALID_ARGUMENT when out
 * of range. */
json_t *function_settings_to_json(const FunctionSettings *settings);
gboolean function_settings_from_json(const json_t *object, FunctionSettings *ret_settings,
                                     GError **error);
