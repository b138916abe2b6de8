/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the trial of an export without mounting it: libnfs speaks NFS 4 to the server as root, who
 * makes the images, and as the user that QEMU runs as. */
#include <fcntl.h>
#include <nfsc/libnfs-raw-mount.h>
#include <nfsc/libnfs.h>
#include <string.h>
#include <unistd.h>

#include "storprep/nfs/verbs.h"

#define TIMEOUT_MSEC 5000
#define CONTENT      "migprep"

typedef struct {
    const char *server, *path;
    const char *name;                /* of our file, in the exported directory */
    int uid, gid;                    /* QEMU's */
    const char *placed, *nonce;      /* a probe file to look for; placed is "" for none */
    struct nfs_context *root, *qemu; /* NULL until connected */
    json_t *reply;
} Trial;

typedef struct nfs_context Nfs;
typedef struct nfsfh NfsFile;

static int
write_file(Nfs *nfs, NfsFile *file, const char *text)
{
#ifdef LIBNFS_BUFFER_FIRST /* since libnfs 6 */
    return nfs_write(nfs, file, text, strlen(text));
#else
    return nfs_write(nfs, file, strlen(text), text);
#endif
}

static int
read_file(Nfs *nfs, NfsFile *file, char *buffer, size_t size)
{
#ifdef LIBNFS_BUFFER_FIRST
    return nfs_read(nfs, file, buffer, size);
#else
    return nfs_read(nfs, file, size, buffer);
#endif
}

/* Says in the reply what stopped the trial; the first reason counts. */
static void
note_reason(Trial *trial, const char *what, Nfs *nfs)
{
    const char *text = nfs ? nfs_get_error(nfs) : NULL;
    g_autofree char *reason = g_strdup_printf("%s: %s", what, text ? text : "no reason given");

    if (!json_object_get(trial->reply, "reason"))
        json_object_set_new(trial->reply, "reason", json_string(reason));
}

/* Whether mountd lists the export; a server of NFS 4 alone has none to ask. */
static void
ask_listed(Trial *trial)
{
    struct exportnode *exports = mount_getexports(trial->server);
    gboolean listed = FALSE;

    if (!exports)
        return;
    for (const struct exportnode *entry = exports; entry; entry = entry->ex_next)
        listed |= g_strcmp0(entry->ex_dir, trial->path) == 0;
    mount_free_export_list(exports);
    json_object_set_new(trial->reply, "listed", json_boolean(listed));
}

static Nfs *
connect_as(Trial *trial, const char *who, int uid, int gid)
{
    Nfs *nfs = nfs_init_context();
    g_autofree char *client = g_strdup_printf("%s-%s", trial->name, who);

    if (!nfs)
        return NULL;
    nfs_set_version(nfs, 4);
    nfs4_set_client_name(nfs, client);
    nfs_set_timeout(nfs, TIMEOUT_MSEC);
    nfs_set_uid(nfs, uid);
    nfs_set_gid(nfs, gid);
    if (nfs_mount(nfs, trial->server, trial->path) == 0)
        return nfs;
    note_reason(trial, "cannot reach the export", nfs);
    nfs_destroy_context(nfs);
    return NULL;
}

static void
note_free_space(Trial *trial)
{
    struct nfs_statvfs_64 space;

    if (nfs_statvfs64(trial->root, "/", &space) != 0)
        return;
    uint64_t free_bytes = space.f_bavail * space.f_frsize;
    json_object_set_new(trial->reply, "freeBytes", json_integer((json_int_t)free_bytes));
}

/* Who owns what root made tells what the server makes of root. */
static const char *
name_squash(const Trial *trial, uint64_t owner)
{
    if (owner == 0 && trial->uid != 0)
        return "none";
    return owner == (uint64_t)trial->uid ? "qemu" : "other";
}

/*
 * A write, and the lock that QEMU takes on its images: whoever asks, the server has to have locks.
 * On a connection of its own: libnfs 4 loses count of its requests after a lock.
 */
static void
write_and_lock(Trial *trial, const char *path)
{
    Nfs *nfs = connect_as(trial, "lock", 0, 0);
    NfsFile *file = NULL;

    if (!nfs)
        return;
    if (nfs_open(nfs, path, O_RDWR, &file) != 0)
        note_reason(trial, "the file cannot be opened", nfs);
    else if (write_file(nfs, file, CONTENT) != (int)strlen(CONTENT))
        note_reason(trial, "the file cannot be written", nfs);
    else if (nfs_lockf(nfs, file, NFS4_F_TLOCK, 1) != 0)
        note_reason(trial, "the file cannot be locked", nfs);
    else
        json_object_set_new(trial->reply, "lockable", json_true());
    nfs_destroy_context(nfs); /* which gives up file and lock */
}

static gboolean
make_as_root(Trial *trial, const char *path)
{
    NfsFile *file = NULL;
    struct nfs_stat_64 status;

    if (nfs_open2(trial->root, path, O_CREAT | O_EXCL | O_RDWR, 0600, &file) != 0) {
        note_reason(trial, "root cannot create a file", trial->root);
        return FALSE;
    }
    nfs_close(trial->root, file);
    if (nfs_stat64(trial->root, path, &status) != 0) {
        note_reason(trial, "cannot examine the file", trial->root);
        return FALSE;
    }
    json_object_set_new(trial->reply, "squash", json_string(name_squash(trial, status.nfs_uid)));
    if (status.nfs_uid != (uint64_t)trial->uid &&
        nfs_chown(trial->root, path, trial->uid, trial->gid) != 0) {
        note_reason(trial, "root cannot give the file to QEMU's user", trial->root);
        return FALSE;
    }
    return TRUE;
}

/* The server's own judgement: libnfs lets a user open a file for writing only where that user may
 * also write to the directory, which QEMU need not. */
static void
use_as_qemu(Trial *trial, const char *path)
{
    if (nfs_access(trial->qemu, path, R_OK | W_OK) == 0)
        json_object_set_new(trial->reply, "writable", json_true());
    else
        note_reason(trial, "QEMU's user may not read and write the file", trial->qemu);
}

/* Whether a file that was placed from elsewhere is in this directory. */
static void
find_placed(Trial *trial)
{
    g_autofree char *path = g_strconcat("/", trial->placed, NULL);
    char content[256] = "";
    NfsFile *file = NULL;
    gboolean found = FALSE;

    if (!*trial->placed)
        return;
    if (nfs_open(trial->root, path, O_RDONLY, &file) == 0) {
        found = read_file(trial->root, file, content, sizeof content - 1) >= 0 &&
                strcmp(content, trial->nonce) == 0;
        nfs_close(trial->root, file);
    }
    json_object_set_new(trial->reply, "probeFound", json_boolean(found));
}

static void
try_out(Trial *trial)
{
    g_autofree char *path = g_strconcat("/", trial->name, NULL);

    note_free_space(trial);
    find_placed(trial);
    if (make_as_root(trial, path)) {
        trial->qemu = connect_as(trial, "qemu", trial->uid, trial->gid);
        if (trial->qemu)
            use_as_qemu(trial, path);
        write_and_lock(trial, path);
    }
    nfs_unlink(trial->root, path);
}

int
verb_probe_export(char **arguments)
{
    Trial trial = {
        .server = arguments[0],
        .path = arguments[1],
        .name = arguments[2],
        .uid = (int)g_ascii_strtoull(arguments[3], NULL, 10),
        .gid = (int)g_ascii_strtoull(arguments[4], NULL, 10),
        .placed = arguments[5],
        .nonce = arguments[6],
        .reply =
            json_pack("{s:b, s:b, s:b}", "reachable", FALSE, "writable", FALSE, "lockable", FALSE),
    };

    ask_listed(&trial);
    trial.root = connect_as(&trial, "root", 0, 0);
    if (trial.root) {
        json_object_set_new(trial.reply, "reachable", json_true());
        try_out(&trial);
        nfs_destroy_context(trial.root);
    }
    if (trial.qemu)
        nfs_destroy_context(trial.qemu);
    return verb_reply(trial.reply);
}
