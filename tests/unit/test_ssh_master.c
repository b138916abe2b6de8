/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of ending ssh's background connection. */
#include "common/cli/ssh_master.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

/* An ssh that answers as OpenSSH's does: a hello of its own, and an OK before it ends. */
typedef struct {
    char *directory, *path;
    GSocket *listener;
    guint8 heard[64];
    gsize length;
} Master;

static void
set_up(Master *master, const void *data)
{
    master->directory = g_dir_make_tmp("ssh-master-XXXXXX", NULL);
    master->path = g_build_filename(master->directory, "ssh", NULL);
    master->listener =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(master->path);
    g_assert_true(g_socket_bind(master->listener, address, FALSE, NULL));
    g_assert_true(g_socket_listen(master->listener, NULL));
}

static void
tear_down(Master *master, const void *data)
{
    g_object_unref(master->listener);
    g_unlink(master->path);
    g_rmdir(master->directory);
    g_free(master->path);
    g_free(master->directory);
}

static void *
serve(void *data)
{
    static const guint8 answers[] = { 0, 0, 0, 8, 0,    0, 0, 1, 0, 0, 0, 4,
                                      0, 0, 0, 8, 0x80, 0, 0, 1, 0, 0, 0, 1 };
    Master *master = data;
    g_autoptr(GSocket) client = g_socket_accept(master->listener, NULL, NULL);

    while (master->length < 24) {
        gssize count = g_socket_receive(client, (char *)master->heard + master->length,
                                        sizeof master->heard - master->length, NULL, NULL);

        g_assert_cmpint(count, >, 0);
        master->length += (gsize)count;
    }
    g_socket_send(client, (const char *)answers, sizeof answers, NULL, NULL);
    g_socket_close(client, NULL);
    return NULL;
}

static guint32
word(const Master *master, gsize index)
{
    guint32 number;

    memcpy(&number, master->heard + 4 * index, sizeof number);
    return GUINT32_FROM_BE(number);
}

static void
test_is_told_hello_and_to_end(Master *master, const void *data)
{
    static const guint32 expected[] = { 8, 0x00000001, 4, 8, 0x10000005, 1 };
    GThread *thread = g_thread_new("master", serve, master);

    ssh_master_end(master->path);
    g_thread_join(thread);
    g_assert_cmpuint(master->length, ==, sizeof expected);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpuint(word(master, i), ==, expected[i]);
}

static void
test_none_is_no_trouble(Master *master, const void *data)
{
    g_autofree char *nowhere = g_build_filename(master->directory, "nowhere", NULL);

    ssh_master_end(nowhere);
    g_socket_close(master->listener, NULL);
    ssh_master_end(master->path); /* one that was killed leaves its socket */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/ssh-master/told", Master, NULL, set_up, test_is_told_hello_and_to_end, tear_down);
    g_test_add("/ssh-master/none", Master, NULL, set_up, test_none_is_no_trouble, tear_down);
    return g_test_run();
}
