/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the search: best host first, going back on decisions within a budget. */
#include "common/cli/placement_search.h"

#include <string.h>

/* Decisions that one search may make. A hundred guests that fit easily take a hundred; some
 * thousand are a few milliseconds. */
#define BUDGET 100000

/* What a guest is worth by its priority: one of a class is worth more than all of the next. */
static const guint64 scores[PLACEMENT_PRIORITIES] = { 1ULL << 40, 1ULL << 20, 1 };

typedef struct {
    const Placement *placement;
    GPtrArray *blocks; /* in the order of decisions */
    guint64 *left;     /* by host and resource */
    int *best;         /* hosts of the blocks by the best placement so far */
    guint64 best_score, all_score;
    gboolean spread; /* the emptiest host first, else the fullest */
    guint budget;
} Search;

static void
block_free(void *data)
{
    PlacementBlock *block = data;

    g_array_unref(block->guests);
    g_array_unref(block->needs);
    g_free(block);
}

static const PlacementGuest *
guest_of(const Placement *placement, const PlacementBlock *block, guint place)
{
    return placement->guests->pdata[g_array_index(block->guests, guint, place)];
}

static void
join(const Placement *placement, PlacementBlock *block, guint number)
{
    const PlacementGuest *guest = placement->guests->pdata[number];

    g_array_append_val(block->guests, number);
    for (guint i = 0; i < placement->resources->len; i++)
        g_array_index(block->needs, guint64, i) += placement_amount(guest->needs, i);
    block->score += scores[MIN(guest->priority, PLACEMENT_PRIORITIES - 1)];
}

static PlacementBlock *
block_new(const Placement *placement, GPtrArray *blocks)
{
    PlacementBlock *block = g_new0(PlacementBlock, 1);

    block->guests = g_array_new(FALSE, FALSE, sizeof(guint));
    block->needs = g_array_new(FALSE, TRUE, sizeof(guint64));
    g_array_set_size(block->needs, placement->resources->len);
    block->host = PLACEMENT_NOWHERE;
    g_ptr_array_add(blocks, block);
    return block;
}

static guint64
all_offered(const Placement *placement, guint resource)
{
    guint64 sum = 0;

    for (guint i = 0; i < placement->hosts->len; i++) {
        const PlacementHost *host = placement->hosts->pdata[i];
        sum += placement_amount(host->offers, resource);
    }
    return sum;
}

static void
measure(const Placement *placement, PlacementBlock *block)
{
    for (guint i = 0; i < placement->resources->len; i++) {
        guint64 all = all_offered(placement, i);
        guint64 need = g_array_index(block->needs, guint64, i);

        if (need > 0)
            block->size = MAX(block->size, all ? (double)need / (double)all : G_MAXDOUBLE);
    }
}

static GPtrArray *
make_blocks(const Placement *placement)
{
    GPtrArray *blocks = g_ptr_array_new_with_free_func(block_free);
    g_autoptr(GHashTable) groups = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < placement->guests->len; i++) {
        const PlacementGuest *guest = placement->guests->pdata[i];
        PlacementBlock *block =
            guest->together ? g_hash_table_lookup(groups, guest->together) : NULL;

        if (!block) {
            block = block_new(placement, blocks);
            if (guest->together)
                g_hash_table_insert(groups, guest->together, block);
        }
        join(placement, block, i);
    }
    for (guint i = 0; i < blocks->len; i++)
        measure(placement, blocks->pdata[i]);
    return blocks;
}

/* Judging a host. */

static gboolean
group_is_elsewhere(const Placement *placement, const char *group, guint host)
{
    const PlacementHost *here = placement->hosts->pdata[host];

    if (g_hash_table_contains(here->together, group))
        return FALSE;
    for (guint i = 0; i < placement->hosts->len; i++) {
        const PlacementHost *other = placement->hosts->pdata[i];
        if (g_hash_table_contains(other->together, group))
            return TRUE;
    }
    return FALSE;
}

static gboolean
guest_is_barred(const Placement *placement, const PlacementGuest *guest, guint host)
{
    const PlacementHost *place = placement->hosts->pdata[host];

    return (host < guest->obstacles->len && guest->obstacles->pdata[host]) ||
           (guest->together && group_is_elsewhere(placement, guest->together, host)) ||
           (guest->apart && g_hash_table_contains(place->apart, guest->apart));
}

static gboolean
share_group_apart(const Placement *placement, const PlacementBlock *a, const PlacementBlock *b)
{
    for (guint i = 0; i < a->guests->len; i++) {
        const char *group = guest_of(placement, a, i)->apart;

        for (guint k = a == b ? i + 1 : 0; group && k < b->guests->len; k++) {
            if (g_strcmp0(group, guest_of(placement, b, k)->apart) == 0)
                return TRUE;
        }
    }
    return FALSE;
}

/* Whatever else is placed where. */
static gboolean
is_possible(const Placement *placement, const PlacementBlock *block, guint host)
{
    for (guint i = 0; i < block->guests->len; i++) {
        if (guest_is_barred(placement, guest_of(placement, block, i), host))
            return FALSE;
    }
    return !share_group_apart(placement, block, block);
}

static guint64 *
left_on(const Search *search, guint host)
{
    return search->left + (gsize)host * search->placement->resources->len;
}

static gboolean
fits(const Search *search, guint decision, guint host)
{
    const PlacementBlock *block = search->blocks->pdata[decision];
    const guint64 *left = left_on(search, host);

    for (guint i = 0; i < block->needs->len; i++) {
        if (g_array_index(block->needs, guint64, i) > left[i])
            return FALSE;
    }
    if (!is_possible(search->placement, block, host))
        return FALSE;
    for (guint i = 0; i < decision; i++) {
        const PlacementBlock *other = search->blocks->pdata[i];
        if (other->host == (int)host && share_group_apart(search->placement, block, other))
            return FALSE;
    }
    return TRUE;
}

/* How full the host would be with it: its fullest resource. */
static double
fullness_with(const Search *search, const PlacementBlock *block, guint host)
{
    const PlacementHost *place = search->placement->hosts->pdata[host];
    const guint64 *left = left_on(search, host);
    double fullest = 0;

    for (guint i = 0; i < block->needs->len; i++) {
        guint64 offered = placement_amount(place->offers, i);
        guint64 used = offered - left[i] + g_array_index(block->needs, guint64, i);

        if (offered > 0)
            fullest = MAX(fullest, (double)used / (double)offered);
    }
    return fullest;
}

typedef struct {
    guint host;
    double fullness;
} Candidate;

static int
compare_candidates(const void *a, const void *b)
{
    const Candidate *one = a, *other = b;

    if (one->fullness != other->fullness)
        return one->fullness < other->fullness ? -1 : 1;
    return one->host < other->host ? -1 : 1;
}

static GArray *
find_candidates(const Search *search, guint decision)
{
    GArray *candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));

    for (guint host = 0; host < search->placement->hosts->len; host++) {
        if (!fits(search, decision, host))
            continue;
        double full = fullness_with(search, search->blocks->pdata[decision], host);
        const Candidate candidate = { host, search->spread ? full : -full };
        g_array_append_val(candidates, candidate);
    }
    g_array_sort(candidates, compare_candidates);
    return candidates;
}

/* Searching. */

static void
keep_best(Search *search, guint64 score)
{
    if (score <= search->best_score)
        return;
    search->best_score = score;
    for (guint i = 0; i < search->blocks->len; i++)
        search->best[i] = ((PlacementBlock *)search->blocks->pdata[i])->host;
}

static void
occupy(Search *search, PlacementBlock *block, guint host, gboolean occupied)
{
    guint64 *left = left_on(search, host);

    for (guint i = 0; i < block->needs->len; i++) {
        guint64 need = g_array_index(block->needs, guint64, i);
        left[i] = occupied ? left[i] - need : left[i] + need;
    }
    block->host = occupied ? (int)host : PLACEMENT_NOWHERE;
}

/* @score: of the decisions made; @possible: that and all that is to be decided. */
static void
decide(Search *search, guint decision, guint64 score, guint64 possible)
{
    if (possible <= search->best_score || search->best_score == search->all_score ||
        search->budget == 0)
        return;
    search->budget--;
    if (decision == search->blocks->len) {
        keep_best(search, score);
        return;
    }
    PlacementBlock *block = search->blocks->pdata[decision];
    g_autoptr(GArray) candidates = find_candidates(search, decision);
    for (guint i = 0; i < candidates->len; i++) {
        guint host = g_array_index(candidates, Candidate, i).host;

        occupy(search, block, host, TRUE);
        decide(search, decision + 1, score + block->score, possible);
        occupy(search, block, host, FALSE);
    }
    decide(search, decision + 1, score, possible - block->score);
}

static int
compare_sizes(const void *a, const void *b)
{
    const PlacementBlock *one = *(PlacementBlock *const *)a, *other = *(PlacementBlock *const *)b;

    if (one->size != other->size)
        return one->size > other->size ? -1 : 1;
    return g_array_index(one->guests, guint, 0) < g_array_index(other->guests, guint, 0) ? -1 : 1;
}

static int
compare_scores(const void *a, const void *b)
{
    const PlacementBlock *one = *(PlacementBlock *const *)a, *other = *(PlacementBlock *const *)b;

    if (one->score != other->score)
        return one->score > other->score ? -1 : 1;
    return compare_sizes(a, b);
}

static void
fill_left(Search *search)
{
    for (guint host = 0; host < search->placement->hosts->len; host++) {
        const PlacementHost *place = search->placement->hosts->pdata[host];
        guint64 *left = left_on(search, host);

        for (guint i = 0; i < search->placement->resources->len; i++)
            left[i] = placement_amount(place->offers, i);
    }
}

/* What one guest more than another is worth stays the same whatever the order, so a search only
 * has to be better than the one before. */
static void
run(Search *search, GCompareFunc order, gboolean spread)
{
    g_autofree int *kept = g_new(int, search->blocks->len + 1);

    if (search->best_score == search->all_score)
        return;
    for (guint i = 0; i < search->blocks->len; i++)
        ((PlacementBlock *)search->blocks->pdata[i])->host = search->best[i];
    g_ptr_array_sort(search->blocks, order);
    for (guint i = 0; i < search->blocks->len; i++) {
        PlacementBlock *block = search->blocks->pdata[i];
        kept[i] = block->host;
        block->host = PLACEMENT_NOWHERE;
    }
    memcpy(search->best, kept, search->blocks->len * sizeof *kept);
    fill_left(search);
    search->spread = spread;
    search->budget = BUDGET;
    decide(search, 0, 0, search->all_score);
}

/* Those that no host could take even alone are left out: the search need not find that out again
 * and again. */
static guint64
possible_score(Search *search, GPtrArray *hopeless)
{
    guint64 score = 0;

    fill_left(search);
    for (guint i = search->blocks->len; i-- > 0;) {
        PlacementBlock *block = search->blocks->pdata[i];
        gboolean possible = FALSE;

        for (guint host = 0; host < search->placement->hosts->len && !possible; host++)
            possible = fits(search, i, host);
        if (possible)
            score += block->score;
        else
            g_ptr_array_add(hopeless, g_ptr_array_steal_index(search->blocks, i));
    }
    return score;
}

GPtrArray *
placement_search(const Placement *placement)
{
    GPtrArray *blocks = make_blocks(placement);
    g_autoptr(GPtrArray) hopeless = g_ptr_array_new();
    gsize cells = (gsize)placement->hosts->len * placement->resources->len;
    g_autofree guint64 *left = g_new0(guint64, cells + 1);
    g_autofree int *best = g_new(int, blocks->len + 1);
    Search search = { .placement = placement, .blocks = blocks, .left = left, .best = best };

    search.all_score = possible_score(&search, hopeless);
    for (guint i = 0; i < blocks->len; i++)
        best[i] = PLACEMENT_NOWHERE;
    run(&search, compare_sizes, TRUE);
    run(&search, compare_sizes, FALSE);
    run(&search, compare_scores, TRUE);
    for (guint i = 0; i < blocks->len; i++)
        ((PlacementBlock *)blocks->pdata[i])->host = best[i];
    g_ptr_array_extend_and_steal(blocks, g_steal_pointer(&hopeless));
    return blocks;
}
