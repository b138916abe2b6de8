/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages about addresses and routes, as the kernel in memory keeps and compares them. */
#pragma once

#include <glib.h>

#include "fake/fake_kernel.h"

/* Prints a message in one line; @name_of gives a device's name. */
typedef const char *(*NameOf)(const void *data, int index);
char *fake_message_print(struct nlmsghdr *header, NameOf name_of, const void *data);

/* A copy of what a request said, as the kernel would tell it: type @type, lifetimes where it puts
 * them. */
struct nlmsghdr *fake_message_keep(struct nlmsghdr *header, int type);

/* Whether two routes lead to the same place in the same table, with the same metric, by the same
 * hops. */
gboolean fake_route_is_same(struct nlmsghdr *one, struct nlmsghdr *other);
/* Whether the gateway of @route is in the prefix of @other. */
gboolean fake_route_reaches(struct nlmsghdr *other, struct nlmsghdr *route);
/* Whether it names a gateway and does not say that it is on the link. */
gboolean fake_route_needs_way(struct nlmsghdr *route);
/* Whether it says that it sends from @address. */
gboolean fake_route_is_from(struct nlmsghdr *route, struct nlmsghdr *address);

/* The route that an address brings along. */
struct nlmsghdr *fake_route_of_address(struct nlmsghdr *address);
/* A message for what a test asks for. */
struct nlmsghdr *fake_route_new(const FakeRoute *route, int index, int index2);
struct nlmsghdr *fake_address_new(const char *text, int index, const char *label, unsigned flags,
                                  unsigned lifetime_seconds);
