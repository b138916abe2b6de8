/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides which VF settings to change, proves that they took effect, and puts back what did not. */
#include "netprep/function_settings.h"

#include <errno.h>
#include <string.h>

#include "netprep/function_option.h"

#define GUID_NONE G_MAXUINT64 /* no zero: InfiniBand drivers refuse it */

struct FunctionControl {
    const FunctionControlOps *ops;
    void *self;
};

/* One VF on its way from the settings it has to others. */
typedef struct {
    FunctionControl *control;
    const char *physical_function;
    unsigned index;
    FunctionSettings before;
    FunctionOption changed[FUNCTION_OPTIONS]; /* in this order */
    gsize count;
    unsigned unknown; /* FUNCTION_OPTION_BITs that the driver knows nothing of */
} Change;

FunctionControl *
function_control_new(const FunctionControlOps *ops, void *self)
{
    FunctionControl *control = g_new0(FunctionControl, 1);

    control->ops = ops;
    control->self = self;
    return control;
}

void
function_control_free(FunctionControl *control)
{
    if (!control)
        return;
    control->ops->free(control->self);
    g_free(control);
}

static char *
function_label(const char *physical_function, unsigned index)
{
    return g_strdup_printf("VF %u of %s", index, physical_function);
}

char *
function_control_driver(FunctionControl *control, const char *physical_function)
{
    return control->ops->driver(control->self, physical_function);
}

char *
function_control_firmware(FunctionControl *control, const char *physical_function)
{
    return control->ops->firmware(control->self, physical_function);
}

static char *
driver_label(FunctionControl *control, const char *physical_function)
{
    g_autofree char *driver = control->ops->driver(control->self, physical_function);

    return driver ? g_strdup_printf("driver %s", driver) : g_strdup("the driver");
}

static gboolean
find_entry(FunctionControl *control, const char *physical_function, unsigned index,
           const GArray *entries, FunctionSettings *ret_settings, GError **error)
{
    for (guint i = 0; i < entries->len; i++) {
        const FunctionEntry *entry = &g_array_index(entries, FunctionEntry, i);

        if (entry->index == index) {
            *ret_settings = entry->settings;
            return TRUE;
        }
    }
    g_autofree char *object = function_label(physical_function, index);
    g_autofree char *driver = driver_label(control, physical_function);
    fault_set(error, FAULT_FUNCTION_FAILED, object, "check sriov_numvfs of its PF",
              "the kernel lists settings of %u VFs, and not of this one (%s)", entries->len,
              driver);
    return FALSE;
}

GArray *
function_settings_list(FunctionControl *control, const char *physical_function, GError **error)
{
    return control->ops->list(control->self, physical_function, error);
}

gboolean
function_settings_read(FunctionControl *control, const char *physical_function, unsigned index,
                       FunctionSettings *ret_settings, GError **error)
{
    g_autoptr(GArray) entries = control->ops->list(control->self, physical_function, error);

    return entries && find_entry(control, physical_function, index, entries, ret_settings, error);
}

static void
set_refused(const Change *change, FunctionOption option, const FunctionSettings *wanted,
            const char *why, GError **error)
{
    g_autofree char *object = function_label(change->physical_function, change->index);
    g_autofree char *driver = driver_label(change->control, change->physical_function);
    g_autofree char *name = function_option_describe(option, wanted);

    fault_set(error, FAULT_FUNCTION_FAILED, object,
              "use a network card and driver that support this setting, or remove it at the source",
              "%s does not accept its %s: %s", driver, name, why);
}

static int
ask_driver(const Change *change, FunctionOption option, const FunctionSettings *wanted)
{
    return change->control->ops->set(change->control->self, change->physical_function,
                                     change->index, option, wanted);
}

static gboolean
set_option(Change *change, FunctionOption option, const FunctionSettings *wanted, GError **error)
{
    int status = ask_driver(change, option, wanted);

    if (status == -EOPNOTSUPP && option == FUNCTION_OPTION_TRUST) {
        change->unknown |= FUNCTION_OPTION_BIT(option);
        return TRUE;
    }
    if (status < 0) {
        set_refused(change, option, wanted, g_strerror(-status), error);
        return FALSE;
    }
    change->changed[change->count++] = option;
    return TRUE;
}

/* Whether @now shows that the option has its value, or cannot show it. */
static gboolean
is_proven(const Change *change, FunctionOption option, const FunctionSettings *now,
          const FunctionSettings *wanted)
{
    unsigned silent = change->unknown | now->unreported | wanted->unreported;

    return (silent & FUNCTION_OPTION_BIT(option)) || function_option_equal(option, now, wanted);
}

static gboolean
mac_is_zero(const guint8 *mac)
{
    static const guint8 none[FUNCTION_MAC_BYTES] = { 0 };

    return memcmp(mac, none, FUNCTION_MAC_BYTES) == 0;
}

static gboolean
read_now(const Change *change, FunctionSettings *ret_now, GError **error)
{
    return function_settings_read(change->control, change->physical_function, change->index,
                                  ret_now, error);
}

/* A MAC that a VF's driver on this host chose by itself is reported even while there is no
 * administrative one. So another one is set and cleared: whether that stays tells the two apart. */
static gboolean
probe_cleared(const Change *change, GError **error)
{
    FunctionSettings probe = { 0 }, none = { 0 }, now = { 0 };
    guint32 random = g_random_int();

    probe.mac[0] = 0x02; /* locally administered */
    memcpy(&probe.mac[2], &random, sizeof(random));
    int probed = ask_driver(change, FUNCTION_OPTION_MAC, &probe);
    int cleared = ask_driver(change, FUNCTION_OPTION_MAC, &none);
    if (!read_now(change, &now, error))
        return FALSE;
    if (probed == 0 && cleared == 0 && !function_option_equal(FUNCTION_OPTION_MAC, &now, &probe))
        return TRUE;
    set_refused(change, FUNCTION_OPTION_MAC, &none, "it keeps the one that it was given", error);
    return FALSE;
}

static gboolean
check_mac(const Change *change, const FunctionSettings *now, const FunctionSettings *wanted,
          GError **error)
{
    if (function_option_equal(FUNCTION_OPTION_MAC, now, wanted))
        return TRUE;
    if (!mac_is_zero(wanted->mac)) {
        set_refused(change, FUNCTION_OPTION_MAC, wanted, "it was set, but reads back differently",
                    error);
        return FALSE;
    }
    /* Another one than before is the VF's own choice. */
    return !function_option_equal(FUNCTION_OPTION_MAC, now, &change->before) ||
           probe_cleared(change, error);
}

static gboolean
check_options(const Change *change, const FunctionSettings *wanted, gboolean with_mac,
              FunctionOption *ret_refused, GError **error)
{
    FunctionSettings now = { 0 };

    *ret_refused = FUNCTION_OPTION_MAC;
    if (!read_now(change, &now, error) || (with_mac && !check_mac(change, &now, wanted, error)))
        return FALSE;
    for (FunctionOption option = FUNCTION_OPTION_VLAN; option < FUNCTION_OPTIONS; option++) {
        if (is_proven(change, option, &now, wanted))
            continue;
        *ret_refused = option;
        set_refused(change, option, wanted, "it was set, but reads back differently", error);
        return FALSE;
    }
    return TRUE;
}

/* An administrative MAC is always cleared, since what is reported may be another. */
static gboolean
set_options(Change *change, const FunctionSettings *wanted, gboolean with_mac,
            FunctionOption *ret_refused, GError **error)
{
    for (FunctionOption option = FUNCTION_OPTION_MAC; option < FUNCTION_OPTIONS; option++) {
        gboolean due = option == FUNCTION_OPTION_MAC
                           ? with_mac
                           : !(wanted->unreported & FUNCTION_OPTION_BIT(option)) &&
                                 !function_option_equal(option, &change->before, wanted);

        if (due && !set_option(change, option, wanted, error)) {
            *ret_refused = option;
            return FALSE;
        }
    }
    return TRUE;
}

/* Names of what is not back. NULL: everything is. */
static char *
find_leftovers(const Change *change, const FunctionSettings *back)
{
    g_autoptr(GString) names = g_string_new(NULL);
    FunctionSettings now = { 0 };
    gboolean known = read_now(change, &now, NULL);

    for (gsize i = 0; i < change->count; i++) {
        FunctionOption option = change->changed[i];

        /* Without an administrative MAC the VF has whichever it likes. */
        if (known && (option == FUNCTION_OPTION_MAC || is_proven(change, option, &now, back)))
            continue;
        g_autofree char *name = function_option_describe(option, back);
        g_string_append_printf(names, "%s%s", names->len ? ", " : "", name);
    }
    return names->len ? g_string_free(g_steal_pointer(&names), FALSE) : NULL;
}

/* Last changed, first put back. Steals @failure. */
static void
undo(Change *change, GError *failure, GError **error)
{
    g_autoptr(GError) cause = failure;
    FunctionSettings back = change->before;
    gboolean mac_left = FALSE;

    memset(back.mac, 0, sizeof(back.mac));
    for (gsize i = change->count; i > 0; i--) {
        FunctionOption option = change->changed[i - 1];

        if (ask_driver(change, option, &back) < 0 && option == FUNCTION_OPTION_MAC)
            mac_left = TRUE;
    }
    g_autofree char *leftovers = find_leftovers(change, &back);
    if (!leftovers && mac_left)
        leftovers = function_option_describe(FUNCTION_OPTION_MAC, &back);
    if (!leftovers) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return;
    }
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, fault_object(cause),
              "set it by `ip link set`, or reload the PF's driver",
              "%s; and this could not be put back: %s", fault_cause(cause), leftovers);
}

/* Two VFs with one MAC on a PF: the NIC delivers to one of them only, or to neither. */
static gboolean
check_unique(const Change *change, const GArray *entries, const FunctionSettings *wanted,
             GError **error)
{
    for (guint i = 0; i < entries->len; i++) {
        const FunctionEntry *entry = &g_array_index(entries, FunctionEntry, i);

        if (entry->index == change->index ||
            !function_option_equal(FUNCTION_OPTION_MAC, &entry->settings, wanted))
            continue;
        g_autofree char *object = function_label(change->physical_function, change->index);
        g_autofree char *other = function_label(change->physical_function, entry->index);
        g_autofree char *mac = function_mac_to_text(wanted->mac);
        fault_set(error, FAULT_FUNCTION_BUSY, object,
                  "take the MAC from the other one, or wait until its lease ends",
                  "cannot get MAC address %s: %s has it", mac, other);
        return FALSE;
    }
    return TRUE;
}

static gboolean
begin(Change *change, const FunctionSettings *wanted, gboolean with_mac, GError **error)
{
    g_autoptr(GArray) entries =
        change->control->ops->list(change->control->self, change->physical_function, error);

    return entries &&
           find_entry(change->control, change->physical_function, change->index, entries,
                      &change->before, error) &&
           (!with_mac || mac_is_zero(wanted->mac) || check_unique(change, entries, wanted, error));
}

/* *ret_refused is set when an option was refused: FAULT_FUNCTION_FAILED. */
static gboolean
apply(FunctionControl *control, const char *physical_function, unsigned index,
      const FunctionSettings *wanted, gboolean with_mac, FunctionOption *ret_refused,
      GError **error)
{
    Change change = { .control = control, .physical_function = physical_function, .index = index };
    GError *failure = NULL;

    if (!begin(&change, wanted, with_mac, error))
        return FALSE;
    if (set_options(&change, wanted, with_mac, ret_refused, &failure) &&
        check_options(&change, wanted, with_mac, ret_refused, &failure))
        return TRUE;
    undo(&change, failure, error);
    return FALSE;
}

gboolean
function_settings_apply(FunctionControl *control, const char *physical_function, unsigned index,
                        const FunctionSettings *wanted, gboolean with_mac, GError **error)
{
    FunctionOption refused = FUNCTION_OPTION_MAC;

    return apply(control, physical_function, index, wanted, with_mac, &refused, error);
}

/* Only what belongs to the technique may send us to the other one. */
static gboolean
prefers_admin_mac(const GError *failure, FunctionOption refused)
{
    return g_error_matches(failure, FAULT, FAULT_FUNCTION_FAILED) &&
           (refused == FUNCTION_OPTION_MAC || refused == FUNCTION_OPTION_TRUST);
}

static gboolean
apply_admin_mac(FunctionControl *control, const char *physical_function, unsigned index,
                const FunctionSettings *wanted, const char *guest_mac, const GError *why,
                GError **error)
{
    FunctionSettings settings = *wanted;

    if (guest_mac && function_mac_from_text(guest_mac, settings.mac))
        return function_settings_apply(control, physical_function, index, &settings, TRUE, error);
    fault_set(error, FAULT_FUNCTION_FAILED, fault_object(why),
              "give the guest's VirtIO vNIC the MAC address of its bond",
              "%s; and it cannot be given the guest's MAC address, which is not known",
              fault_cause(why));
    return FALSE;
}

gboolean
function_settings_prepare_handover(FunctionControl *control, const char *physical_function,
                                   unsigned index, const FunctionSettings *wanted,
                                   const char *guest_mac, FunctionHandover *ret_technique,
                                   GError **error)
{
    g_autoptr(GError) failure = NULL;
    FunctionSettings settings = *wanted;
    FunctionOption refused = FUNCTION_OPTIONS;

    settings.trust = TRUE;
    settings.unreported &= ~FUNCTION_OPTION_BIT(FUNCTION_OPTION_TRUST);
    memset(settings.mac, 0, sizeof(settings.mac));
    if (apply(control, physical_function, index, &settings, TRUE, &refused, &failure)) {
        *ret_technique = FUNCTION_HANDOVER_GUEST_MAC;
        return TRUE;
    }
    if (!prefers_admin_mac(failure, refused)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!apply_admin_mac(control, physical_function, index, wanted, guest_mac, failure, error))
        return FALSE;
    *ret_technique = FUNCTION_HANDOVER_ADMIN_MAC;
    return TRUE;
}

gboolean
function_settings_resume_handover(FunctionControl *control, const char *physical_function,
                                  unsigned index, const FunctionSettings *wanted, GError **error)
{
    g_autoptr(GError) failure = NULL;
    FunctionSettings settings = *wanted;
    FunctionOption refused = FUNCTION_OPTIONS;

    settings.trust = TRUE;
    settings.unreported &= ~FUNCTION_OPTION_BIT(FUNCTION_OPTION_TRUST);
    if (apply(control, physical_function, index, &settings, FALSE, &refused, &failure))
        return TRUE;
    if (prefers_admin_mac(failure, refused))
        return function_settings_apply(control, physical_function, index, wanted, FALSE, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
function_settings_reset(FunctionControl *control, const char *physical_function, unsigned index,
                        GError **error)
{
    FunctionSettings now = { 0 };

    if (!function_settings_read(control, physical_function, index, &now, error))
        return FALSE;
    FunctionSettings clean = { .spoof_check = now.spoof_check,
                               .node_guid = now.node_guid ? GUID_NONE : 0,
                               .port_guid = now.port_guid ? GUID_NONE : 0 };
    return function_settings_apply(control, physical_function, index, &clean, TRUE, error);
}
