/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges this host as a place for a guest. */
#include "storprep/affinity_check.h"

#include "common/host_name.h"
#include "storprep/guest_policy.h"

#define HOST "this host"

typedef struct {
    const StorageChecks *checks; /* borrowed */
    GuestFacts *facts;
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    guest_facts_free(context->facts);
    g_free(context);
}

/* Hosts may be named with their domain or without. */
static gboolean
is_named(const Context *context)
{
    g_auto(GStrv) names = g_strsplit(context->facts->only_hosts, " ", -1);

    for (char **name = names; *name; name++) {
        if (host_name_is_own(*name, context->checks->host_name))
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_apart_from(const Context *context, const Guest *guest)
{
    g_auto(GuestPlace) place = { 0 };

    if (guest->state == GUEST_STATE_SHUT_OFF || guest->state == GUEST_STATE_CRASHED ||
        g_strcmp0(guest->uuid, context->facts->uuid) == 0 ||
        !guest_policy_read_place(guest->xml, &place, NULL))
        return FALSE;
    return g_strcmp0(place.values[GUEST_PLACE_APART], context->facts->apart_from) == 0;
}

/* Sets *ret_name (owned) to a guest here that it has to be apart from, or to NULL. */
static gboolean
find_other(const Context *context, char **ret_name, GError **error)
{
    g_autoptr(GPtrArray) guests = NULL;

    *ret_name = NULL;
    if (!context->facts->apart_from)
        return TRUE;
    guests = hypervisor_list_guests(context->checks->hypervisor, error);
    for (guint i = 0; guests && !*ret_name && i < guests->len; i++) {
        const Guest *guest = guests->pdata[i];

        if (is_apart_from(context, guest))
            *ret_name = g_strdup(guest->name);
    }
    return guests != NULL;
}

static void
check_place(void *data, CheckReport *report)
{
    const Context *context = data;
    const GuestFacts *facts = context->facts;
    g_autofree char *other = NULL;
    g_autoptr(GError) error = NULL;

    if (!facts->name)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    else if (facts->only_hosts && !is_named(context))
        check_fail(report, HOST, NULL, "is none of the hosts that the guest's policy names: %s",
                   facts->only_hosts);
    else if (!find_other(context, &other, &error))
        check_unknown(report, HOST, "%s", error->message);
    else if (other)
        check_fail(report, HOST, "migprep policy GUEST apart=  # or choose another host",
                   "guest '%s' runs here, of the group '%s' whose guests are to be apart", other,
                   facts->apart_from);
    else
        check_pass(report, HOST, "the guest's policy does not speak against it");
}

CheckGroup
affinity_check(const StorageChecks *checks, const GuestFacts *facts)
{
    static const Check list[] = { { "guest.place-allowed", check_place }, { 0 } };
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    context->facts = guest_facts_copy(facts);
    return (CheckGroup) {
        .object = HOST, .checks = list, .context = context, .free_context = context_free
    };
}
