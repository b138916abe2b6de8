/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests: a server on a thread of its own, and a client that sends raw bytes to it. */
#pragma once

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/varlink_server.h"

typedef struct {
    char *directory;
    char *path;
    const char *description;
    const VarlinkMethod *methods;
    const VarlinkBrief *brief; /* NULL: none */
    void *context;
    const char *group, *monitors;
    VarlinkLevel most; /* 0: all */
    GMainContext *main_context;
    GMainLoop *loop;
    GThread *thread;
    GMutex lock;
    GCond changed;
    gboolean listening;
} Serving;

static inline gint64
patience_usec(void)
{
    const char *slowness = g_getenv("TEST_SLOWNESS");

    return (slowness ? MAX(g_ascii_strtoll(slowness, NULL, 10), 1) : 1) * 10 * G_USEC_PER_SEC;
}

/* From inside the loop: one that does not run yet could not be quit. */
static inline gboolean
serving_note_listening(gpointer data)
{
    Serving *serving = data;

    g_mutex_lock(&serving->lock);
    serving->listening = TRUE;
    g_cond_signal(&serving->changed);
    g_mutex_unlock(&serving->lock);
    return G_SOURCE_REMOVE;
}

static inline gpointer
serving_run(gpointer data)
{
    Serving *serving = data;
    g_autoptr(GError) error = NULL;

    g_main_context_push_thread_default(serving->main_context);
    g_autoptr(VarlinkServer) server = varlink_server_new("test", "1", serving->group);
    varlink_server_add_interface(server, serving->description, serving->methods, serving->context,
                                 &error);
    g_assert_no_error(error);
    varlink_server_add_brief(server, serving->brief);
    varlink_server_admit_monitors(server, serving->monitors);
    varlink_server_listen(server, serving->path,
                          serving->most ? serving->most : VARLINK_LEVEL_CHANGE, &error);
    g_assert_no_error(error);
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_callback(source, serving_note_listening, serving, NULL);
    g_source_attach(source, serving->main_context);
    g_main_loop_run(serving->loop);
    g_clear_pointer(&server, varlink_server_free);
    g_main_context_pop_thread_default(serving->main_context);
    return NULL;
}

static inline void
serving_start(Serving *serving, const char *description, const VarlinkMethod *methods,
              void *context)
{
    serving->directory = g_dir_make_tmp("varlink-XXXXXX", NULL);
    serving->path = g_build_filename(serving->directory, "socket", NULL);
    serving->description = description;
    serving->methods = methods;
    serving->context = context;
    serving->main_context = g_main_context_new();
    serving->loop = g_main_loop_new(serving->main_context, FALSE);
    g_mutex_init(&serving->lock);
    g_cond_init(&serving->changed);
    serving->thread = g_thread_new("server", serving_run, serving);
    g_mutex_lock(&serving->lock);
    while (!serving->listening)
        g_cond_wait(&serving->changed, &serving->lock);
    g_mutex_unlock(&serving->lock);
}

static inline void
serving_stop(Serving *serving)
{
    g_main_loop_quit(serving->loop);
    g_thread_join(serving->thread);
    g_assert_false(g_file_test(serving->path, G_FILE_TEST_EXISTS));
    g_rmdir(serving->directory);
    g_main_loop_unref(serving->loop);
    g_main_context_unref(serving->main_context);
    g_mutex_clear(&serving->lock);
    g_cond_clear(&serving->changed);
    g_free(serving->path);
    g_free(serving->directory);
}

static inline int
peer_connect(const Serving *serving)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = patience_usec() / G_USEC_PER_SEC };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, serving->path, sizeof address.sun_path);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

/* FALSE when the server has hung up. */
static inline gboolean
peer_send_bytes(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0) {
            g_assert_true(errno == EPIPE || errno == ECONNRESET);
            return FALSE;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
    return TRUE;
}

static inline void
peer_send(int fd, const char *text)
{
    g_assert_true(peer_send_bytes(fd, text, strlen(text) + 1));
}

/* The next reply as text; NULL when the server has hung up. */
static inline char *
peer_receive(int fd)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char byte;

    for (;;) {
        ssize_t count = recv(fd, &byte, 1, 0);
        if (count == 0 || (count < 0 && errno == ECONNRESET))
            return NULL;
        g_assert_cmpint(count, ==, 1);
        if (byte == '\0')
            return g_strdup(text->str);
        g_string_append_c(text, byte);
    }
}

static inline void
peer_assert_reply(int fd, const char *expected)
{
    g_autofree char *text = peer_receive(fd);

    g_assert_cmpstr(text, ==, expected);
}

static inline void
peer_assert_hung_up(int fd)
{
    g_autofree char *text = peer_receive(fd);

    g_assert_null(text);
    close(fd);
}
