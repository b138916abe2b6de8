/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the help that people read. */
#include "common/cli/completion.h"

#include <string.h>

static const struct {
    const char *placeholder;
    unsigned names;
} placeholders[] = {
    { "GUEST", COMPLETION_GUESTS },
    { "HOST", COMPLETION_HOSTS },
    { "LEASE", COMPLETION_LEASES },
    { "JOB", COMPLETION_JOBS },
};

static Completion *
completion_new(const char *beginning)
{
    Completion *completion = g_new0(Completion, 1);

    completion->literals = g_ptr_array_new_with_free_func(g_free);
    completion->beginning = beginning;
    return completion;
}

void
completion_free(Completion *completion)
{
    if (!completion)
        return;
    g_ptr_array_unref(completion->literals);
    g_free(completion);
}

/* "[GUEST]", "HOST...": brackets and dots say how often, not what. */
static unsigned
names_of(const char *word)
{
    while (*word == '[')
        word++;
    for (gsize i = 0; i < G_N_ELEMENTS(placeholders); i++) {
        gsize length = strlen(placeholders[i].placeholder);

        if (g_str_has_prefix(word, placeholders[i].placeholder) && !g_ascii_isalpha(word[length]) &&
            word[length] != '=')
            return placeholders[i].names;
    }
    return 0;
}

/* "begin|end|status" */
static void
add_choices(Completion *completion, const char *word)
{
    g_auto(GStrv) choices = NULL;

    if (!g_ascii_islower(*word) || !strchr(word, '|'))
        return;
    choices = g_strsplit(word, "|", -1);
    for (char **choice = choices; *choice; choice++)
        g_ptr_array_add(completion->literals, g_strdup(*choice));
}

/* The line below "Usage:", without program and verb. */
static void
add_operands(Completion *completion, const char *help)
{
    const char *usage = strstr(help, "[OPTION");
    const char *end = usage ? strchr(usage, '\n') : NULL;

    if (!end)
        return;
    g_autofree char *line = g_strndup(usage, (gsize)(end - usage));
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    for (guint i = 1; words[i]; i++) {
        gboolean is_value =
            g_str_has_prefix(words[i - 1], "--") || g_str_has_prefix(words[i - 1], "[--");
        /* --host [HOST]: named as an operand */
        if (!is_value || (*words[i] == '[' && g_str_equal(words[i - 1], "--host")))
            completion->names |= names_of(words[i]);
        if (!is_value)
            add_choices(completion, words[i]);
    }
}

typedef struct {
    char *name;  /* "--to" */
    char *value; /* "HOST"; NULL: it takes none */
    const char *description;
} Option;

static void
option_clear(Option *option)
{
    g_clear_pointer(&option->name, g_free);
    g_clear_pointer(&option->value, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Option, option_clear)

/* "  --to=HOST      where the guest goes" */
static gboolean
parse_option(const char *line, Option *ret_option)
{
    if (!g_str_has_prefix(line, "  "))
        return FALSE;
    const char *name = line + (g_str_has_prefix(line, "  -h, ") ? strlen("  -h, ") : 2);
    if (!g_str_has_prefix(name, "--"))
        return FALSE;
    gsize length = strcspn(name, "= ");
    gsize value = name[length] == '=' ? strcspn(name + length, " ") : 0;
    const char *rest = name + length + value;
    ret_option->name = g_strndup(name, length);
    ret_option->value = value ? g_strndup(name + length + 1, value - 1) : NULL;
    ret_option->description = rest + strspn(rest, " ");
    return TRUE;
}

static void
add_options(Completion *completion, char *const *lines)
{
    for (char *const *line = lines; *line && !g_str_has_prefix(*line, "Example"); line++) {
        g_auto(Option) option = { 0 };

        if (parse_option(*line, &option))
            g_ptr_array_add(completion->literals,
                            g_strconcat(option.name, "\t", option.description, NULL));
    }
}

/* TRUE: @name is an option that takes a value, and names of it were added. */
static gboolean
add_value(Completion *completion, char *const *lines, const char *name)
{
    for (char *const *line = lines; *line && !g_str_has_prefix(*line, "Example"); line++) {
        g_auto(Option) option = { 0 };

        if (!parse_option(*line, &option) || !option.value || !g_str_equal(option.name, name))
            continue;
        completion->names |= names_of(option.value);
        add_choices(completion, option.value);
        return TRUE;
    }
    return FALSE;
}

/* The option whose value the last of @words is, and where that begins; NULL: it is none. */
static char *
option_before(char *const *words, const char **beginning)
{
    guint count = g_strv_length((char **)words);
    const char *sign = strchr(*beginning, '=');

    if (g_str_has_prefix(*beginning, "--") && sign) {
        char *name = g_strndup(*beginning, (gsize)(sign - *beginning));
        *beginning = sign + 1;
        return name;
    }
    if (g_str_equal(*beginning, "=") && count >= 2) {
        *beginning += 1;
        return g_strdup(words[count - 2]);
    }
    if (count >= 3 && g_str_equal(words[count - 2], "="))
        return g_strdup(words[count - 3]);
    return count >= 2 ? g_strdup(words[count - 2]) : NULL;
}

Completion *
completion_decide(const char *help, char *const *words)
{
    guint count = g_strv_length((char **)words);
    const char *beginning = count ? words[count - 1] : "";
    g_auto(GStrv) lines = g_strsplit(help, "\n", -1);
    g_autofree char *option = option_before(words, &beginning);
    Completion *completion = completion_new(beginning);

    if (option && add_value(completion, lines, option))
        return completion;
    if (*beginning == '-')
        add_options(completion, lines);
    else
        add_operands(completion, help);
    return completion;
}

Completion *
completion_of_verbs(const char *help, const char *beginning)
{
    Completion *completion = completion_new(beginning);
    g_auto(GStrv) lines = g_strsplit(help, "\n", -1);
    gboolean listed = FALSE;

    for (char **line = lines; *line; line++) {
        gsize length = strcspn(*line + MIN(strlen(*line), 2), " ");

        if (listed && !g_str_has_prefix(*line, "  "))
            break;
        if (listed) {
            const char *description = *line + 2 + length;
            g_autofree char *verb = g_strndup(*line + 2, length);
            g_ptr_array_add(completion->literals,
                            g_strconcat(verb, "\t", description + strspn(description, " "), NULL));
        }
        listed = listed || g_str_equal(*line, "Verbs:");
    }
    return completion;
}
