/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes the record of a bond's files. */
#include "netprep/guest/persistence_record.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netprep/guest/config_changes.h"
#include "netprep/guest/config_file.h"

static void
print_path(const char *bond, char *path)
{
    snprintf(path, PATH_MAX, "/var/lib/netprep-guest/%s.json", bond);
}

json_t *
persistence_record_read(const char *root, const char *bond)
{
    char path[PATH_MAX];

    print_path(bond, path);
    char *text = config_file_read(root, path);
    json_t *record = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    free(text);
    if (json_is_array(json_object_get(record, "files")) &&
        json_is_string(json_object_get(record, "system")))
        return record;
    json_decref(record);
    return NULL;
}

bool
persistence_record_write(const char *root, const char *bond, const char *system, json_t *files,
                         Failure *failure)
{
    char path[PATH_MAX];
    json_t *record = json_pack("{s:s, s:s, s:O}", "bond", bond, "system", system, "files", files);
    char *text = json_dumps(record, JSON_INDENT(2));
    bool written = false;

    print_path(bond, path);
    if (text)
        written = config_changes_write(root, path, text, 0600, true, failure);
    else
        failure_set(failure, "%s cannot be written: out of memory", path);
    free(text);
    json_decref(record);
    return written;
}

void
persistence_record_delete(const char *root, const char *bond)
{
    char path[PATH_MAX], full[PATH_MAX];

    print_path(bond, path);
    if (config_file_join(root, path, full))
        unlink(full);
}
