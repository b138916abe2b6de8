/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/check_case.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* One of the two tests of a case. */
typedef struct {
    const CheckSuite *suite;
    const CheckCase *test;
    gboolean broken;
} Trial;

gboolean
check_case_is_command(const char *remedy)
{
    static const char *const commands[] = { "bridge",
                                            "cat",
                                            "chown",
                                            "chronyc",
                                            "devlink",
                                            "df",
                                            "dmidecode",
                                            "ethtool",
                                            "findmnt",
                                            "firewall-cmd",
                                            "getent",
                                            "grep",
                                            "hostnamectl",
                                            "ip",
                                            "ls",
                                            "lsblk",
                                            "lspci",
                                            "migprep",
                                            "mkdir",
                                            "modprobe",
                                            "nmcli",
                                            "rpcinfo",
                                            "scp",
                                            "semanage",
                                            "setenforce",
                                            "setsebool",
                                            "shutdown",
                                            "ssh",
                                            "ssh-copy-id",
                                            "swtpm",
                                            "systemctl",
                                            "virsh",
                                            "virt-host-validate",
                                            "virt-pki-validate",
                                            NULL };
    const char *comment = strchr(remedy, '#');
    g_autofree char *word = g_strndup(remedy, strcspn(remedy, " "));

    return g_strv_contains(commands, word) && !strchr(remedy, '\n') &&
           (!comment || g_str_has_prefix(comment - 2, "  # "));
}

/* Whether @result is what the case wants: passed, or failed with what it says and what helps. */
static gboolean
is_wanted(const Trial *trial, const CheckResult *result)
{
    if (!trial->broken) {
        g_assert_cmpstr(result->outcome == CHECK_PASSED ? "" : result->evidence, ==, "");
        return TRUE;
    }
    if (result->outcome != CHECK_FAILED)
        return FALSE;
    g_assert_cmpint(result->kind->severity, ==, trial->test->severity);
    g_assert_cmpstr(check_case_is_command(result->remedy) ? "" : result->remedy, ==, "");
    return strstr(result->evidence, trial->test->evidence) != NULL;
}

static void
assert_report(const Trial *trial, const CheckReport *report)
{
    gboolean found = FALSE;

    g_assert_nonnull(report);
    for (guint i = 0; i < report->results->len; i++) {
        const CheckResult *result = report->results->pdata[i];

        if (g_str_equal(result->kind->id, trial->test->id))
            found = is_wanted(trial, result) || found;
    }
    g_assert_true(found);
}

static void
try(gconstpointer data)
{
    const Trial *trial = data;
    void *world = trial->suite->new_world();

    trial->test->prepare(world);
    if (trial->broken)
        trial->test->break_it(world);
    g_autoptr(CheckReport) report = trial->suite->run(world, trial->test);
    assert_report(trial, report);
    trial->suite->free_world(world);
}

static void
add(const CheckSuite *suite, const CheckCase *test, gboolean broken)
{
    g_autofree char *path = g_strdup_printf("/check/%s/%s", test->id, broken ? "broken" : "holds");
    Trial *trial = g_new(Trial, 1);

    *trial = (Trial) { suite, test, broken };
    g_test_add_data_func_full(path, trial, try, g_free);
}

void
check_suite_add(const CheckSuite *suite, const CheckCase *cases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        add(suite, &cases[i], FALSE);
        add(suite, &cases[i], TRUE);
    }
}

CheckOutcome
check_case_outcome(const CheckReport *report, const char *id)
{
    const CheckResult *result = check_report_find(report, id, NULL);

    g_assert_nonnull(result);
    return result->outcome;
}

static void
describe(const char *path, GString *text)
{
    struct stat status;

    if (lstat(path, &status) == 0)
        g_string_append_printf(text, "%s %lu %o %u %u %ld %ld.%09ld\n", path,
                               (unsigned long)status.st_ino, status.st_mode, status.st_uid,
                               status.st_gid, (long)status.st_size, (long)status.st_ctim.tv_sec,
                               status.st_ctim.tv_nsec);
}

static void
describe_all(const char *directory, GString *text)
{
    g_autoptr(GDir) listing = g_dir_open(directory, 0, NULL);
    const char *name;

    while (listing && (name = g_dir_read_name(listing))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        describe(path, text);
        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            describe_all(path, text);
    }
}

char *
check_case_snapshot(const char *directory)
{
    GString *text = g_string_new(NULL);

    describe(directory, text);
    describe_all(directory, text);
    return g_string_free(text, FALSE);
}
