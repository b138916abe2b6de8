/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which messages about addresses and routes are taken for what rtnetlink(7) describes. */
#include "netprep/guest/layer3_message.h"

#include <glib.h>
#include <linux/if_addr.h>
#include <netinet/in.h>

#define BYTES_MAX sizeof(struct in6_addr)

/* One message: a header of @size bytes that begins with @family, then perhaps an attribute. */
typedef struct {
    int type;
    guint8 family;
    int size, attribute, bytes; /* @attribute 0: none */
} Sample;

typedef bool (*Judge)(struct nlmsghdr *header);

static gboolean
is_taken(Judge judge, const Sample *sample)
{
    static const guint8 nothing[BYTES_MAX] = { 0 };
    guint8 header[BYTES_MAX] = { sample->family };
    struct nl_msg *message = nlmsg_alloc_simple(sample->type, 0);

    g_assert_cmpint(nlmsg_append(message, header, (size_t)sample->size, NLMSG_ALIGNTO), ==, 0);
    if (sample->attribute)
        g_assert_cmpint(nla_put(message, sample->attribute, sample->bytes, nothing), ==, 0);
    gboolean taken = judge(nlmsg_hdr(message));
    nlmsg_free(message);
    return taken;
}

static void
assert_taken(Judge judge, const Sample *samples, gsize count, gboolean wanted)
{
    for (gsize i = 0; i < count; i++) {
        g_test_message("%zu: type %d, family %u", i, samples[i].type, samples[i].family);
        g_assert_cmpint(is_taken(judge, &samples[i]), ==, wanted);
    }
}

#define ADDRESS (int)sizeof(struct ifaddrmsg)
#define ROUTE   (int)sizeof(struct rtmsg)

static void
test_addresses(void)
{
    static const Sample good[] = {
        { RTM_NEWADDR, AF_INET, ADDRESS, 0, 0 },
        { RTM_NEWADDR, AF_INET, ADDRESS, IFA_LOCAL, 4 },
        { RTM_NEWADDR, AF_INET6, ADDRESS, IFA_ADDRESS, 16 },
        { RTM_NEWADDR, AF_INET, ADDRESS, IFA_LABEL, 1 },
        { RTM_NEWADDR, AF_INET, ADDRESS, IFA_FLAGS, 4 },
    };
    static const Sample bad[] = {
        { RTM_DELADDR, AF_INET, ADDRESS, 0, 0 },           /* another message */
        { RTM_NEWROUTE, AF_INET, ADDRESS, 0, 0 },          /* likewise */
        { RTM_NEWADDR, AF_INET, ADDRESS - 4, 0, 0 },       /* half a header */
        { RTM_NEWADDR, AF_UNIX, ADDRESS, 0, 0 },           /* a family without addresses */
        { RTM_NEWADDR, AF_INET6, ADDRESS, IFA_LOCAL, 4 },  /* one of the other family */
        { RTM_NEWADDR, AF_INET, ADDRESS, IFA_ADDRESS, 3 }, /* too short */
        { RTM_NEWADDR, AF_INET, ADDRESS, IFA_FLAGS, 2 },
        { RTM_NEWADDR, AF_INET, ADDRESS, IFA_LABEL, 0 }, /* a text without an end */
    };

    assert_taken(layer3_message_is_address, good, G_N_ELEMENTS(good), TRUE);
    assert_taken(layer3_message_is_address, bad, G_N_ELEMENTS(bad), FALSE);
}

static void
test_routes(void)
{
    static const Sample good[] = {
        { RTM_NEWROUTE, AF_INET, ROUTE, 0, 0 },
        { RTM_NEWROUTE, AF_INET, ROUTE, RTA_GATEWAY, 4 },
        { RTM_NEWROUTE, AF_INET6, ROUTE, RTA_DST, 16 },
        { RTM_NEWROUTE, AF_INET, ROUTE, RTA_OIF, 4 },
    };
    static const Sample bad[] = {
        { RTM_DELROUTE, AF_INET, ROUTE, 0, 0 },         /* another message */
        { RTM_NEWADDR, AF_INET, ROUTE, 0, 0 },          /* likewise */
        { RTM_NEWROUTE, AF_INET, ROUTE - 4, 0, 0 },     /* half a header */
        { RTM_NEWROUTE, AF_UNIX, ROUTE, 0, 0 },         /* a family without routes */
        { RTM_NEWROUTE, AF_INET6, ROUTE, RTA_DST, 4 },  /* one of the other family */
        { RTM_NEWROUTE, AF_INET, ROUTE, RTA_TABLE, 1 }, /* too short */
        { RTM_NEWROUTE, AF_INET, ROUTE, RTA_PRIORITY, 0 },
    };

    assert_taken(layer3_message_is_route, good, G_N_ELEMENTS(good), TRUE);
    assert_taken(layer3_message_is_route, bad, G_N_ELEMENTS(bad), FALSE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/layer3-message/addresses", test_addresses);
    g_test_add_func("/layer3-message/routes", test_routes);
    return g_test_run();
}
