/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the order in which disks are sent, and the proof that they stood still meanwhile. */
#include "storprep/disk_delivery.h"

#include "common/fault.h"
#include "common/host_name.h"
#include "common/limits.h"
#include "storprep/disk.h"
#include "storprep/image_sender.h"
#include "storprep/migration_progress.h"
#include "storprep/sent_disk.h"

/* One disk on its way. */
typedef struct {
    char *target, *path, *socket;
    ImageFormat format;
    guint64 bytes;
} Parcel;

typedef struct {
    Hypervisor *hypervisor;
    char *ssh, *host, *guest_name, *guest_uuid;
    char **image_directories;
    GPtrArray *parcels;
    unsigned mebibytes_per_second;
    gboolean verify;
} Order;

/* The job as its progress is told. */
typedef struct {
    Job *job;
    const Order *order;
    guint64 total, done; /* bytes, of parcels before this one */
    guint64 parcel;      /* bytes of this one */
    gint64 started_usec;
} Journey;

static void
parcel_free(void *data)
{
    Parcel *parcel = data;

    g_free(parcel->target);
    g_free(parcel->path);
    g_free(parcel->socket);
    g_free(parcel);
}

static void
order_free(void *data)
{
    Order *order = data;

    g_free(order->ssh);
    g_free(order->host);
    g_free(order->guest_name);
    g_free(order->guest_uuid);
    g_strfreev(order->image_directories);
    g_ptr_array_unref(order->parcels);
    g_free(order);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Order, order_free)

/* What is compared is read again, so it counts as much as what is sent. */
static guint64
weight_of(const Order *order, guint64 bytes)
{
    return order->verify ? 2 * bytes : bytes;
}

static void
tell(ImageSendStage stage, double part, void *data)
{
    const Journey *journey = data;
    double of_parcel = (stage == IMAGE_COMPARING ? 1 + part : part) * (double)journey->parcel;
    guint64 done = journey->done + (guint64)of_parcel;
    gint64 usec = g_get_monotonic_time() - journey->started_usec;
    const MigrationProgress progress = {
        .active = TRUE,
        .disk_total_bytes = journey->total,
        .disk_remaining_bytes = journey->total - MIN(done, journey->total),
        .rate_bytes_per_second = (guint64)((double)done * G_USEC_PER_SEC / (double)MAX(usec, 1)),
    };

    job_progress(journey->job, migration_progress_pack(MIGRATION_PHASE_DISKS, &progress));
}

static gboolean
check_shut_off(Hypervisor *hypervisor, const char *uuid, GError **error)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, uuid, error);
    g_autofree char *object = guest ? g_strdup_printf("guest '%s'", guest->name) : NULL;

    if (!guest)
        return FALSE;
    if (guest->state == GUEST_STATE_SHUT_OFF && !guest->has_job)
        return TRUE;
    fault_set(error, FAULT_GUEST_BUSY, object, "shut it down, or move it live",
              "its disks are only sent while it is shut off");
    return FALSE;
}

/* The record of it, as it was before and still is after. */
static json_t *
send(Journey *journey, const Parcel *parcel, GError **error)
{
    const Order *order = journey->order;
    const ImageShipment shipment = {
        .path = parcel->path,
        .format = parcel->format,
        .virtual_size_bytes = parcel->bytes,
        .directories = (const char *const *)order->image_directories,
        .to = { .ssh = order->ssh, .host = order->host, .socket = parcel->socket },
        .mebibytes_per_second = order->mebibytes_per_second,
        .verify = order->verify,
    };
    json_auto_t *record = sent_disk_new(parcel->target, parcel->path, error);
    json_auto_t *records = json_pack("[O?]", record);

    journey->parcel = parcel->bytes;
    if (!record || !image_send(&shipment, job_cancellable(journey->job), tell, journey, error) ||
        !sent_disks_check(records, error))
        return NULL;
    journey->done += weight_of(order, parcel->bytes);
    return json_incref(record);
}

static json_t *
run(Job *job, void *data, GError **error)
{
    const Order *order = data;
    Journey journey = { .job = job, .order = order, .started_usec = g_get_monotonic_time() };
    json_auto_t *sent = json_array();
    guint64 bytes = 0;

    for (guint i = 0; i < order->parcels->len; i++)
        bytes += ((const Parcel *)order->parcels->pdata[i])->bytes;
    journey.total = weight_of(order, bytes);
    for (guint i = 0; i < order->parcels->len; i++) {
        json_t *record = send(&journey, order->parcels->pdata[i], error);

        if (!record)
            return NULL;
        json_array_append_new(sent, record);
    }
    if (!check_shut_off(order->hypervisor, order->guest_uuid, error))
        return NULL;
    return json_pack("{s:O, s:I, s:I}", "disks", sent, "diskBytes", (json_int_t)bytes,
                     "elapsedMilliseconds",
                     (json_int_t)((g_get_monotonic_time() - journey.started_usec) / 1000));
}

/* The order. */

static const Disk *
find_disk(const GPtrArray *disks, const char *target)
{
    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];

        if (g_str_equal(disk->target, target))
            return disk;
    }
    return NULL;
}

static gboolean
refuse(FaultCode code, const char *target, const char *cause, GError **error)
{
    g_autofree char *object = g_strdup_printf("disk '%s'", target);

    fault_set(error, code, object, "see what Describe says about the guest's disks", "%s", cause);
    return FALSE;
}

static gboolean
check_disk(const Disk *disk, const char *target, json_int_t bytes, GError **error)
{
    if (!disk)
        return refuse(FAULT_INVALID_ARGUMENT, target, "the guest has none", error);
    if (disk->migration != DISK_COPY)
        return refuse(FAULT_DISK_UNSUPPORTED, target, disk->reason, error);
    if ((guint64)bytes != disk->shape.virtual_size_bytes)
        return refuse(FAULT_IMAGE_INVALID, target, "its target has another size", error);
    return TRUE;
}

static Parcel *
unpack_parcel(const json_t *record, const GPtrArray *disks, GError **error)
{
    const char *target = json_string_value(json_object_get(record, "target"));
    const char *socket = json_string_value(json_object_get(record, "socket"));
    json_int_t bytes = json_integer_value(json_object_get(record, "virtualSizeBytes"));
    const Disk *disk = find_disk(disks, target);
    Parcel *parcel;

    if (!check_disk(disk, target, bytes, error) || !image_tunnel_check(socket, error))
        return NULL;
    parcel = g_new0(Parcel, 1);
    parcel->target = g_strdup(target);
    parcel->path = g_strdup(disk->path);
    parcel->socket = g_strdup(socket);
    parcel->format = disk->shape.format;
    parcel->bytes = disk->shape.virtual_size_bytes;
    return parcel;
}

static gboolean
unpack_parcels(Order *order, const Guest *guest, const json_t *records, GError **error)
{
    g_autoptr(GPtrArray) disks = NULL;

    if (json_array_size(records) > LIMIT_DISKS) {
        fault_set(error, FAULT_LIMIT_EXCEEDED, "disks", "send fewer at once", "more than %d disks",
                  LIMIT_DISKS);
        return FALSE;
    }
    disks = disk_plan_guest(guest, order->hypervisor, error);
    for (size_t i = 0; disks && i < json_array_size(records); i++) {
        Parcel *parcel = unpack_parcel(json_array_get(records, i), disks, error);

        if (!parcel)
            return FALSE;
        g_ptr_array_add(order->parcels, parcel);
    }
    return disks != NULL;
}

static gboolean
unpack_bandwidth(Order *order, json_t *parameters, const Policy *standing, GError **error)
{
    Policy policy = *standing;
    PolicySettings asked;

    if (!policy_from_request(parameters, &asked, error))
        return FALSE;
    policy_apply(&policy, POLICY_LEVEL_REQUEST, &asked);
    order->mebibytes_per_second = (unsigned)policy.values[POLICY_BANDWIDTH];
    return TRUE;
}

Job *
disk_delivery_start(JobRegistry *jobs, const DiskDelivery *delivery, json_t *parameters,
                    GError **error)
{
    const Guest *guest = delivery->guest;
    g_autoptr(Order) order = g_new0(Order, 1);
    g_autofree char *uuid = g_strdup(guest->uuid);

    order->hypervisor = delivery->hypervisor;
    order->ssh = g_strdup(delivery->ssh);
    order->host = g_strdup(json_string_value(json_object_get(parameters, "host")));
    order->image_directories = g_strdupv((char **)delivery->image_directories);
    order->guest_name = g_strdup(guest->name);
    order->guest_uuid = g_strdup(guest->uuid);
    order->parcels = g_ptr_array_new_with_free_func(parcel_free);
    order->verify = json_is_true(json_object_get(parameters, "verify"));
    if (!host_name_check(order->host, error) ||
        !check_shut_off(order->hypervisor, order->guest_uuid, error) ||
        !unpack_bandwidth(order, parameters, delivery->policy, error) ||
        !unpack_parcels(order, guest, json_object_get(parameters, "disks"), error))
        return NULL;
    return job_start(jobs, "SendDisks", uuid, run, g_steal_pointer(&order), order_free, error);
}
