/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The link to this host's libvirt: guests, devices, agent, migration, events. */
#pragma once

#include <gio/gio.h>

#include "common/guest_condition.h"
#include "common/hypervisor_host.h"
#include "common/hypervisor_network.h"
#include "common/network_port.h"
#include "common/storage_pool.h"

/*
 * Theory of operation. Host access is the table HypervisorOps; hypervisor_libvirt.c has the real
 * one, tests/ a fake, and the same contract tests run against both (the real one with
 * test:///default where that driver can). Every operation blocks and is called from worker or job
 * threads only. Events come from libvirt on the main loop (libvirt-glib registers it) and are
 * queued to every HypervisorWatch; the implementation re-opens a lost connection by itself and
 * then emits HYPERVISOR_EVENT_RECONNECTED, since events may have been missed. Calls beyond
 * LIMIT_HYPERVISOR_CALLS wait for one that is under way (call_turns.h).
 */
typedef struct Hypervisor Hypervisor;

typedef enum {
    GUEST_STATE_SHUT_OFF,
    GUEST_STATE_RUNNING,
    GUEST_STATE_PAUSED, /* includes an incoming migration that has not resumed */
    GUEST_STATE_CRASHED,
    GUEST_STATE_OTHER,
} GuestState;
/* As both interfaces call it: "running", "paused", "shutoff", "other". Static. */
const char *guest_state_name(GuestState state);

typedef struct {
    char *name;
    char *uuid;
    GuestState state;
    gboolean persistent;
    gboolean is_between; /* paused by a migration: it comes in, or is about to be gone */
    gboolean is_split;   /* paused, with a part of its memory on another host: post-copy broke */
    gboolean has_job;    /* a migration, save or dump job runs on it, or something holds it */
    char *xml;           /* live if active, else inactive */
    char *inactive_xml;  /* persistent configuration; NULL if transient */
} Guest;
void guest_free(Guest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_free)

typedef enum {
    HYPERVISOR_EVENT_COMING,  /* a migration brings it: paused, until it is here */
    HYPERVISOR_EVENT_RESUMED, /* running here now: resumed or started */
    HYPERVISOR_EVENT_SUSPENDED,
    HYPERVISOR_EVENT_STOPPED, /* not running here any more (migrated away, shut off, ...) */
    HYPERVISOR_EVENT_UNDEFINED,
    HYPERVISOR_EVENT_DEVICE_REMOVED, /* @alias */
    HYPERVISOR_EVENT_DEVICE_REFUSED, /* @alias: DEVICE_REMOVAL_FAILED */
    HYPERVISOR_EVENT_AGENT_CONNECTED,
    HYPERVISOR_EVENT_RESTARTED,   /* @uuid is "": libvirt ended and is back; RECONNECTED follows */
    HYPERVISOR_EVENT_RECONNECTED, /* @uuid is "": events may have been lost, ask again */
} HypervisorEventType;

typedef struct {
    HypervisorEventType type;
    char *uuid;
    char *alias; /* "" where it has none */
} HypervisorEvent;
void hypervisor_event_free(HypervisorEvent *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HypervisorEvent, hypervisor_event_free)

typedef enum {
    DEVICE_LIVE = 1 << 0,
    DEVICE_CONFIG = 1 << 1,
} DeviceScope;

typedef enum {
    MIGRATION_LIVE,
    MIGRATION_SUSPENDED, /* the guest stands still during the move */
    MIGRATION_OFFLINE,   /* the definition of a guest that is shut off */
} MigrationMode;

/* What to ask libvirt for; zero or NULL means libvirt's default. */
typedef struct {
    MigrationMode mode;
    const char *destination_uri;   /* as the source's libvirtd reaches it: qemu+ssh://HOST/system */
    const char *const *copy_disks; /* NULL-terminated targets to copy; NULL: copy none */
    gboolean incremental;          /* copy only the top of their backing chains */
    const char *destination_xml;   /* NULL: unchanged */
    const char *persistent_xml;    /* NULL: unchanged */
    guint64 bandwidth_mebibytes;   /* per second */
    guint64 maximum_downtime_msec;
    unsigned parallel_connections; /* 0: the one that is always there */
    const char *compression;       /* "xbzrle", "zstd"; NULL: none */
    gboolean persist;              /* define on the destination */
    gboolean undefine_source;
    gboolean auto_converge;
    gboolean post_copy; /* make start_post_copy() possible */
    gboolean tls;
    gboolean tunnelled; /* through libvirt's own connection */
    gboolean unsafe;    /* although libvirt takes the disks for not shared */
} MigrationRequest;

typedef struct {
    gboolean active;
    guint64 memory_total_bytes, memory_remaining_bytes;
    guint64 disk_total_bytes, disk_remaining_bytes;
    guint64 rate_bytes_per_second;
    guint64 dirty_rate_bytes_per_second;
    guint64 downtime_msec; /* expected, or actual when finished */
    guint64 elapsed_msec;
    guint64 iteration;        /* how often memory was gone through */
    guint64 throttle_percent; /* of the guest, by auto-converge */
} MigrationProgress;

typedef struct {
    /* @guest is a name or UUID. FAULT_GUEST_NOT_FOUND. */
    Guest *(*get_guest)(void *self, const char *guest, GError **error);
    /* Every domain, active or not: GPtrArray of Guest * (inactive_xml not filled). */
    GPtrArray *(*list_guests)(void *self, GError **error);
    /* Asks for the change; for a live unplug returns when requested, not when done. "Already in the
     * process of unplug" is not an error. A device that is not there is FAULT_HYPERVISOR_FAILED. */
    gboolean (*detach_device)(void *self, const char *uuid, const char *alias_or_xml,
                              DeviceScope scope, GError **error);
    gboolean (*attach_device)(void *self, const char *uuid, const char *xml, DeviceScope scope,
                              GError **error);
    /* Makes the device that @xml names (a vNIC by its MAC and address) as @xml says. */
    gboolean (*update_device)(void *self, const char *uuid, const char *xml, DeviceScope scope,
                              GError **error);
    /* One guest agent command, raw JSON in and out. FAULT_AGENT_UNAVAILABLE when absent or silent
     * for @timeout_seconds, FAULT_AGENT_FAILED when it answered with an error. */
    char *(*agent_command)(void *self, const char *uuid, const char *command,
                           unsigned timeout_seconds, GError **error);
    /* Returns when libvirt says that it ended, well or not; blocks as long as the migration takes.
     */
    gboolean (*migrate)(void *self, const char *uuid, const MigrationRequest *request,
                        GError **error);
    gboolean (*get_progress)(void *self, const char *uuid, MigrationProgress *ret_progress,
                             GError **error);
    gboolean (*abort_job)(void *self, const char *uuid, GError **error);
    /* Lets a guest that migrates go on at the destination at once, to fetch what is missing.
     * FAULT_HYPERVISOR_FAILED as long as memory is not sent yet, or without post_copy. */
    gboolean (*start_post_copy)(void *self, const char *uuid, GError **error);
    /* Stops the guest's processors. One that migrates goes on when it has arrived. */
    gboolean (*suspend)(void *self, const char *uuid, GError **error);
    /* Saves the guest's memory, which its next start goes on from. Blocks as long as that takes;
     * abort_job() ends it with the guest running. FAULT_HYPERVISOR_FAILED. */
    gboolean (*save)(void *self, const char *uuid, GError **error);
    /* Asks the guest to shut down; returns when it was asked. */
    gboolean (*shut_down)(void *self, const char *uuid, GError **error);
    /* Starts it. One that runs already is FAULT_HYPERVISOR_FAILED. */
    gboolean (*start)(void *self, const char *uuid, GError **error);
    /* Replaces the element of namespace @uri in the guest's metadata by @xml, which libvirt calls
     * @prefix:...; NULL: takes it away. */
    gboolean (*set_metadata)(void *self, const char *uuid, const char *uri, const char *prefix,
                             const char *xml, DeviceScope scope, GError **error);
    /* Every active virtual network: GPtrArray of HypervisorNetwork *. */
    GPtrArray *(*list_networks)(void *self, GError **error);
    /* What this host offers to guests. */
    HypervisorHost *(*get_host)(void *self, GError **error);
    /* Whether this host can run a guest with the processor in @xml (<cpu>): *ret_obstacle is NULL,
     * or says what is missing. FAULT_HYPERVISOR_FAILED if libvirt cannot tell. */
    gboolean (*compare_processor)(void *self, const HypervisorMachine *machine, const char *xml,
                                  char **ret_obstacle, GError **error);
    /* What libvirt knows of the guest beside its XML. */
    GuestCondition *(*inspect_guest)(void *self, const char *uuid, GError **error);
    /* The guest as another host's libvirt takes it, passwords included: as it is now or, with
     * @persistent, as it will be after its next start. FAULT_HYPERVISOR_FAILED if it has none.
     * Owned by the caller. */
    char *(*get_definition)(void *self, const char *uuid, gboolean persistent, GError **error);
    /* Every active storage pool, or FAULT_HYPERVISOR_FAILED: GPtrArray of StoragePool *. */
    GPtrArray *(*list_pools)(void *self, GError **error);
    /* How fast the guest changes its memory, watched for @seconds (1-60). Costs the guest a little.
     * FAULT_HYPERVISOR_FAILED where QEMU cannot tell. */
    gboolean (*measure_dirty_rate)(void *self, const char *uuid, unsigned seconds,
                                   guint64 *ret_bytes_per_second, GError **error);
    /* A <cpu> that has what all @processors (<cpu> elements) have in common, ready for a domain;
     * of an empty list this host's own, as guests can have it. Owned by the caller. */
    char *(*baseline_processor)(void *self, const char *const *processors, GError **error);
    /* All ports that take VFs: GPtrArray of NetworkPort *. Empty where libvirt knows no ports. */
    GPtrArray *(*list_network_ports)(void *self, GError **error);
    /* Makes a port for exactly its VF. FAULT_HYPERVISOR_FAILED if that is taken or not in the
     * network, or where libvirt knows no ports. */
    gboolean (*create_network_port)(void *self, const NetworkPort *port, GError **error);
    /* A port that is not there is no error. */
    gboolean (*delete_network_port)(void *self, const char *network, const char *uuid,
                                    GError **error);
    /* Makes and starts a netfs pool that is gone when it is stopped. FAULT_HYPERVISOR_FAILED. */
    gboolean (*create_pool)(void *self, const StoragePool *pool, GError **error);
    /* Stops it; one that is not there is no error. FAULT_HYPERVISOR_FAILED. */
    gboolean (*destroy_pool)(void *self, const char *name, GError **error);
    /* Where @volume of the active pool @pool is, as libvirt last saw it: owned by the caller.
     * FAULT_HYPERVISOR_FAILED if it has none of that name. */
    char *(*find_volume)(void *self, const char *pool, const char *volume, GError **error);
    /* Has libvirt see what is in the active pool now. FAULT_HYPERVISOR_FAILED. */
    gboolean (*refresh_pool)(void *self, const char *name, GError **error);
    void (*free)(void *self);
} HypervisorOps;

/* Takes @self over (freed by ops->free). */
Hypervisor *hypervisor_new(const HypervisorOps *ops, void *self);
/*
 * The real one. @uri "qemu:///system". Does not block and does not fail when libvirt is down. Calls
 * wait for it to come (back) until it has been away for @return_seconds; from then on they fail
 * with FAULT_HYPERVISOR_UNAVAILABLE at once until it is there. So an outage costs no caller more
 * than that, however many calls it needs, and one that is only a restart costs nobody an error.
 * Main thread only.
 */
Hypervisor *hypervisor_new_libvirt(const char *uri, unsigned return_seconds);
void hypervisor_free(Hypervisor *hypervisor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hypervisor, hypervisor_free)

/* For implementations: hands a copy of @event to every watch. Any thread. */
void hypervisor_emit(Hypervisor *hypervisor, const HypervisorEvent *event);

/* The operations, as in HypervisorOps. Thread-safe. */
Guest *hypervisor_get_guest(Hypervisor *hypervisor, const char *guest, GError **error);
GPtrArray *hypervisor_list_guests(Hypervisor *hypervisor, GError **error);
gboolean hypervisor_detach_device(Hypervisor *hypervisor, const char *uuid,
                                  const char *alias_or_xml, DeviceScope scope, GError **error);
gboolean hypervisor_attach_device(Hypervisor *hypervisor, const char *uuid, const char *xml,
                                  DeviceScope scope, GError **error);
gboolean hypervisor_update_device(Hypervisor *hypervisor, const char *uuid, const char *xml,
                                  DeviceScope scope, GError **error);
char *hypervisor_agent_command(Hypervisor *hypervisor, const char *uuid, const char *command,
                               unsigned timeout_seconds, GError **error);
gboolean hypervisor_migrate(Hypervisor *hypervisor, const char *uuid,
                            const MigrationRequest *request, GError **error);
gboolean hypervisor_get_progress(Hypervisor *hypervisor, const char *uuid,
                                 MigrationProgress *ret_progress, GError **error);
gboolean hypervisor_abort_job(Hypervisor *hypervisor, const char *uuid, GError **error);
gboolean hypervisor_start_post_copy(Hypervisor *hypervisor, const char *uuid, GError **error);
gboolean hypervisor_suspend(Hypervisor *hypervisor, const char *uuid, GError **error);
gboolean hypervisor_save(Hypervisor *hypervisor, const char *uuid, GError **error);
gboolean hypervisor_shut_down(Hypervisor *hypervisor, const char *uuid, GError **error);
gboolean hypervisor_start(Hypervisor *hypervisor, const char *uuid, GError **error);
gboolean hypervisor_set_metadata(Hypervisor *hypervisor, const char *uuid, const char *uri,
                                 const char *prefix, const char *xml, DeviceScope scope,
                                 GError **error);
GPtrArray *hypervisor_list_networks(Hypervisor *hypervisor, GError **error);
HypervisorHost *hypervisor_get_host(Hypervisor *hypervisor, GError **error);
gboolean hypervisor_compare_processor(Hypervisor *hypervisor, const HypervisorMachine *machine,
                                      const char *xml, char **ret_obstacle, GError **error);
GuestCondition *hypervisor_inspect_guest(Hypervisor *hypervisor, const char *uuid, GError **error);
char *hypervisor_get_definition(Hypervisor *hypervisor, const char *uuid, gboolean persistent,
                                GError **error);
GPtrArray *hypervisor_list_pools(Hypervisor *hypervisor, GError **error);
gboolean hypervisor_measure_dirty_rate(Hypervisor *hypervisor, const char *uuid, unsigned seconds,
                                       guint64 *ret_bytes_per_second, GError **error);
char *hypervisor_baseline_processor(Hypervisor *hypervisor, const char *const *processors,
                                    GError **error);
GPtrArray *hypervisor_list_network_ports(Hypervisor *hypervisor, GError **error);
gboolean hypervisor_create_network_port(Hypervisor *hypervisor, const NetworkPort *port,
                                        GError **error);
gboolean hypervisor_delete_network_port(Hypervisor *hypervisor, const char *network,
                                        const char *uuid, GError **error);
gboolean hypervisor_create_pool(Hypervisor *hypervisor, const StoragePool *pool, GError **error);
gboolean hypervisor_destroy_pool(Hypervisor *hypervisor, const char *name, GError **error);
char *hypervisor_find_volume(Hypervisor *hypervisor, const char *pool, const char *volume,
                             GError **error);
gboolean hypervisor_refresh_pool(Hypervisor *hypervisor, const char *name, GError **error);

/*
 * A queue of events. Create it BEFORE asking for the change whose event is awaited. @uuid limits it
 * to one guest (RECONNECTED always comes); NULL for all. next() blocks until an event, the deadline
 * (g_get_monotonic_time(); NULL and FAULT_TIMED_OUT) or @cancellable (FAULT_CANCELLED). A queue
 * that grows past HYPERVISOR_WATCH_EVENTS is replaced by one RECONNECTED event. Free it before the
 * Hypervisor.
 */
#define HYPERVISOR_WATCH_EVENTS 1024
typedef struct HypervisorWatch HypervisorWatch;
HypervisorWatch *hypervisor_watch_new(Hypervisor *hypervisor, const char *uuid);
HypervisorEvent *hypervisor_watch_next(HypervisorWatch *watch, gint64 deadline_usec,
                                       GCancellable *cancellable, GError **error);
void hypervisor_watch_free(HypervisorWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HypervisorWatch, hypervisor_watch_free)
