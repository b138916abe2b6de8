/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a guest may be, as its policy says: hosts, and groups of guests. Pure. */
#pragma once

#include <glib.h>

typedef enum {
    GUEST_PLACE_HOSTS,    /* names, separated by spaces: it may go to no others */
    GUEST_PLACE_TOGETHER, /* a group of guests that are to be on one host */
    GUEST_PLACE_APART,    /* a group of guests of which no two may be on one host */
    GUEST_PLACE_KEYS      /* not a key: how many there are */
} GuestPlaceKey;

typedef struct {
    char *values[GUEST_PLACE_KEYS]; /* NULL: it does not say */
} GuestPlace;
void guest_place_clear(GuestPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GuestPlace, guest_place_clear)

const char *guest_place_key_name(GuestPlaceKey key);    /* "together". Static. */
const char *guest_place_key_summary(GuestPlaceKey key); /* one sentence for people. Static. */
/* FALSE if there is no key called @name. */
gboolean guest_place_key_from_name(const char *name, GuestPlaceKey *ret_key);
/* Whether @text can be the value of @key; else *ret_mistake (owned) says what it should be. */
gboolean guest_place_check(GuestPlaceKey key, const char *text, char **ret_mistake);
