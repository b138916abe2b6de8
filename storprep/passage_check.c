/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tries the way to another host. */
#include "storprep/passage_check.h"

#include "common/fault.h"

#define SSH_PORT         22
#define LIBVIRT_TCP_PORT 16509
#define LIBVIRT_TLS_PORT 16514
#define FIRST_PORT       49152 /* libvirt's qemu.conf: migration_port_min and _max */
#define LAST_PORT        49215
#define PORTS            (LAST_PORT - FIRST_PORT + 1)
#define TRY_MSEC         1000
#define MIB              ((guint64)1 << 20)

typedef struct {
    const StorageChecks *checks; /* borrowed */
    char *destination;           /* as the caller names it */
    char *own_name;              /* as it calls itself; NULL: it did not tell */
    char *guest;
    unsigned measure_seconds;
    guint64 bandwidth_mebibytes;
    char *address; /* that libvirt will use; NULL: the name is not known here */
    gboolean loopback;
    GError *failure;
    char *label;
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    g_free(context->destination);
    g_free(context->own_name);
    g_free(context->guest);
    g_free(context->address);
    g_clear_error(&context->failure);
    g_free(context->label);
    g_free(context);
}

static Context *
context_new(const StorageChecks *checks, const CheckPassage *passage, const char *own_name)
{
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    context->destination = g_strdup(passage->destination);
    context->own_name = g_strdup(own_name);
    context->guest = g_strdup(passage->guest);
    context->measure_seconds = passage->measure_seconds;
    context->bandwidth_mebibytes = passage->bandwidth_mebibytes;
    return context;
}

/* libvirt asks the destination for its own name, and goes there with the guest's memory. */
static const char *
name_of(const Context *context)
{
    return context->own_name ? context->own_name : context->destination;
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;

    context->address =
        context->checks->reach->resolve(name_of(context), &context->loopback, &context->failure);
    return CHECK_READY;
}

static void
check_name(void *data, CheckReport *report)
{
    const Context *context = data;

    if (!context->address)
        check_fail(report, context->label, NULL,
                   "calls itself '%s', which this host cannot "
                   "resolve: %s",
                   name_of(context), fault_cause(context->failure));
    else if (context->loopback)
        check_fail(report, context->label, NULL, "calls itself '%s', which is %s on this host",
                   name_of(context), context->address);
    else
        check_pass(report, context->label, "calls itself '%s', which is %s", name_of(context),
                   context->address);
}

/* FALSE, reported as unknown, without an address. */
static gboolean
try(const Context *context, const guint16 *ports, gsize count, ReachResult *ret_results,
    CheckReport *report)
{
    if (!context->address || context->loopback) {
        check_unknown(report, context->label, "its address is not known here");
        return FALSE;
    }
    context->checks->reach->try(context->address, ports, count, TRY_MSEC, ret_results);
    return TRUE;
}

static void
check_ssh(void *data, CheckReport *report)
{
    static const guint16 ports[] = { SSH_PORT };
    const Context *context = data;
    ReachResult result;

    if (!try(context, ports, 1, &result, report))
        return;
    if (result == REACH_OPEN)
        check_pass(report, context->label, "listens on port %d", SSH_PORT);
    else
        check_fail(report, context->label, NULL, "%s on port %d of %s",
                   result == REACH_CLOSED ? "nobody listens" : "does not answer", SSH_PORT,
                   context->address);
}

static void
check_libvirt_ports(void *data, CheckReport *report)
{
    static const guint16 ports[] = { LIBVIRT_TCP_PORT, LIBVIRT_TLS_PORT };
    static const char *const names[] = { "TCP", "TLS" };
    const Context *context = data;
    ReachResult results[G_N_ELEMENTS(ports)];

    if (!try(context, ports, G_N_ELEMENTS(ports), results, report))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(ports); i++) {
        g_autofree char *object = g_strdup_printf("%s port %u", context->label, ports[i]);

        if (results[i] == REACH_BLOCKED)
            check_fail(report, object, NULL, "is blocked: qemu+%s:// will not work",
                       i ? "tls" : "tcp");
        else
            check_pass(report, object, "%s for libvirt over %s",
                       results[i] == REACH_OPEN ? "is open" : "is reachable, and nobody listens",
                       names[i]);
    }
}

static void
check_migration_ports(void *data, CheckReport *report)
{
    const Context *context = data;
    guint16 ports[PORTS];
    ReachResult results[PORTS];
    unsigned blocked = 0, first = 0;

    for (unsigned i = 0; i < PORTS; i++)
        ports[i] = (guint16)(FIRST_PORT + i);
    if (!try(context, ports, PORTS, results, report))
        return;
    for (unsigned i = PORTS; i > 0; i--) {
        if (results[i - 1] == REACH_BLOCKED) {
            blocked++;
            first = ports[i - 1];
        }
    }
    if (blocked)
        check_fail(report, context->label, NULL,
                   "%u of the ports %d-%d are blocked on the way, the first is %u", blocked,
                   FIRST_PORT, LAST_PORT, first);
    else
        check_pass(report, context->label, "ports %d-%d are reachable, for memory and disks (NBD)",
                   FIRST_PORT, LAST_PORT);
}

CheckGroup
passage_check(const StorageChecks *checks, const CheckPassage *passage, const GuestFacts *facts)
{
    static const Check list[] = { { "host.name-resolves", check_name },
                                  { "host.migration-ports-reachable", check_migration_ports },
                                  { "host.ssh-reachable", check_ssh },
                                  { "host.libvirt-ports-reachable", check_libvirt_ports },
                                  { 0 } };
    Context *context = context_new(checks, passage, facts->host_name);

    context->label = g_strdup_printf("host '%s'", passage->destination);
    return (CheckGroup) { .object = context->label,
                          .checks = list,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}

static void
check_rate(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) guest =
        hypervisor_get_guest(context->checks->hypervisor, context->guest, &error);
    guint64 rate = 0;

    if (!guest || !hypervisor_measure_dirty_rate(context->checks->hypervisor, guest->uuid,
                                                 context->measure_seconds, &rate, &error))
        check_unknown(report, context->label, "%s", error->message);
    else if (context->bandwidth_mebibytes == 0)
        check_unknown(report, context->label,
                      "changes %" G_GUINT64_FORMAT " MiB of memory a second, and the bandwidth is "
                      "not known",
                      rate / MIB);
    else if (rate / MIB < context->bandwidth_mebibytes / 2)
        check_pass(report, context->label,
                   "changes %" G_GUINT64_FORMAT
                   " MiB of memory a second, the way carries %" G_GUINT64_FORMAT ": the move ends",
                   rate / MIB, context->bandwidth_mebibytes);
    else
        check_fail(report, context->label, NULL,
                   "changes %" G_GUINT64_FORMAT
                   " MiB of memory a second, the way carries %" G_GUINT64_FORMAT ": the move %s",
                   rate / MIB, context->bandwidth_mebibytes,
                   rate / MIB < context->bandwidth_mebibytes ? "may take long" : "would not end");
}

CheckGroup
passage_check_rate(const StorageChecks *checks, const CheckPassage *passage)
{
    static const Check list[] = { { "guest.converges", check_rate }, { 0 } };
    Context *context = context_new(checks, passage, NULL);

    context->label = g_strdup_printf("guest '%s'", passage->guest);
    return (CheckGroup) {
        .object = context->label, .checks = list, .context = context, .free_context = context_free
    };
}
