/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parses a Varlink interface description and checks JSON objects against it. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* The compiled-in .varlink text is the source of truth: a request that passed this check has every
 * mandatory field, no unknown one, and each of the declared type, so handlers need not ask again.
 */
typedef struct VarlinkInterface VarlinkInterface;

/* FAULT_INVALID_ARGUMENT with the line of the first mistake. */
VarlinkInterface *varlink_interface_parse(const char *description, GError **error);
void varlink_interface_free(VarlinkInterface *iface);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarlinkInterface, varlink_interface_free)

const char *varlink_interface_name(const VarlinkInterface *iface);        /* borrowed */
const char *varlink_interface_description(const VarlinkInterface *iface); /* borrowed, as parsed */
/* Methods and errors in the order of the description: NULL-terminated, borrowed. */
const char *const *varlink_interface_methods(const VarlinkInterface *iface);
const char *const *varlink_interface_errors(const VarlinkInterface *iface);

typedef enum { VARLINK_INPUT, VARLINK_OUTPUT } VarlinkDirection;

/*
 * Checks @object (NULL counts as {}) against the parameters of @method. FAULT_INVALID_ARGUMENT with
 * the offending field as its object ("vnics[0].mac"): unknown, missing, wrong type, not in the
 * enumeration, nested too deep. Nullable (?type) fields may be null or absent.
 */
gboolean varlink_interface_check(const VarlinkInterface *iface, const char *method,
                                 VarlinkDirection direction, const json_t *object, GError **error);
