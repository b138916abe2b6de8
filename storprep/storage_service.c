/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the handlers of io.migprep.Storage: parameters in, one answer out. */
#include "storprep/storage_service.h"

#include "common/daemon_metrics.h"
#include "common/fault.h"
#include "common/limits.h"
#include "io.migprep.Storage.varlink.h"
#include "storprep/destination_xml.h"
#include "storprep/disk_delivery.h"
#include "storprep/link_speed.h"
#include "storprep/processor_baseline.h"
#include "storprep/request_field.h"
#include "storprep/storage_methods.h"

const char *
storage_text(json_t *parameters, const char *name)
{
    return json_string_value(json_object_get(parameters, name));
}

static json_t *
pack_guest(const char *name, const char *uuid)
{
    return json_pack("{s:s, s:s}", "name", name, "uuid", uuid);
}

json_t *
storage_pack_lease(const Lease *lease)
{
    gboolean is_share = share_lease_has_kind(lease->kind);
    json_t *paths = json_array();
    json_t *record;

    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        json_array_append_new(paths, json_string(is_share ? share_subject(asset) : asset->key));
    }
    record = json_pack(
        "{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "lease", lease->id, "generation",
        (json_int_t)lease->generation, "kind", lease->kind, "owner", lease->owner, "token",
        lease->token, "state", lease->state, "reason", lease->reason, "remainingSeconds",
        (json_int_t)(MAX(lease->remaining_usec, 0) / G_USEC_PER_SEC), "paths", paths);
    if (!is_share)
        json_object_set_new(record, "guest", pack_guest(lease->guest_name, lease->guest_uuid));
    return record;
}

void
storage_reply_lease(VarlinkCall *call, Lease *lease, GError *error)
{
    if (lease)
        varlink_call_reply(call, json_pack("{s:o}", "lease", storage_pack_lease(lease)));
    else
        varlink_call_fail(call, error);
    lease_free(lease);
}

static void
run_create_targets(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    GError *error = NULL;
    g_autoptr(TargetRequest) request = target_request_new(parameters, &error);
    Lease *lease = request ? target_leases_create(service->targets, request, &error) : NULL;

    storage_reply_lease(call, lease, error);
}

gboolean
storage_find_lease(StorageService *service, json_t *parameters, guint64 *ret_generation,
                   gboolean *ret_is_share, GError **error)
{
    g_autoptr(Lease) lease = NULL;

    if (!request_unpack_generation(parameters, ret_generation, error))
        return FALSE;
    lease =
        lease_store_get(service->store, storage_text(parameters, "lease"), *ret_generation, error);
    if (!lease)
        return FALSE;
    *ret_is_share = share_lease_has_kind(lease->kind);
    return TRUE;
}

static void
run_renew(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    const char *id = storage_text(parameters, "lease");
    guint64 generation;
    gboolean is_share;
    unsigned seconds;
    GError *error = NULL;
    Lease *lease = NULL;

    if (request_unpack_timeout(parameters, &seconds, &error) &&
        storage_find_lease(service, parameters, &generation, &is_share, &error))
        lease = is_share ? share_leases_renew(service->shares, id, generation, seconds, &error)
                         : target_leases_renew(service->targets, id, generation, seconds, &error);
    storage_reply_lease(call, lease, error);
}

static void
run_release(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    const char *id = storage_text(parameters, "lease");
    guint64 generation;
    gboolean is_share, kept;
    GError *error = NULL;

    if (storage_find_lease(service, parameters, &generation, &is_share, &error) &&
        (is_share ? share_leases_release(service->shares, id, generation, &kept, &error)
                  : target_leases_release(service->targets, id, generation, &kept, &error)))
        varlink_call_reply(call, json_pack("{s:b}", "kept", kept));
    else
        varlink_call_fail(call, error);
}

static void
run_open_targets(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    const char *id = storage_text(parameters, "lease");
    guint64 generation;
    GError *error = NULL;
    json_t *targets = NULL;

    if (request_unpack_generation(parameters, &generation, &error))
        targets = target_leases_open(service->targets, id, generation, &error);
    if (targets)
        varlink_call_reply(call, json_pack("{s:o}", "targets", targets));
    else
        varlink_call_fail(call, error);
}

static void
run_close_targets(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    const char *id = storage_text(parameters, "lease");
    guint64 generation;
    GError *error = NULL;

    if (request_unpack_generation(parameters, &generation, &error) &&
        target_leases_close(service->targets, id, generation, &error))
        varlink_call_reply(call, json_object());
    else
        varlink_call_fail(call, error);
}

static Job *
start_delivery(const StorageService *service, json_t *parameters, GError **error)
{
    g_autoptr(Guest) guest =
        hypervisor_get_guest(service->hypervisor, storage_text(parameters, "guest"), error);
    Policy standing;

    if (!guest || !storage_find_policy(service, guest, &standing, error))
        return NULL;
    const DiskDelivery delivery = {
        .hypervisor = service->hypervisor,
        .ssh = "ssh",
        .image_directories = service->directories,
        .guest = guest,
        .policy = &standing,
    };
    return disk_delivery_start(service->jobs, &delivery, parameters, error);
}

static void
run_send_disks(VarlinkCall *call, json_t *parameters, void *context)
{
    GError *error = NULL;
    g_autoptr(Job) job = start_delivery(context, parameters, &error);

    if (job)
        job_serve(job, call);
    else
        varlink_call_fail(call, error);
}

/* How fast the way there is matters only where nobody has decided. */
static void
choose_connections(MigrationPlan *plan)
{
    g_autofree char *host = link_speed_host(plan->destination_uri);
    gboolean asked = plan->policy.values[POLICY_PARALLEL] > 0;

    migration_plan_choose_connections(plan, asked || !host ? 0 : link_speed_to(host));
}

static MigrationPlan *
plan_migration(const StorageService *service, json_t *parameters, GError **error)
{
    g_autoptr(Guest) guest =
        hypervisor_get_guest(service->hypervisor, storage_text(parameters, "guest"), error);
    g_autoptr(MigrationPlan) plan = NULL;
    Policy standing;

    if (guest && storage_find_policy(service, guest, &standing, error))
        plan = migration_plan_new(parameters, guest, &standing, service->hypervisor, error);
    const DestinationChange change = { json_object_get(parameters, "diskPaths"),
                                       json_object_get(parameters, "networks") };
    if (!plan || !destination_xml_plan(plan, service->hypervisor, &change, error))
        return NULL;
    choose_connections(plan);
    return g_steal_pointer(&plan);
}

static void
run_migrate(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    GError *error = NULL;
    MigrationPlan *plan = plan_migration(service, parameters, &error);
    g_autoptr(Job) job = plan ? migrations_start(service->migrations, plan, &error) : NULL;

    if (job)
        job_serve(job, call);
    else
        varlink_call_fail(call, error);
}

static void
run_check(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;

    storage_check_serve(service->checks, call, parameters);
}

static void
run_get_metrics(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    g_autoptr(OpenMetrics) metrics = open_metrics_new("storprep");
    const DaemonMetrics daemon = { .jobs = service->jobs,
                                   .leases = service->store,
                                   .hypervisor = service->hypervisor,
                                   .failures = varlink_call_failures(call),
                                   .root = "" };

    daemon_metrics_write(&daemon, metrics);
    migrations_write_metrics(service->migrations, metrics);
    g_autofree char *text = open_metrics_finish(metrics);
    varlink_call_reply(call, json_pack("{s:s}", "text", text));
}

static json_t *
pack_leases(const GPtrArray *leases)
{
    json_t *records = json_array();

    for (guint i = 0; i < leases->len; i++)
        json_array_append_new(records, storage_pack_lease(leases->pdata[i]));
    return json_pack("{s:o}", "leases", records);
}

static void
run_list_leases(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    GError *error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(service->store, &error);

    if (leases)
        varlink_call_reply(call, pack_leases(leases));
    else
        varlink_call_fail(call, error);
}

static gboolean
list_leases_at_once(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    g_autoptr(GPtrArray) leases = lease_store_recall(service->store);

    if (leases)
        varlink_call_reply(call, pack_leases(leases));
    return leases != NULL;
}

static const VarlinkMethod methods[] = {
    { "Describe", storage_run_describe },
    { "DescribeHost", storage_run_describe_host },
    { "StopGuest", storage_run_stop_guest },
    { "StartGuest", storage_run_start_guest },
    { "ListGuests", storage_run_list_guests },
    { "BaselineProcessor", processor_baseline_method },
    { "CreateTargets", run_create_targets },
    { "OpenTargets", run_open_targets },
    { "CloseTargets", run_close_targets },
    { "SendDisks", run_send_disks },
    { "Export", storage_run_export },
    { "Mount", storage_run_mount },
    { "Unexport", storage_run_unexport },
    { "Unmount", storage_run_unmount },
    { "Commit", storage_run_commit },
    { "PlaceProbe", storage_run_place_probe },
    { "FindProbe", storage_run_find_probe },
    { "IdentifyImages", storage_run_identify_images },
    { "DigestImages", storage_run_digest_images },
    { "ProbeExport", storage_run_probe_export },
    { "Renew", run_renew },
    { "Release", run_release },
    { "Migrate", run_migrate },
    { "GetPolicy", storage_run_get_policy },
    { "SetPolicy", storage_run_set_policy },
    { "Check", run_check },
    { "GetMetrics", run_get_metrics },
    { "ListLeases", run_list_leases },
    { "ListJobs", job_method_list },
    { "WatchJob", job_method_watch },
    { "CancelJob", job_method_cancel },
    { 0 },
};

static const VarlinkBrief brief[] = {
    { "ListLeases", list_leases_at_once },
    { "ListJobs", job_method_list_at_once },
    { 0 },
};

StorageService *
storage_service_new(VarlinkServer *server, const Config *config, LeaseStore *store,
                    Hypervisor *hypervisor, const char *socket_directory, GError **error)
{
    g_autoptr(StorageService) service = g_new0(StorageService, 1);

    service->store = store;
    service->hypervisor = hypervisor;
    service->jobs = job_registry_new();
    service->directories = g_strdupv(config->image_directories);
    service->migrations = migrations_new(service->jobs, hypervisor, config->migrations_at_once,
                                         (const char *const *)service->directories);
    service->targets =
        target_leases_new(store, hypervisor, (const char *const *)config->image_directories, "",
                          socket_directory, &storage_pulse_real);
    service->networks = g_strdupv(config->export_networks);
    service->guest_hooks = config->guest_hooks;
    service->migration = config->migration;
    service->cluster = g_strdup(config->cluster);
    if (service->cluster)
        service->cluster_migration = *config_cluster(config);
    service->server = nfs_server_new_kernel("");
    service->mounts = mount_table_new_linux("");
    service->firewall = firewall_new_firewalld("firewall-cmd");
    service->share_host = (ShareHost) {
        .store = store,
        .hypervisor = hypervisor,
        .server = service->server,
        .mounts = service->mounts,
        .firewall = service->firewall,
        .directories = (const char *const *)service->directories,
        .networks = (const char *const *)service->networks,
        .root = "",
    };
    service->shares = share_leases_new(&service->share_host);
    service->checks =
        storage_checks_new(hypervisor, store, (const char *const *)service->directories);
    service->checks->cluster = service->cluster;
    if (!varlink_server_add_interface(server, io_migprep_storage, methods, service, error))
        return NULL;
    varlink_server_add_brief(server, brief);
    return g_steal_pointer(&service);
}

void
storage_service_free(StorageService *service)
{
    if (!service)
        return;
    migrations_leave(service->migrations);
    job_registry_free(service->jobs);
    /* A check in the hands of a dead NFS server uses all of this; it ends with the process. */
    if (!storage_checks_free(service->checks))
        return;
    share_leases_free(service->shares);
    target_leases_free(service->targets);
    nfs_server_free(service->server);
    mount_table_free(service->mounts);
    firewall_free(service->firewall);
    g_strfreev(service->directories);
    g_strfreev(service->networks);
    g_free(service->cluster);
    /* Calls that migrate still use the link; they end with the process, the migrations do not. */
    if (!migrations_left(service->migrations))
        hypervisor_free(service->hypervisor);
    migrations_free(service->migrations);
    lease_store_free(service->store);
    g_free(service);
}
