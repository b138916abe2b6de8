/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the files that say so. */
#include "common/maintenance.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"

#define REASON_BYTES_MAX 200

static const char *const places[] = { MAINTENANCE_LASTING_PATH, MAINTENANCE_PATH };

void
maintenance_free(Maintenance *maintenance)
{
    if (!maintenance)
        return;
    g_free(maintenance->reason);
    g_free(maintenance);
}

/* One that cannot be read counts: the doubt keeps guests away, and the administrator sees why. */
static char *
read_reason(const char *path)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return g_strdup("");
    g_autofree char *line = g_strndup(text, MIN(strcspn(text, "\n"), REASON_BYTES_MAX));
    return g_utf8_make_valid(line, -1);
}

Maintenance *
maintenance_read(const char *root)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_strconcat(root, places[i], NULL);
        struct stat status;

        if (stat(path, &status) < 0)
            continue;
        Maintenance *maintenance = g_new0(Maintenance, 1);
        maintenance->reason = read_reason(path);
        maintenance->lasting = g_str_equal(places[i], MAINTENANCE_LASTING_PATH);
        maintenance->since_unix_seconds = status.st_mtime;
        return maintenance;
    }
    return NULL;
}

char *
maintenance_reason(const char *root)
{
    g_autoptr(Maintenance) maintenance = maintenance_read(root);

    return maintenance ? g_steal_pointer(&maintenance->reason) : NULL;
}

gboolean
maintenance_check(const char *root, const char *object, GError **error)
{
    g_autofree char *reason = maintenance_reason(root);

    if (!reason)
        return TRUE;
    fault_set(error, FAULT_HOST_IN_MAINTENANCE, object,
              "choose another host, or end it there: migprep maintenance end",
              "host %s takes no guests, it is in maintenance%s%s", g_get_host_name(),
              *reason ? ": " : "", reason);
    return FALSE;
}

static gboolean
refuse(const char *path, int code, const char *what, GError **error)
{
    gboolean denied = code == EACCES || code == EPERM;

    fault_set(error, denied ? FAULT_PERMISSION_DENIED : FAULT_STORE_FAILED, path,
              denied ? "do it as root" : "look at the file system it is on", "%s", what);
    return FALSE;
}

static gboolean
write_reason(const char *path, const char *reason, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *text = g_strconcat(reason, "\n", NULL);
    g_autoptr(GError) failure = NULL;

    if (g_mkdir_with_parents(directory, 0755) < 0) {
        int code = errno;
        return refuse(directory, code, g_strerror(code), error);
    }
    if (g_file_set_contents_full(path, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
                                 &failure))
        return TRUE;
    gboolean denied = g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_ACCES) ||
                      g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_PERM);
    return refuse(path, denied ? EACCES : EIO, failure->message, error);
}

static gboolean
remove_place(const char *root, const char *place, GError **error)
{
    g_autofree char *path = g_strconcat(root, place, NULL);

    if (unlink(path) == 0 || errno == ENOENT)
        return TRUE;
    int code = errno;
    return refuse(path, code, g_strerror(code), error);
}

gboolean
maintenance_begin(const char *root, const char *reason, gboolean lasting, GError **error)
{
    g_autoptr(Maintenance) known = maintenance_read(root);
    const char *place =
        lasting || (known && known->lasting) ? MAINTENANCE_LASTING_PATH : MAINTENANCE_PATH;
    g_autofree char *path = g_strconcat(root, place, NULL);

    return write_reason(path, reason, error) && (!g_str_equal(place, MAINTENANCE_LASTING_PATH) ||
                                                 remove_place(root, MAINTENANCE_PATH, error));
}

gboolean
maintenance_end(const char *root, GError **error)
{
    return remove_place(root, MAINTENANCE_LASTING_PATH, error) &&
           remove_place(root, MAINTENANCE_PATH, error);
}
