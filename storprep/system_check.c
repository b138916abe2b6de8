/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at files of this host, and asks its firewall. */
#include "storprep/system_check.h"

#include <string.h>

#include "common/fault.h"
#include "common/maintenance.h"
#include "common/program.h"
#include "storprep/host_state.h"
#include "storprep/qemu_conf.h"

#define HOST             "this host"
#define FIREWALL_SECONDS 4
#define CLOCK_MSEC_MAX   5000
#define SHUTDOWN_PATH    "/run/systemd/shutdown/scheduled"

typedef struct {
    const StorageChecks *checks; /* borrowed */
    GuestFacts *facts;           /* NULL where none are needed */
    gint64 clock_msec;           /* when the facts came */
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    guest_facts_free(context->facts);
    g_free(context);
}

static void
check_maintenance(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autofree char *reason = maintenance_reason(context->checks->root);

    if (!reason)
        check_pass(report, HOST, "takes guests");
    else
        check_fail(report, HOST, NULL, "is in maintenance%s%s", *reason ? ": " : "", reason);
}

/* libvirt tells the source to come to the name that the host gives itself (virGetHostname()). */
static void
check_name(void *data, CheckReport *report)
{
    const Context *context = data;
    const char *name = context->checks->host_name;

    if (g_str_has_prefix(name, "localhost"))
        check_fail(report, HOST, NULL, "calls itself '%s'", name);
    else
        check_pass(report, HOST, "calls itself '%s'", name);
}

/* A complete set, none at all, or what is missing of one. Owned. */
static char *
find_missing(const char *root, const char *const *paths, gboolean *ret_any)
{
    GString *missing = g_string_new(NULL);

    for (; *paths; paths++) {
        g_autofree char *path = g_strconcat(root, *paths, NULL);

        if (g_file_test(path, G_FILE_TEST_EXISTS))
            *ret_any = TRUE;
        else
            g_string_append_printf(missing, "%s%s", missing->len ? ", " : "", *paths);
    }
    return g_string_free(missing, FALSE);
}

static void
check_tls(void *data, CheckReport *report)
{
    static const char *const libvirt[] = { "/etc/pki/CA/cacert.pem",
                                           "/etc/pki/libvirt/servercert.pem",
                                           "/etc/pki/libvirt/private/serverkey.pem", NULL };
    static const char *const qemu[] = { "/etc/pki/qemu/ca-cert.pem",
                                        "/etc/pki/qemu/server-cert.pem",
                                        "/etc/pki/qemu/server-key.pem", NULL };
    static const struct {
        const char *object;
        const char *const *paths;
    } sets[] = { { "TLS files of libvirt", libvirt }, { "TLS files of QEMU", qemu } };
    const Context *context = data;

    for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
        gboolean any = FALSE;
        g_autofree char *missing = find_missing(context->checks->root, sets[i].paths, &any);

        if (!any)
            check_pass(report, sets[i].object, "are not there: TLS is not used");
        else if (*missing)
            check_fail(report, sets[i].object, NULL, "are incomplete: %s is missing", missing);
        else
            check_pass(report, sets[i].object, "are there");
    }
}

/* The exit status of firewall-cmd(1): it says yes by 0. */
static gboolean
ask_firewall(const Context *context, const char *question, int *ret_status, GError **error)
{
    const char *argv[] = { context->checks->firewall_program, question, NULL };
    g_auto(ProgramResult) result = { 0 };

    if (!program_run(argv, NULL, FIREWALL_SECONDS, NULL, &result, error))
        return FALSE;
    *ret_status = result.exit_status;
    return TRUE;
}

/* "49152-49215/tcp", by libvirt's qemu.conf. */
static char *
name_ports(const Context *context)
{
    g_autofree char *path = g_strconcat(context->checks->root, QEMU_CONF_PATH, NULL);
    g_auto(QemuConf) conf = { 0 };

    qemu_conf_read(path, &conf);
    return g_strdup_printf("%u-%u/tcp", conf.first_port, conf.last_port);
}

static void
check_firewall(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autofree char *ports = name_ports(context);
    g_autofree char *question = g_strdup_printf("--query-port=%s", ports);
    g_autofree char *remedy =
        g_strdup_printf("firewall-cmd --add-port=%s  # and again with --permanent", ports);
    g_autoptr(GError) error = NULL;
    int status;

    if (!ask_firewall(context, "--state", &status, NULL) || status != 0)
        check_pass(report, HOST, "runs no firewalld");
    else if (!ask_firewall(context, question, &status, &error))
        check_unknown(report, HOST, "%s", error->message);
    else if (status == 0)
        check_pass(report, HOST, "lets in %s", ports);
    else
        check_fail(report, HOST, remedy, "firewalld's default zone does not name %s", ports);
}

/* systemd-logind's note of it: USEC= since 1970, MODE= poweroff, reboot and the like. */
static void
check_shutdown(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autofree char *path = g_strconcat(context->checks->root, SHUTDOWN_PATH, NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        check_pass(report, HOST, "no shutdown is planned");
        return;
    }
    const char *mode = strstr(text, "MODE=");
    g_autofree char *name =
        mode ? g_strndup(mode + strlen("MODE="), strcspn(mode + strlen("MODE="), "\n"))
             : g_strdup("shutdown");
    check_fail(report, HOST, NULL, "a %s is planned (%s)", name, SHUTDOWN_PATH);
}

CheckGroup
system_check_host(const StorageChecks *checks)
{
    static const Check list[] = { { "host.not-in-maintenance", check_maintenance },
                                  { "host.name-not-localhost", check_name },
                                  { "host.tls-files", check_tls },
                                  { "host.no-shutdown-planned", check_shutdown },
                                  { "host.firewall-open", check_firewall },
                                  { 0 } };
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    return (CheckGroup) {
        .object = HOST, .checks = list, .context = context, .free_context = context_free
    };
}

/* The facts are some moments old by the time that they come, which makes this clock look fast. */
static void
check_clock(void *data, CheckReport *report)
{
    const Context *context = data;
    gint64 difference = context->clock_msec - (gint64)context->facts->clock_msec;

    if (!context->facts->clock_msec)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (ABS(difference) <= CLOCK_MSEC_MAX)
        check_pass(report, HOST, "clock is that of the guest's host, %d s aside",
                   CLOCK_MSEC_MAX / 1000);
    else
        check_fail(report, HOST, NULL,
                   "clock is %" G_GINT64_FORMAT " s %s that of the guest's host",
                   ABS(difference) / 1000, difference > 0 ? "ahead of" : "behind");
}

static void
check_selinux(void *data, CheckReport *report)
{
    const Context *context = data;
    const char *there = context->facts->selinux;
    g_autofree char *here = host_state_selinux(context->checks->root);

    if (!there)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (g_str_equal(here, there))
        check_pass(report, HOST, "SELinux is %s on both hosts", here);
    else
        check_fail(report, HOST, NULL, "SELinux is %s here and %s on the guest's host", here,
                   there);
}

/* "rhel 8.6": name, major and minor version. FALSE if it is no such text. */
static gboolean
split_system(const char *text, char **ret_name, unsigned *ret_major, unsigned *ret_minor)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 2);
    char *end;

    if (!words[0] || !words[1] || !g_ascii_isdigit(*words[1]))
        return FALSE;
    *ret_name = g_strdup(words[0]);
    *ret_major = (unsigned)g_ascii_strtoull(words[1], &end, 10);
    *ret_minor = *end == '.' ? (unsigned)g_ascii_strtoull(end + 1, NULL, 10) : 0;
    return TRUE;
}

/* NULL: supported. Red Hat's table: forward between major releases from 7.6 on, never backward. */
static const char *
find_objection(const char *from, const char *to)
{
    g_autofree char *from_name = NULL, *to_name = NULL;
    unsigned from_major = 0, from_minor = 0, to_major = 0, to_minor = 0;

    if (!split_system(from, &from_name, &from_major, &from_minor) ||
        !split_system(to, &to_name, &to_major, &to_minor) || !g_str_equal(from_name, to_name))
        return "no vendor supports moves between different systems";
    if (to_major < from_major)
        return "no vendor supports moves back to an older major release";
    if (g_str_equal(from_name, "rhel") && from_major == 7 && from_minor < 6 && to_major > 7)
        return "Red Hat supports moves to RHEL 8 from RHEL 7.6 on";
    return to_major > from_major + 1 ? "moves over several major releases are not supported" : NULL;
}

static void
check_system(void *data, CheckReport *report)
{
    const Context *context = data;
    const char *there = context->facts->system;
    g_autofree char *here = host_state_system(context->checks->root);
    const char *objection = here && there ? find_objection(there, here) : NULL;

    if (!there || !here)
        check_unknown(report, HOST, there ? "os-release(5) does not tell" : CHECK_NOT_TOLD);
    else if (objection)
        check_fail(report, HOST, NULL, "is %s, the guest's host %s: %s", here, there, objection);
    else
        check_pass(report, HOST, "is %s, the guest's host %s", here, there);
}

static void
check_firmware(void *data, CheckReport *report)
{
    const Context *context = data;
    const char *there = context->facts->firmware;
    g_autofree char *here = host_state_firmware(context->checks->root);

    if (!there || !here)
        check_unknown(report, HOST, there ? "the kernel does not tell" : CHECK_NOT_TOLD);
    else if (g_str_equal(here, there))
        check_pass(report, HOST, "has %s, too", here);
    else
        check_fail(report, HOST, NULL, "has %s, the guest's host %s", here, there);
}

/* That a host is in none is told by its telling of its name alone. */
static void
check_cluster(void *data, CheckReport *report)
{
    const Context *context = data;
    const char *there = context->facts->cluster, *here = context->checks->cluster;

    if (!context->facts->host_name)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (g_strcmp0(here, there) == 0)
        check_pass(report, HOST,
                   here ? "is in cluster '%s', too" : "neither host is in a cluster%s",
                   here ? here : "");
    else
        check_fail(report, HOST, NULL, "is in %s%s%s, the guest's host in %s%s%s",
                   here ? "cluster '" : "no cluster", here ? here : "", here ? "'" : "",
                   there ? "cluster '" : "no cluster", there ? there : "", there ? "'" : "");
}

CheckGroup
system_check_pair(const StorageChecks *checks, const GuestFacts *facts)
{
    static const Check list[] = {
        { "host.clock-agrees", check_clock },      { "host.selinux-same", check_selinux },
        { "host.system-supported", check_system }, { "host.firmware-same", check_firmware },
        { "host.cluster-same", check_cluster },    { 0 }
    };
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    context->facts = guest_facts_copy(facts);
    context->clock_msec = host_state_clock_msec();
    return (CheckGroup) {
        .object = HOST, .checks = list, .context = context, .free_context = context_free
    };
}
