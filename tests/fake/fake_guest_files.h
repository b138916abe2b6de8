/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file commands of a guest agent, over files that callbacks make up. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct {
    /* What @path holds; NULL: there is no such file. Owned by the caller. */
    char *(*content)(void *guest, const char *path);
    /* Called at the close of a file that was written; FALSE: the kernel refuses @text. */
    gboolean (*store)(void *guest, const char *path, const char *text);
} FakeFilesOps;

typedef struct FakeGuestFiles FakeGuestFiles;

FakeGuestFiles *fake_guest_files_new(const FakeFilesOps *ops, void *guest);
void fake_guest_files_free(FakeGuestFiles *files);

/* The reply to a "guest-file-..." command: {"return"} or {"error"}. */
json_t *fake_guest_files_command(FakeGuestFiles *files, const char *name, const json_t *arguments);
/* How many files are open: none may stay so. */
unsigned fake_guest_files_open_count(const FakeGuestFiles *files);
