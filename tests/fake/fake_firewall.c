/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_firewall.h"

#include "common/fault.h"

static gboolean
is_active(void *self)
{
    const FakeFirewall *fake = self;

    return fake->active;
}

static gboolean
is_open(void *self, gboolean *ret_open, GError **error)
{
    const FakeFirewall *fake = self;

    *ret_open = fake->open;
    return TRUE;
}

static gboolean
is_permanent(void *self, gboolean *ret_permanent, GError **error)
{
    const FakeFirewall *fake = self;

    *ret_permanent = fake->permanent;
    return TRUE;
}

static gboolean
set_open(void *self, gboolean open, GError **error)
{
    FakeFirewall *fake = self;

    if (fake->fails)
        fault_set(error, FAULT_PROGRAM_FAILED, "firewall", "mend it", "failed on purpose");
    else
        fake->open = open;
    return !fake->fails;
}

static void
leave_fake(void *self)
{
}

Firewall *
fake_firewall_get(FakeFirewall *fake)
{
    static const FirewallOps ops = {
        .is_active = is_active,
        .is_open = is_open,
        .is_permanent = is_permanent,
        .set_open = set_open,
        .free = leave_fake,
    };

    return firewall_new(&ops, fake);
}
