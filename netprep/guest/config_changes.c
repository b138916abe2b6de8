/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes and undoes changes to configuration files. */
#include "netprep/guest/config_changes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netprep/guest/config_file.h"

#define HASH_TEXT_SIZE 17

static bool
add(ConfigChanges *changes, const char *path, char *content, unsigned mode, bool replaces,
    Failure *failure)
{
    char *copy = strdup(path);

    if (!copy || changes->count == CONFIG_CHANGES_MAX) {
        failure_set(failure, "%s cannot be changed, too: %s", path,
                    copy ? "too many files" : strerror(ENOMEM));
        free(copy);
        free(content);
        return false;
    }
    changes->items[changes->count++] =
        (ConfigChange) { .path = copy, .content = content, .mode = mode, .replaces = replaces };
    return true;
}

bool
config_changes_create(ConfigChanges *changes, const char *path, char *content, unsigned mode,
                      Failure *failure)
{
    if (content)
        return add(changes, path, content, mode, false, failure);
    failure_set(failure, "%s cannot be written: %s", path, strerror(ENOMEM));
    return false;
}

bool
config_changes_replace(ConfigChanges *changes, const char *path, char *content, Failure *failure)
{
    for (size_t i = 0; i < changes->count; i++) {
        if (strcmp(changes->items[i].path, path) == 0) {
            free(content);
            return true;
        }
    }
    return add(changes, path, content, 0, true, failure);
}

void
config_changes_clear(ConfigChanges *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        free(changes->items[i].path);
        free(changes->items[i].content);
    }
    *changes = (ConfigChanges) { 0 };
}

/* FNV-1a: it tells a file that was edited from one that was not, no more. */
static void
print_hash(const char *content, char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *content; content++)
        hash = (hash ^ (unsigned char)*content) * UINT64_C(0x100000001b3);
    snprintf(text, HASH_TEXT_SIZE, "%016" PRIx64, hash);
}

/* "/etc/x/.eth0.network.migprep-saved" for "/etc/x/eth0.network". */
static bool
join_beside(const char *path, const char *suffix, char *beside)
{
    const char *name = strrchr(path, '/') + 1;
    int length = snprintf(beside, PATH_MAX, "%.*s.%s%s", (int)(name - path), path, name, suffix);

    return length > 0 && length < PATH_MAX;
}

json_t *
config_changes_record(const ConfigChanges *changes)
{
    json_t *record = json_array();

    for (size_t i = 0; i < changes->count; i++) {
        const ConfigChange *change = &changes->items[i];
        char hash[HASH_TEXT_SIZE], saved[PATH_MAX];

        if (change->content)
            print_hash(change->content, hash);
        join_beside(change->path, ".migprep-saved", saved);
        json_array_append_new(record, json_pack("{s:s, s:s?, s:s?}", "path", change->path, "hash",
                                                change->content ? hash : NULL, "saved",
                                                change->replaces ? saved : NULL));
    }
    return record;
}

static int
sync_directory(const char *full)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof(copy), "%s", full);
    int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = directory < 0 || fsync(directory) < 0 ? -errno : 0;
    if (directory >= 0)
        close(directory);
    return status;
}

static int
make_directories(const char *full)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s", full);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return 0;
}

static int
fill(const char *full, const char *content, unsigned mode)
{
    const size_t length = strlen(content);
    int file = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
    int status = 0;

    if (file < 0)
        return -errno;
    if (fchmod(file, mode) < 0 || write(file, content, length) != (ssize_t)length ||
        fsync(file) < 0)
        status = errno ? -errno : -ENOSPC;
    close(file);
    return status;
}

static int
put(const char *full, const char *temporary, const char *content, unsigned mode, bool replace)
{
    errno = 0;
    int status = make_directories(full);

    if (status == 0)
        status = fill(temporary, content, mode);
    if (status == 0 &&
        renameat2(AT_FDCWD, temporary, AT_FDCWD, full, replace ? 0 : RENAME_NOREPLACE) < 0)
        status = -errno;
    if (status < 0)
        unlink(temporary);
    return status < 0 ? status : sync_directory(full);
}

bool
config_changes_write(const char *root, const char *path, const char *content, unsigned mode,
                     bool replace, Failure *failure)
{
    char full[PATH_MAX], beside[PATH_MAX], temporary[PATH_MAX];
    int status = -ENAMETOOLONG;

    if (config_file_join(root, path, full) && join_beside(path, ".migprep-new", beside) &&
        config_file_join(root, beside, temporary))
        status = put(full, temporary, content, mode, replace);
    if (status < 0)
        failure_set(failure, "%s cannot be written: %s", path,
                    status == -EEXIST ? "somebody else's file is there" : strerror(-status));
    return status == 0;
}

/* The file stays reachable at every moment: saved first, then replaced or removed. */
static int
save(const char *full, const char *saved, unsigned *ret_mode)
{
    struct stat about;

    if (lstat(full, &about) < 0)
        return -errno;
    *ret_mode = about.st_mode & 07777;
    return linkat(AT_FDCWD, full, AT_FDCWD, saved, 0) < 0 ? -errno : sync_directory(full);
}

static bool
replace(const ConfigChange *change, const char *root, Failure *failure)
{
    char full[PATH_MAX], beside[PATH_MAX], saved[PATH_MAX];
    unsigned mode = 0;
    int status = -ENAMETOOLONG;

    if (config_file_join(root, change->path, full) &&
        join_beside(change->path, ".migprep-saved", beside) &&
        config_file_join(root, beside, saved))
        status = save(full, saved, &mode);
    if (status == 0 && change->content)
        return config_changes_write(root, change->path, change->content, mode, true, failure);
    if (status == 0)
        status = unlink(full) < 0 ? -errno : sync_directory(full);
    if (status < 0)
        failure_set(failure, "%s cannot be set aside: %s", change->path, strerror(-status));
    return status == 0;
}

bool
config_changes_apply(const ConfigChanges *changes, const char *root, Failure *failure)
{
    for (size_t i = 0; i < changes->count; i++) {
        const ConfigChange *change = &changes->items[i];

        if (change->replaces ? !replace(change, root, failure)
                             : !config_changes_write(root, change->path, change->content,
                                                     change->mode, false, failure))
            return false;
    }
    return true;
}

/* Whether the file at @path is as it was written. */
static bool
is_unchanged(const char *root, const char *path, const char *hash)
{
    char *content = config_file_read(root, path), now[HASH_TEXT_SIZE];
    bool same = false;

    if (content) {
        print_hash(content, now);
        same = strcmp(now, hash) == 0;
    }
    free(content);
    return same;
}

/* Puts the saved file in the place of ours, or removes ours. */
static int
undo_file(const char *root, const char *path, const char *saved)
{
    char full[PATH_MAX], full_saved[PATH_MAX];

    if (!config_file_join(root, path, full) ||
        !config_file_join(root, saved ? saved : "", full_saved))
        return -ENAMETOOLONG;
    if (saved ? rename(full_saved, full) < 0 : unlink(full) < 0)
        return -errno;
    return sync_directory(full);
}

/* Saving comes first: what was not replaced yet is the saved file itself. */
static bool
is_same_file(const char *root, const char *path, const char *saved)
{
    char full[PATH_MAX], full_saved[PATH_MAX];
    struct stat one, other;

    return config_file_join(root, path, full) && config_file_join(root, saved, full_saved) &&
           lstat(full, &one) == 0 && lstat(full_saved, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static void
leave(const char *path, const char *saved, json_t *instructions)
{
    json_array_append_new(
        instructions,
        json_sprintf("%s was changed since it was written and is left; %s%s", path,
                     saved ? "what it replaced is in " : "remove it if it is not needed",
                     saved ? saved : ""));
}

static bool
undo_one(const json_t *done, const char *root, json_t *instructions, Failure *failure)
{
    const char *path = json_string_value(json_object_get(done, "path"));
    const char *hash = json_string_value(json_object_get(done, "hash"));
    const char *saved = json_string_value(json_object_get(done, "saved"));
    const bool kept = saved && config_file_exists(root, saved);
    int status = 0;

    if (!path || (saved && !kept))
        return true; /* this change was not begun, or is undone already */
    const bool there = config_file_exists(root, path);
    const bool ours = there && hash && is_unchanged(root, path, hash);
    if (kept && is_same_file(root, path, saved))
        status = undo_file(root, saved, NULL);
    else if (ours || (kept && !there))
        status = undo_file(root, path, saved);
    else if (there)
        leave(path, saved, instructions);
    if (status < 0)
        failure_set(failure, "%s cannot be put back: %s", path, strerror(-status));
    return status == 0;
}

bool
config_changes_undo(const json_t *record, const char *root, json_t *instructions, Failure *failure)
{
    bool undone = true;

    for (size_t i = json_array_size(record); i-- > 0;)
        undone = undo_one(json_array_get(record, i), root, instructions, failure) && undone;
    return undone;
}

bool
config_changes_hold(const json_t *record, const char *root)
{
    for (size_t i = 0; i < json_array_size(record); i++) {
        const json_t *done = json_array_get(record, i);
        const char *hash = json_string_value(json_object_get(done, "hash"));
        const char *path = json_string_value(json_object_get(done, "path"));

        if (path && hash && !is_unchanged(root, path, hash))
            return false;
    }
    return true;
}
