/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the translation of a command line into the members of a request to migrate. */
#include "common/cli/move_options.h"

#include <string.h>

#include "common/fault.h"
#include "common/policy.h"

#define XML_BYTES_MAX (256 * 1024) /* two of them fit into one message */

void
move_options_clear(MoveOptions *options)
{
    g_free(options->disks);
    g_free(options->xml);
    g_free(options->persistent_xml);
    g_free(options->bandwidth);
    g_free(options->downtime);
    g_free(options->connections);
    g_free(options->compression);
    g_free(options->timeout);
    g_strfreev(options->disk_paths);
    g_strfreev(options->networks);
    g_strfreev(options->policy);
}

static size_t
count_entries(const GOptionEntry *entries)
{
    size_t count = 0;

    while (entries[count].long_name)
        count++;
    return count;
}

GOptionEntry *
move_options_entries(MoveOptions *options, const GOptionEntry *first)
{
    const GOptionEntry own[] = {
        { "offline", 0, 0, G_OPTION_ARG_NONE, &options->offline,
          "move a guest that is shut off: its definition, and disks that are not shared", NULL },
        { "verify", 0, 0, G_OPTION_ARG_NONE, &options->verify,
          "with --offline: read the copied disks again, and compare", NULL },
        { "non-live", 0, 0, G_OPTION_ARG_NONE, &options->non_live,
          "the guest stands still during the move", NULL },
        { "persistent", 0, 0, G_OPTION_ARG_NONE, &options->persistent,
          "define the guest there (default: if it is defined here)", NULL },
        { "undefinesource", 0, 0, G_OPTION_ARG_NONE, &options->undefine_source,
          "undefine the guest here (default: if it is defined here)", NULL },
        { "transient", 0, 0, G_OPTION_ARG_NONE, &options->transient,
          "neither define it there nor undefine it here", NULL },
        { "keep-definition", 0, 0, G_OPTION_ARG_NONE, &options->keep_definition,
          "do not undefine it here", NULL },
        { "migrate-disks", 0, 0, G_OPTION_ARG_STRING, &options->disks,
          "copy these, and no others (default: all that are not shared)", "vda,..." },
        { "copy-storage-inc", 0, 0, G_OPTION_ARG_NONE, &options->incremental,
          "copy only the tops of backing chains", NULL },
        { "disk", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->disk_paths,
          "copy this disk to another path there; may be given several times", "vda=PATH" },
        { "network", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->networks,
          "put vNICs of this network (or bridge) into another one there", "OLD=NEW" },
        { "xml", 0, 0, G_OPTION_ARG_FILENAME, &options->xml,
          "what the guest is to be there; paths of copied disks, too", "FILE" },
        { "persistent-xml", 0, 0, G_OPTION_ARG_FILENAME, &options->persistent_xml,
          "what it is to be after its next start", "FILE" },
        { "bandwidth", 0, 0, G_OPTION_ARG_STRING, &options->bandwidth, "at most this much",
          "MiB/s" },
        { "max-downtime", 0, 0, G_OPTION_ARG_STRING, &options->downtime,
          "how long the guest may stand still", "MS" },
        { "parallel-connections", 0, 0, G_OPTION_ARG_STRING, &options->connections,
          "send memory over so many (0: one per 10 Gbit/s)", "N" },
        { "comp-methods", 0, 0, G_OPTION_ARG_STRING, &options->compression,
          "compress memory: xbzrle or zstd", "METHOD" },
        { "auto-converge", 0, 0, G_OPTION_ARG_NONE, &options->auto_converge,
          "slow the guest down if it writes faster than can be sent", NULL },
        { "timeout", 0, 0, G_OPTION_ARG_STRING, &options->timeout,
          "how long memory may be sent before one of these:", "S" },
        { "timeout-suspend", 0, 0, G_OPTION_ARG_NONE, &options->suspend,
          "stop the guest until it has arrived", NULL },
        { "timeout-postcopy", 0, 0, G_OPTION_ARG_NONE, &options->postcopy,
          "let it run there and fetch what is missing", NULL },
        { "timeout-abort", 0, 0, G_OPTION_ARG_NONE, &options->abort, "leave it here", NULL },
        { "tls", 0, 0, G_OPTION_ARG_NONE, &options->tls, "encrypt with QEMU's certificates", NULL },
        { "tunnelled", 0, 0, G_OPTION_ARG_NONE, &options->tunnelled,
          "send all through libvirt's connection", NULL },
        { "unsafe", 0, 0, G_OPTION_ARG_NONE, &options->unsafe,
          "go on although libvirt takes disks for not shared", NULL },
        { "remove-source-disks", 0, 0, G_OPTION_ARG_NONE, &options->remove_source_disks,
          "remove the images here that were copied", NULL },
        { "policy", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->policy,
          "for this move; see 'migprep policy GUEST'; may be given several times", "NAME=VALUE" },
        { 0 },
    };
    size_t before = count_entries(first);
    GOptionEntry *all = g_new0(GOptionEntry, before + G_N_ELEMENTS(own));

    memcpy(all, first, before * sizeof *all);
    memcpy(all + before, own, sizeof own);
    return all;
}

static gboolean
refuse(const char *option, const char *mistake, GError **error)
{
    g_autofree char *object = g_strdup_printf("option --%s", option);

    fault_set(error, FAULT_INVALID_ARGUMENT, object, "see 'migprep migrate --help'", "%s", mistake);
    return FALSE;
}

/* @text NULL: not said. */
static gboolean
add_policy(json_t *request, PolicyKey key, const char *option, const char *text, GError **error)
{
    g_autofree char *mistake = NULL;
    guint64 value;

    if (!text)
        return TRUE;
    if (!policy_parse(key, POLICY_LEVEL_REQUEST, text, &value, &mistake))
        return refuse(option, mistake, error);
    json_object_set_new(request, policy_key_member(key), policy_value_to_json(key, value));
    return TRUE;
}

static gboolean
add_named_policy(json_t *request, const char *assignment, GError **error)
{
    const char *value = strchr(assignment, '=');
    g_autofree char *name =
        value ? g_strndup(assignment, (gsize)(value - assignment)) : g_strdup(assignment);
    PolicyKey key;

    if (!value || !policy_key_from_name(name, &key))
        return refuse("policy", "it takes NAME=VALUE with a name of 'migprep policy GUEST'", error);
    if (!policy_key_member(key))
        return refuse("policy", "that is not about how one guest is migrated", error);
    return add_policy(request, key, "policy", value + 1, error);
}

static gboolean
add_policies(const MoveOptions *options, json_t *request, GError **error)
{
    const char *action = options->suspend    ? "suspend"
                         : options->postcopy ? "postcopy"
                         : options->abort    ? "abort"
                                             : NULL;

    for (char **assignment = options->policy; assignment && *assignment; assignment++) {
        if (!add_named_policy(request, *assignment, error))
            return FALSE;
    }
    return add_policy(request, POLICY_BANDWIDTH, "bandwidth", options->bandwidth, error) &&
           add_policy(request, POLICY_MAX_DOWNTIME, "max-downtime", options->downtime, error) &&
           add_policy(request, POLICY_PARALLEL, "parallel-connections", options->connections,
                      error) &&
           add_policy(request, POLICY_COMPRESSION, "comp-methods", options->compression, error) &&
           add_policy(request, POLICY_TIMEOUT, "timeout", options->timeout, error) &&
           add_policy(request, POLICY_ON_TIMEOUT, "timeout-...", action, error) &&
           add_policy(request, POLICY_AUTO_CONVERGE, "auto-converge",
                      options->auto_converge ? "yes" : NULL, error) &&
           add_policy(request, POLICY_TLS, "tls", options->tls ? "yes" : NULL, error);
}

/* What says the opposite of each other, or more than one of what can be only one. */
static gboolean
check_alternatives(const MoveOptions *options, GError **error)
{
    if (options->suspend + options->postcopy + options->abort > 1)
        return refuse("timeout-...", "only one thing can be done after the timeout", error);
    if (options->offline && options->non_live)
        return refuse("non-live", "a guest that is moved --offline does not run", error);
    if (options->offline && options->incremental)
        return refuse("copy-storage-inc", "a guest that is moved --offline has whole images copied",
                      error);
    if (options->offline && options->tunnelled)
        return refuse("tunnelled", "a guest that is moved --offline has no memory to send", error);
    if (options->verify && !options->offline)
        return refuse("verify", "only disks that are copied --offline stand still to be compared",
                      error);
    if (options->transient && (options->persistent || options->undefine_source))
        return refuse("transient", "it is the opposite of --persistent and --undefinesource",
                      error);
    if (options->keep_definition && options->undefine_source)
        return refuse("keep-definition", "it is the opposite of --undefinesource", error);
    return TRUE;
}

static void
add_switches(const MoveOptions *options, json_t *request)
{
    const struct {
        gboolean said;
        const char *member;
        gboolean value;
    } switches[] = {
        { options->persistent, "persistent", TRUE },
        { options->transient, "persistent", FALSE },
        { options->undefine_source, "undefineSource", TRUE },
        { options->transient || options->keep_definition, "undefineSource", FALSE },
        { options->incremental, "incremental", TRUE },
        { options->tunnelled, "tunnelled", TRUE },
        { options->unsafe, "unsafe", TRUE },
        { options->remove_source_disks, "removeSourceDisks", TRUE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(switches); i++) {
        if (switches[i].said)
            json_object_set_new(request, switches[i].member, json_boolean(switches[i].value));
    }
    if (options->offline || options->non_live)
        json_object_set_new(request, "mode",
                            json_string(options->offline ? "offline" : "suspended"));
}

static gboolean
add_file(json_t *request, const char *option, const char *member, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) failure = NULL;
    gsize size;

    if (!path)
        return TRUE;
    if (!g_file_get_contents(path, &text, &size, &failure))
        return refuse(option, failure->message, error);
    if (size > XML_BYTES_MAX || !g_utf8_validate(text, (gssize)size, NULL))
        return refuse(option, "the file is too large, or no text in UTF-8", error);
    json_object_set_new(request, member, json_stringn(text, size));
    return TRUE;
}

/* "FROM=TO" of @texts (NULL: none), as records with @names in @member. */
static gboolean
add_pairs(json_t *request, const char *option, const char *member, const char *const names[2],
          char **texts, GError **error)
{
    json_auto_t *records = json_array();

    for (char **text = texts; text && *text; text++) {
        const char *to = strchr(*text, '=');

        if (!to || to == *text || !to[1])
            return refuse(option, "it takes OLD=NEW", error);
        json_array_append_new(records, json_pack("{s:o, s:s}", names[0],
                                                 json_stringn(*text, (size_t)(to - *text)),
                                                 names[1], to + 1));
    }
    if (json_array_size(records) > 0)
        json_object_set(request, member, records);
    return TRUE;
}

static gboolean
add_changes(const MoveOptions *options, json_t *request, GError **error)
{
    static const char *const disk[] = { "target", "path" }, *const network[] = { "from", "to" };

    if ((options->disk_paths || options->networks) && (options->xml || options->persistent_xml))
        return refuse("xml", "it says itself what --disk and --network would change", error);
    return add_pairs(request, "disk", "diskPaths", disk, options->disk_paths, error) &&
           add_pairs(request, "network", "networks", network, options->networks, error);
}

json_t *
move_options_to_request(const MoveOptions *options, GError **error)
{
    json_auto_t *request = json_object();

    if (!check_alternatives(options, error) || !add_policies(options, request, error) ||
        !add_changes(options, request, error) ||
        !add_file(request, "xml", "destinationXml", options->xml, error) ||
        !add_file(request, "persistent-xml", "persistentXml", options->persistent_xml, error))
        return NULL;
    add_switches(options, request);
    return json_incref(request);
}

char **
move_options_disks(const MoveOptions *options)
{
    return options->disks ? g_strsplit(options->disks, ",", -1) : NULL;
}
