/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends rtnetlink requests. A socket lives for one request, so that threads share nothing. */
#include "netprep/rtnetlink.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/socket.h>

#define ANSWER_SECONDS 10

typedef struct {
    RtnetlinkReply reply;
    void *data;
    int status;
} Answer;

struct nl_msg *
rtnetlink_link_message(int type, int flags, int index, const char *name)
{
    struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = index };
    struct nl_msg *message = nlmsg_alloc_simple(type, flags);

    if (!message)
        return NULL;
    if (nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO) < 0 ||
        (index == 0 && name && nla_put_string(message, IFLA_IFNAME, name) < 0)) {
        nlmsg_free(message);
        return NULL;
    }
    return message;
}

static int
on_message(struct nl_msg *message, void *data)
{
    Answer *answer = data;

    answer->reply(nlmsg_hdr(message), answer->data);
    return NL_OK;
}

static int
on_error(struct sockaddr_nl *address, struct nlmsgerr *failure, void *data)
{
    Answer *answer = data;

    answer->status = failure->error;
    return NL_STOP;
}

static struct nl_sock *
open_socket(Answer *answer)
{
    struct timeval patience = { .tv_sec = ANSWER_SECONDS };
    struct nl_sock *socket = nl_socket_alloc();

    if (!socket)
        return NULL;
    if (nl_connect(socket, NETLINK_ROUTE) < 0 ||
        setsockopt(nl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) <
            0) {
        nl_socket_free(socket);
        return NULL;
    }
    nl_socket_enable_msg_peek(socket);
    nl_socket_modify_err_cb(socket, NL_CB_CUSTOM, on_error, answer);
    return socket;
}

/* libnl folds several errnos into one of its own codes; the kernel's answer is told apart. */
static int
finish(struct nl_sock *socket, struct nl_msg *message, const Answer *answer, int status)
{
    nl_socket_free(socket);
    nlmsg_free(message);
    if (answer->status < 0)
        return answer->status;
    if (status == -NLE_DUMP_INTR)
        return -EINTR;
    return status < 0 ? -EIO : 0;
}

int
rtnetlink_change(struct nl_msg *message)
{
    Answer answer = { .status = 0 };
    struct nl_sock *socket = open_socket(&answer);

    if (!socket)
        return finish(NULL, message, &answer, -NLE_NOMEM);
    int status = nl_send_auto(socket, message);
    if (status >= 0)
        status = nl_wait_for_ack(socket);
    return finish(socket, message, &answer, status);
}

int
rtnetlink_query(struct nl_msg *message, RtnetlinkReply reply, void *data)
{
    Answer answer = { .reply = reply, .data = data };
    struct nl_sock *socket = open_socket(&answer);

    if (!socket)
        return finish(NULL, message, &answer, -NLE_NOMEM);
    nl_socket_disable_auto_ack(socket);
    nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, &answer);
    int status = nl_send_auto(socket, message);
    if (status >= 0)
        status = nl_recvmsgs_default(socket);
    return finish(socket, message, &answer, status);
}
