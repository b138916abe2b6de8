/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/leg_probe.h"

struct LegProbe {
    const LegProbeOps *ops;
    void *self;
};

LegProbe *
leg_probe_new(const LegProbeOps *ops, void *self)
{
    LegProbe *probe = g_new0(LegProbe, 1);

    probe->ops = ops;
    probe->self = self;
    return probe;
}

void
leg_probe_free(LegProbe *probe)
{
    if (!probe)
        return;
    probe->ops->free(probe->self);
    g_free(probe);
}

gboolean
leg_probe_ask(LegProbe *probe, const char *device, const char *const *addresses,
              unsigned timeout_msec, GCancellable *cancellable, gboolean *ret_answered,
              GError **error)
{
    return probe->ops->ask(probe->self, device, addresses, timeout_msec, cancellable, ret_answered,
                           error);
}

gboolean
leg_probe_hear(LegProbe *probe, const char *device, const char *mac, unsigned timeout_msec,
               GCancellable *cancellable, gboolean *ret_heard, GError **error)
{
    return probe->ops->hear(probe->self, device, mac, timeout_msec, cancellable, ret_heard, error);
}
