/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has a guest run its hooks, and tells the journal what they said. */
#include "common/guest_hooks.h"

#include "common/fault.h"
#include "common/guest_agent.h"
#include "common/limits.h"
#include "common/printable.h"

#define PROGRAM_PATH       "/usr/sbin/netprep-guest"
#define EXIT_USAGE         2  /* of a netprep-guest that has no such verb */
#define ROUND_TRIP_SECONDS 10 /* the program keeps the deadline and needs time to say so */
#define WORDS_MAX          200

/* One hook as the guest reports it. */
typedef struct {
    char *name;
    char *user;
    char *failure; /* "" if it did what it should */
    char **lines;
} Report;

static void
report_clear(Report *report)
{
    g_free(report->name);
    g_free(report->user);
    g_free(report->failure);
    g_strfreev(report->lines);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Report, report_clear)

const char *
guest_hooks_phase_name(GuestHooksPhase phase)
{
    static const char *const names[GUEST_HOOKS_COUNT] = {
        [GUEST_HOOKS_BEFORE_MIGRATION] = "before_migration",
        [GUEST_HOOKS_AFTER_MIGRATION] = "after_migration",
        [GUEST_HOOKS_BEFORE_HIBERNATION] = "before_hibernation",
        [GUEST_HOOKS_AFTER_HIBERNATION] = "after_hibernation",
    };

    return names[phase];
}

gboolean
guest_hooks_phase_parse(const char *name, GuestHooksPhase *ret_phase)
{
    for (unsigned phase = 0; phase < GUEST_HOOKS_COUNT; phase++) {
        if (g_strcmp0(guest_hooks_phase_name(phase), name) == 0) {
            *ret_phase = phase;
            return TRUE;
        }
    }
    return FALSE;
}

static char *
line_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return printable_line(text ? text : "", WORDS_MAX);
}

static void
read_report(const json_t *object, Report *ret_report)
{
    const char *output = json_string_value(json_object_get(object, "output"));

    *ret_report = (Report) {
        .name = line_of(object, "name"),
        .user = line_of(object, "user"),
        .failure = line_of(object, "failure"),
        .lines =
            printable_lines(output ? output : "", LIMIT_HOOK_OUTPUT_BYTES, LIMIT_HOOK_OUTPUT_LINES),
    };
}

G_GNUC_PRINTF(4, 5)
static void
tell(const GuestHooks *hooks, const Report *report, GLogLevelFlags level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_log_structured(G_LOG_DOMAIN, level, "MIGPREP_EVENT", "guest-hook", "MIGPREP_GUEST",
                     hooks->guest_name, "MIGPREP_GUEST_UUID", hooks->guest_uuid, "MIGPREP_HOOK",
                     report->name, "MESSAGE", "guest '%s', hook %s: %s", hooks->guest_name,
                     report->name, text);
}

static void
tell_report(const GuestHooks *hooks, const Report *report, GuestHooksPhase phase)
{
    const char *name = guest_hooks_phase_name(phase);
    gboolean failed = *report->failure != '\0';

    for (char **line = report->lines; *line; line++)
        tell(hooks, report, G_LOG_LEVEL_MESSAGE, "%s", *line);
    tell(hooks, report, failed ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_INFO, "%s as %s: %s", name,
         report->user, failed ? report->failure : "done");
}

static void
set_failure(const GuestHooks *hooks, GuestHooksPhase phase, const Report *report, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", hooks->guest_name);

    fault_set(error, FAULT_PROGRAM_FAILED, object,
              "look at what it said: journalctl MIGPREP_EVENT=guest-hook; [hooks] "
              "guest-failure=ignore goes on without it",
              "its hook %s/%s failed: %s", guest_hooks_phase_name(phase), report->name,
              report->failure);
}

/* {hooks: [{name, user, failure, output}]}; the first failure counts. */
static gboolean
judge(const GuestHooks *hooks, GuestHooksPhase phase, const json_t *answer, unsigned *ret_count,
      GError **error)
{
    const json_t *list = json_object_get(answer, "hooks");
    gboolean fine = TRUE;

    *ret_count = (unsigned)MIN(json_array_size(list), LIMIT_HOOKS);
    for (unsigned i = 0; i < *ret_count; i++) {
        g_auto(Report) report = { 0 };

        read_report(json_array_get(list, i), &report);
        tell_report(hooks, &report, phase);
        if (*report.failure && fine)
            set_failure(hooks, phase, &report, error);
        fine = fine && !*report.failure;
    }
    return fine;
}

/* What a guest without the program, with an old one or without an agent says. */
static gboolean
has_none(const GuestAgentResult *result, const GError *failure)
{
    if (!failure)
        return result->exit_status == EXIT_USAGE;
    return fault_code(failure) == FAULT_AGENT_UNAVAILABLE ||
           (result->exit_status == GUEST_AGENT_NOT_STARTED &&
            fault_code(failure) == FAULT_AGENT_FAILED);
}

static void
set_words(const GuestHooks *hooks, const GuestAgentResult *result, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", hooks->guest_name);
    json_auto_t *answer = json_loads(result->output, 0, NULL);
    const char *said = json_string_value(json_object_get(answer, "error"));
    g_autofree char *words = printable_line(said ? said : result->error_text, WORDS_MAX);

    fault_set(error, FAULT_PROGRAM_FAILED, object, "look at `netprep-guest hooks` there",
              "netprep-guest did not say how its hooks ended (status %d): %s", result->exit_status,
              words);
}

static gboolean
ask(const GuestHooks *hooks, GuestHooksPhase phase, unsigned *ret_count, GError **error)
{
    g_autofree char *seconds = g_strdup_printf("%u", hooks->config->seconds);
    const char *const argv[] = { PROGRAM_PATH, "hooks", "--phase", guest_hooks_phase_name(phase),
                                 "--timeout",  seconds, NULL };
    g_auto(GuestAgentResult) result = { 0 };
    g_autoptr(GError) failure = NULL;

    guest_agent_run(hooks->hypervisor, hooks->guest_uuid, argv,
                    hooks->config->seconds + ROUND_TRIP_SECONDS, hooks->cancellable, &result,
                    &failure);
    if (has_none(&result, failure))
        return TRUE;
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    json_auto_t *answer = json_loads(result.output, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_array(json_object_get(answer, "hooks")))
        return judge(hooks, phase, answer, ret_count, error);
    set_words(hooks, &result, error);
    return FALSE;
}

gboolean
guest_hooks_run(const GuestHooks *hooks, GuestHooksPhase phase, unsigned *ret_count, GError **error)
{
    g_autoptr(GError) failure = NULL;
    unsigned count = 0;
    gboolean done = ask(hooks, phase, &count, &failure);

    if (ret_count)
        *ret_count = count;
    if (done)
        return TRUE;
    if (hooks->config->ignore_failure && fault_code(failure) != FAULT_CANCELLED) {
        g_warning("%s; going on", failure->message);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}
