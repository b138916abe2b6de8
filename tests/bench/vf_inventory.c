/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the inventory of 4 PFs with 256 VFs each costs: vf_inventory NETPREPD prints one JSON
 * object, whose members README.md beside this file explains. The tree is made in the temporary
 * directory. Figures only: whether they are good is not judged.
 */
#include <dirent.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "common/varlink_client.h"
#include "fake/fake_sysfs.h"
#include "netprep/function_inventory.h"

#define CARDS            4
#define VFS              256
#define READS            50
#define PATIENCE_SECONDS 60

static double
milliseconds_since(gint64 start)
{
    return (double)(g_get_monotonic_time() - start) / 1000;
}

static double
cpu_milliseconds(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

static int
compare_doubles(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static guint
read_once(const char *sysfs)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FunctionInventory) inventory = function_inventory_read(sysfs, NULL, &error);

    g_assert_no_error(error);
    return inventory->functions->len;
}

/* The cheapest program that sees everything: each directory listed, each link read. */
static void
walk(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    char target[256];
    const struct dirent *entry;

    g_assert_nonnull(directory);
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] == '.')
            continue;
        if (entry->d_type == DT_DIR)
            walk(fd, entry->d_name);
        else if (entry->d_type == DT_LNK)
            g_assert_cmpint(readlinkat(fd, entry->d_name, target, sizeof(target)), >, 0);
    }
    closedir(directory);
}

/* Megabytes that process @pid has in memory. */
static double
resident_mebibytes(const char *pid)
{
    g_autofree char *path = g_build_filename("/proc", pid, "status", NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    const char *line = strstr(text, "VmRSS:");
    g_assert_nonnull(line);
    return (double)g_ascii_strtoull(line + strlen("VmRSS:"), NULL, 10) / 1024;
}

/* In the child, before it becomes netprepd: the tree is its /sys. Without that it does not start.
 */
static void
enter_tree(gpointer sysfs)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ||
        mount(sysfs, "/sys", NULL, MS_BIND, NULL) < 0)
        _exit(1);
}

static GSubprocess *
start_daemon(const char *netprepd, char *sysfs, const char *directory, const char *socket)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_autofree char *state = g_build_filename(directory, "leases.db", NULL);
    g_autofree char *config = g_build_filename(directory, "migprep.conf", NULL);
    const char *const argv[] = { netprepd,   "--socket", socket,      "--state",         state,
                                 "--config", config,     "--connect", "test:///default", NULL };
    g_autoptr(GError) error = NULL;

    g_subprocess_launcher_set_child_setup(launcher, enter_tree, sysfs, NULL);
    GSubprocess *daemon = g_subprocess_launcher_spawnv(launcher, argv, &error);
    g_assert_no_error(error);
    return daemon;
}

/* NULL if the daemon could not start. */
static VarlinkClient *
connect_to(GSubprocess *daemon, const char *socket)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_SECONDS * G_USEC_PER_SEC;

    while (g_get_monotonic_time() < deadline && g_subprocess_get_identifier(daemon)) {
        VarlinkClient *client = varlink_client_connect(socket, NULL);
        if (client)
            return client;
        g_usleep(10000);
        g_main_context_iteration(NULL, FALSE); /* notices the end of the child */
    }
    return NULL;
}

static json_t *
measure_daemon(GSubprocess *daemon, const char *socket)
{
    g_autoptr(VarlinkClient) client = connect_to(daemon, socket);
    g_autoptr(GError) error = NULL;

    if (!client) {
        g_printerr("vf_inventory: netprepd does not start: mounting over /sys needs root\n");
        return json_null();
    }
    json_auto_t *reply =
        varlink_client_call(client, "io.migprep.Network.ListFunctions", json_object(), NULL, NULL,
                            PATIENCE_SECONDS, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(json_object_get(reply, "functions")), ==, CARDS * VFS);
    return json_real(resident_mebibytes(g_subprocess_get_identifier(daemon)));
}

static json_t *
run_daemon(const char *netprepd, char *sysfs)
{
    g_autofree char *directory = g_dir_make_tmp("bench-XXXXXX", NULL);
    g_autofree char *socket = g_build_filename(directory, "socket", NULL);
    g_autoptr(GSubprocess) daemon = start_daemon(netprepd, sysfs, directory, socket);
    json_t *result = measure_daemon(daemon, socket);

    g_subprocess_send_signal(daemon, SIGTERM);
    g_subprocess_wait(daemon, NULL, NULL);
    fake_sysfs_remove(g_steal_pointer(&directory));
    return result;
}

static double
median_of(double *times, guint count)
{
    qsort(times, count, sizeof(*times), compare_doubles);
    return times[count / 2];
}

static json_t *
measure_reads(const char *sysfs)
{
    double reads[READS], walks[READS], cpu[READS];
    gint64 start = g_get_monotonic_time();
    guint functions = read_once(sysfs);
    double cold = milliseconds_since(start);

    for (guint i = 0; i < READS; i++) {
        cpu[i] = cpu_milliseconds();
        start = g_get_monotonic_time();
        read_once(sysfs);
        reads[i] = milliseconds_since(start);
        cpu[i] = cpu_milliseconds() - cpu[i];
        start = g_get_monotonic_time();
        walk(AT_FDCWD, sysfs);
        walks[i] = milliseconds_since(start);
    }
    double median = median_of(reads, READS), plain = median_of(walks, READS);
    return json_pack("{s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "functions", (int)functions,
                     "coldMilliseconds", cold, "medianMilliseconds", median, "p99Milliseconds",
                     reads[READS * 99 / 100], "cpuMilliseconds", median_of(cpu, READS),
                     "plainMilliseconds", plain, "ratio", median / plain, "residentMebibytes",
                     resident_mebibytes("self"));
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "Usage: %s NETPREPD\n", argv[0]);
        return 2;
    }
    char *sysfs = fake_sysfs_new();
    for (unsigned card = 0; card < CARDS; card++) {
        g_autofree char *name = g_strdup_printf("pf%u", card);
        fake_sysfs_add_large_card(sysfs, name, 16 + 2 * card, VFS);
    }
    json_auto_t *figures = measure_reads(sysfs);
    json_object_set_new(figures, "daemonResidentMebibytes", run_daemon(argv[1], sysfs));
    fake_sysfs_remove(sysfs);
    json_dumpf(figures, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(4) | JSON_PRESERVE_ORDER);
    putchar('\n');
    return 0;
}
