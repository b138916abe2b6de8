/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What administrators write: migprep.conf, qemu.conf, the value of a policy, sets of processors;
 * and what a guest's administrator wrote for its network. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/number_set.h"
#include "common/printable.h"
#include "fuzz.h"
#include "netprep/guest/ini.h"
#include "netprep/guest/stanza.h"
#include "storprep/guest_place.h"
#include "storprep/qemu_conf.h"

static void
read_files(const uint8_t *data, size_t size)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("fuzz-XXXXXX", &path, NULL);
    g_auto(QemuConf) conf = { 0 };
    g_autoptr(GError) error = NULL;

    FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    g_autoptr(Config) config = config_load(path, &error);
    FUZZ_ASSERT(!config == !!error);
    if (config) {
        config_cluster(config);
        FUZZ_ASSERT(config->migrations_at_once >= 1 && config->migrations_at_once <= 64);
        FUZZ_ASSERT(config->unplug_seconds >= 1 && config->unplug_seconds <= 600);
    }
    qemu_conf_read(path, &conf);
    FUZZ_ASSERT(conf.first_port <= conf.last_port);
    qemu_conf_is_shared(&conf, "/srv/images/a");
    g_unlink(path);
}

/* What is printed is read as the same value. */
static void
read_policy(const char *text)
{
    for (unsigned key = 0; key < POLICY_KEYS; key++) {
        g_autofree char *mistake = NULL;
        guint64 value = 0, again = 0;

        if (!policy_parse(key, POLICY_LEVEL_GUEST, text, &value, &mistake)) {
            FUZZ_ASSERT(mistake);
            continue;
        }
        g_autofree char *printed = policy_print(key, value);
        FUZZ_ASSERT(policy_parse(key, POLICY_LEVEL_GUEST, printed, &again, &mistake));
        FUZZ_ASSERT(value == again);
    }
}

static void
read_words(const char *text)
{
    g_autoptr(GHashTable) none = g_hash_table_new(NULL, NULL);
    g_autofree char *line = printable_line(text, 100);
    g_auto(GStrv) lines = printable_lines(text, 1000, 8);
    int missing = 0;

    FUZZ_ASSERT(strlen(line) <= 3 * 100 && g_utf8_validate(line, -1, NULL) && !strchr(line, '\n'));
    FUZZ_ASSERT(g_strv_length(lines) <= 8 + 1);
    if (number_set_find_missing(text, none, &missing))
        FUZZ_ASSERT(missing >= 0 && missing <= NUMBER_SET_MAX);
    for (unsigned key = 0; key < GUEST_PLACE_KEYS; key++) {
        g_autofree char *mistake = NULL;
        const gboolean fits = guest_place_check(key, text, &mistake);
        FUZZ_ASSERT(fits == !mistake);
    }
}

static void
read_guest_files(const char *text)
{
    static const char *const devices[] = { "eth0", "eth1", NULL };
    static const char *const named[] = { "connection", "Match", NULL };
    Ini ini = ini_parse(strdup(text));
    Stanzas stanzas = { 0 };
    char *copy = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&copy, &size);

    ini_write(&ini, out, named, true);
    ini_write(&ini, out, named, false);
    ini_get(&ini, "connection", "id");
    fclose(out);
    free(copy);
    ini_clear(&ini);
    if (stanzas_take(text, devices, &stanzas)) {
        FUZZ_ASSERT(stanzas.count <= STANZAS_MAX);
        FUZZ_ASSERT(!stanzas_have(stanzas.rest, "eth0"));
        stanzas_clear(&stanzas);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);

    read_files(data, size);
    read_policy(text);
    read_words(text);
    read_guest_files(text);
    return 0;
}
