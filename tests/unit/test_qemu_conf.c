/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of what is read from libvirt's qemu.conf. */
#include <glib/gstdio.h>
#include <pwd.h>
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
    g_auto(QemuConf) cut_off = { 0 };

    read_text("shared_filesystems = [ \"/a\", \"/b\nuser = 7", &conf);
    g_assert_cmpuint(g_strv_length(conf.shared_filesystems), ==, 1);
    g_assert_null(conf.user);
    read_text("shared_filesystems = [ \"/a\", \"/b\",", &cut_off);
    g_assert_cmpuint(g_strv_length(cut_off.shared_filesystems), ==, 2);
}

static void
test_what_is_no_text_means_defaults(void)
{
    g_auto(QemuConf) conf = { 0 };

    read_text("user = \"\377\"\n", &conf);
    g_assert_null(conf.user);
}

static void
test_root_directory_holds_all(void)
{
    g_auto(QemuConf) conf = { 0 };
    const QemuConf none = { 0 };

    read_text("shared_filesystems = [ \"//\" ]", &conf);
    g_assert_true(qemu_conf_is_shared(&conf, "/srv/a"));
    g_assert_false(qemu_conf_is_shared(&none, "/srv/a"));
}

static void
test_ports_are_read_or_as_usual(void)
{
    static const struct {
        const char *text;
        guint16 first, last;
    } cases[] = {
        { "", QEMU_CONF_FIRST_PORT, QEMU_CONF_LAST_PORT },
        { "migration_port_min = 50000\nmigration_port_max = 50001\n", 50000, 50001 },
        { "migration_port_min = 0\nmigration_port_max = 65536\n", QEMU_CONF_FIRST_PORT,
          QEMU_CONF_LAST_PORT },
        { "migration_port_min = 9\nmigration_port_max = 8\n", QEMU_CONF_FIRST_PORT,
          QEMU_CONF_LAST_PORT },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(QemuConf) conf = { 0 };

        read_text(cases[i].text, &conf);
        g_assert_cmpuint(conf.first_port, ==, cases[i].first);
        g_assert_cmpuint(conf.last_port, ==, cases[i].last);
    }
}

/* The linker leads who looks for users here. */
int __real_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
                      struct passwd **ret_found);
int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
                      struct passwd **ret_found);

static const char *only_user; /* NULL: those of this host */

int
__wrap_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
                  struct passwd **ret_found)
{
    if (!only_user)
        return __real_getpwnam_r(name, entry, buffer, size, ret_found);
    *entry = (struct passwd) { .pw_uid = 64055, .pw_gid = 994 };
    *ret_found = g_str_equal(name, only_user) ? entry : NULL;
    return 0;
}

static void
test_distributions_call_their_users_differently(void)
{
    static const char *const names[] = { "libvirt-qemu", "qemu" };
    const QemuConf conf = { 0 }, group = { .group = (char *)"no-such-group" };
    g_autoptr(GError) error = NULL;
    uid_t uid = 1;
    gid_t gid = 1;

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        only_user = names[i];
        g_assert_true(qemu_conf_ids(&conf, &uid, &gid, NULL));
        g_assert_cmpuint(uid, ==, 64055);
        g_assert_false(qemu_conf_ids(&group, &uid, &gid, &error));
        g_assert_error(error, FAULT, FAULT_SHARE_REFUSED);
        g_clear_error(&error);
    }
    only_user = "nobody else";
    g_assert_false(qemu_conf_ids(&conf, &uid, &gid, &error));
    g_assert_error(error, FAULT, FAULT_SHARE_REFUSED);
    only_user = NULL;
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
    g_test_add_func("/qemu-conf/no-text", test_what_is_no_text_means_defaults);
    g_test_add_func("/qemu-conf/root-directory", test_root_directory_holds_all);
    g_test_add_func("/qemu-conf/ports", test_ports_are_read_or_as_usual);
    g_test_add_func("/qemu-conf/distributions", test_distributions_call_their_users_differently);
    return g_test_run();
}
