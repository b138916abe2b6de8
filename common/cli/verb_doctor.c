/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep doctor`: one archive with what a bug report needs. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli/doctor.h"
#include "common/cli/exit_status.h"
#include "common/cli/output.h"
#include "common/cli/scratch.h"
#include "common/cli/verb.h"
#include "common/config.h"
#include "common/fault.h"
#include "common/program.h"

#define ARCHIVE_SECONDS 60

/* What the options say. */
typedef struct {
    char *output, *config_path;
    gboolean json;
} Request;

static void
request_clear(Request *request)
{
    g_free(request->output);
    g_free(request->config_path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)

static char *
default_output(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *when = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    g_autofree char *name = g_strdup_printf("migprep-doctor-%s-%s.tar.gz", g_get_host_name(), when);

    return g_build_filename(".", name, NULL);
}

/* Before anything is in it: what is gathered is for its owner alone. */
static gboolean
create_private(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat status = { 0 };
    gboolean is_file = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    gboolean made = is_file && fchmod(fd, 0600) == 0;

    if (!made)
        fault_set(error, FAULT_STORE_FAILED, path, "name another place with --output", "%s",
                  fd < 0 || is_file ? g_strerror(errno) : "it is no plain file");
    if (fd >= 0)
        close(fd);
    return made;
}

static gboolean
archive(const char *directory, const char *output, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(output, NULL);
    const char *argv[] = { "tar", "-C", directory, "-czf", absolute, ".", NULL };
    g_auto(ProgramResult) result = { 0 };

    if (!create_private(absolute, error))
        return FALSE;
    gboolean ended = program_run(argv, NULL, ARCHIVE_SECONDS, NULL, &result, error);
    if (ended && result.exit_status == 0)
        return TRUE;
    g_unlink(absolute);
    if (ended) {
        char *words = g_strstrip(result.error_text);
        fault_set(error, FAULT_PROGRAM_FAILED, output, "name another place with --output", "%.*s",
                  (int)strcspn(words, "\n"), words);
    }
    return FALSE;
}

static gboolean
examine(const Connection *connection, const Request *request, GError **error)
{
    g_autoptr(Peer) peer = connection_open_local(connection);
    const Doctor doctor = { peer, request->config_path ? request->config_path : CONFIG_PATH };
    g_autoptr(Scratch) scratch = scratch_new(NULL);

    if (!scratch) {
        fault_set(error, FAULT_STORE_FAILED, g_get_tmp_dir(), "see that it is writable",
                  "cannot make a directory there");
        return FALSE;
    }
    return doctor_gather(&doctor, scratch_path(scratch), error) &&
           archive(scratch_path(scratch), request->output, error);
}

static int
run(int argc, char **argv)
{
    g_auto(Connection) connection = { 0 };
    g_auto(Request) request = { 0 };
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        { "output", 0, 0, G_OPTION_ARG_FILENAME, &request.output,
          "the archive (default: migprep-doctor-HOST-TIME.tar.gz here)", "FILE" },
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &request.config_path,
          "the configuration (default: " CONFIG_PATH ")", "FILE" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &request.json, "print one JSON object", NULL },
        { 0 },
    };
    const VerbOptions options = {
        .synopsis = "",
        .summary =
            "Writes an archive with what a bug report needs: versions, what the daemons of\n"
            "this host say, their journal and the configuration. Passwords, tokens and keys\n"
            "are left out; names and addresses are not. Changes nothing.",
        .examples = "Example:\n  migprep doctor --output report.tar.gz\n",
        .entries = entries,
        .connection = &connection,
    };

    if (!verb_parse(&options, argc, &argv, 0))
        return EXIT_STATUS_USAGE;
    if (!request.output)
        request.output = default_output();
    if (!examine(&connection, &request, &error))
        return verb_fail(error, request.json);
    if (request.json)
        output_json_line(stdout, json_pack("{s:s}", "archive", request.output));
    else
        printf("%s: look into it before you pass it on\n", request.output);
    return EXIT_STATUS_OK;
}

const Verb verb_doctor = { "doctor", "gather what a bug report needs", run };
