/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/varlink_client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>

#include "common/fault.h"
#include "common/limits.h"

#define STATUS_NO_PROGRAM 127 /* of a shell: sh(1) */

struct VarlinkClient {
    char *peer; /* the host, or the socket's path, for errors */
    gboolean is_remote;
    int read_fd; /* non-blocking is not needed: poll() comes before each read */
    int write_fd;
    GSubprocess *program; /* NULL for a socket */
    GByteArray *input;    /* received, not yet consumed */
    gboolean broken;      /* a call ended midway: replies can no longer be told apart */
};

/* Until when a call may wait, and what may end it earlier. */
typedef struct {
    gint64 deadline_usec; /* G_MAXINT64: none */
    GCancellable *cancellable;
} Patience;

VarlinkClient *
varlink_client_connect(const char *socket_path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(socket_path) >= sizeof address.sun_path) {
        fault_set(error, FAULT_INVALID_ARGUMENT, socket_path, "give a shorter path",
                  "a socket's path has at most %zu bytes", sizeof address.sun_path - 1);
        return NULL;
    }
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        g_autofree char *object = g_strdup_printf("daemon at %s", socket_path);
        fault_set(
            error, saved == EACCES ? FAULT_PERMISSION_DENIED : FAULT_DAEMON_UNAVAILABLE, object,
            saved == EACCES ? "run as root or as a member of the group migprep; to look only, of "
                              "migprep-monitor"
                            : "install it, or start it: systemctl start netprepd.socket "
                              "storprepd.socket",
            "cannot connect: %s", g_strerror(saved));
        return NULL;
    }
    VarlinkClient *client = g_new0(VarlinkClient, 1);
    client->peer = g_strdup(socket_path);
    client->read_fd = client->write_fd = fd;
    client->input = g_byte_array_new();
    return client;
}

VarlinkClient *
varlink_client_connect_through(const char *socket_path, const char *peer, GError **error)
{
    VarlinkClient *client = varlink_client_connect(socket_path, error);

    if (client) {
        g_free(client->peer);
        client->peer = g_strdup(peer);
        client->is_remote = TRUE;
    }
    return client;
}

VarlinkClient *
varlink_client_spawn(const char *const *argv, const char *peer, GError **error)
{
    g_autoptr(GError) cause = NULL;
    GSubprocess *program =
        g_subprocess_newv(argv,
                          G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                              G_SUBPROCESS_FLAGS_STDERR_PIPE,
                          &cause);
    if (!program) {
        fault_set(error, FAULT_PEER_UNREACHABLE, peer, "install the program", "cannot run %s: %s",
                  argv[0], cause->message);
        return NULL;
    }
    VarlinkClient *client = g_new0(VarlinkClient, 1);
    client->peer = g_strdup(peer);
    client->is_remote = TRUE;
    client->program = program;
    client->read_fd =
        g_unix_input_stream_get_fd(G_UNIX_INPUT_STREAM(g_subprocess_get_stdout_pipe(program)));
    client->write_fd =
        g_unix_output_stream_get_fd(G_UNIX_OUTPUT_STREAM(g_subprocess_get_stdin_pipe(program)));
    client->input = g_byte_array_new();
    return client;
}

void
varlink_client_free(VarlinkClient *client)
{
    if (!client)
        return;
    if (client->program) {
        g_subprocess_force_exit(client->program);
        g_subprocess_wait(client->program, NULL, NULL);
        g_object_unref(client->program);
    } else {
        close(client->read_fd);
    }
    g_byte_array_unref(client->input);
    g_free(client->peer);
    g_free(client);
}

/* The last non-empty line that the program wrote to its standard error. */
static char *
last_error_line(GSubprocess *program)
{
    char buffer[LIMIT_TEXT_BYTES];
    gsize length = 0;

    g_input_stream_read_all(g_subprocess_get_stderr_pipe(program), buffer, sizeof buffer - 1,
                            &length, NULL, NULL);
    buffer[length] = '\0';
    g_strchomp(buffer);
    const char *line = strrchr(buffer, '\n');
    return g_utf8_make_valid(line ? line + 1 : buffer, -1);
}

static char *
remedy_for(const char *host, int status)
{
    if (status == VARLINK_PROXY_HUNG_UP)
        return g_strdup_printf("ssh %s journalctl -u netprepd -u storprepd", host);
    if (status == VARLINK_PROXY_NO_DAEMON || status == STATUS_NO_PROGRAM)
        return g_strdup("install migprep there and run on it: systemctl start netprepd.socket "
                        "storprepd.socket");
    return g_strdup_printf("make this work: ssh %s true", host);
}

static void
set_hung_up(const VarlinkClient *client, GError **error)
{
    g_autofree char *object =
        g_strdup_printf(client->is_remote ? "host '%s'" : "daemon at %s", client->peer);
    g_autofree char *remedy =
        client->is_remote ? remedy_for(client->peer, VARLINK_PROXY_HUNG_UP)
                          : g_strdup("see its journal: journalctl -u netprepd -u storprepd");

    fault_set(error, FAULT_DAEMON_UNAVAILABLE, object, remedy,
              "it closed the connection before it answered");
}

/* The other side is gone: finds out why. */
static void
explain_end(VarlinkClient *client, GError **error)
{
    client->broken = TRUE;
    if (!client->program) {
        set_hung_up(client, error);
        return;
    }
    g_autofree char *line = last_error_line(client->program);
    g_subprocess_wait(client->program, NULL, NULL);
    int status = g_subprocess_get_if_exited(client->program)
                     ? g_subprocess_get_exit_status(client->program)
                     : -1;
    gboolean reached = status == VARLINK_PROXY_NO_DAEMON || status == VARLINK_PROXY_HUNG_UP ||
                       status == STATUS_NO_PROGRAM;
    g_autofree char *object = g_strdup_printf("host '%s'", client->peer);
    g_autofree char *remedy = remedy_for(client->peer, status);
    fault_set(error, reached ? FAULT_DAEMON_UNAVAILABLE : FAULT_PEER_UNREACHABLE, object, remedy,
              "%s", *line ? line : "the connection ended without a word");
}

/* Waits until @fd is ready for @events. */
static gboolean
wait_ready(VarlinkClient *client, int fd, short events, const Patience *patience, GError **error)
{
    GPollFD cancel = { .fd = -1 };
    gboolean pollable = g_cancellable_make_pollfd(patience->cancellable, &cancel);
    int ready;

    do {
        struct pollfd fds[] = { { .fd = fd, .events = events },
                                { .fd = pollable ? cancel.fd : -1, .events = POLLIN } };
        int wait_msec = -1;
        if (patience->deadline_usec != G_MAXINT64)
            wait_msec = (int)CLAMP((patience->deadline_usec - g_get_monotonic_time()) / 1000 + 1, 0,
                                   G_MAXINT);
        ready = poll(fds, G_N_ELEMENTS(fds), wait_msec);
    } while (ready < 0 && errno == EINTR);
    if (pollable)
        g_cancellable_release_fd(patience->cancellable);

    if (g_cancellable_is_cancelled(patience->cancellable)) {
        client->broken = TRUE;
        fault_set(error, FAULT_CANCELLED, client->peer, NULL, "the call was cancelled");
        return FALSE;
    }
    if (ready == 0) {
        client->broken = TRUE;
        fault_set(error, FAULT_TIMED_OUT, client->peer, "try again, or look at its journal",
                  "no answer within the deadline");
        return FALSE;
    }
    return TRUE;
}

static gboolean
send_all(VarlinkClient *client, const char *text, size_t length, const Patience *patience,
         GError **error)
{
    while (length > 0) {
        if (!wait_ready(client, client->write_fd, POLLOUT, patience, error))
            return FALSE;
        /* A socket's peer may be gone: EPIPE instead of a signal. Programs ignore SIGPIPE. */
        ssize_t written = client->program
                              ? write(client->write_fd, text, MIN(length, PIPE_BUF))
                              : send(client->write_fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (written < 0) {
            explain_end(client, error);
            return FALSE;
        }
        text += written;
        length -= (size_t)written;
    }
    return TRUE;
}

/* The next message, without its NUL; NULL with @error. */
static char *
receive(VarlinkClient *client, const Patience *patience, GError **error)
{
    for (;;) {
        guint8 *end =
            client->input->len ? memchr(client->input->data, 0, client->input->len) : NULL;
        if (end) {
            char *message = g_strdup((const char *)client->input->data);
            g_byte_array_remove_range(client->input, 0, (guint)(end - client->input->data) + 1);
            return message;
        }
        if (client->input->len > LIMIT_OUTPUT_BYTES) {
            client->broken = TRUE;
            fault_set(error, FAULT_LIMIT_EXCEEDED, client->peer, NULL,
                      "an answer of more than %d bytes", LIMIT_OUTPUT_BYTES);
            return NULL;
        }
        if (!wait_ready(client, client->read_fd, POLLIN, patience, error))
            return NULL;
        guint8 buffer[16384];
        ssize_t length = read(client->read_fd, buffer, sizeof buffer);
        if (length < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (length <= 0) {
            explain_end(client, error);
            return NULL;
        }
        g_byte_array_append(client->input, buffer, (guint)length);
    }
}

/* A service's error reply as the Fault it was before it was sent. */
static void
set_remote_error(VarlinkClient *client, const char *name, const json_t *parameters, GError **error)
{
    const char *object = json_string_value(json_object_get(parameters, "object"));
    const char *cause = json_string_value(json_object_get(parameters, "cause"));
    const char *remedy = json_string_value(json_object_get(parameters, "remedy"));
    const char *field = json_string_value(json_object_get(parameters, "parameter"));
    const char *last = strrchr(name, '.');
    FaultCode code;

    if (g_strcmp0(name, "org.varlink.service.PermissionDenied") == 0)
        fault_set(error, FAULT_PERMISSION_DENIED, client->peer,
                  "run as root or as a member of the group migprep; to look only, of "
                  "migprep-monitor",
                  "access is denied");
    else if (g_strcmp0(name, "org.varlink.service.InvalidParameter") == 0)
        fault_set(error, FAULT_INVALID_ARGUMENT, field ? field : client->peer, NULL,
                  "the service does not accept this parameter");
    else if (!g_str_has_prefix(name, "org.varlink.") && last &&
             fault_code_from_name(last + 1, &code))
        fault_set(error, code, object ? object : client->peer, remedy, "%s",
                  cause ? cause : "no cause given");
    else
        fault_set(error, FAULT_INTERNAL, client->peer,
                  "install the same version of migprep on all hosts", "it answered %s", name);
}

/* Reads one reply. Returns FALSE on error; *ret_final tells whether it was the last. */
static gboolean
read_reply(VarlinkClient *client, const Patience *patience, json_t **ret_parameters,
           gboolean *ret_final, GError **error)
{
    g_autofree char *message = receive(client, patience, error);
    if (!message)
        return FALSE;
    json_t *reply = json_loads(message, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(reply)) {
        json_decref(reply);
        client->broken = TRUE;
        fault_set(error, FAULT_INTERNAL, client->peer, NULL, "it sent something that is no reply");
        return FALSE;
    }
    const char *name = json_string_value(json_object_get(reply, "error"));
    json_t *parameters = json_object_get(reply, "parameters");
    if (name) {
        set_remote_error(client, name, parameters, error);
        json_decref(reply);
        return FALSE;
    }
    *ret_final = !json_is_true(json_object_get(reply, "continues"));
    *ret_parameters = json_is_object(parameters) ? json_incref(parameters) : json_object();
    json_decref(reply);
    return TRUE;
}

json_t *
varlink_client_call(VarlinkClient *client, const char *method, json_t *parameters,
                    VarlinkProgress progress, void *data, unsigned timeout_seconds,
                    GCancellable *cancellable, GError **error)
{
    Patience patience = { .deadline_usec = timeout_seconds ? g_get_monotonic_time() +
                                                                 timeout_seconds * G_USEC_PER_SEC
                                                           : G_MAXINT64,
                          .cancellable = cancellable };
    json_t *call = json_pack("{s:s, s:o}", "method", method, "parameters",
                             parameters ? parameters : json_object());
    if (progress)
        json_object_set_new(call, "more", json_true());
    char *text = json_dumps(call, JSON_COMPACT);
    json_decref(call);

    gboolean sent = FALSE;
    if (client->broken)
        fault_set(error, FAULT_INTERNAL, client->peer, NULL, "an earlier call did not end");
    else
        sent = send_all(client, text, strlen(text) + 1, &patience, error);
    free(text);
    if (!sent)
        return NULL;

    for (;;) {
        json_t *reply = NULL;
        gboolean final = FALSE;
        if (!read_reply(client, &patience, &reply, &final, error))
            return NULL;
        if (final)
            return reply;
        if (progress)
            progress(reply, data);
        json_decref(reply);
    }
}
