/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges the bonds that a guest reports, one property at a time. */
#include "netprep/bond_check.h"

#include "common/guest_agent.h"
#include "netprep/backup_proof.h"
#include "netprep/vnic_path.h"

/* Measured: see docs/decisions.md. */
#define ANNOUNCEMENTS_MIN 3
/* Within CHECK_TIMEOUT_MSEC: a silent agent is a finding, not a check that could not be run. */
#define AGENT_SECONDS 3

typedef struct {
    GuestSubject *subject;
    const NetworkHost *host; /* borrowed, as all up to the report */
    const char *label;
    const GuestView *view;
    const GPtrArray *vnics;
    gboolean answers;                  /* the agent */
    GuestAbilities abilities;          /* that it says it has */
    GuestReport *report;               /* NULL: the agent does not tell */
    GuestNeighbourhood *neighbourhood; /* likewise */
} Context;

/* What one vNIC of the guest is in. All borrowed but the label. */
typedef struct {
    const Vnic *vnic;
    const GuestInterface *port;
    const GuestBond *bond;
    const DomainVirtioNic *backup;
    const GuestInterface *backup_port;
    char *label; /* "bond bond0 of guest 'web1'" */
} Place;

static void
context_free(void *data)
{
    Context *context = data;

    guest_report_free(context->report);
    guest_neighbourhood_free(context->neighbourhood);
    guest_subject_unref(context->subject);
    g_free(context);
}

/* What is not unplugged for the journey needs nothing of the guest. */
static gboolean
needs_guest(const Context *context)
{
    for (guint i = 0; i < context->vnics->len; i++) {
        if (vnic_path_unplugs(context->vnics->pdata[i]))
            return TRUE;
    }
    return FALSE;
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;
    CheckReadiness readiness =
        guest_subject_read(context->subject, &context->view, &context->vnics, error);

    if (readiness != CHECK_READY)
        return readiness;
    if (!needs_guest(context))
        return CHECK_NOTHING;
    return guest_view_check_running(context->view, error) ? CHECK_READY : CHECK_HINDERED;
}

static void
check_agent(void *data, CheckReport *report)
{
    Context *context = data;
    BondAccess access = bond_access(context->host, context->view, NULL);
    g_autoptr(GError) error = NULL;

    context->answers = guest_agent_abilities(context->host->hypervisor, context->view->guest->uuid,
                                             AGENT_SECONDS, &context->abilities, &error);
    if (context->answers)
        context->report = bond_report(&access, &error);
    if (context->report)
        check_pass(report, context->label, "tells about its network devices (%s)",
                   guest_steering_name(context->report->steering));
    else if (fault_code(error) == FAULT_HYPERVISOR_UNAVAILABLE)
        check_unknown(report, context->label, "%s", error->message);
    else
        check_fail_advised(report, context->label, fault_remedy(error), "does not tell: %s",
                           fault_cause(error));
}

/* One with a link, if any has. */
static void
find_backup(const Context *context, Place *place)
{
    for (char *const *name = place->bond->ports; name && *name; name++) {
        const GuestInterface *port = guest_report_find_link(context->report, *name);
        const Vnic probe = { .backup = *name };
        const DomainVirtioNic *nic = bond_backup_nic(context->report, context->view->live, &probe);

        if (!port || !nic || (place->backup_port && place->backup_port->carrier))
            continue;
        place->backup = nic;
        place->backup_port = port;
    }
}

static void
place_clear(Place *place)
{
    g_free(place->label);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static Place
find_place(const Context *context, const Vnic *vnic)
{
    Place place = { .vnic = vnic };

    if (vnic->path != VNIC_PATH_BOND)
        return place;

    place.port = guest_report_find_path(context->report, vnic->guest_path);
    place.bond = place.port ? guest_report_find_bond(context->report, place.port->master) : NULL;
    if (place.bond) {
        find_backup(context, &place);
        place.label = g_strdup_printf("bond %s of %s", place.bond->name, context->label);
    }
    return place;
}

typedef void (*Judge)(const Context *context, const Place *place, CheckReport *report);

/* Calls @judge for each vNIC that is unplugged; for those in a bond only unless @without_bond. */
static void
for_each(Context *context, CheckReport *report, gboolean without_bond, Judge judge)
{
    if (!context->report) {
        check_unknown(report, context->label, "the guest's agent does not tell");
        return;
    }
    for (guint i = 0; i < context->vnics->len; i++) {
        g_auto(Place) place = find_place(context, context->vnics->pdata[i]);

        if (vnic_path_unplugs(place.vnic) && (place.bond || without_bond))
            judge(context, &place, report);
    }
}

/* The kernel pairs the two halves by itself. */
static void
judge_team(const Context *context, const Place *place, const char *object, CheckReport *report)
{
    g_autoptr(GError) error = NULL;
    Vnic trial = *place->vnic; /* all but what is proven is borrowed */

    trial.bond = trial.backup = NULL;
    if (vnic_path_prove(context->report, context->view->live, &trial, &error))
        check_pass(report, object, "is teamed with VirtIO NIC %s", trial.backup);
    else
        check_fail_advised(report, object, fault_remedy(error), "%s", fault_cause(error));
    g_free(trial.bond);
    g_free(trial.backup);
}

static void
judge_backup(const Context *context, const Place *place, CheckReport *report)
{
    g_autofree char *vnic = vnic_label(place->vnic);
    g_autofree char *object = g_strdup_printf("%s of %s", vnic, context->label);

    if (place->vnic->path == VNIC_PATH_TEAMING)
        judge_team(context, place, object, report);
    else if (!place->port)
        check_fail(report, object,
                   "lspci -k  # in the guest: load the driver of its virtual function",
                   "the guest has no network device for it");
    else if (!place->bond)
        check_fail(report, object, NULL, "is in no bond in the guest, where it is %s",
                   place->port->name);
    else if (!place->backup)
        check_fail(
            report, object,
            "virsh attach-interface GUEST bridge BRIDGE --model virtio --live --config  # on the "
            "same network; then put it into the bond in the guest",
            "its bond %s has no VirtIO NIC", place->bond->name);
    else if (!place->backup_port->carrier)
        check_fail(report, object,
                   "virsh domif-setlink GUEST MAC up  # and bring it up in the guest",
                   "VirtIO NIC %s of its bond %s has no link", place->backup_port->name,
                   place->bond->name);
    else
        check_pass(report, object, "is in bond %s beside VirtIO NIC %s", place->bond->name,
                   place->backup_port->name);
}

/* libvirt's filters against MAC spoofing let only the vNIC's own address out. */
static void
judge_filter(const Context *context, const Place *place, CheckReport *report)
{
    const GuestInterface *bond = guest_report_find_link(context->report, place->bond->name);

    if (!place->backup)
        return;
    if (!place->backup->filtered)
        check_pass(report, place->label, "its VirtIO NIC has no network filter");
    else if (bond && g_strcmp0(bond->mac, place->backup->mac) == 0)
        check_pass(report, place->label,
                   "sends with the MAC that its VirtIO NIC's filter lets out");
    else
        check_fail(report, place->label, NULL,
                   "its VirtIO NIC has a network filter, and the bond sends with another MAC");
}

static void
judge_mode(const Context *context, const Place *place, CheckReport *report)
{
    if (g_str_equal(place->bond->mode, "active-backup"))
        check_pass(report, place->label, "mode is active-backup");
    else
        check_fail(report, place->label, NULL, "mode is %s", place->bond->mode);
}

static void
judge_monitoring(const Context *context, const Place *place, CheckReport *report)
{
    unsigned interval = place->bond->monitor_interval_msec;

    if (interval == 0)
        check_fail(report, place->label, NULL, "miimon is 0: it does not watch its links");
    else
        check_pass(report, place->label, "miimon is %u ms", interval);
}

static void
judge_primary(const Context *context, const Place *place, CheckReport *report)
{
    const char *primary = place->bond->primary;

    if (g_strcmp0(primary, place->port->name) == 0)
        check_pass(report, place->label, "primary is %s", primary);
    else
        check_fail(report, place->label, NULL,
                   "primary is %s, not VF %s: traffic would stay on VirtIO after an interruption",
                   primary ? primary : "not set", place->port->name);
}

static void
judge_announcements(const Context *context, const Place *place, CheckReport *report)
{
    int count = place->bond->announcements;

    if (count >= ANNOUNCEMENTS_MIN) {
        check_pass(report, place->label, "num_grat_arp is %d", count);
    } else if (count < 0) {
        check_unknown(report, place->label, "the guest does not tell num_grat_arp");
    } else {
        check_fail(report, place->label, NULL,
                   "num_grat_arp is %d: one lost announcement leaves switches with the old place",
                   count);
    }
}

static void
judge_mac(const Context *context, const Place *place, CheckReport *report)
{
    const char *policy = place->bond->fail_over_mac;

    if (!policy)
        check_unknown(report, place->label, "the guest does not tell fail_over_mac");
    else if (g_str_equal(policy, "none"))
        check_pass(report, place->label, "keeps one MAC on both ports");
    else
        check_fail(report, place->label, NULL,
                   "fail_over_mac is %s: each neighbour has to learn another MAC at each switch",
                   policy);
}

/* Somebody with whom the guest speaks answers behind the bridge of its VirtIO NIC. */
static void
judge_carrying(const Context *context, const Place *place, CheckReport *report)
{
    g_autoptr(GError) error = NULL;
    Vnic probe = { .alias = place->vnic->alias,
                   .function = place->vnic->function,
                   .bond = place->bond->name,
                   .backup = place->backup_port ? place->backup_port->name : NULL };

    if (!place->backup || !context->neighbourhood)
        return;
    g_autoptr(BackupProof) proof = backup_proof_new(context->host, context->neighbourhood,
                                                    context->report, context->view->live, &probe);
    if (!proof->bridge || !proof->neighbours->neighbours[0])
        check_unknown(report, place->label, "there is nobody to ask behind its VirtIO NIC");
    else if (backup_proof_check_uplink(proof, context->host, place->vnic, NULL, &error))
        check_pass(report, place->label, "a neighbour of the guest answers behind bridge %s",
                   proof->bridge);
    else if (fault_code(error) == FAULT_BOND_UNFIT)
        check_fail_advised(report, place->label, fault_remedy(error), "%s", fault_cause(error));
    else
        check_unknown(report, place->label, "%s", error->message);
}

/* A program of the bond itself stays: the kernel gives it to each port that comes. */
static void
judge_xdp(const Context *context, const Place *place, CheckReport *report)
{
    const char *name = place->port->name;
    g_autofree char *vnic = vnic_label(place->vnic);
    g_autofree char *object = g_strdup_printf("%s of %s", vnic, context->label);
    g_autofree char *remedy = g_strdup_printf(
        "ip link set %s xdp off  # in the guest; its bond can have the program instead", name);

    if (!place->port->tells_xdp)
        check_unknown(report, object, "only netprep-guest tells whether %s has an XDP program",
                      name);
    else if (place->port->has_xdp)
        check_fail(report, object, remedy, "%s has an XDP program, which is gone with it", name);
    else
        check_pass(report, object, "%s has no XDP program", name);
}

static void
check_xdp(void *context, CheckReport *report)
{
    for_each(context, report, FALSE, judge_xdp);
}

static void
check_mac(void *context, CheckReport *report)
{
    for_each(context, report, FALSE, judge_mac);
}

static void
check_carrying(void *data, CheckReport *report)
{
    Context *context = data;
    BondAccess access = bond_access(context->host, context->view, NULL);

    /* Each question to the agent is a round trip through the guest. */
    if (context->report)
        context->neighbourhood = guest_neighbourhood_told(context->report);
    if (context->report && !context->neighbourhood)
        context->neighbourhood = guest_neighbourhood_read(&access, NULL);
    for_each(context, report, FALSE, judge_carrying);
}

static void
check_permissions(void *data, CheckReport *report)
{
    const Context *context = data;

    if (!context->answers)
        check_unknown(report, context->label, "its agent does not answer");
    else if (!(context->abilities & GUEST_ABILITY_EXEC))
        check_fail(report, context->label, NULL, "its agent may not run commands (guest-exec)%s",
                   context->abilities & GUEST_ABILITY_FILES ? ": its bond is steered by files"
                                                            : "");
    else
        check_pass(report, context->label, "its agent may run commands");
}

static void
check_backup(void *context, CheckReport *report)
{
    for_each(context, report, TRUE, judge_backup);
}

static void
check_filter(void *context, CheckReport *report)
{
    for_each(context, report, FALSE, judge_filter);
}

static void
check_mode(void *context, CheckReport *report)
{
    for_each(context, report, FALSE, judge_mode);
}

static void
check_monitoring(void *context, CheckReport *report)
{
    for_each(context, report, FALSE, judge_monitoring);
}

static void
check_primary(void *context, CheckReport *report)
{
    for_each(context, report, FALSE, judge_primary);
}

static void
check_announcements(void *context, CheckReport *report)
{
    for_each(context, report, FALSE, judge_announcements);
}

CheckGroup
bond_check_guest(GuestSubject *subject)
{
    static const Check checks[] = { { "guest.agent-answers", check_agent },
                                    { "guest.agent-permits", check_permissions },
                                    { "network.backup-present", check_backup },
                                    { "network.backup-unfiltered", check_filter },
                                    { "network.bond-mode", check_mode },
                                    { "network.bond-monitoring", check_monitoring },
                                    { "network.bond-primary", check_primary },
                                    { "network.bond-announcements", check_announcements },
                                    { "network.bond-mac", check_mac },
                                    { "network.no-xdp", check_xdp },
                                    { "network.backup-carries", check_carrying },
                                    { 0 } };
    Context *context = g_new0(Context, 1);

    context->subject = guest_subject_ref(subject);
    context->host = guest_subject_host(subject);
    context->label = guest_subject_label(subject);
    return (CheckGroup) { .object = context->label,
                          .checks = checks,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}
