/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of what is read from libvirt's qemu.conf. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "common/fault.h"
#include "storprep/qemu_conf.h"

static void
read_text(const char *text, QemuConf *ret_conf)
{
    g_autofree char *path = NULL;

    close(g_file_open_tmp("qemu-conf-XXXXXX", &path, NULL));
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    qemu_conf_read(path, ret_conf);
    g_unlink(path);
}

static void
test_nothing_set_means_defaults(void)
{
    g_auto(QemuConf) absent = { 0 };
    g_auto(QemuConf) comments = { 0 };

    qemu_conf_read("/nonexistent/qemu.conf", &absent);
    g_assert_null(absent.user);
    read_text("#user = \"root\"\n  # shared_filesystems = [ \"/x\" ]\n", &comments);
    g_assert_null(comments.user);
    g_assert_null(comments.shared_filesystems[0]);
    g_assert_false(qemu_conf_is_shared(&comments, "/x/a"));
    g_assert_false(comments.owner_kept);
}

static void
test_settings_are_read(void)
{
    g_auto(QemuConf) conf = { 0 };

    read_text("user = \"+0\" # comment\ngroup='+7'\nshared_filesystems = [\n  \"/srv/images/\",\n"
              "  # not this: \"/no\"\n  '/mnt/b' ]\nmax_files = 3\ndynamic_ownership = 0\nother = "
              "\"/c\"\n",
              &conf);
    g_assert_cmpstr(conf.user, ==, "+0");
    g_assert_cmpstr(conf.group, ==, "+7");
    g_assert_cmpuint(g_strv_length(conf.shared_filesystems), ==, 2);
    g_assert_true(qemu_conf_is_shared(&conf, "/srv/images/a.qcow2"));
    g_assert_true(qemu_conf_is_shared(&conf, "/mnt/b/deep/a"));
    g_assert_true(conf.owner_kept);
    g_assert_false(qemu_conf_is_shared(&conf, "/mnt/ba"));
    g_assert_false(qemu_conf_is_shared(&conf, "/c/a"));
}

static void
test_broken_lists_end(void)
{
    g_auto(QemuConf) conf = { 0 };

    read_text("shared_filesystems = [ \"/a\", \"/b\nuser = 7", &conf);
    g_assert_cmpuint(g_strv_length(conf.shared_filesystems), ==, 1);
    g_assert_null(conf.user);
}

static void
test_ids_are_found(void)
{
    QemuConf root = { .user = (char *)"root", .group = (char *)"root" };
    QemuConf numbers = { .user = (char *)"+4000107", .group = (char *)"+4000108" };
    QemuConf unknown = { .user = (char *)"no-such-user" };
    g_autoptr(GError) error = NULL;
    uid_t uid = 1;
    gid_t gid = 1;

    g_assert_true(qemu_conf_ids(&root, &uid, &gid, NULL));
    g_assert_cmpuint(uid, ==, 0);
    g_assert_cmpuint(gid, ==, 0);
    g_assert_true(qemu_conf_ids(&numbers, &uid, &gid, NULL));
    g_assert_cmpuint(uid, ==, 4000107);
    g_assert_cmpuint(gid, ==, 4000108);
    g_assert_false(qemu_conf_ids(&unknown, &uid, &gid, &error));
    g_assert_error(error, FAULT, FAULT_SHARE_REFUSED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qemu-conf/defaults", test_nothing_set_means_defaults);
    g_test_add_func("/qemu-conf/settings", test_settings_are_read);
    g_test_add_func("/qemu-conf/broken", test_broken_lists_end);
    g_test_add_func("/qemu-conf/ids", test_ids_are_found);
    return g_test_run();
}
