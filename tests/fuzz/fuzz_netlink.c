/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel answers by netlink. This file is the kernel: rtnetlink.h without a socket. Each
 * message of the input has its type (a letter) and length before it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "netprep/bridge_fdb.h"
#include "netprep/function_settings.h"
#include "netprep/guest/layer3.h"
#include "netprep/guest/layer3_settings.h"
#include "netprep/rtnetlink.h"

#define MESSAGES_MAX 64

static const uint16_t types[] = { RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH,
                                  RTM_DELLINK };

/* Calls @reply with each message, in memory of exactly its length. libnl hands over none that is
 * shorter than its header. */
static void
deliver(const FuzzInput *whole, RtnetlinkReply reply, void *data)
{
    FuzzInput input = *whole;

    for (unsigned i = 0; i < MESSAGES_MAX && input.left > 2; i++) {
        uint16_t type = types[fuzz_take_byte(&input) % G_N_ELEMENTS(types)];
        const size_t wanted = (size_t)fuzz_take_byte(&input) * 4;
        const size_t length = MIN(wanted, input.left);
        struct nlmsghdr *header = malloc(sizeof(*header) + length);

        *header = (struct nlmsghdr) { .nlmsg_len = (uint32_t)(sizeof(*header) + length),
                                      .nlmsg_type = type };
        memcpy(header + 1, input.data, length);
        input.data += length;
        input.left -= length;
        reply(header, data);
        free(header);
    }
}

/* The input that the kernel answers from. */
typedef struct {
    Kernel kernel; /* first: what it is asked finds the rest behind it */
    FuzzInput input;
} FakeKernel;

static int
change(const Kernel *kernel, struct nl_msg *message)
{
    nlmsg_free(message);
    return 0;
}

static int
query(const Kernel *kernel, struct nl_msg *message, RtnetlinkReply reply, void *data)
{
    nlmsg_free(message);
    deliver(&((const FakeKernel *)kernel)->input, reply, data);
    return 0;
}

static void
move_layer3(const Kernel *kernel, const Links *links, Failure *failure)
{
    const Link *const devices[] = { &links->items[0], &links->items[links->count - 1] };
    Layer3 *layer3 = layer3_read(kernel, devices, G_N_ELEMENTS(devices), failure);
    Layer3Settings settings = { 0 };

    if (!layer3)
        return;
    layer3_settings_read(layer3, &settings);
    layer3_remove(kernel, layer3, failure);
    layer3_move(kernel, layer3, devices[0], failure);
    layer3_restore(kernel, layer3, failure);
    layer3_free(layer3);
}

static void
be_a_guest(const FuzzInput *input)
{
    const FakeKernel fake = { { change, query, "/nonexistent" }, *input };
    Links links = { 0 };
    Failure failure = { 0 };

    if (!links_read(&fake.kernel, &links, &failure))
        return;
    FUZZ_ASSERT(links.count <= LINKS_MAX);
    for (size_t i = 0; i < links.count; i++)
        FUZZ_ASSERT(memchr(links.items[i].name, '\0', IFNAMSIZ));
    links_count_addresses(&fake.kernel, &links, &failure);
    if (links.count > 0)
        move_layer3(&fake.kernel, &links, &failure);
    links_clear(&links);
}

/* What netprepd is answered from; a socket would be as global. */
static const FuzzInput *answers;

int
rtnetlink_query(struct nl_msg *message, RtnetlinkReply reply, void *data)
{
    nlmsg_free(message);
    deliver(answers, reply, data);
    return 0;
}

int
rtnetlink_change(struct nl_msg *message)
{
    nlmsg_free(message);
    return 0;
}

struct nl_msg *
rtnetlink_link_message(int type, int flags, int index, const char *name)
{
    return nlmsg_alloc_simple(type, flags);
}

static void
be_a_host(const FuzzInput *input)
{
    static const guint8 mac[] = { 0x52, 0x54, 0, 0, 0, 1 };
    FunctionControl *control = function_control_new_netlink();
    BridgeFdb *fdb = bridge_fdb_new_netlink();
    FunctionSettings settings = { 0 };
    gboolean accepts = FALSE;
    unsigned count = 0;

    answers = input;
    g_autoptr(GArray) entries = function_settings_list(control, "lo", NULL);
    for (guint i = 0; entries && i < entries->len; i++) {
        const FunctionEntry *entry = &g_array_index(entries, FunctionEntry, i);
        json_auto_t *json = function_settings_to_json(&entry->settings);
        FUZZ_ASSERT(json);
    }
    if (function_settings_read(control, "lo", 0, &settings, NULL))
        function_settings_apply(control, "lo", 0, &settings, TRUE, NULL);
    bridge_fdb_accepts(fdb, "lo", mac, &accepts, NULL);
    bridge_fdb_forget(fdb, "lo", mac, &count, NULL);
    function_control_free(control);
    bridge_fdb_free(fdb);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const FuzzInput input = { data, size };

    be_a_guest(&input);
    be_a_host(&input);
    return 0;
}
