/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* join: takes a device into a bond as soon as it is there. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include <netlink/socket.h>

#include "netprep/guest/bond.h"
#include "netprep/guest/report.h"
#include "netprep/guest/verbs.h"

/* Where the device is on its way into the bond. */
typedef enum {
    STAGE_FAILED,
    STAGE_ABSENT,
    STAGE_UNUSED,
    STAGE_ACTIVE,
} Stage;

typedef struct {
    const Kernel *kernel;
    const char *bond;
    const char *pci_path;
    bool enslaved;  /* by us, or its answer was lost */
    json_t *report; /* once it is active */
} Join;

static long long
now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool
check_bond(const Join *join, const Link *bond, const Link *port, Failure *failure)
{
    if (!bond || !bond->is_bond || bond->bond.options[BOND_OPTION_MODE] != BOND_MODE_BACKUP)
        failure_set(failure, "%s is not an active-backup bond", join->bond);
    else if (port && port->master && port->master != bond->index)
        failure_set(failure, "%s is already a port of another device", port->name);
    else
        return true;
    return false;
}

/* Preferred first: with a preferred port most bonds choose it by themselves. One that is told to
 * use it refuses, in the kernel's log, until it has seen the port's link, at its next poll; and
 * each try holds the lock that the poll needs. */
static Stage
activate(Join *join, const Links *links, const Link *bond, const Link *port, Failure *failure)
{
    if (bond->bond.primary != port->index)
        return bond_set_primary(join->kernel, bond, port, failure) ? STAGE_UNUSED : STAGE_FAILED;
    if (bond->bond.active != port->index) {
        Failure not_yet = { 0 };

        if (port->port_usable)
            (void)bond_set_active(join->kernel, bond, port, &not_yet);
        return STAGE_UNUSED;
    }
    if (!bond_set_hear_all(join->kernel, bond, false, failure))
        return STAGE_FAILED;
    Link now = *bond;
    now.bond.options[BOND_OPTION_ALL_PORTS_ACTIVE] = false;
    join->report = report_bond(links, &now);
    return STAGE_ACTIVE;
}

/* Whoever configures the guest's network may do the same at the same time: a port that was taken in
 * between our look and our taking it down is a port, but down; the next look sees that. */
static Stage
take_in(Join *join, const Link *bond, const Link *port, Failure *failure)
{
    join->enslaved = true;
    return bond_enslave(join->kernel, bond, port, failure) ? STAGE_UNUSED : STAGE_FAILED;
}

/* One look at the links, and the next thing to do about them. */
static Stage
advance(Join *join, Failure *failure)
{
    Links links = { 0 };
    Stage stage = STAGE_FAILED;

    if (!links_read(join->kernel, &links, failure))
        return STAGE_FAILED;
    const Link *bond = links_find_name(&links, join->bond);
    const Link *port = links_find_path(&links, join->pci_path);
    if (check_bond(join, bond, port, failure)) {
        if (!port)
            stage = STAGE_ABSENT;
        else if (port->master != bond->index)
            stage = take_in(join, bond, port, failure);
        else if (!port->up)
            stage = link_set_up(join->kernel, port, true, failure) ? STAGE_UNUSED : STAGE_FAILED;
        else if (!port->carrier)
            stage = STAGE_UNUSED;
        else
            stage = activate(join, &links, bond, port, failure);
    }
    links_clear(&links);
    return stage;
}

static struct nl_sock *
watch_links(Failure *failure)
{
    struct nl_sock *socket = nl_socket_alloc();

    if (socket)
        nl_socket_disable_seq_check(socket);
    if (socket && nl_connect(socket, NETLINK_ROUTE) == 0 &&
        nl_socket_add_membership(socket, RTNLGRP_LINK) == 0 &&
        nl_socket_set_nonblocking(socket) == 0)
        return socket;
    nl_socket_free(socket);
    failure_set(failure, "changes of network devices cannot be watched");
    return NULL;
}

/* Waits for any change; a bond learns of a link by polling it, which no message may tell. */
#define LOOK_AGAIN_MSEC 100

static bool
wait_for_change(struct nl_sock *socket, long long deadline_msec)
{
    struct pollfd change = { .fd = nl_socket_get_fd(socket), .events = POLLIN };
    long long left = deadline_msec - now_msec();

    if (left <= 0)
        return false;
    if (poll(&change, 1, left < LOOK_AGAIN_MSEC ? (int)left : LOOK_AGAIN_MSEC) > 0)
        nl_recvmsgs_default(socket);
    return true;
}

/* A port that carries nothing still makes its NIC keep the bond's MAC from the other port. */
static void
take_back(const Join *join)
{
    Links links = { 0 };
    Failure ignored = { 0 };

    if (!join->enslaved || !links_read(join->kernel, &links, &ignored))
        return;
    const Link *bond = links_find_name(&links, join->bond);
    const Link *port = links_find_path(&links, join->pci_path);
    if (bond && port && port->master == bond->index)
        (void)bond_release(join->kernel, port, &ignored);
    links_clear(&links);
}

static void
give_up(const Join *join, Stage stage, unsigned timeout_seconds, Failure *failure)
{
    failure_set(failure, "%s at PCI path %s within %u seconds",
                stage == STAGE_ABSENT ? "no network device appeared"
                                      : "the network device has no carrier or is not used",
                join->pci_path, timeout_seconds);
}

json_t *
verb_join(const Kernel *kernel, const char *bond, const char *pci_path, unsigned timeout_seconds,
          Failure *failure)
{
    Join join = { .kernel = kernel, .bond = bond, .pci_path = pci_path };
    long long deadline = now_msec() + timeout_seconds * 1000LL;
    struct nl_sock *socket = watch_links(failure);
    Stage stage = socket ? advance(&join, failure) : STAGE_FAILED;

    while (stage == STAGE_ABSENT || stage == STAGE_UNUSED) {
        if (!wait_for_change(socket, deadline)) {
            give_up(&join, stage, timeout_seconds, failure);
            break;
        }
        stage = advance(&join, failure);
    }
    nl_socket_free(socket);
    if (!join.report)
        take_back(&join);
    return join.report;
}
