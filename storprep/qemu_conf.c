/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the reading of libvirt's configuration of QEMU. */
#include "storprep/qemu_conf.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "common/fault.h"

void
qemu_conf_clear(QemuConf *conf)
{
    g_clear_pointer(&conf->user, g_free);
    g_clear_pointer(&conf->group, g_free);
    g_clear_pointer(&conf->shared_filesystems, g_strfreev);
}

/* The quoted string at @text, or NULL; *ret_end is behind it. */
static char *
read_string(const char *text, const char **ret_end)
{
    char quote = *text;
    const char *end = quote == '"' || quote == '\'' ? strchr(text + 1, quote) : NULL;

    if (!end)
        return NULL;
    *ret_end = end + 1;
    return g_strndup(text + 1, (gsize)(end - text - 1));
}

/* All strings from @text to the end of the list or, without one, the first. */
static char **
read_strings(const char *text)
{
    GPtrArray *strings = g_ptr_array_new();
    gboolean is_list = *text == '[';

    for (text += is_list; *text; text += strspn(text, ", \t\n")) {
        char *string = read_string(text, &text);

        if (string)
            g_ptr_array_add(strings, string);
        else if (*text == '#')
            text += strcspn(text, "\n");
        else if (!strchr(", \t\n", *text))
            break;
        if (string && !is_list)
            break;
    }
    g_ptr_array_add(strings, NULL);
    return (char **)g_ptr_array_free(strings, FALSE);
}

/* The values of the setting @name; empty if it is not set. */
static char **
read_setting(const char *text, const char *name)
{
    g_autofree char *pattern = g_strdup_printf("^[ \t]*%s[ \t]*=[ \t]*", name);
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    int end = 0;

    if (!g_regex_match(regex, text, 0, &match))
        return g_new0(char *, 1);
    g_match_info_fetch_pos(match, 0, NULL, &end);
    return read_strings(text + end);
}

static char *
read_one(const char *text, const char *name)
{
    g_auto(GStrv) values = read_setting(text, name);

    return g_strdup(values[0]);
}

/* A port's number; @standard if it is not set, or none. */
static guint16
read_port(const char *text, const char *name, guint16 standard)
{
    g_autofree char *pattern = g_strdup_printf("^[ \t]*%s[ \t]*=[ \t]*([0-9]{1,5})", name);
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    if (!g_regex_match(regex, text, 0, &match))
        return standard;
    g_autofree char *number = g_match_info_fetch(match, 1);
    guint64 port = g_ascii_strtoull(number, NULL, 10);
    return port > 0 && port <= G_MAXUINT16 ? (guint16)port : standard;
}

static void
read_ports(const char *text, QemuConf *conf)
{
    conf->first_port = read_port(text, "migration_port_min", QEMU_CONF_FIRST_PORT);
    conf->last_port = read_port(text, "migration_port_max", QEMU_CONF_LAST_PORT);
    if (conf->first_port <= conf->last_port)
        return;
    conf->first_port = QEMU_CONF_FIRST_PORT;
    conf->last_port = QEMU_CONF_LAST_PORT;
}

void
qemu_conf_read(const char *path, QemuConf *ret_conf)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !g_utf8_validate(text, -1, NULL)) {
        g_free(text);
        text = g_strdup("");
    }
    ret_conf->user = read_one(text, "user");
    ret_conf->group = read_one(text, "group");
    ret_conf->shared_filesystems = read_setting(text, "shared_filesystems");
    ret_conf->owner_kept =
        g_regex_match_simple("^[ \t]*dynamic_ownership[ \t]*=[ \t]*0", text, G_REGEX_MULTILINE, 0);
    read_ports(text, ret_conf);
}

/* libvirt takes "+107" for a number whatever users there are. */
static gboolean
read_id(const char *name, guint64 *ret_id)
{
    return g_ascii_string_to_unsigned(name + (*name == '+'), 10, 0, G_MAXUINT32 - 1, ret_id, NULL);
}

static gboolean
find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;
    guint64 id;

    getpwnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (found) {
        *ret_uid = found->pw_uid;
        *ret_gid = found->pw_gid;
        return TRUE;
    }
    if (!read_id(name, &id))
        return FALSE;
    *ret_uid = (uid_t)id;
    *ret_gid = (gid_t)id;
    return TRUE;
}

static gboolean
find_group(const char *name, gid_t *ret_gid)
{
    char buffer[4096];
    struct group entry, *found = NULL;
    guint64 id;

    getgrnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (found)
        *ret_gid = found->gr_gid;
    else if (read_id(name, &id))
        *ret_gid = (gid_t)id;
    else
        return FALSE;
    return TRUE;
}

static gboolean
refuse(GError **error, const char *what)
{
    fault_set(error, FAULT_SHARE_REFUSED, "user of QEMU",
              "correct user= and group= in " QEMU_CONF_PATH, "this host knows no such %s", what);
    return FALSE;
}

gboolean
qemu_conf_ids(const QemuConf *conf, uid_t *ret_uid, gid_t *ret_gid, GError **error)
{
    const char *const users[] = { conf->user ? conf->user : "libvirt-qemu",
                                  conf->user ? NULL : "qemu", NULL };
    uid_t uid = 0;
    gid_t gid = 0;
    const char *found = NULL;

    for (size_t i = 0; users[i] && !found; i++) {
        if (find_user(users[i], &uid, &gid))
            found = users[i];
    }
    if (!found)
        return refuse(error, "user");
    if (conf->group && !find_group(conf->group, &gid))
        return refuse(error, "group");
    /* libvirt's default is the group of the user's name, which need not be its primary one. */
    if (!conf->group)
        find_group(found, &gid);
    *ret_uid = uid;
    *ret_gid = gid;
    return TRUE;
}

gboolean
qemu_conf_is_shared(const QemuConf *conf, const char *path)
{
    for (char **directory = conf->shared_filesystems; directory && *directory; directory++) {
        size_t length = strlen(*directory);

        while (length > 1 && (*directory)[length - 1] == '/')
            length--;
        if (strncmp(path, *directory, length) == 0 && (path[length] == '/' || length == 1))
            return TRUE;
    }
    return FALSE;
}
