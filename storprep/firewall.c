/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the dealings with firewalld. */
#include "storprep/firewall.h"

#include "common/fault.h"
#include "common/program.h"

#define FIREWALL_SECONDS 10

struct Firewall {
    const FirewallOps *ops;
    void *self;
};

Firewall *
firewall_new(const FirewallOps *ops, void *self)
{
    Firewall *firewall = g_new0(Firewall, 1);

    firewall->ops = ops;
    firewall->self = self;
    return firewall;
}

void
firewall_free(Firewall *firewall)
{
    if (!firewall)
        return;
    firewall->ops->free(firewall->self);
    g_free(firewall);
}

gboolean
firewall_is_active(Firewall *firewall)
{
    return firewall->ops->is_active(firewall->self);
}

gboolean
firewall_is_open(Firewall *firewall, gboolean *ret_open, GError **error)
{
    return firewall->ops->is_open(firewall->self, ret_open, error);
}

gboolean
firewall_is_permanent(Firewall *firewall, gboolean *ret_permanent, GError **error)
{
    return firewall->ops->is_permanent(firewall->self, ret_permanent, error);
}

gboolean
firewall_set_open(Firewall *firewall, gboolean open, GError **error)
{
    return firewall->ops->set_open(firewall->self, open, error);
}

/* firewalld. */

/* @more may be NULL. */
static gboolean
run(const char *program, const char *option, const char *more, int *ret_status, GError **error)
{
    const char *argv[] = { program, option, more, NULL };
    g_auto(ProgramResult) result = { 0 };

    if (!program_run(argv, NULL, FIREWALL_SECONDS, NULL, &result, error))
        return FALSE;
    *ret_status = result.exit_status;
    return TRUE;
}

static gboolean
is_active(void *self)
{
    int status;

    return run(self, "--state", NULL, &status, NULL) && status == 0;
}

static gboolean
set_failure(const char *remedy, int status, GError **error)
{
    fault_set(error, FAULT_PROGRAM_FAILED, "firewall of this host", remedy,
              "firewall-cmd ended with status %d", status);
    return FALSE;
}

/* firewall-cmd(1) says yes by 0 and no by 1; by anything else that it cannot tell. */
static gboolean
ask(const char *program, const char *more, gboolean *ret_yes, GError **error)
{
    int status;

    if (!run(program, "--query-service=nfs", more, &status, error))
        return FALSE;
    if (status != 0 && status != 1)
        return set_failure("look at: firewall-cmd --query-service=nfs", status, error);
    *ret_yes = status == 0;
    return TRUE;
}

static gboolean
is_open(void *self, gboolean *ret_open, GError **error)
{
    return ask(self, NULL, ret_open, error);
}

static gboolean
is_permanent(void *self, gboolean *ret_permanent, GError **error)
{
    return ask(self, "--permanent", ret_permanent, error);
}

static gboolean
set_open(void *self, gboolean open, GError **error)
{
    int status;

    if (!run(self, open ? "--add-service=nfs" : "--remove-service=nfs", NULL, &status, error))
        return FALSE;
    return status == 0 || set_failure(open ? "open it with: firewall-cmd --add-service=nfs"
                                           : "close it with: firewall-cmd --remove-service=nfs",
                                      status, error);
}

static void
free_nothing(void *self)
{
}

Firewall *
firewall_new_firewalld(const char *program)
{
    static const FirewallOps ops = {
        .is_active = is_active,
        .is_open = is_open,
        .is_permanent = is_permanent,
        .set_open = set_open,
        .free = free_nothing,
    };

    return firewall_new(&ops, (void *)program);
}
