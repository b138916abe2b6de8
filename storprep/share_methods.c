/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the handlers about exports, mounts and the proof that two hosts see the same files. */
#include "common/fault.h"
#include "storprep/export.h"
#include "storprep/export_probe.h"
#include "storprep/image_digest.h"
#include "storprep/image_identity.h"
#include "storprep/nfs_mount.h"
#include "storprep/probe_file.h"
#include "storprep/storage_methods.h"

/* Makes what @request (may be NULL) plans. */
static Lease *
create(StorageService *service, const ShareRequest *request, GError **error)
{
    return request ? share_leases_create(service->shares, request, error) : NULL;
}

void
storage_run_export(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    GError *error = NULL;
    g_auto(QemuConf) conf = { 0 };
    g_autoptr(ShareRequest) request = NULL;
    g_autoptr(Lease) lease = NULL;

    qemu_conf_read(QEMU_CONF_PATH, &conf);
    request = export_request_new(parameters, &service->share_host, &conf, &error);
    lease = create(service, request, &error);
    if (lease)
        varlink_call_reply(call, json_pack("{s:o, s:s}", "lease", storage_pack_lease(lease),
                                           "exportPath", export_path(lease)));
    else
        varlink_call_fail(call, error);
}

void
storage_run_mount(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    GError *error = NULL;
    g_autoptr(ShareRequest) request =
        nfs_mount_request_new(parameters, &service->share_host, &error);
    g_autoptr(Lease) lease = create(service, request, &error);

    if (lease)
        varlink_call_reply(call, json_pack("{s:o, s:s}", "lease", storage_pack_lease(lease),
                                           "options", nfs_mount_options(lease)));
    else
        varlink_call_fail(call, error);
}

/* Ends @call with what became of the leases of @kind about the directory in member @name. */
static void
end_shares(VarlinkCall *call, StorageService *service, const char *kind, json_t *parameters,
           const char *name)
{
    GError *error = NULL;
    gboolean kept;

    if (share_leases_end(service->shares, kind, storage_text(parameters, "owner"),
                         storage_text(parameters, name), &kept, &error))
        varlink_call_reply(call, json_pack("{s:b}", "kept", kept));
    else
        varlink_call_fail(call, error);
}

void
storage_run_unexport(VarlinkCall *call, json_t *parameters, void *context)
{
    end_shares(call, context, "export", parameters, "directory");
}

void
storage_run_unmount(VarlinkCall *call, json_t *parameters, void *context)
{
    end_shares(call, context, "mount", parameters, "path");
}

void
storage_run_commit(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    guint64 generation;
    gboolean is_share;
    GError *error = NULL;
    Lease *lease = NULL;

    if (storage_find_lease(service, parameters, &generation, &is_share, &error)) {
        if (is_share)
            lease = share_leases_commit(service->shares, storage_text(parameters, "lease"),
                                        generation, &error);
        else
            fault_set(&error, FAULT_INVALID_ARGUMENT, "lease",
                      "release it: that leaves the files to their guest",
                      "leases of targets end by themselves when the guest runs");
    }
    storage_reply_lease(call, lease, error);
}

void
storage_run_place_probe(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    GError *error = NULL;
    g_autoptr(ShareRequest) request =
        probe_file_request_new(parameters, &service->share_host, &error);
    g_autoptr(Lease) lease = create(service, request, &error);

    if (lease)
        varlink_call_reply(call,
                           json_pack("{s:o, s:s, s:s}", "lease", storage_pack_lease(lease), "name",
                                     probe_file_name(lease), "nonce", probe_file_nonce(lease)));
    else
        varlink_call_fail(call, error);
}

/* Ends @call with @reply (stolen) or @error. */
static void
reply_or_fail(VarlinkCall *call, json_t *reply, GError *error)
{
    if (reply)
        varlink_call_reply(call, reply);
    else
        varlink_call_fail(call, error);
}

void
storage_run_find_probe(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    GError *error = NULL;
    json_t *reply = probe_file_find(
        storage_text(parameters, "directory"), storage_text(parameters, "name"),
        storage_text(parameters, "nonce"), (const char *const *)service->directories, &error);

    reply_or_fail(call, reply, error);
}

void
storage_run_identify_images(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    GError *error = NULL;
    json_t *images = image_identity_list(json_object_get(parameters, "paths"),
                                         (const char *const *)service->directories, &error);

    reply_or_fail(call, images ? json_pack("{s:o}", "images", images) : NULL, error);
}

void
storage_run_digest_images(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    GError *error = NULL;
    g_autoptr(Job) job = image_digest_start(service->jobs, json_object_get(parameters, "paths"),
                                            (const char *const *)service->directories, &error);

    if (job)
        job_serve(job, call);
    else
        varlink_call_fail(call, error);
}

void
storage_run_probe_export(VarlinkCall *call, json_t *parameters, void *context)
{
    GError *error = NULL;
    g_auto(QemuConf) conf = { 0 };
    json_t *reply;

    qemu_conf_read(QEMU_CONF_PATH, &conf);
    reply = export_probe_run(parameters, &conf, &error);
    reply_or_fail(call, reply, error);
}
