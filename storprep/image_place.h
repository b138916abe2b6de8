/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A name inside an image directory: found without following links, and emptied only of the file
 * that is proven to be ours. */
#pragma once

#include <gio/gio.h>

typedef int FileDescriptor;
void file_descriptor_close(FileDescriptor fd); /* -1 is nothing */
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(FileDescriptor, file_descriptor_close, -1)

/*
 * Which file it is. An inode number alone proves little, since file systems give it to the next
 * file at once; with the time of birth it does. The device number may differ after a reboot, so it
 * only counts where the file system knows no time of birth (born_nsec 0).
 */
typedef struct {
    guint64 device;
    guint64 inode;
    gint64 born_nsec;
} FileIdentity;

/* Whether both are one and the same file. */
gboolean file_identity_equal(const FileIdentity *a, const FileIdentity *b);
/* Of an open file. FAULT_INTERNAL naming @path. */
gboolean file_identity_read(int fd, const char *path, FileIdentity *ret_identity, GError **error);

/* What a write to a file changes, whoever writes; its owner, mode and name may change without. */
typedef struct {
    guint64 size_bytes;
    gint64 modified_nsec;
} FileStamp;

/* Whether nobody wrote in between. */
gboolean file_stamp_equal(const FileStamp *a, const FileStamp *b);
/* Of an open file, asked of its server if it has one. FAULT_INTERNAL naming @path. */
gboolean file_stamp_read(int fd, const char *path, FileStamp *ret_stamp, GError **error);

typedef struct {
    char *path;      /* as asked for */
    char *root;      /* the image directory that it is below */
    char *directory; /* its parent, for messages */
    char *name;      /* its last component */
    FileDescriptor directory_fd;
} ImagePlace;

void image_place_clear(ImagePlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImagePlace, image_place_clear)

/* Pure: @path is absolute UTF-8 without control characters, has no empty, "." or ".." component and
 * lies below one of @directories. Returns that directory (borrowed) or NULL with
 * FAULT_TARGET_REFUSED. */
const char *image_place_root(const char *path, const char *const *directories, GError **error);
/* The same for a directory, which may also be one of @directories itself. */
const char *image_place_root_of_directory(const char *path, const char *const *directories,
                                          GError **error);

/*
 * Opens the parent directory of @path. An image directory may itself be a symbolic link: it is the
 * administrator's word. Below it no link is followed, whoever made it. FAULT_TARGET_REFUSED if the
 * path is not allowed or its directory is not there. *@ret_place is for image_place_clear().
 */
gboolean image_place_open(const char *path, const char *const *directories, ImagePlace *ret_place,
                          GError **error);

/*
 * Opens the directory @path, which is an image directory or lies below one, in the same way.
 * FAULT_TARGET_REFUSED.
 */
gboolean image_place_open_directory(const char *path, const char *const *directories,
                                    FileDescriptor *ret_fd, GError **error);

/* FAULT_TARGET_REFUSED if the file system is mounted read-only for this process. */
gboolean image_place_check_writable(const ImagePlace *place, GError **error);

/* FAULT_TARGET_EXISTS if anything has that name, a dangling link included. */
gboolean image_place_check_free(const ImagePlace *place, GError **error);

/* What has a name that is to be emptied. */
typedef enum {
    FIND_NOTHING,
    FIND_OURS,
    FIND_FOREIGN, /* another file */
    FIND_WRITTEN, /* ours, but somebody wrote to it */
} Find;

/* Whether the place has the file that @identity says, and what it is like then: *@ret_stamp is set
 * for FIND_OURS only. FAULT_INTERNAL. */
gboolean image_place_find(const ImagePlace *place, const FileIdentity *identity,
                          FileStamp *ret_stamp, Find *ret_find, GError **error);
/*
 * Removes the place's file if it is what @identity says, and as @stamp says (NULL: whoever wrote to
 * it); *@ret_find tells what was left there. With @aside, a name in its directory that nobody else
 * can have chosen, it gets that first and is looked at there: what others give its name to, or do
 * with it meanwhile by its name, is not lost. image_place_put_back() does the rest after a crash.
 * FAULT_INTERNAL if it cannot be removed, FAULT_TARGET_REFUSED if it could not be put back. Blocks.
 */
gboolean image_place_remove(const ImagePlace *place, const char *aside,
                            const FileIdentity *identity, const FileStamp *stamp, Find *ret_find,
                            GError **error);
/* Gives what is called @aside the place's name again; nothing if there is none.
 * FAULT_TARGET_REFUSED if that is another's by now. */
gboolean image_place_put_back(const ImagePlace *place, const char *aside, GError **error);
/* Removes a name like @aside with whatever regular file has it. *@ret_find and errors as above;
 * @identity NULL: any. */
gboolean image_place_drop(const ImagePlace *place, const char *aside, const FileIdentity *identity,
                          Find *ret_find, GError **error);
/* Makes creations and removals in the directory durable. */
gboolean image_place_sync(const ImagePlace *place, GError **error);

/* Sets the Fault for a failed system call on a file: FAULT_NO_SPACE, FAULT_TARGET_EXISTS or
 * FAULT_INTERNAL by @number (errno). @action: "cannot create it". Returns FALSE. */
gboolean image_place_fault(GError **error, int number, const char *path, const char *action);
