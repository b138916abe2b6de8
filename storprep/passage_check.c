/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tries the way to another host. */
#include "storprep/passage_check.h"

#include "common/fault.h"
#include "common/host_name.h"
#include "storprep/qemu_conf.h"

#define SSH_PORT         22
#define LIBVIRT_TCP_PORT 16509
#define LIBVIRT_TLS_PORT 16514
#define TRY_MSEC         1000
#define MIB              ((guint64)1 << 20)

typedef struct {
    const StorageChecks *checks; /* borrowed */
    char *destination;           /* as the caller names it */
    char *own_name;              /* as it calls itself; NULL: it did not tell */
    char *guest;
    unsigned measure_seconds;
    guint64 bandwidth_mebibytes;
    gboolean is_told;               /* the destination's daemon has answered */
    unsigned first_port, last_port; /* by which guests come in there */
    char *address;                  /* that libvirt will use; NULL: the name is not known here */
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

/* How many are blocked; *ret_first is the first of them. */
static gsize
count_blocked(const guint16 *ports, const ReachResult *results, gsize count, guint16 *ret_first)
{
    gsize blocked = 0;

    for (gsize i = 0; i < count; i++) {
        if (results[i] == REACH_BLOCKED && blocked++ == 0)
            *ret_first = ports[i];
    }
    return blocked;
}

/* As the destination's qemu.conf has them; a range of thousands is tried at its beginning, where
 * libvirt takes them from. */
static void
check_migration_ports(void *data, CheckReport *report)
{
    const Context *context = data;
    gsize count = MIN(context->last_port - context->first_port + 1, REACH_PORTS_MAX);
    unsigned last = context->first_port + (unsigned)count - 1;
    guint16 ports[REACH_PORTS_MAX] = { 0 }, first = 0;
    ReachResult results[REACH_PORTS_MAX];

    for (gsize i = 0; i < count; i++)
        ports[i] = (guint16)(context->first_port + i);
    if (!try(context, ports, count, results, report))
        return;
    gsize blocked = count_blocked(ports, results, count, &first);
    g_autofree char *host = check_word(context->destination);
    g_autofree char *remedy =
        g_strdup_printf("ssh %s firewall-cmd --add-port=%u-%u/tcp  # and again with --permanent",
                        host, context->first_port, context->last_port);
    if (blocked == count && !context->is_told)
        check_unknown(report, context->label, "nothing answers at %s", context->address);
    else if (blocked)
        check_fail(report, context->label, remedy,
                   "%" G_GSIZE_FORMAT " of the ports %u-%u are blocked on the way, the first is %u",
                   blocked, context->first_port, last, first);
    else
        check_pass(report, context->label, "ports %u-%u are reachable, for memory and disks (NBD)",
                   context->first_port, last);
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

    context->is_told = facts->first_port > 0 && facts->first_port <= facts->last_port;
    context->first_port = context->is_told ? (unsigned)facts->first_port : QEMU_CONF_FIRST_PORT;
    context->last_port = context->is_told ? (unsigned)facts->last_port : QEMU_CONF_LAST_PORT;
    context->label = g_strdup_printf("host '%s'", passage->destination);
    return (CheckGroup) { .object = context->label,
                          .checks = list,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}

/* A name that ssh would not take for one is nobody's. */
static void
check_login(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autoptr(GError) error = NULL;

    if (!host_name_check(context->destination, &error))
        check_unknown(report, context->label, "%s", error->message);
    else if (context->checks->log_in(context->destination, &error))
        check_pass(report, context->label, "root can log in there by ssh without a password");
    else if (fault_code(error) == FAULT_PEER_UNREACHABLE)
        check_unknown(report, context->label, "%s", error->message);
    else
        check_fail(report, context->label, fault_remedy(error),
                   "root cannot log in there by ssh without being asked: %s", fault_cause(error));
}

CheckGroup
passage_check_login(const StorageChecks *checks, const CheckPassage *passage)
{
    static const Check list[] = { { "host.ssh-login", check_login }, { 0 } };
    Context *context = context_new(checks, passage, NULL);

    context->label = g_strdup_printf("host '%s'", passage->destination);
    return (CheckGroup) {
        .object = context->label, .checks = list, .context = context, .free_context = context_free
    };
}

/* Slowing the guest helps as long as the way carries about as much as the guest writes; beyond that
 * only moving it first and its memory after it. */
static const char *
remedy_for(guint64 rate, guint64 bandwidth)
{
    if (rate < bandwidth)
        return "migprep migrate GUEST --to HOST --auto-converge";
    if (rate < 2 * bandwidth)
        return "migprep migrate GUEST --to HOST --auto-converge --max-downtime MS --comp-methods "
               "xbzrle";
    return "migprep migrate GUEST --to HOST --timeout S --timeout-postcopy  # or move it while it "
           "is "
           "less busy";
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
        check_fail(report, context->label, remedy_for(rate / MIB, context->bandwidth_mebibytes),
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
