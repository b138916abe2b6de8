/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of what is read about mounts, from files as the kernel writes them and from the
 * kernel itself. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <ifaddrs.h>
#include <libmount.h>
#include <netdb.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/file_user.h"
#include "storprep/mount_table.h"
#include "storprep/nfs_program.h"

#define ROOT_MOUNT "28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
#define NFS_MOUNT                                                                                  \
    "91 28 0:52 / /srv/my\\040images rw,nosuid,nodev,relatime shared:40 - nfs4 host1:/srv/images " \
    "rw,vers=4.2,hard,proto=tcp\n"

/* The linker leads these here: which addresses this host and others have. */
int __real_getifaddrs(struct ifaddrs **ret_interfaces);
int __wrap_getifaddrs(struct ifaddrs **ret_interfaces);
int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_addresses);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_addresses);

/* And what libmount or a directory says. */
const char *__real_mnt_fs_get_source(struct libmnt_fs *fs);
const char *__wrap_mnt_fs_get_source(struct libmnt_fs *fs);
const char *__real_g_dir_read_name(GDir *dir);
const char *__wrap_g_dir_read_name(GDir *dir);

static const char *interfaces = "all";
static gboolean no_source;  /* as libmount tells of an error */
static unsigned more_names; /* that process 12 has */
static gboolean after_process;

const char *
__wrap_mnt_fs_get_source(struct libmnt_fs *fs)
{
    return no_source ? NULL : __real_mnt_fs_get_source(fs);
}

const char *
__wrap_g_dir_read_name(GDir *dir)
{
    const char *name = __real_g_dir_read_name(dir);

    if (more_names == 0 || !after_process) {
        after_process = g_strcmp0(name, "12") == 0;
        return name;
    }
    more_names--;
    return "0";
}

int
__wrap_getifaddrs(struct ifaddrs **ret_interfaces)
{
    int status = g_str_equal(interfaces, "unknown") ? -1 : __real_getifaddrs(ret_interfaces);

    if (status == 0 && g_str_equal(interfaces, "none-with-an-address"))
        (*ret_interfaces)->ifa_addr = NULL;
    return status;
}

int
__wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                   struct addrinfo **ret_addresses)
{
    if (!g_str_equal(name, "two-addresses"))
        return __real_getaddrinfo(name, service, hints, ret_addresses);
    int status = __real_getaddrinfo("127.0.0.1", service, hints, ret_addresses);
    return status ? status
                  : __real_getaddrinfo("192.0.2.1", service, hints, &(*ret_addresses)->ai_next);
}

typedef struct {
    char *root;
    MountTable *table;
} Fixture;

static void
put(Fixture *fixture, const char *path, const char *text)
{
    g_autofree char *name = g_strconcat(fixture->root, path, NULL);
    g_autofree char *directory = g_path_get_dirname(name);

    g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
    g_assert_true(g_file_set_contents(name, text, -1, NULL));
}

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->root = g_dir_make_tmp("mount-table-XXXXXX", NULL);
    fixture->table = mount_table_new_linux(fixture->root);
    put(fixture, "/proc/1/mountinfo", ROOT_MOUNT);
    put(fixture, "/proc/self/mountinfo", ROOT_MOUNT NFS_MOUNT);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    const char *argv[] = { "rm", "-rf", "--", fixture->root, NULL };

    mount_table_free(fixture->table);
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_free(fixture->root);
}

static void
assert_check_fails(Fixture *fixture, const char *remedy)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(mount_table_check(fixture->table, &error));
    g_assert_error(error, FAULT, FAULT_SHARE_UNAVAILABLE);
    g_assert_nonnull(strstr(fault_remedy(error), remedy));
}

static void
test_selinux_must_allow_nfs(Fixture *fixture, const void *data)
{
    put(fixture, "/sys/fs/selinux/enforce", "1");
    put(fixture, "/sys/fs/selinux/booleans/virt_use_nfs", "0 0");
    assert_check_fails(fixture, "setsebool -P virt_use_nfs on");
    put(fixture, "/sys/fs/selinux/booleans/virt_use_nfs", "1 1");
    g_assert_true(mount_table_check(fixture->table, NULL));
    put(fixture, "/sys/fs/selinux/booleans/virt_use_nfs", "0 0");
    put(fixture, "/sys/fs/selinux/enforce", "0");
    g_assert_true(mount_table_check(fixture->table, NULL));
}

static void
test_mounts_are_found_by_their_point(Fixture *fixture, const void *data)
{
    g_autoptr(MountEntry) entry = NULL;
    g_autoptr(MountEntry) none = NULL;

    g_assert_true(mount_table_find(fixture->table, "/srv/my images", &entry, NULL));
    g_assert_cmpuint(entry->id, ==, 91);
    g_assert_cmpstr(entry->source, ==, "host1:/srv/images");
    g_assert_nonnull(strstr(entry->options, "vers=4.2"));
    g_assert_true(mount_entry_is_nfs_of(entry, "host1:/srv/images/"));
    g_assert_false(mount_entry_is_nfs_of(entry, "host1:/srv"));
    g_assert_false(mount_entry_is_nfs_of(entry, "host2:/srv/images"));
    g_assert_true(mount_table_find(fixture->table, "/srv", &none, NULL));
    g_assert_null(none);
}

static void
test_the_topmost_mount_counts(Fixture *fixture, const void *data)
{
    g_autoptr(MountEntry) entry = NULL;

    put(fixture, "/proc/self/mountinfo",
        ROOT_MOUNT NFS_MOUNT "95 91 0:60 / /srv/my\\040images rw - tmpfs none rw\n");
    g_assert_true(mount_table_find(fixture->table, "/srv/my images", &entry, NULL));
    g_assert_cmpuint(entry->id, ==, 95);
    g_assert_cmpstr(entry->type, ==, "tmpfs");
}

/* A file system that is mounted twice may be writable in one place only. */
static void
test_read_only_is_seen_where_it_is_said(Fixture *fixture, const void *data)
{
    static const struct {
        const char *line;
        gboolean read_only;
    } lines[] = {
        { "95 28 0:60 / /x rw,relatime - nfs4 h:/s rw,vers=4.2\n", FALSE },
        { "95 28 0:60 / /x ro,relatime - nfs4 h:/s rw,vers=4.2\n", TRUE },
        { "95 28 0:60 / /x rw,relatime - nfs4 h:/s ro,vers=4.2\n", TRUE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *table = g_strconcat(ROOT_MOUNT, lines[i].line, NULL);
        g_autoptr(MountEntry) entry = NULL;

        put(fixture, "/proc/self/mountinfo", table);
        g_assert_true(mount_table_find(fixture->table, "/x", &entry, NULL));
        g_assert_cmpint(entry->read_only, ==, lines[i].read_only);
    }
}

/* As a mount of no source is listed. */
static void
test_what_a_line_leaves_out_is_empty(Fixture *fixture, const void *data)
{
    g_autoptr(MountEntry) entry = NULL;

    put(fixture, "/proc/self/mountinfo", ROOT_MOUNT "95 28 0:60 / /x rw - tmpfs  rw\n");
    g_assert_true(mount_table_find(fixture->table, "/x", &entry, NULL));
    g_assert_nonnull(entry);
    g_assert_cmpuint(entry->id, ==, 95);
    g_assert_cmpstr(entry->source, ==, "");
    g_clear_pointer(&entry, mount_entry_free);
    no_source = TRUE;
    g_assert_true(mount_table_find(fixture->table, "/x", &entry, NULL));
    no_source = FALSE;
    g_assert_cmpstr(entry->source, ==, "");
}

static void
test_who_has_files_open_is_named(Fixture *fixture, const void *data)
{
    g_autofree char *descriptor = g_strconcat(fixture->root, "/proc/12/fd/3", NULL);
    g_autofree char *user = NULL;
    g_autofree char *neighbour = NULL;

    put(fixture, "/proc/12/comm", "qemu-system-x86\n");
    put(fixture, "/proc/12/fd/0", "");
    g_assert_cmpint(symlink("/srv/images/a.qcow2", descriptor), ==, 0);
    g_assert_true(mount_table_find_user(fixture->table, "/srv/images", &user, NULL));
    g_assert_cmpstr(user, ==, "process 12 (qemu-system-x86)");
    g_assert_true(mount_table_find_user(fixture->table, "/srv/image", &neighbour, NULL));
    g_assert_null(neighbour);
}

static void
test_files_next_to_it_are_nobodys(Fixture *fixture, const void *data)
{
    g_autofree char *near = g_strconcat(fixture->root, "/proc/12/fd/3", NULL);
    g_autofree char *itself = g_strconcat(fixture->root, "/proc/13/fd/4", NULL);
    g_autofree char *user = NULL;

    put(fixture, "/proc/12/fd/0", "");
    put(fixture, "/proc/13/fd/0", "");
    g_autofree char *far = g_strconcat(fixture->root, "/proc/12/fd/5", NULL);

    g_assert_cmpint(symlink("/srv/images2/a", near), ==, 0);
    g_assert_cmpint(symlink("/etc/passwd", far), ==, 0);
    g_assert_true(mount_table_find_user(fixture->table, "/srv/images", &user, NULL));
    g_assert_null(user);
    g_assert_cmpint(symlink("/srv/images", itself), ==, 0);
    g_assert_true(mount_table_find_user(fixture->table, "/srv/images", &user, NULL));
    g_assert_cmpstr(user, ==, "process 13");
}

/* Of one with more open files than anybody has the time to look at, nobody knows. */
static void
test_so_many_files_are_looked_at(Fixture *fixture, const void *data)
{
    g_autofree char *proc = g_strconcat(fixture->root, "/proc", NULL);
    g_autofree char *user = NULL;

    put(fixture, "/proc/12/fd/0", "");
    more_names = LIMIT_OPEN_FILES;
    user = file_user_find(proc, "/srv/images");
    g_assert_null(user);
    g_assert_cmpuint(more_names, ==, 0);
}

static void
test_host_without_proc_is_told(void)
{
    g_autoptr(MountTable) table = mount_table_new_linux("/nonexistent");
    g_autoptr(MountEntry) entry = NULL;
    g_autofree char *user = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(mount_table_find(table, "/srv", &entry, &error));
    g_assert_error(error, FAULT, FAULT_INTERNAL);
    g_assert_true(mount_table_find_user(table, "/srv", &user, NULL));
    g_assert_null(user);
}

/* The kernel's own files. */
static void
test_the_real_mounts_are_read(void)
{
    g_autoptr(MountTable) table = mount_table_new_linux("");
    g_autoptr(MountEntry) proc = NULL;

    g_assert_true(mount_table_find(table, "/proc", &proc, NULL));
    g_assert_cmpstr(proc->type, ==, "proc");
    g_assert_true(mount_table_is_this_host(table, "127.0.0.1"));
    g_assert_true(mount_table_is_this_host(table, "localhost"));
    g_assert_true(mount_table_is_this_host(table, "::1"));
    g_assert_false(mount_table_is_this_host(table, "192.0.2.1"));
    g_assert_false(mount_table_is_this_host(table, "2001:db8::1"));
    g_assert_false(mount_table_is_this_host(table, "no-such-host.invalid"));
}

/* The real storprep-nfs, on a mount of our own. */

typedef struct {
    int home; /* the mount namespace before; -1: none may be made */
    char *point;
    MountTable *table;
    MountEntry *entry; /* of what is mounted there */
} Mounted;

/* Only this thread is in a namespace of its own, and the programs that it starts. */
static gboolean
leave_home(Mounted *mounted)
{
    mounted->home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0)
        return TRUE;
    g_assert_null(g_getenv("REQUIRE_REAL"));
    g_test_skip("needs root, to mount in a namespace");
    close(mounted->home);
    mounted->home = -1;
    return FALSE;
}

static void
set_up_mounted(Mounted *mounted, const void *data)
{
    if (!leave_home(mounted))
        return;
    mounted->point = g_dir_make_tmp("mounted-XXXXXX", NULL);
    mounted->table = mount_table_new_linux("");
    g_assert_cmpint(mount("tmpfs", mounted->point, "tmpfs", 0, NULL), ==, 0);
    g_assert_true(mount_table_find(mounted->table, mounted->point, &mounted->entry, NULL));
    g_assert_nonnull(mounted->entry);
}

static void
tear_down_mounted(Mounted *mounted, const void *data)
{
    if (mounted->home < 0)
        return;
    g_assert_cmpint(setns(mounted->home, CLONE_NEWNS), ==, 0);
    close(mounted->home);
    g_assert_cmpint(g_rmdir(mounted->point), ==, 0);
    mount_entry_free(mounted->entry);
    mount_table_free(mounted->table);
    g_free(mounted->point);
}

static gboolean
is_mounted(const Mounted *mounted)
{
    g_autoptr(MountEntry) entry = NULL;

    g_assert_true(mount_table_find(mounted->table, mounted->point, &entry, NULL));
    return entry != NULL;
}

static void
test_unmounts_what_nobody_uses(Mounted *mounted, const void *data)
{
    g_autoptr(GError) error = NULL;

    if (mounted->home < 0)
        return;
    g_assert_true(mount_table_unmount(mounted->table, mounted->entry, &error));
    g_assert_no_error(error);
    g_assert_false(is_mounted(mounted));
}

static void
test_what_is_used_stays_and_its_users_can_be_found(Mounted *mounted, const void *data)
{
    g_autoptr(GError) error = NULL;

    if (mounted->home < 0)
        return;
    int user = open(mounted->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(user, >=, 0);
    g_assert_false(mount_table_unmount(mounted->table, mounted->entry, &error));
    close(user);
    g_assert_error(error, FAULT, FAULT_SHARE_BUSY);
    g_assert_nonnull(strstr(fault_object(error), mounted->point));
    g_assert_nonnull(strstr(fault_remedy(error), "fuser"));
    g_assert_true(is_mounted(mounted));
}

/* Somebody has unmounted ours meanwhile and mounted his own. */
static void
test_another_mount_in_its_place_stays(Mounted *mounted, const void *data)
{
    g_autoptr(GError) error = NULL;

    if (mounted->home < 0)
        return;
    mounted->entry->id++;
    g_test_expect_message("migprep", G_LOG_LEVEL_WARNING, "*is left alone");
    g_assert_true(mount_table_unmount(mounted->table, mounted->entry, &error));
    g_test_assert_expected_messages();
    g_assert_no_error(error);
    g_assert_true(is_mounted(mounted));
}

static void
test_what_cannot_be_unmounted_is_told(Mounted *mounted, const void *data)
{
    g_autoptr(GError) error = NULL;

    if (mounted->home < 0)
        return;
    g_assert_cmpint(seteuid(65534), ==, 0); /* what it starts may not unmount */
    gboolean done = mount_table_unmount(mounted->table, mounted->entry, &error);
    g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_false(done);
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_nonnull(strstr(error->message, mounted->point));
    g_assert_true(is_mounted(mounted));
}

static void
test_nothing_is_mounted_where_nobody_sees_it(Mounted *mounted, const void *data)
{
    g_autoptr(GError) error = NULL;

    if (mounted->home < 0)
        return;
    g_assert_false(mount_table_mount(mounted->table, "host1:/srv/images", mounted->point,
                                     "nodev,nosuid", &error));
    g_assert_error(error, FAULT, FAULT_SHARE_UNAVAILABLE);
    g_assert_nonnull(strstr(error->message, "private mount namespace"));
    g_assert_nonnull(strstr(fault_remedy(error), "systemctl cat storprepd-nfs"));
}

static void
test_what_cannot_be_mounted_is_told(void)
{
    g_autoptr(MountTable) table = mount_table_new_linux("");
    g_autoptr(GError) error = NULL;

    g_assert_false(mount_table_mount(table, "host1:/srv/images", "/nonexistent/mount-point",
                                     "nodev,nosuid", &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_nonnull(strstr(fault_object(error), "'host1:/srv/images' at '/nonexistent/"));
    g_assert_cmpstr(fault_cause(error), !=, "");
}

/* A service that says yes to one request: this kernel may know no NFS. */
static void *
answer_once(void *listening)
{
    int connection = accept(GPOINTER_TO_INT(listening), NULL, NULL);
    char request[4096];
    const guint8 status = 0;

    g_assert_cmpint(recv(connection, request, sizeof request, 0), >, 0);
    g_assert_cmpint(send(connection, &status, sizeof status, 0), ==, sizeof status);
    close(connection);
    return NULL;
}

static void
test_mounted_is_what_the_service_says(Fixture *fixture, const void *data)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_autofree char *path = g_build_filename(fixture->root, "socket", NULL);
    int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    g_assert_cmpint(bind(listening, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(listening, 1), ==, 0);
    GThread *service = g_thread_new("service", answer_once, GINT_TO_POINTER(listening));
    g_setenv(NFS_SOCKET_VARIABLE, path, TRUE);
    g_assert_true(
        mount_table_mount(fixture->table, "host1:/srv/images", "/srv/images", "rw", NULL));
    g_unsetenv(NFS_SOCKET_VARIABLE);
    g_thread_join(service);
    close(listening);
}

/* Who cannot be asked has not said that nobody uses it. */
static void
test_service_that_is_not_there_is_told(Fixture *fixture, const void *data)
{
    g_autofree char *path = g_build_filename(fixture->root, "no-socket", NULL);
    g_autofree char *user = NULL;
    g_autoptr(GError) error = NULL;

    g_setenv(NFS_SOCKET_VARIABLE, path, TRUE);
    g_assert_false(mount_table_find_user(fixture->table, "/srv/images", &user, &error));
    g_unsetenv(NFS_SOCKET_VARIABLE);
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_nonnull(strstr(error->message, "storprepd-nfs.service"));
    g_assert_null(user);
}

/* Whatever has led the daemon there. */
static void
test_the_system_itself_is_left_alone(void)
{
    static const char *const places[] = { "/",         "/usr",          "/usr/lib/images", "/etc/x",
                                          "/run/user", "/srv/../usr/x", "/root",           "srv" };
    g_autoptr(MountTable) table = mount_table_new_linux("");

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        MountEntry entry = { .id = 1, .target = (char *)places[i] };
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) second = NULL;

        g_assert_false(
            mount_table_mount(table, "host1:/srv/images", places[i], "nodev,nosuid", &error));
        g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
        g_assert_nonnull(strstr(error->message, "where the system lies"));
        g_assert_false(mount_table_unmount(table, &entry, &second));
        g_assert_nonnull(strstr(second->message, "is the system's"));
    }
}

#define ADD_MOUNTED(name, test)                                                                    \
    g_test_add("/mount-table/" name, Mounted, NULL, set_up_mounted, test, tear_down_mounted)

static void
test_this_host_is_known_by_any_of_its_addresses(void)
{
    g_autoptr(MountTable) table = mount_table_new_linux("");

    g_assert_true(mount_table_is_this_host(table, "two-addresses"));
    interfaces = "unknown";
    g_assert_false(mount_table_is_this_host(table, "127.0.0.1"));
    interfaces = "none-with-an-address"; /* the first, as a tunnel that is not set up */
    g_assert_false(mount_table_is_this_host(table, "192.0.2.1"));
    interfaces = "all";
    g_assert_true(mount_table_is_this_host(table, "127.0.0.1"));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *, const void *);
    } tests[] = {
        { "/mount-table/read-only", test_read_only_is_seen_where_it_is_said },
        { "/mount-table/left-out", test_what_a_line_leaves_out_is_empty },
        { "/mount-table/selinux", test_selinux_must_allow_nfs },
        { "/mount-table/neighbours", test_files_next_to_it_are_nobodys },
        { "/mount-table/service", test_mounted_is_what_the_service_says },
        { "/mount-table/no-service", test_service_that_is_not_there_is_told },
        { "/mount-table/find", test_mounts_are_found_by_their_point },
        { "/mount-table/so-many-files", test_so_many_files_are_looked_at },
        { "/mount-table/topmost", test_the_topmost_mount_counts },
        { "/mount-table/user", test_who_has_files_open_is_named },
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mount-table/no-proc", test_host_without_proc_is_told);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
    g_test_add_func("/mount-table/real", test_the_real_mounts_are_read);
    g_test_add_func("/mount-table/this-host", test_this_host_is_known_by_any_of_its_addresses);
    ADD_MOUNTED("unmounted", test_unmounts_what_nobody_uses);
    ADD_MOUNTED("used", test_what_is_used_stays_and_its_users_can_be_found);
    ADD_MOUNTED("replaced", test_another_mount_in_its_place_stays);
    ADD_MOUNTED("not-allowed", test_what_cannot_be_unmounted_is_told);
    ADD_MOUNTED("private", test_nothing_is_mounted_where_nobody_sees_it);
    g_test_add_func("/mount-table/not-mounted", test_what_cannot_be_mounted_is_told);
    g_test_add_func("/mount-table/system", test_the_system_itself_is_left_alone);
    return g_test_run();
}
