/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what is known of guests and hosts, and the words for why a guest has no place. */
#include "common/cli/placement.h"

#include "common/cli/placement_search.h"

Placement *
placement_new(void)
{
    Placement *placement = g_new0(Placement, 1);

    placement->resources = g_ptr_array_new_with_free_func(g_free);
    placement->hosts = g_ptr_array_new();
    placement->guests = g_ptr_array_new();
    return placement;
}

static void
host_free(PlacementHost *host)
{
    g_free(host->name);
    g_array_unref(host->offers);
    g_hash_table_unref(host->together);
    g_hash_table_unref(host->apart);
    g_free(host);
}

static void
guest_free(PlacementGuest *guest)
{
    g_free(guest->name);
    g_free(guest->together);
    g_free(guest->apart);
    g_array_unref(guest->needs);
    g_ptr_array_unref(guest->obstacles);
    g_free(guest->reason);
    g_free(guest);
}

void
placement_free(Placement *placement)
{
    if (!placement)
        return;
    for (guint i = 0; i < placement->hosts->len; i++)
        host_free(placement->hosts->pdata[i]);
    for (guint i = 0; i < placement->guests->len; i++)
        guest_free(placement->guests->pdata[i]);
    g_ptr_array_unref(placement->hosts);
    g_ptr_array_unref(placement->guests);
    g_ptr_array_unref(placement->resources);
    g_free(placement);
}

PlacementHost *
placement_add_host(Placement *placement, const char *name)
{
    PlacementHost *host = g_new0(PlacementHost, 1);

    host->name = g_strdup(name);
    host->offers = g_array_new(FALSE, TRUE, sizeof(guint64));
    host->together = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    host->apart = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_ptr_array_add(placement->hosts, host);
    return host;
}

PlacementGuest *
placement_add_guest(Placement *placement, const char *name)
{
    PlacementGuest *guest = g_new0(PlacementGuest, 1);

    guest->name = g_strdup(name);
    guest->needs = g_array_new(FALSE, TRUE, sizeof(guint64));
    guest->obstacles = g_ptr_array_new_with_free_func(g_free);
    guest->host = PLACEMENT_NOWHERE;
    g_ptr_array_add(placement->guests, guest);
    return guest;
}

static guint
find_resource(Placement *placement, const char *name)
{
    for (guint i = 0; i < placement->resources->len; i++) {
        if (g_str_equal(placement->resources->pdata[i], name))
            return i;
    }
    g_ptr_array_add(placement->resources, g_strdup(name));
    return placement->resources->len - 1;
}

static void
add_amount(GArray *amounts, guint resource, guint64 amount)
{
    if (amounts->len <= resource)
        g_array_set_size(amounts, resource + 1);
    g_array_index(amounts, guint64, resource) += amount;
}

void
placement_offer(Placement *placement, PlacementHost *host, const char *resource, guint64 amount)
{
    add_amount(host->offers, find_resource(placement, resource), amount);
}

void
placement_need(Placement *placement, PlacementGuest *guest, const char *resource, guint64 amount)
{
    add_amount(guest->needs, find_resource(placement, resource), amount);
}

void
placement_bar(PlacementGuest *guest, guint host, const char *reason)
{
    if (guest->obstacles->len <= host)
        g_ptr_array_set_size(guest->obstacles, (gint)host + 1);
    if (!guest->obstacles->pdata[host])
        guest->obstacles->pdata[host] = g_strdup(reason);
}

guint64
placement_amount(const GArray *amounts, guint resource)
{
    return resource < amounts->len ? g_array_index(amounts, guint64, resource) : 0;
}

/* What is taken of it by guests that are placed there, but for @except (len of guests: none). */
static guint64
used_amount(const Placement *placement, guint host, guint resource, guint except)
{
    guint64 used = 0;

    for (guint i = 0; i < placement->guests->len; i++) {
        const PlacementGuest *guest = placement->guests->pdata[i];

        if (i != except && guest->host == (int)host)
            used += placement_amount(guest->needs, resource);
    }
    return used;
}

double
placement_fullness(const Placement *placement, guint host)
{
    const PlacementHost *place = placement->hosts->pdata[host];
    double fullest = 0;

    for (guint i = 0; i < placement->resources->len; i++) {
        guint64 offered = placement_amount(place->offers, i);
        guint64 used = used_amount(placement, host, i, placement->guests->len);

        if (offered > 0)
            fullest = MAX(fullest, (double)used / (double)offered);
    }
    return fullest;
}

static gboolean
obstruct(char **ret_obstacle, char *obstacle)
{
    if (ret_obstacle)
        *ret_obstacle = obstacle;
    else
        g_free(obstacle);
    return FALSE;
}

static gboolean
has_room(const Placement *placement, guint number, guint host, char **ret_obstacle)
{
    const PlacementGuest *guest = placement->guests->pdata[number];
    const PlacementHost *place = placement->hosts->pdata[host];

    for (guint i = 0; i < placement->resources->len; i++) {
        guint64 need = placement_amount(guest->needs, i);
        guint64 offered = placement_amount(place->offers, i);
        guint64 used = used_amount(placement, host, i, number);
        guint64 left = offered > used ? offered - used : 0;

        if (need > left)
            return obstruct(ret_obstacle,
                            g_strdup_printf("%s: %" G_GUINT64_FORMAT " needed, %" G_GUINT64_FORMAT
                                            " left of %" G_GUINT64_FORMAT,
                                            (char *)placement->resources->pdata[i], need, left,
                                            offered));
    }
    return TRUE;
}

/* The host that a group's other guests are on, or go to; NULL: it is nowhere else. */
static const char *
find_group(const Placement *placement, guint number, guint host, gboolean *ret_here)
{
    const PlacementGuest *guest = placement->guests->pdata[number];
    const char *elsewhere = NULL;

    *ret_here = FALSE;
    for (guint i = 0; guest->together && i < placement->hosts->len; i++) {
        const PlacementHost *place = placement->hosts->pdata[i];
        gboolean there = g_hash_table_contains(place->together, guest->together);

        for (guint k = 0; k < placement->guests->len; k++) {
            const PlacementGuest *other = placement->guests->pdata[k];
            there = there || (k != number && other->host == (int)i &&
                              g_strcmp0(other->together, guest->together) == 0);
        }
        *ret_here = *ret_here || (there && i == host);
        if (there && i != host)
            elsewhere = place->name;
    }
    return elsewhere;
}

static gboolean
keeps_apart(const Placement *placement, guint number, guint host)
{
    const PlacementGuest *guest = placement->guests->pdata[number];
    const PlacementHost *place = placement->hosts->pdata[host];

    if (!guest->apart)
        return TRUE;
    for (guint i = 0; i < placement->guests->len; i++) {
        const PlacementGuest *other = placement->guests->pdata[i];

        if (i != number && other->host == (int)host && g_strcmp0(other->apart, guest->apart) == 0)
            return FALSE;
    }
    return !g_hash_table_contains(place->apart, guest->apart);
}

gboolean
placement_fits(const Placement *placement, guint guest, guint host, char **ret_obstacle)
{
    const PlacementGuest *who = placement->guests->pdata[guest];
    const char *obstacle = host < who->obstacles->len ? who->obstacles->pdata[host] : NULL;
    gboolean here;

    if (obstacle)
        return obstruct(ret_obstacle, g_strdup(obstacle));
    const char *elsewhere = find_group(placement, guest, host, &here);
    if (elsewhere && !here)
        return obstruct(ret_obstacle, g_strdup_printf("its group '%s', which stays together, is "
                                                      "on %s",
                                                      who->together, elsewhere));
    if (!keeps_apart(placement, guest, host))
        return obstruct(ret_obstacle,
                        g_strdup_printf("another guest of group '%s', of which no two may be on "
                                        "one host, is there",
                                        who->apart));
    return has_room(placement, guest, host, ret_obstacle);
}

gboolean
placement_place_elsewhere(Placement *placement, guint guest, const gboolean *barred)
{
    PlacementGuest *who = placement->guests->pdata[guest];
    int before = who->host, best = PLACEMENT_NOWHERE;
    double least = G_MAXDOUBLE;

    for (guint host = 0; host < placement->hosts->len; host++) {
        if ((barred && barred[host]) || !placement_fits(placement, guest, host, NULL))
            continue;
        who->host = (int)host;
        double full = placement_fullness(placement, host);
        who->host = before;
        if (full < least) {
            least = full;
            best = (int)host;
        }
    }
    if (best == PLACEMENT_NOWHERE)
        return FALSE;
    who->host = best;
    g_clear_pointer(&who->reason, g_free);
    return TRUE;
}

static char *
explain(const Placement *placement, guint guest)
{
    GString *text = g_string_new(NULL);

    for (guint host = 0; host < placement->hosts->len; host++) {
        const PlacementHost *place = placement->hosts->pdata[host];
        g_autofree char *obstacle = NULL;

        if (placement_fits(placement, guest, host, &obstacle))
            obstacle = g_strdup("no room for all that are to stay together with it");
        g_string_append_printf(text, "%s%s: %s", text->len ? "; " : "", place->name, obstacle);
    }
    return g_string_free(text, FALSE);
}

gboolean
placement_solve(Placement *placement)
{
    g_autoptr(GPtrArray) blocks = placement_search(placement);
    gboolean all = TRUE;

    for (guint i = 0; i < blocks->len; i++) {
        const PlacementBlock *block = blocks->pdata[i];

        for (guint k = 0; k < block->guests->len; k++) {
            guint number = g_array_index(block->guests, guint, k);
            ((PlacementGuest *)placement->guests->pdata[number])->host = block->host;
        }
    }
    for (guint i = 0; i < placement->guests->len; i++) {
        PlacementGuest *guest = placement->guests->pdata[i];

        g_clear_pointer(&guest->reason, g_free);
        if (guest->host == PLACEMENT_NOWHERE)
            guest->reason = explain(placement, i);
        all = all && guest->host != PLACEMENT_NOWHERE;
    }
    return all;
}
