/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the question whether an export would serve guests, and who asks it. */
#include "storprep/export_probe.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/export_client.h"
#include "storprep/nfs_program.h"
#include "storprep/probe_file.h"

#define TRIAL_SECONDS 20

static const char *
get_text(json_t *parameters, const char *name)
{
    const char *text = json_string_value(json_object_get(parameters, name));

    return text ? text : "";
}

static gboolean
check_request(json_t *parameters, GError **error)
{
    static const char *const no_networks[] = { NULL };
    const char *path = get_text(parameters, "exportPath");
    const char *placed = get_text(parameters, "name");

    if (!export_client_check(get_text(parameters, "server"), no_networks, error))
        return FALSE;
    if (path[0] != '/' || strlen(path) > LIMIT_PATH_BYTES) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "exportPath",
                  "give exportPath as Export returned it", "it is not an absolute path");
        return FALSE;
    }
    if (*placed &&
        (!probe_file_is_name(placed) || strlen(get_text(parameters, "nonce")) > LIMIT_NAME_BYTES)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "name", "give name and nonce as PlaceProbe did",
                  "it is not the name of a probe file");
        return FALSE;
    }
    return TRUE;
}

static json_t *
run(json_t *parameters, uid_t uid, gid_t gid, GError **error)
{
    const char *server = get_text(parameters, "server");
    const char *path = get_text(parameters, "exportPath");
    g_autofree char *name = probe_file_name_new();
    g_autofree char *object = g_strdup_printf("export '%s:%s' (probe file %s)", server, path, name);
    g_autofree char *uid_text = g_strdup_printf("%u", uid);
    g_autofree char *gid_text = g_strdup_printf("%u", gid);
    const char *arguments[] = { "probe-export",
                                server,
                                path,
                                name,
                                uid_text,
                                gid_text,
                                get_text(parameters, "name"),
                                get_text(parameters, "nonce"),
                                NULL };
    json_t *reply = NULL;
    int status;

    return nfs_program_run(arguments, TRIAL_SECONDS, object, &status, &reply, error) ? reply : NULL;
}

json_t *
export_probe_run(json_t *parameters, const QemuConf *conf, GError **error)
{
    uid_t uid;
    gid_t gid;

    if (!check_request(parameters, error) || !qemu_conf_ids(conf, &uid, &gid, error))
        return NULL;
    return run(parameters, uid, gid, error);
}
