/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/host_state.h"

#include <string.h>

#include "common/limits.h"
#include "storprep/qemu_conf.h"

/* The value of @name in lines NAME=value or NAME="value"; NULL if there is none. */
static char *
find_value(const char *text, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gsize length = strlen(name);

    for (char **line = lines; *line; line++) {
        if (strncmp(*line, name, length) == 0 && (*line)[length] == '=') {
            g_autofree char *value = g_shell_unquote(*line + length + 1, NULL);
            return value && strlen(value) < LIMIT_NAME_BYTES / 2 ? g_steal_pointer(&value) : NULL;
        }
    }
    return NULL;
}

char *
host_state_system(const char *root)
{
    g_autofree char *path = g_strconcat(root, "/etc/os-release", NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    g_autofree char *id = find_value(text, "ID");
    g_autofree char *version = find_value(text, "VERSION_ID");
    return id ? g_strdup_printf("%s %s", id, version ? version : "0") : NULL;
}

char *
host_state_selinux(const char *root)
{
    g_autofree char *path = g_strconcat(root, "/sys/fs/selinux/enforce", NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return g_strdup("off");
    return g_strdup(*text == '1' ? "enforcing" : "permissive");
}

gint64
host_state_clock_msec(void)
{
    return g_get_real_time() / 1000;
}

/* NULL if it cannot be read, or does not fit beside another one. */
static char *
read_line(const char *root, const char *name)
{
    g_autofree char *path = g_strconcat(root, name, NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    g_strstrip(text);
    return *text && strlen(text) < LIMIT_NAME_BYTES / 3 ? g_utf8_make_valid(text, -1) : NULL;
}

char *
host_state_firmware(const char *root)
{
    g_autofree char *bios = read_line(root, "/sys/class/dmi/id/bios_version");
    g_autofree char *microcode = read_line(root, "/sys/devices/system/cpu/cpu0/microcode/version");

    if (!bios && !microcode)
        return NULL;
    return g_strdup_printf("BIOS %s, microcode %s", bios ? bios : "-", microcode ? microcode : "-");
}

json_t *
host_state_facts(const char *root, const char *host_name, const char *cluster)
{
    g_autofree char *system = host_state_system(root);
    g_autofree char *selinux = host_state_selinux(root);
    g_autofree char *firmware = host_state_firmware(root);
    g_autofree char *conf_path = g_strconcat(root, QEMU_CONF_PATH, NULL);
    g_auto(QemuConf) conf = { 0 };
    uid_t uid;
    gid_t gid;
    json_t *facts = json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:I}", "hostName", host_name, "system",
                              system, "firmware", firmware, "cluster", cluster, "selinux", selinux,
                              "clockMilliseconds", (json_int_t)host_state_clock_msec());

    qemu_conf_read(conf_path, &conf);
    json_object_set_new(facts, "firstMigrationPort", json_integer(conf.first_port));
    json_object_set_new(facts, "lastMigrationPort", json_integer(conf.last_port));
    if (qemu_conf_ids(&conf, &uid, &gid, NULL))
        json_object_set_new(facts, "qemuUser", json_integer(uid));
    return facts;
}
