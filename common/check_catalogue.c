/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the catalogue: puts its parts together, finds in it and prints it. */
#include "common/check_catalogue.h"

#include "common/check_kinds.h"

static const CheckKinds *const parts[] = { &check_kinds_host, &check_kinds_guest,
                                           &check_kinds_network, &check_kinds_storage };

const CheckKind *
check_catalogue_at(gsize index)
{
    for (gsize part = 0; part < G_N_ELEMENTS(parts); part++) {
        if (index < parts[part]->count)
            return &parts[part]->kinds[index];
        index -= parts[part]->count;
    }
    return NULL;
}

const CheckKind *
check_catalogue_find(const char *id)
{
    const CheckKind *kind;

    for (gsize i = 0; (kind = check_catalogue_at(i)); i++) {
        if (g_str_equal(kind->id, id))
            return kind;
    }
    return NULL;
}

const char *
check_severity_name(CheckSeverity severity)
{
    switch (severity) {
    case CHECK_BLOCKER:
        return "blocker";
    case CHECK_WARNING:
        return "warning";
    case CHECK_INFORMATION:
        return "information";
    }
    g_return_val_if_reached("blocker");
}

static const char *
place_name(CheckPlace place)
{
    switch (place) {
    case CHECK_AT_SOURCE:
        return "source";
    case CHECK_AT_DESTINATION:
        return "destination";
    case CHECK_AT_EVERY_HOST:
        return "every host";
    }
    g_return_val_if_reached("every host");
}

static void
print_kind(GString *text, const CheckKind *kind)
{
    g_string_append_printf(text, "\n## %s\n%s\n\n", kind->id, kind->proves);
    g_string_append_printf(text, "* severity: %s%s\n* asked of: %s (%s)\n* remedy: `%s`\n",
                           check_severity_name(kind->severity),
                           kind->loses_data ? ", never overridden" : "", place_name(kind->place),
                           kind->daemon, kind->remedy);
    if (kind->fix)
        g_string_append_printf(text, "* applied by --fix --yes: `%s`\n", kind->fix);
    g_string_append_printf(text, "* source: %s\n* stale after: %s\n", kind->source,
                           kind->invalidated_by);
}

static const char introduction[] =
    "# Checks\n"
    "All that `migprep check` looks at. Printed by `migprep check --catalogue`; do not edit.\n\n"
    "A *blocker* that is broken stops a move, `--force ID` overrides it unless the guest would "
    "lose "
    "something by\nit. A *warning* does not stop one; something is hurt or at risk. *Information* "
    "is "
    "good to know. What could not be\nchecked is unknown, and never counts as passed.\n\n"
    "A remedy is a command for the host that the result names, GUEST and other words in capitals "
    "filled in where\nthey are known. What follows `#` is not for the shell: where else to run it, "
    "or "
    "what to do then.\n\n"
    "| check | | asked of | what is so when it passes |\n|---|---|---|---|\n";

/* Its place among the headings, as Markdown's readers name it. */
static void
print_row(GString *text, const CheckKind *kind)
{
    g_auto(GStrv) words = g_strsplit(kind->id, ".", -1);
    g_autofree char *anchor = g_strjoinv("", words);

    g_string_append_printf(text, "| [%s](#%s) | %s | %s | %s |\n", kind->id, anchor,
                           check_severity_name(kind->severity), place_name(kind->place),
                           kind->title);
}

char *
check_catalogue_print(void)
{
    const CheckKind *kind;
    GString *text = g_string_new(introduction);

    for (gsize i = 0; (kind = check_catalogue_at(i)); i++)
        print_row(text, kind);
    for (gsize i = 0; (kind = check_catalogue_at(i)); i++)
        print_kind(text, kind);
    return g_string_free(text, FALSE);
}

json_t *
check_catalogue_to_json(void)
{
    const CheckKind *kind;
    json_t *checks = json_array();

    for (gsize i = 0; (kind = check_catalogue_at(i)); i++)
        json_array_append_new(
            checks, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:b}", "check",
                              kind->id, "title", kind->title, "proves", kind->proves, "severity",
                              check_severity_name(kind->severity), "place", place_name(kind->place),
                              "daemon", kind->daemon, "source", kind->source, "remedy",
                              kind->remedy, "fix", kind->fix, "invalidatedBy", kind->invalidated_by,
                              "overridable", !kind->loses_data));
    return json_pack("{s:o}", "checks", checks);
}
