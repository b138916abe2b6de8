/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of what is read from the kernel's NFS server; its files are as Linux 6.12 and
 * nfs-utils 2.8.3 write them. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/fault.h"
#include "storprep/nfs_server.h"

typedef struct {
    char *root;
    NfsServer *server;
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
    fixture->root = g_dir_make_tmp("nfs-server-XXXXXX", NULL);
    fixture->server = nfs_server_new_kernel(fixture->root);
    put(fixture, "/proc/fs/nfsd/threads", "8\n");
    put(fixture, "/proc/fs/nfsd/portlist", "rdma 20049\ntcp 2049\ntcp 2049\n");
}

static void
tear_down(Fixture *fixture, const void *data)
{
    const char *argv[] = { "rm", "-rf", "--", fixture->root, NULL };

    nfs_server_free(fixture->server);
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_free(fixture->root);
}

static void
test_a_server_that_does_not_serve_is_told(Fixture *fixture, const void *data)
{
    g_autoptr(GError) stopped = NULL;
    g_autoptr(GError) deaf = NULL;

    g_assert_true(nfs_server_check(fixture->server, NULL));
    put(fixture, "/proc/fs/nfsd/portlist", "udp 2049\n");
    g_assert_false(nfs_server_check(fixture->server, &deaf));
    g_assert_nonnull(strstr(fault_cause(deaf), "2049"));
    put(fixture, "/proc/fs/nfsd/threads", "0\n");
    g_assert_false(nfs_server_check(fixture->server, &stopped));
    g_assert_error(stopped, FAULT, FAULT_SHARE_UNAVAILABLE);
    g_assert_nonnull(strstr(fault_remedy(stopped), "systemctl enable --now nfs-server"));
}

static void
test_exports_are_read(Fixture *fixture, const void *data)
{
    g_autoptr(GPtrArray) exports = NULL;
    const NfsExport *share;

    put(fixture, "/var/lib/nfs/etab",
        "/srv/my\\040images\thost2(rw,sync,wdelay,no_root_squash,sec=sys,rw)\n"
        "/srv\t10.0.0.0/8(ro,sec=sys)\nnonsense\n");
    exports = nfs_server_list(fixture->server, NULL);
    g_assert_cmpuint(exports->len, ==, 2);
    share = nfs_export_find(exports, "HOST2", "/srv/my images");
    g_assert_true(nfs_export_has_option(share->options, "no_root_squash"));
    g_assert_false(nfs_export_has_option(share->options, "root_squash"));
    g_assert_null(nfs_export_find(exports, "host2", "/srv"));
}

static void
test_no_table_means_no_exports(Fixture *fixture, const void *data)
{
    g_autoptr(GPtrArray) exports = nfs_server_list(fixture->server, NULL);

    g_assert_cmpuint(exports->len, ==, 0);
}

/* What was exported by hand would be exported again, with other options. */
static void
test_a_table_that_cannot_be_read_is_not_empty(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    put(fixture, "/var/lib/nfs/etab/in-its-way", "");
    g_assert_null(nfs_server_list(fixture->server, &error));
    g_assert_error(error, FAULT, FAULT_SHARE_UNAVAILABLE);
    g_assert_nonnull(strstr(fault_cause(error), "etab"));
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
assert_users_unknown(Fixture *fixture)
{
    g_autofree char *directory = g_strconcat(fixture->root, "/srv/images", NULL);
    g_autoptr(GError) error = NULL;
    char *user = NULL;

    g_assert_false(nfs_server_find_user(fixture->server, directory, &user, &error));
    g_assert_error(error, FAULT, FAULT_SHARE_UNAVAILABLE);
    g_assert_null(user);
}

/* Its export would be taken from whoever uses it. */
static void
test_clients_that_cannot_be_read_are_not_none(Fixture *fixture, const void *data)
{
    put(fixture, "/srv/images/a.qcow2", "");
    put(fixture, "/proc/fs/nfsd/clients/3/states/in-its-way", "");
    assert_users_unknown(fixture);
}

static void
test_a_list_of_clients_that_cannot_be_read_is_not_empty(Fixture *fixture, const void *data)
{
    put(fixture, "/srv/images/a.qcow2", "");
    put(fixture, "/proc/fs/nfsd/clients", "");
    assert_users_unknown(fixture);
}

static void
put_open_file(Fixture *fixture, dev_t device, ino_t inode)
{
    g_autofree char *states = g_strdup_printf(
        "- 0x3c5a9a5b0100000001000000: { type: open, access: rw, deny: --, superblock: "
        "\"%02x:%02x:%" G_GUINT64_FORMAT "\", filename: \"images/a.qcow2\", owner: \"open id:\" "
        "}\n",
        major(device), minor(device), (guint64)inode);

    put(fixture, "/proc/fs/nfsd/clients/3/info",
        "clientid: 0x5b9a5a3c00000001\naddress: \"10.98.0.2:921\"\nname: \"Linux NFSv4.2\"\n");
    put(fixture, "/proc/fs/nfsd/clients/3/states", states);
}

static char *
find_user(Fixture *fixture, const char *path)
{
    g_autofree char *directory = g_strconcat(fixture->root, path, NULL);
    char *user;

    g_assert_true(nfs_server_find_user(fixture->server, directory, &user, NULL));
    return user;
}

static void
test_a_client_with_an_open_file_is_found(Fixture *fixture, const void *data)
{
    g_autofree char *nobody = NULL;
    g_autofree char *elsewhere = NULL;
    g_autofree char *user = NULL;
    g_autofree char *image = g_strconcat(fixture->root, "/srv/images/deep/a.qcow2", NULL);
    struct stat status;

    put(fixture, "/srv/images/deep/a.qcow2", "");
    put(fixture, "/srv/other/b.qcow2", "");
    nobody = find_user(fixture, "/srv/images");
    g_assert_null(nobody);
    g_assert_cmpint(stat(image, &status), ==, 0);
    put_open_file(fixture, status.st_dev, status.st_ino);
    user = find_user(fixture, "/srv/images");
    g_assert_cmpstr(user, ==, "10.98.0.2:921");
    elsewhere = find_user(fixture, "/srv/other");
    g_assert_null(elsewhere);
}

static void
test_an_unknown_host_is_refused(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *address = nfs_server_canonical_client(fixture->server, "127.0.0.1", NULL);

    g_assert_cmpstr(address, ==, "127.0.0.1");
    g_assert_null(nfs_server_canonical_client(fixture->server, "no-such-host.invalid", &error));
    g_assert_error(error, FAULT, FAULT_SHARE_REFUSED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/nfs-server/check", Fixture, NULL, set_up,
               test_a_server_that_does_not_serve_is_told, tear_down);
    g_test_add("/nfs-server/exports", Fixture, NULL, set_up, test_exports_are_read, tear_down);
    g_test_add("/nfs-server/no-table", Fixture, NULL, set_up, test_no_table_means_no_exports,
               tear_down);
    g_test_add("/nfs-server/unreadable-table", Fixture, NULL, set_up,
               test_a_table_that_cannot_be_read_is_not_empty, tear_down);
    g_test_add("/nfs-server/unreadable-client", Fixture, NULL, set_up,
               test_clients_that_cannot_be_read_are_not_none, tear_down);
    g_test_add("/nfs-server/unreadable-clients", Fixture, NULL, set_up,
               test_a_list_of_clients_that_cannot_be_read_is_not_empty, tear_down);
    g_test_add("/nfs-server/user", Fixture, NULL, set_up, test_a_client_with_an_open_file_is_found,
               tear_down);
    g_test_add("/nfs-server/unknown-host", Fixture, NULL, set_up, test_an_unknown_host_is_refused,
               tear_down);
    return g_test_run();
}
