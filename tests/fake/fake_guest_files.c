/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_guest_files.h"

#include <string.h>

#define FIRST_HANDLE 1000

struct FakeGuestFiles {
    const FakeFilesOps *ops;
    void *guest;
    GHashTable *open; /* handle -> File * */
    int next_handle;
};

typedef struct {
    char *path;
    char *written; /* NULL: opened for reading */
} File;

static void
file_free(File *file)
{
    g_free(file->path);
    g_free(file->written);
    g_free(file);
}

FakeGuestFiles *
fake_guest_files_new(const FakeFilesOps *ops, void *guest)
{
    FakeGuestFiles *files = g_new0(FakeGuestFiles, 1);

    files->ops = ops;
    files->guest = guest;
    files->open = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)file_free);
    files->next_handle = FIRST_HANDLE;
    return files;
}

void
fake_guest_files_free(FakeGuestFiles *files)
{
    g_hash_table_unref(files->open);
    g_free(files);
}

unsigned
fake_guest_files_open_count(const FakeGuestFiles *files)
{
    return g_hash_table_size(files->open);
}

static json_t *
refuse(void)
{
    return json_pack("{s:{s:s, s:s}}", "error", "class", "GenericError", "desc", "refused");
}

static json_t *
open_file(FakeGuestFiles *files, const json_t *arguments)
{
    const char *path = json_string_value(json_object_get(arguments, "path"));
    const char *mode = json_string_value(json_object_get(arguments, "mode"));
    g_autofree char *content = files->ops->content(files->guest, path);

    if (!content)
        return refuse();
    File *file = g_new0(File, 1);
    file->path = g_strdup(path);
    file->written = g_str_equal(mode, "w") ? g_strdup("") : NULL;
    g_hash_table_insert(files->open, GINT_TO_POINTER(files->next_handle), file);
    return json_pack("{s:i}", "return", files->next_handle++);
}

static json_t *
read_file(FakeGuestFiles *files, const File *file)
{
    g_autofree char *content = files->ops->content(files->guest, file->path);
    g_autofree char *data = g_base64_encode((const guchar *)content, strlen(content));

    return json_pack("{s:{s:i, s:s, s:b}}", "return", "count", (int)strlen(content), "buf-b64",
                     data, "eof", TRUE);
}

static json_t *
write_file(File *file, const json_t *arguments)
{
    gsize length = 0;
    g_autofree guchar *bytes =
        g_base64_decode(json_string_value(json_object_get(arguments, "buf-b64")), &length);

    g_assert_nonnull(file->written);
    g_free(file->written);
    file->written = g_strndup((const char *)bytes, length);
    return json_pack("{s:{s:i}}", "return", "count", (int)length);
}

/* As with sysfs behind qemu-ga, the refusal of what was written comes at the close. */
static json_t *
close_file(FakeGuestFiles *files, int handle, const File *file)
{
    gboolean stored = !file->written || files->ops->store(files->guest, file->path, file->written);

    g_hash_table_remove(files->open, GINT_TO_POINTER(handle));
    return stored ? json_pack("{s:{}}", "return") : refuse();
}

json_t *
fake_guest_files_command(FakeGuestFiles *files, const char *name, const json_t *arguments)
{
    int handle = (int)json_integer_value(json_object_get(arguments, "handle"));

    if (g_str_equal(name, "guest-file-open"))
        return open_file(files, arguments);
    File *file = g_hash_table_lookup(files->open, GINT_TO_POINTER(handle));
    g_assert_nonnull(file);
    if (g_str_equal(name, "guest-file-read"))
        return read_file(files, file);
    if (g_str_equal(name, "guest-file-write"))
        return write_file(file, arguments);
    g_assert_cmpstr(name, ==, "guest-file-close");
    return close_file(files, handle, file);
}
