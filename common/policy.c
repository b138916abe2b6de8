/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the table of what can be said about migrations, and how it is read and written. */
#include "common/policy.h"

#include <string.h>

#include "common/fault.h"

#define BANDWIDTH_MEBIBYTES_MAX (1024 * 1024)
#define DOWNTIME_MSEC_MAX       (2000 * 1000) /* QEMU's MAX_MIGRATE_DOWNTIME */
#define CONNECTIONS_MAX         255           /* QEMU's multifd-channels has 8 bits */
#define TIMEOUT_SECONDS_MAX     (7 * 86400)

typedef enum { KIND_NUMBER, KIND_SWITCH, KIND_WORD } Kind;

static const char *const compressions[] = { "none", "xbzrle", "zstd", NULL };
static const char *const actions[] = { "continue", "abort", "suspend", "postcopy", NULL };
static const char *const choices[] = { "automatic", "manual", "pinned", NULL };
static const char *const priorities[] = { "high", "medium", "low", NULL };
static const char *const fallbacks[] = { "leave", "hibernate", "shutdown", NULL };

static const struct {
    const char *name, *member, *summary;
    Kind kind;
    guint64 maximum;          /* of a number */
    const char *const *words; /* their places are the values */
} entries[POLICY_KEYS] = {
    [POLICY_BANDWIDTH] = { "bandwidth", "bandwidthMebibytes",
                           "at most so many MiB/s (0: libvirt's default)", KIND_NUMBER,
                           BANDWIDTH_MEBIBYTES_MAX, NULL },
    [POLICY_MAX_DOWNTIME] = { "max-downtime", "maximumDowntimeMilliseconds",
                              "how long the guest may stand still, in ms (0: libvirt's default)",
                              KIND_NUMBER, DOWNTIME_MSEC_MAX, NULL },
    [POLICY_PARALLEL] = { "parallel-connections", "parallelConnections",
                          "connections to send memory over (0: one per 10 Gbit/s of the link)",
                          KIND_NUMBER, CONNECTIONS_MAX, NULL },
    [POLICY_AUTO_CONVERGE] = { "auto-converge", "autoConverge",
                               "slow the guest down if it writes faster than can be sent",
                               KIND_SWITCH, 1, NULL },
    [POLICY_COMPRESSION] = { "compression", "compression", "how memory is compressed", KIND_WORD, 0,
                             compressions },
    [POLICY_TIMEOUT] = { "timeout", "timeoutSeconds",
                         "seconds that memory may be sent before on-timeout (0: no limit)",
                         KIND_NUMBER, TIMEOUT_SECONDS_MAX, NULL },
    [POLICY_ON_TIMEOUT] = { "on-timeout", "onTimeout",
                            "what becomes of a migration that is not over by then", KIND_WORD, 0,
                            actions },
    [POLICY_TLS] = { "tls", "tls", "encrypt what is sent, with QEMU's certificates", KIND_SWITCH, 1,
                     NULL },
    [POLICY_MODE] = { "mode", NULL, "whether it moves by itself when its host is emptied",
                      KIND_WORD, 0, choices },
    [POLICY_PRIORITY] = { "priority", NULL, "when it moves among the guests of its host", KIND_WORD,
                          0, priorities },
    [POLICY_FALLBACK] = { "fallback", NULL,
                          "what becomes of it if it cannot leave a host that is emptied", KIND_WORD,
                          0, fallbacks },
};

Policy
policy_new(void)
{
    return (Policy) { .values[POLICY_PRIORITY] = PRIORITY_MEDIUM };
}

void
policy_apply(Policy *policy, PolicyLevel level, const PolicySettings *settings)
{
    for (int key = 0; settings && key < POLICY_KEYS; key++) {
        if (!settings->is_set[key])
            continue;
        policy->values[key] = settings->values[key];
        policy->levels[key] = level;
    }
}

const char *
policy_key_name(PolicyKey key)
{
    return entries[key].name;
}

const char *
policy_key_member(PolicyKey key)
{
    return entries[key].member;
}

const char *
policy_key_summary(PolicyKey key)
{
    return entries[key].summary;
}

gboolean
policy_key_from_name(const char *name, PolicyKey *ret_key)
{
    for (int key = 0; key < POLICY_KEYS; key++) {
        if (strcmp(entries[key].name, name) == 0) {
            *ret_key = (PolicyKey)key;
            return TRUE;
        }
    }
    return FALSE;
}

const char *
policy_level_name(PolicyLevel level)
{
    static const char *const names[] = { "default", "global", "cluster", "guest", "request" };

    return names[level];
}

static gboolean
find_word(const char *const *words, const char *text, guint64 *ret_value)
{
    for (guint64 place = 0; words[place]; place++) {
        if (strcmp(words[place], text) == 0) {
            *ret_value = place;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
read_value(PolicyKey key, const char *text, guint64 *ret_value)
{
    static const char *const switches[] = { "no", "yes", NULL };

    switch (entries[key].kind) {
    case KIND_NUMBER:
        return g_ascii_string_to_unsigned(text, 10, 0, entries[key].maximum, ret_value, NULL);
    case KIND_SWITCH:
        return find_word(switches, text, ret_value);
    case KIND_WORD:
        return find_word(entries[key].words, text, ret_value);
    }
    g_return_val_if_reached(FALSE);
}

static char *
describe_values(PolicyKey key)
{
    g_autofree char *words = NULL;

    switch (entries[key].kind) {
    case KIND_NUMBER:
        return g_strdup_printf("a number from 0 to %" G_GUINT64_FORMAT, entries[key].maximum);
    case KIND_SWITCH:
        return g_strdup("yes or no");
    case KIND_WORD:
        words = g_strjoinv(", ", (char **)entries[key].words);
        return g_strdup_printf("one of %s", words);
    }
    g_return_val_if_reached(NULL);
}

/* A guest is only ever stopped when somebody said so about this one guest. */
static gboolean
stops_many(PolicyKey key, PolicyLevel level, guint64 value)
{
    gboolean stops = (key == POLICY_ON_TIMEOUT && value == TIMEOUT_SUSPEND) ||
                     (key == POLICY_FALLBACK && value != FALLBACK_LEAVE);

    return stops && level < POLICY_LEVEL_GUEST;
}

gboolean
policy_parse(PolicyKey key, PolicyLevel level, const char *text, guint64 *ret_value,
             char **ret_mistake)
{
    guint64 value;

    if (!read_value(key, text, &value)) {
        g_autofree char *wanted = describe_values(key);

        *ret_mistake = g_strdup_printf("'%s' is not %s", text, wanted);
        return FALSE;
    }
    if (stops_many(key, level, value)) {
        *ret_mistake = g_strdup_printf("only a guest's own policy may stop it ('migprep policy "
                                       "GUEST %s=%s')",
                                       entries[key].name, text);
        return FALSE;
    }
    *ret_value = value;
    return TRUE;
}

char *
policy_print(PolicyKey key, guint64 value)
{
    switch (entries[key].kind) {
    case KIND_NUMBER:
        return g_strdup_printf("%" G_GUINT64_FORMAT, value);
    case KIND_SWITCH:
        return g_strdup(value ? "yes" : "no");
    case KIND_WORD:
        return g_strdup(entries[key].words[value]);
    }
    g_return_val_if_reached(NULL);
}

/* As the configuration would have it. */
static char *
print_json(const json_t *value)
{
    json_type type = json_typeof(value);

    if (type == JSON_TRUE || type == JSON_FALSE)
        return g_strdup(type == JSON_TRUE ? "yes" : "no");
    if (type == JSON_STRING)
        return g_strdup(json_string_value(value));
    return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

gboolean
policy_from_request(const json_t *request, PolicySettings *ret_settings, GError **error)
{
    PolicySettings settings = { 0 };

    for (int key = 0; key < POLICY_KEYS; key++) {
        const json_t *value =
            entries[key].member ? json_object_get(request, entries[key].member) : NULL;
        g_autofree char *mistake = NULL;

        if (!value || json_typeof(value) == JSON_NULL)
            continue;
        g_autofree char *text = print_json(value);
        if (!policy_parse((PolicyKey)key, POLICY_LEVEL_REQUEST, text, &settings.values[key],
                          &mistake)) {
            fault_set(error, FAULT_INVALID_ARGUMENT, entries[key].member,
                      "leave it out for the guest's policy, or libvirt's default", "%s", mistake);
            return FALSE;
        }
        settings.is_set[key] = TRUE;
    }
    *ret_settings = settings;
    return TRUE;
}

json_t *
policy_value_to_json(PolicyKey key, guint64 value)
{
    switch (entries[key].kind) {
    case KIND_NUMBER:
        return json_integer((json_int_t)value);
    case KIND_SWITCH:
        return json_boolean(value);
    case KIND_WORD:
        return json_string(entries[key].words[value]);
    }
    g_return_val_if_reached(NULL);
}
