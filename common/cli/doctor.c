/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what is asked for a bug report. */
#include "common/cli/doctor.h"

#include "common/cli/redaction.h"
#include "common/fault.h"
#include "common/program.h"

#define CALL_SECONDS    20
#define PROGRAM_SECONDS 20

/* What the daemons say without being changed by it. */
static const struct {
    Service service;
    const char *method, *parameters;
} questions[] = {
    { SERVICE_NETWORK, "ListFunctions", NULL },
    { SERVICE_NETWORK, "ListPhysicalNetworks", NULL },
    { SERVICE_NETWORK, "ListLeaks", NULL },
    { SERVICE_NETWORK, "ListLeases", NULL },
    { SERVICE_NETWORK, "ListJobs", NULL },
    { SERVICE_NETWORK, "Check", "{\"role\": \"host\"}" },
    { SERVICE_STORAGE, "DescribeHost", NULL },
    { SERVICE_STORAGE, "ListGuests", NULL },
    { SERVICE_STORAGE, "ListLeases", NULL },
    { SERVICE_STORAGE, "ListJobs", NULL },
    { SERVICE_STORAGE, "Check", "{\"role\": \"host\"}" },
};

/* The journal has the daemons' words and, by MESSAGE_ID and identifier, the command's. */
static const struct {
    const char *file;
    const char *argv[14];
} programs[] = {
    { "kernel.txt", { "uname", "-a" } },
    { "libvirt.txt", { "virsh", "--connect", "qemu:///system", "version", "--daemon" } },
    { "qemu-img.txt", { "qemu-img", "--version" } },
    { "units.txt",
      { "systemctl", "--no-pager", "status", "netprepd.socket", "netprepd.service",
        "storprepd.socket", "storprepd.service", "storprepd-nfs.service", "libvirtd.service",
        "virtqemud.service" } },
    { "journal.txt",
      { "journalctl", "--no-pager", "-o", "short-iso", "-n", "1000", "-t", "netprepd", "-t",
        "storprepd", "-t", "storprep-nfs" } },
    { "journal-migprep.txt",
      { "journalctl", "--no-pager", "-o", "short-iso", "-n", "500", "-t", "migprep" } },
    { "network-cards.txt", { "ip", "-details", "link", "show" } },
};

static const char *const files[] = { "/etc/os-release", "/proc/cmdline", "/run/migprep/maintenance",
                                     "/var/lib/migprep/drained.json" };

static gboolean
write_file(const char *directory, const char *name, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *redacted = redaction_of(text);
    g_autoptr(GError) failure = NULL;

    if (g_file_set_contents_full(path, redacted, -1, G_FILE_SET_CONTENTS_NONE, 0600, &failure))
        return TRUE;
    fault_set(error,
              g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ? FAULT_NO_SPACE
                                                                         : FAULT_STORE_FAILED,
              directory, "name a place for temporary files that has room: TMPDIR=DIRECTORY", "%s",
              failure->message);
    return FALSE;
}

static gboolean
ask(const Doctor *doctor, gsize number, const char *directory, GError **error)
{
    Service service = questions[number].service;
    g_autofree char *name =
        g_strdup_printf("%s-%s.json", service_daemon(service), questions[number].method);
    g_autoptr(GError) failure = NULL;
    const char *parameters = questions[number].parameters;
    json_auto_t *reply =
        peer_call(doctor->peer,
                  &(PeerCall) { .service = service,
                                .method = questions[number].method,
                                .parameters = parameters ? json_loads(parameters, 0, NULL) : NULL,
                                .timeout_seconds = CALL_SECONDS },
                  &failure);
    g_autofree char *text = reply ? json_dumps(reply, JSON_INDENT(1)) : NULL;

    return write_file(directory, name, text ? text : failure->message, error);
}

static gboolean
run(gsize number, const char *directory, GError **error)
{
    g_auto(ProgramResult) result = { 0 };
    g_autoptr(GError) failure = NULL;

    if (!program_run(programs[number].argv, NULL, PROGRAM_SECONDS, NULL, &result, &failure))
        return write_file(directory, programs[number].file, failure->message, error);
    g_autofree char *text = g_strconcat(result.output, result.error_text, NULL);
    return write_file(directory, programs[number].file, text, error);
}

static gboolean
copy(const char *path, const char *directory, GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *text = NULL;
    g_autoptr(GError) failure = NULL;
    gboolean found = g_file_get_contents(path, &text, NULL, &failure);

    return write_file(directory, name, found ? text : failure->message, error);
}

gboolean
doctor_gather(const Doctor *doctor, const char *directory, GError **error)
{
    gboolean good = write_file(directory, "migprep.txt", "migprep " MIGPREP_VERSION "\n", error) &&
                    copy(doctor->config_path, directory, error);

    for (gsize i = 0; good && i < G_N_ELEMENTS(questions); i++)
        good = ask(doctor, i, directory, error);
    for (gsize i = 0; good && i < G_N_ELEMENTS(programs); i++)
        good = run(i, directory, error);
    for (gsize i = 0; good && i < G_N_ELEMENTS(files); i++)
        good = copy(files[i], directory, error);
    return good;
}
