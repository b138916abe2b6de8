/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/faulty_disk.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#define ALIGNMENT 16

/* What became of a file since it was synced. */
typedef struct {
    gsize offset;
    GBytes *bytes; /* NULL: it was cut off at the offset */
} Change;

typedef struct {
    GByteArray *synced;
    GPtrArray *changes; /* of Change * */
} Record;

struct FaultyDisk {
    char *path;
    Injector *injector;
    GMutex lock;
    GHashTable *files; /* path -> Record * */
};

/* Lies behind the real VFS's own file. */
typedef struct {
    sqlite3_io_methods methods; /* the real ones but for those that change the file */
    const sqlite3_io_methods *real;
    FaultyDisk *disk;
    Record *record;
} Extra;

/* SQLite knows VFSs by process. */
static GMutex disks_lock;
static GPtrArray *disks; /* of FaultyDisk *, with the lock */
static sqlite3_vfs shim;

static sqlite3_vfs *
real_vfs(void)
{
    return shim.pAppData;
}

static gsize
extra_offset(void)
{
    return ((gsize)real_vfs()->szOsFile + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static Extra *
extra_of(sqlite3_file *file)
{
    return (void *)((char *)file + extra_offset());
}

static void
change_free(void *data)
{
    Change *change = data;

    if (change->bytes)
        g_bytes_unref(change->bytes);
    g_free(change);
}

static Record *
record_new(const char *path)
{
    Record *record = g_new0(Record, 1);
    g_autofree char *content = NULL;
    gsize length = 0;

    record->synced = g_byte_array_new();
    record->changes = g_ptr_array_new_with_free_func(change_free);
    if (g_file_get_contents(path, &content, &length, NULL))
        g_byte_array_append(record->synced, (const guint8 *)content, (guint)length);
    return record;
}

static void
record_free(void *data)
{
    Record *record = data;

    g_byte_array_unref(record->synced);
    g_ptr_array_unref(record->changes);
    g_free(record);
}

/* @length: how much of the change is done. */
static void
apply(GByteArray *content, const Change *change, gsize length)
{
    gsize old = content->len, end = change->offset + length;

    if (!change->bytes) {
        g_byte_array_set_size(content, (guint)change->offset);
        return;
    }
    if (end > old) {
        g_byte_array_set_size(content, (guint)end);
        memset(content->data + old, 0, end - old);
    }
    if (length > 0)
        memcpy(content->data + change->offset, g_bytes_get_data(change->bytes, NULL), length);
}

static gsize
change_length(const Change *change)
{
    return change->bytes ? g_bytes_get_size(change->bytes) : 0;
}

static void
note(const Extra *extra, gsize offset, const void *bytes, gsize length)
{
    Change *change = g_new0(Change, 1);

    change->offset = offset;
    change->bytes = bytes ? g_bytes_new(bytes, length) : NULL;
    g_mutex_lock(&extra->disk->lock);
    g_ptr_array_add(extra->record->changes, change);
    g_mutex_unlock(&extra->disk->lock);
}

static void
settle(const Extra *extra)
{
    Record *record = extra->record;

    g_mutex_lock(&extra->disk->lock);
    for (guint i = 0; i < record->changes->len; i++)
        apply(record->synced, record->changes->pdata[i], change_length(record->changes->pdata[i]));
    g_ptr_array_set_size(record->changes, 0);
    g_mutex_unlock(&extra->disk->lock);
}

/* As SQLite's own VFS would tell it. */
static int
write_error(int number)
{
    return number == ENOSPC   ? SQLITE_FULL
           : number == ENOMEM ? SQLITE_IOERR_NOMEM
                              : SQLITE_IOERR_WRITE;
}

static int
faulty_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset)
{
    const Extra *extra = extra_of(file);
    int number;
    Deed deed = injector_pass(extra->disk->injector, POINT_WRITE, &number);
    int done = deed == DEED_FAILS ? 0 : deed == DEED_HALF ? length / 2 : length;

    if (done > 0) {
        int code = extra->real->xWrite(file, bytes, done, offset);

        if (code != SQLITE_OK)
            return code;
        note(extra, (gsize)offset, bytes, (gsize)done);
    }
    return deed == DEED_DONE ? SQLITE_OK : write_error(number);
}

static int
faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    const Extra *extra = extra_of(file);
    int number;
    Deed deed = injector_pass(extra->disk->injector, POINT_SYNC, &number);

    if (deed != DEED_FAILS) {
        int code = extra->real->xTruncate(file, size);

        if (code != SQLITE_OK)
            return code;
        note(extra, (gsize)size, NULL, 0);
    }
    return deed == DEED_DONE ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

/* The real file needs no sync: its power is never cut. */
static int
faulty_sync(sqlite3_file *file, int flags)
{
    const Extra *extra = extra_of(file);
    int number;
    Deed deed = injector_pass(extra->disk->injector, POINT_SYNC, &number);

    if (deed != DEED_FAILS)
        settle(extra);
    return deed == DEED_DONE ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static FaultyDisk *
find_disk(const char *path)
{
    FaultyDisk *found = NULL;

    g_mutex_lock(&disks_lock);
    for (guint i = 0; path && i < disks->len && !found; i++) {
        FaultyDisk *disk = disks->pdata[i];

        if (g_str_has_prefix(path, disk->path))
            found = disk;
    }
    g_mutex_unlock(&disks_lock);
    return found;
}

static Record *
find_record(FaultyDisk *disk, const char *path)
{
    g_mutex_lock(&disk->lock);
    Record *record = g_hash_table_lookup(disk->files, path);
    if (!record) {
        record = record_new(path);
        g_hash_table_insert(disk->files, g_strdup(path), record);
    }
    g_mutex_unlock(&disk->lock);
    return record;
}

static int
shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret_flags)
{
    FaultyDisk *disk = find_disk(path);
    Record *record = disk ? find_record(disk, path) : NULL;
    int code = real_vfs()->xOpen(real_vfs(), path, file, flags, ret_flags);

    if (code != SQLITE_OK || !disk)
        return code;
    Extra *extra = extra_of(file);
    *extra = (Extra) { *file->pMethods, file->pMethods, disk, record };
    extra->methods.iVersion = 2; /* nothing is written through maps */
    extra->methods.xWrite = faulty_write;
    extra->methods.xTruncate = faulty_truncate;
    extra->methods.xSync = faulty_sync;
    file->pMethods = &extra->methods;
    return SQLITE_OK;
}

static int
shim_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
    FaultyDisk *disk = find_disk(path);
    int number;
    Deed deed = disk ? injector_pass(disk->injector, POINT_SYNC, &number) : DEED_DONE;

    if (deed != DEED_FAILS) {
        int code = real_vfs()->xDelete(real_vfs(), path, sync_directory);

        if (code != SQLITE_OK || !disk)
            return code;
        g_mutex_lock(&disk->lock);
        g_hash_table_remove(disk->files, path);
        g_mutex_unlock(&disk->lock);
    }
    return deed == DEED_DONE ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

static void
install(void)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);

    disks = g_ptr_array_new();
    shim = *real;
    shim.zName = "faulty";
    shim.pAppData = real;
    shim.szOsFile = (int)(extra_offset() + sizeof(Extra));
    shim.xOpen = shim_open;
    shim.xDelete = shim_delete;
    g_assert_cmpint(sqlite3_vfs_register(&shim, TRUE), ==, SQLITE_OK);
}

FaultyDisk *
faulty_disk_new(const char *path, Injector *injector)
{
    FaultyDisk *disk = g_new0(FaultyDisk, 1);

    g_mutex_init(&disk->lock);
    disk->path = g_strdup(path);
    disk->injector = injector;
    disk->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, record_free);
    g_mutex_lock(&disks_lock);
    if (!disks)
        install();
    g_ptr_array_add(disks, disk);
    g_mutex_unlock(&disks_lock);
    return disk;
}

void
faulty_disk_free(FaultyDisk *disk)
{
    g_mutex_lock(&disks_lock);
    g_ptr_array_remove(disks, disk);
    g_mutex_unlock(&disks_lock);
    g_hash_table_unref(disk->files);
    g_mutex_clear(&disk->lock);
    g_free(disk->path);
    g_free(disk);
}

typedef enum { LOSE_ALL, LOSE_NOTHING, LOSE_SOME, LOSSES = LOSE_SOME + 2 } Loss;

/* How much of @change reached the disk; -1: it was never there. */
static gssize
surviving_length(const Change *change, int loss, GRand *random)
{
    gsize length = change_length(change);

    if (loss == LOSE_NOTHING)
        return (gssize)length;
    if (loss == LOSE_ALL || g_rand_int_range(random, 0, 3) == 0)
        return -1;
    return g_rand_boolean(random) || length == 0
               ? (gssize)length
               : (gssize)g_rand_int_range(random, 0, (gint32)length);
}

static void
cut(const char *path, Record *record, int loss, GRand *random)
{
    for (guint i = 0; i < record->changes->len; i++) {
        const Change *change = record->changes->pdata[i];
        gssize length = surviving_length(change, loss, random);

        if (length >= 0)
            apply(record->synced, change, (gsize)length);
    }
    g_ptr_array_set_size(record->changes, 0);
    g_assert_true(
        g_file_set_contents(path, (const char *)record->synced->data, record->synced->len, NULL));
}

void
faulty_disk_cut(FaultyDisk *disk, GRand *random)
{
    int loss = g_rand_int_range(random, 0, LOSSES);
    GHashTableIter iter;
    void *path, *record;

    g_mutex_lock(&disk->lock);
    g_hash_table_iter_init(&iter, disk->files);
    while (g_hash_table_iter_next(&iter, &path, &record))
        cut(path, record, loss, random);
    g_mutex_unlock(&disk->lock);
}
