/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left to do once a guest runs on its destination: its virtual functions there. */
#pragma once

#include "common/cli/hold.h"
#include "common/cli/survey.h"

typedef struct {
    json_t *functions; /* addresses that the guest uses on the destination */
    char *active_port; /* of its bond; NULL if unknown */
    gboolean degraded; /* it runs on VirtIO; the daemon goes on trying */
} Arrival;
void arrival_clear(Arrival *arrival);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arrival, arrival_clear)

/*
 * Watches the destination plug the functions of @reservation into the guest, which it does by
 * itself on libvirt's event; goes on through lost connections. Fails only if nothing certain can be
 * said within about a minute. Nothing is to be undone then.
 */
gboolean arrival_watch(Hold *reservation, const Survey *survey,
                       void (*progress)(const json_t *progress, void *data), void *data,
                       Arrival *ret_arrival, GError **error);
