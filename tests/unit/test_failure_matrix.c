/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each fault at each stage of a migration: at the end one host runs the guest, with its VF. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "fake/migration_verdict.h"

/*
 * Theory of operation. A cell is a fault and a stage. Each is played in all the ways in which the
 * fault can show (variants), with a migration that goes well and one that does not, with the fault
 * mended afterwards and, where the world could stay like that, not mended. In the stages in which a
 * daemon works (detaching, attaching) the fault strikes before each of its calls to libvirt, the
 * guest, the kernel and its database in turn, until there is none left to strike at. All end with
 * the same verdict.
 */
typedef enum { RESERVED, DETACHING, DETACHED, MIGRATING, ATTACHING, STAGES } Stage;

typedef struct Play Play;

typedef struct {
    const char *name;
    unsigned variants;
    void (*prepare)(Play *play); /* before the source is touched; may be NULL */
    void (*strike)(Play *play);
    void (*heal)(Play *play); /* NULL: there is nothing to mend */
    gboolean stays;           /* the world could stay like that */
    gboolean spares_guest;    /* which does as it is asked all the time */
} FaultKind;

struct Play {
    MigrationWorld *world;
    const FaultKind *kind;
    Stage stage;
    unsigned variant;
    unsigned point; /* of the daemon that is at work */
    gboolean goes_well, heals;
    gboolean detached, left; /* how far the move is */
    gboolean let_go;         /* late, but once */
    gboolean struck;
};

static void
strike(void *data)
{
    Play *play = data;

    play->struck = TRUE;
    play->kind->strike(play);
}

/* The host whose daemon is at work in the stage. */
static MigrationHost *
stage_host(const Play *play)
{
    return play->stage == ATTACHING ? play->world->destination : play->world->source;
}

/* Between the stages of work both hosts are worth striking: the variants take turns. */
static MigrationHost *
struck_host(const Play *play)
{
    if (play->stage == DETACHING || play->stage == ATTACHING)
        return stage_host(play);
    return play->variant % 2 == 0 ? play->world->source : play->world->destination;
}

static void
at_stage(Play *play, Stage stage)
{
    if (play->stage == stage)
        strike(play);
}

static void
before_work(Play *play, Stage stage)
{
    MigrationHost *host = stage_host(play);

    if (play->stage != stage)
        return;
    if (host->daemon)
        daemon_process_strike_at(host->daemon, play->point, strike, play);
}

/* Daemons look at their leases every few seconds: in every other variant, between any two steps. */
static void
let_daemons_look(const Play *play)
{
    if (play->variant % 2 == 1)
        migration_world_look(play->world);
}

/* What has not been struck by then is out of reach. */
static void
after_work(Play *play, Stage stage)
{
    MigrationHost *host = stage_host(play);

    if (play->stage == stage && host->daemon)
        daemon_process_strike_at(host->daemon, 0, NULL, NULL);
}

static void
detach(Play *play)
{
    before_work(play, DETACHING);
    play->detached = migration_world_detach(play->world, "detach");
    after_work(play, DETACHING);
}

/* If it cannot be followed, the daemon still does it. */
static void
attach(Play *play)
{
    before_work(play, ATTACHING);
    if (!migration_world_attach(play->world))
        migration_world_settle(play->world);
    after_work(play, ATTACHING);
}

/* What a coordinator and libvirt do. */
static void
migrate(Play *play)
{
    MigrationWorld *world = play->world;

    g_assert_true(migration_world_reserve(world));
    if (play->kind->prepare)
        play->kind->prepare(play);
    at_stage(play, RESERVED);
    let_daemons_look(play);
    detach(play);
    let_daemons_look(play);
    at_stage(play, DETACHED);
    let_daemons_look(play);
    play->left = play->detached && migration_world_depart(world);
    at_stage(play, MIGRATING);
    let_daemons_look(play);
    if (play->left && migration_world_arrive(world, play->goes_well))
        attach(play);
    else
        migration_world_release(world);
}

static void
end_play(Play *play)
{
    MigrationWorld *world = play->world;
    gboolean mended = !play->kind->heal || play->heals;

    migration_world_settle(world);
    if (play->kind->heal && play->heals)
        play->kind->heal(play);
    migration_world_settle(world);
    migration_world_expire(world);
    migration_world_settle(world);
    migration_verdict_check(world, mended, play->kind->spares_guest);
}

/* Whether the fault found its point. */
static gboolean
run_play(Play play)
{
    g_autoptr(MigrationWorld) world = migration_world_new();

    g_test_message("variant %u, point %u, migration goes %s, fault %s", play.variant, play.point,
                   play.goes_well ? "well" : "wrong", play.heals ? "heals" : "stays");
    play.world = world;
    migrate(&play);
    end_play(&play);
    return play.struck;
}

/* Each point, or every second one where there are many variants; outcomes take turns. */
static void
run_points(Play play)
{
    unsigned stride = play.kind->variants > 2 ? 2 : 1;
    unsigned turn = 0;

    for (;; turn++) {
        play.point = 1 + play.variant % stride + turn * stride;
        play.goes_well = play.stage == ATTACHING || turn % 2 == 1;
        play.heals = !play.kind->stays || turn / 2 % 2 == 0;
        if (!run_play(play))
            break;
    }
    g_assert_cmpuint(turn, >, 0);
}

/* No daemon is at work: there is one moment to strike. */
static void
run_outcomes(Play play)
{
    for (unsigned way = 0; way < 4; way++) {
        play.goes_well = way % 2 == 0;
        play.heals = way / 2 == 0;
        if (play.heals || play.kind->stays)
            (void)run_play(play);
    }
}

typedef struct {
    const FaultKind *kind;
    Stage stage;
} Cell;

static void
test_cell(const void *data)
{
    const Cell *cell = data;

    for (unsigned variant = 0; variant < cell->kind->variants; variant++) {
        Play play = { .kind = cell->kind, .stage = cell->stage, .variant = variant };

        if (cell->stage == DETACHING || cell->stage == ATTACHING)
            run_points(play);
        else
            run_outcomes(play);
    }
}

/* The guest refuses: to let the VF go, to leave it, to take it. */
static void
refuse(Play *play)
{
    static const char *const verbs[] = { NULL, "use", "join" };

    if (play->variant == 0)
        fake_hypervisor_set_unplug(play->world->source->hypervisor, "hostdev0",
                                   FAKE_UNPLUG_REFUSED);
    else
        fake_guest_fail(play->world->guest, verbs[play->variant], -1);
}

static void
consent(Play *play)
{
    fake_hypervisor_set_unplug(play->world->source->hypervisor, "hostdev0", FAKE_UNPLUG_AT_ONCE);
    fake_guest_fail(play->world->guest, "use", 0);
    fake_guest_fail(play->world->guest, "join", 0);
}

/* Silence: of the guest's PCI hotplug, or of its agent. */
static void
fall_silent(Play *play)
{
    if (play->variant == 0)
        fake_hypervisor_set_unplug(play->world->source->hypervisor, "hostdev0", FAKE_UNPLUG_SILENT);
    else
        fake_guest_set_silent(play->world->guest, TRUE);
}

static void
speak(Play *play)
{
    fake_hypervisor_set_unplug(play->world->source->hypervisor, "hostdev0", FAKE_UNPLUG_AT_ONCE);
    fake_guest_set_silent(play->world->guest, FALSE);
}

/* Asked in time, the guest does nothing. */
static void
be_late(Play *play)
{
    if (play->stage != ATTACHING)
        fake_hypervisor_set_unplug(play->world->source->hypervisor, "hostdev0", FAKE_UNPLUG_SILENT);
}

/* One request, one removal. */
static void
follow_request(Play *play)
{
    MigrationHost *source = play->world->source;
    const char *const *calls = fake_hypervisor_calls(source->hypervisor);

    if (play->let_go || !g_strv_contains(calls, "detach_device hostdev0 live"))
        return;
    play->let_go = TRUE;
    migration_host_remove_function(source);
}

/* Then it lets the VF go: while that is undone, when it is asked again, or so late that the move
 * has begun without waiting. On its new host, before it has taken the VF into its bond. */
static void
let_go(Play *play)
{
    MigrationWorld *world = play->world;

    if (play->stage == DETACHING)
        follow_request(play);
    if (play->stage == DETACHED) {
        fake_hypervisor_set_unplug(world->source->hypervisor, "hostdev0", FAKE_UNPLUG_AT_ONCE);
        play->detached = migration_world_detach(world, "again");
    }
    if (play->stage == MIGRATING) {
        follow_request(play);
        play->left = migration_world_depart(world);
    }
    if (play->stage == ATTACHING && !fake_guest_has_joined(world->guest))
        migration_host_remove_function(world->destination);
}

/* At the latest now. */
static void
let_go_at_last(Play *play)
{
    if (!play->detached)
        follow_request(play);
    fake_hypervisor_set_unplug(play->world->source->hypervisor, "hostdev0", FAKE_UNPLUG_AT_ONCE);
}

static void
kill_daemon(Play *play)
{
    MigrationHost *host = struck_host(play);

    daemon_process_kill(host->daemon);
    if (play->stage != DETACHING && play->stage != ATTACHING)
        migration_host_revive(host);
}

/* For how many calls libvirt is away, and whether the first of them still took effect. */
static void
restart_libvirt(Play *play)
{
    static const unsigned calls[] = { 1, 3, 30 };
    MigrationHost *host = struck_host(play);
    unsigned way = play->variant / 2;

    daemon_process_lose_libvirt(host->daemon, calls[way] + play->variant % 2,
                                play->variant % 2 == 1);
    if (play->stage == MIGRATING)
        (void)migration_world_arrive(play->world, FALSE); /* its job ends with it */
}

static void
regain_libvirt(Play *play)
{
    daemon_process_regain_libvirt(play->world->source->daemon);
    daemon_process_regain_libvirt(play->world->destination->daemon);
}

/* While libvirt has the guest under way, that no deadline is kept changes nothing. */
static void
lose_coordinator(Play *play)
{
    MigrationWorld *world = play->world;

    world->coordinator_gone = TRUE;
    if (play->stage != MIGRATING)
        return;
    migration_world_expire(world);
    migration_world_settle(world);
    g_assert_cmpint(world->source->plugged[0], ==, -1);
    g_assert_cmpint(world->destination->plugged[0], ==, -1);
}

/* The network to it breaks, or its power. */
static void
lose_destination(Play *play)
{
    MigrationWorld *world = play->world;

    world->destination->cut_off = TRUE;
    if (play->variant == 1 && play->stage == ATTACHING)
        daemon_process_kill(world->destination->daemon);
    else if (play->variant == 1)
        migration_host_crash(world->destination);
}

static void
regain_destination(Play *play)
{
    MigrationHost *host = play->world->destination;

    host->cut_off = FALSE;
    if (!host->daemon)
        migration_host_boot(host);
}

static void
steal(Play *play)
{
    MigrationHost *host = struck_host(play);

    migration_host_steal(host, 0, play->variant / 2 == 0);
    /* Between netprepd's look and libvirt's act nobody can exclude it. */
    host->seizable = play->stage == ATTACHING;
}

static void
return_stolen(Play *play)
{
    migration_host_return_stolen(play->world->source);
    migration_host_return_stolen(play->world->destination);
}

/* Of one card, or of both. */
static unsigned
struck_cards(const Play *play)
{
    return 1 + play->variant / 2;
}

/* Neither the card nor what the guest sees of it has a carrier. */
static void
cut_link(Play *play)
{
    migration_host_cut(struck_host(play), struck_cards(play));
}

static void
mend_link(Play *play)
{
    migration_host_cut(play->world->source, 0);
    migration_host_cut(play->world->destination, 0);
}

static void
shrink(Play *play)
{
    migration_host_shrink(struck_host(play), struck_cards(play));
}

static void
grow(Play *play)
{
    migration_host_grow(play->world->source);
    migration_host_grow(play->world->destination);
}

static const FaultKind kinds[] = {
    { "guest-refuses", 3, NULL, refuse, consent, TRUE, FALSE },
    { "guest-silent", 2, NULL, fall_silent, speak, TRUE, FALSE },
    { "late-removal", 2, be_late, let_go, let_go_at_last, TRUE, FALSE },
    { "netprepd-killed", 2, NULL, kill_daemon, NULL, FALSE, TRUE },
    { "libvirtd-restarted", 6, NULL, restart_libvirt, regain_libvirt, FALSE, TRUE },
    { "coordinator-gone", 2, NULL, lose_coordinator, NULL, FALSE, TRUE },
    { "destination-gone", 2, NULL, lose_destination, regain_destination, FALSE, TRUE },
    { "vf-stolen", 4, NULL, steal, return_stolen, TRUE, TRUE },
    { "pf-link-down", 4, NULL, cut_link, mend_link, TRUE, TRUE },
    { "sriov-numvfs-changed", 4, NULL, shrink, grow, TRUE, TRUE },
};

int
main(int argc, char **argv)
{
    static const char *const stages[] = { "reserved", "detaching", "detached", "migrating",
                                          "attaching" };
    static Cell cells[G_N_ELEMENTS(kinds)][STAGES];

    /* Many worlds of many files; nothing here loses power for real. */
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        for (Stage stage = RESERVED; stage < STAGES; stage++) {
            g_autofree char *path =
                g_strdup_printf("/failure-matrix/%s/%s", kinds[i].name, stages[stage]);

            cells[i][stage] = (Cell) { &kinds[i], stage };
            g_test_add_data_func(path, &cells[i][stage], test_cell);
        }
    }
    return g_test_run();
}
