/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges this host as a place for a guest. */
#include "storprep/affinity_check.h"

#include "common/host_name.h"
#include "storprep/check_arrival.h"
#include "storprep/guest_policy.h"

/* Hosts may be named with their domain or without. */
static gboolean
is_named(const CheckArrival *arrival)
{
    g_auto(GStrv) names = g_strsplit(arrival->facts->only_hosts, " ", -1);

    for (char **name = names; *name; name++) {
        if (host_name_is_own(*name, arrival->checks->host_name))
            return TRUE;
    }
    return FALSE;
}

/* Whether @guest is active, another one than @uuid, and of @group by what @key of its policy says.
 */
static gboolean
is_other_of(const Guest *guest, const char *uuid, GuestPlaceKey key, const char *group)
{
    g_auto(GuestPlace) place = { 0 };

    if (guest->state == GUEST_STATE_SHUT_OFF || guest->state == GUEST_STATE_CRASHED ||
        g_strcmp0(guest->uuid, uuid) == 0 || !guest_policy_read_place(guest->xml, &place, NULL))
        return FALSE;
    return g_strcmp0(place.values[key], group) == 0;
}

/* Sets *ret_name (owned) to a guest here of that kind, or to NULL. */
static gboolean
find_other_of(Hypervisor *hypervisor, const char *uuid, GuestPlaceKey key, const char *group,
              char **ret_name, GError **error)
{
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(hypervisor, error);

    *ret_name = NULL;
    for (guint i = 0; guests && !*ret_name && i < guests->len; i++) {
        const Guest *guest = guests->pdata[i];

        if (is_other_of(guest, uuid, key, group))
            *ret_name = g_strdup(guest->name);
    }
    return guests != NULL;
}

/* Sets *ret_name (owned) to a guest here that it has to be apart from, or to NULL. */
static gboolean
find_other(const CheckArrival *arrival, char **ret_name, GError **error)
{
    const GuestFacts *facts = arrival->facts;

    *ret_name = NULL;
    return !facts->apart_from ||
           find_other_of(arrival->checks->hypervisor, facts->uuid, GUEST_PLACE_APART,
                         facts->apart_from, ret_name, error);
}

static void
check_place(void *data, CheckReport *report)
{
    const CheckArrival *arrival = data;
    const GuestFacts *facts = arrival->facts;
    g_autofree char *other = NULL;
    g_autoptr(GError) error = NULL;

    if (!facts->name)
        check_unknown(report, CHECK_ARRIVAL_HOST, CHECK_NOT_TOLD);
    else if (facts->only_hosts && !is_named(arrival))
        check_fail(report, CHECK_ARRIVAL_HOST, NULL,
                   "is none of the hosts that the guest's policy names: %s", facts->only_hosts);
    else if (!find_other(arrival, &other, &error))
        check_unknown(report, CHECK_ARRIVAL_HOST, "%s", error->message);
    else if (other)
        check_fail(report, CHECK_ARRIVAL_HOST,
                   "migprep policy GUEST apart=  # or choose another host",
                   "guest '%s' runs here, of the group '%s' whose guests are to be apart", other,
                   facts->apart_from);
    else
        check_pass(report, CHECK_ARRIVAL_HOST, "the guest's policy does not speak against it");
}

CheckGroup
affinity_check(const StorageChecks *checks, const GuestFacts *facts)
{
    static const Check list[] = { { "guest.place-allowed", check_place }, { 0 } };

    return check_arrival_group(checks, facts, list, NULL);
}

typedef struct {
    CheckSubject *subject;
    const Guest *guest; /* borrowed of the subject */
    GuestPlace place;
} Leaving;

static void
leaving_free(void *data)
{
    Leaving *leaving = data;

    guest_place_clear(&leaving->place);
    check_subject_unref(leaving->subject);
    g_free(leaving);
}

static CheckReadiness
prepare_leaving(void *data, GError **error)
{
    Leaving *leaving = data;
    CheckReadiness readiness = check_subject_guest(leaving->subject, &leaving->guest, error);

    if (readiness != CHECK_READY)
        return readiness;
    return guest_policy_read_place(leaving->guest->xml, &leaving->place, error) ? CHECK_READY
                                                                                : CHECK_HINDERED;
}

static void
check_group(void *data, CheckReport *report)
{
    const Leaving *leaving = data;
    const char *label = check_subject_label(leaving->subject);
    const char *group = leaving->place.values[GUEST_PLACE_TOGETHER];
    g_autofree char *other = NULL;
    g_autoptr(GError) error = NULL;

    if (!group) {
        check_pass(report, label, "is of no group that is to be together");
    } else if (!find_other_of(check_subject_hypervisor(leaving->subject), leaving->guest->uuid,
                              GUEST_PLACE_TOGETHER, group, &other, &error)) {
        check_unknown(report, label, "%s", error->message);
    } else if (other) {
        g_autofree char *word = check_word(other);
        g_autofree char *remedy = g_strdup_printf("migprep migrate %s --to HOST  # as well", word);
        check_fail(report, label, remedy, "leaves guest '%s' of its group '%s' behind", other,
                   group);
    } else {
        check_pass(report, label, "leaves none of its group '%s' behind", group);
    }
}

CheckGroup
affinity_check_left(CheckSubject *subject)
{
    static const Check list[] = { { "guest.group-together", check_group }, { 0 } };
    Leaving *leaving = g_new0(Leaving, 1);

    leaving->subject = check_subject_ref(subject);
    return (CheckGroup) { .object = check_subject_label(subject),
                          .checks = list,
                          .prepare = prepare_leaving,
                          .context = leaving,
                          .free_context = leaving_free };
}
