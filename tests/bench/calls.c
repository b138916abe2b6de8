/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fast a Varlink service answers: calls SOCKET METHOD CONNECTIONS SECONDS prints one JSON
 * object. Each connection asks, waits for the answer, and asks again. calls --answer SOCKET is the
 * least that a service can do: it answers each message with {} in one thread.
 */
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#define CONNECTIONS_MAX 64
#define MESSAGE_MAX     (4U * 1024 * 1024)

typedef struct {
    const char *path, *request;
    gsize length;
    gint64 end_usec;
    GArray *latencies; /* of float, microseconds */
} Caller;

static struct sockaddr_un
address_of(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    return address;
}

static int
connect_to(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        g_error("%s: %m", path);
    return fd;
}

/* Reads up to the NUL; FALSE at the end of the connection. */
static gboolean
read_answer(int fd, char *buffer)
{
    for (ssize_t got = read(fd, buffer, MESSAGE_MAX); got > 0; got = read(fd, buffer, MESSAGE_MAX))
        if (!buffer[got - 1])
            return TRUE;
    return FALSE;
}

static gpointer
ask_again_and_again(gpointer data)
{
    Caller *caller = data;
    g_autofree char *buffer = g_malloc(MESSAGE_MAX);
    int fd = connect_to(caller->path);
    gint64 now = g_get_monotonic_time();

    while (now < caller->end_usec) {
        gint64 start = now;

        if (write(fd, caller->request, caller->length) != (ssize_t)caller->length ||
            !read_answer(fd, buffer))
            g_error("%s: the connection ended", caller->path);
        now = g_get_monotonic_time();
        float latency = (float)(now - start);
        g_array_append_val(caller->latencies, latency);
    }
    close(fd);
    return NULL;
}

static int
compare(const void *a, const void *b)
{
    float one = *(const float *)a, other = *(const float *)b;

    return (one > other) - (one < other);
}

static json_t *
measure(const char *path, const char *method, unsigned connections, double seconds)
{
    g_autofree char *request = g_strdup_printf("{\"method\":\"%s\",\"parameters\":{}}", method);
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(float));
    Caller callers[CONNECTIONS_MAX];
    GThread *threads[CONNECTIONS_MAX];
    gint64 start = g_get_monotonic_time();

    for (unsigned i = 0; i < connections; i++) {
        callers[i] = (Caller) { path, request, strlen(request) + 1,
                                start + (gint64)(seconds * G_USEC_PER_SEC),
                                g_array_new(FALSE, FALSE, sizeof(float)) };
        threads[i] = g_thread_new("caller", ask_again_and_again, &callers[i]);
    }
    for (unsigned i = 0; i < connections; i++) {
        g_thread_join(threads[i]);
        g_array_append_vals(all, callers[i].latencies->data, callers[i].latencies->len);
        g_array_unref(callers[i].latencies);
    }
    if (all->len == 0)
        g_error("%s: no call was answered in time", path);
    double taken = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    qsort(all->data, all->len, sizeof(float), compare);
    return json_pack("{s:i, s:f, s:f, s:f}", "calls", (int)all->len, "callsPerSecond",
                     all->len / taken, "medianMicroseconds",
                     (double)g_array_index(all, float, all->len / 2), "p99Microseconds",
                     (double)g_array_index(all, float, (guint)(all->len * 0.99)));
}

static void
answer_all(struct pollfd *peers, unsigned *count)
{
    static const char answer[] = "{\"parameters\":{}}";
    static char buffer[MESSAGE_MAX];

    for (unsigned i = 1; i < *count; i++) {
        if (!peers[i].revents)
            continue;
        if (read_answer(peers[i].fd, buffer)) {
            if (write(peers[i].fd, answer, sizeof answer) < 0)
                g_message("a caller left");
            continue;
        }
        close(peers[i].fd);
        peers[i--] = peers[--*count];
    }
}

static int
serve(const char *path)
{
    struct pollfd peers[CONNECTIONS_MAX + 1] = { { .events = POLLIN } };
    struct sockaddr_un address = address_of(path);
    unsigned count = 1;

    peers[0].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(peers[0].fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(peers[0].fd, CONNECTIONS_MAX) < 0)
        g_error("%s: %m", path);
    while (poll(peers, count, -1) > 0) {
        answer_all(peers, &count);
        if (peers[0].revents && count <= CONNECTIONS_MAX)
            peers[count++] = (struct pollfd) { accept(peers[0].fd, NULL, NULL), POLLIN, 0 };
    }
    return 1;
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--answer") == 0)
        return serve(argv[2]);
    unsigned connections = argc == 5 ? (unsigned)atoi(argv[3]) : 0;
    if (connections < 1 || connections > CONNECTIONS_MAX) {
        fputs("usage: calls SOCKET METHOD CONNECTIONS SECONDS | --answer SOCKET\n", stderr);
        return 2;
    }
    json_t *figures = measure(argv[1], argv[2], connections, g_ascii_strtod(argv[4], NULL));
    json_dumpf(figures, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(figures);
    return 0;
}
