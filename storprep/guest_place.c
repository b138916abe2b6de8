/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/guest_place.h"

#include <string.h>

#include "common/limits.h"

#define HOSTS_MAX 64

static const struct {
    const char *name, *summary;
} entries[GUEST_PLACE_KEYS] = {
    [GUEST_PLACE_HOSTS] = { "hosts", "the only hosts that it may go to (none: any)" },
    [GUEST_PLACE_TOGETHER] = { "together", "its group of guests that are to be on one host" },
    [GUEST_PLACE_APART] = { "apart", "its group of guests of which no two may be on one host" },
};

void
guest_place_clear(GuestPlace *place)
{
    for (int key = 0; key < GUEST_PLACE_KEYS; key++)
        g_clear_pointer(&place->values[key], g_free);
}

const char *
guest_place_key_name(GuestPlaceKey key)
{
    return entries[key].name;
}

const char *
guest_place_key_summary(GuestPlaceKey key)
{
    return entries[key].summary;
}

gboolean
guest_place_key_from_name(const char *name, GuestPlaceKey *ret_key)
{
    for (int key = 0; key < GUEST_PLACE_KEYS; key++) {
        if (strcmp(entries[key].name, name) == 0) {
            *ret_key = (GuestPlaceKey)key;
            return TRUE;
        }
    }
    return FALSE;
}

/* What a host can be called, and a group may. */
static gboolean
is_name(const char *text)
{
    gsize length = strlen(text);

    return length > 0 && length <= LIMIT_NAME_BYTES && g_ascii_isalnum(*text) &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == length;
}

static gboolean
are_hosts(const char *text)
{
    g_auto(GStrv) names = NULL;

    if (strlen(text) > LIMIT_TEXT_BYTES)
        return FALSE;
    names = g_strsplit(text, " ", HOSTS_MAX + 1);
    for (char **name = names; *name; name++) {
        if (!is_name(*name))
            return FALSE;
    }
    return *names && g_strv_length(names) <= HOSTS_MAX;
}

gboolean
guest_place_check(GuestPlaceKey key, const char *text, char **ret_mistake)
{
    switch (key) {
    case GUEST_PLACE_HOSTS:
        if (are_hosts(text))
            return TRUE;
        *ret_mistake = g_strdup_printf("'%s' is not 1-%d names of hosts with a space between", text,
                                       HOSTS_MAX);
        return FALSE;
    case GUEST_PLACE_TOGETHER:
    case GUEST_PLACE_APART:
        if (is_name(text))
            return TRUE;
        *ret_mistake = g_strdup_printf(
            "'%s' is no name of letters, digits, dots, dashes and underscores", text);
        return FALSE;
    case GUEST_PLACE_KEYS:
        break;
    }
    g_return_val_if_reached(FALSE);
}
