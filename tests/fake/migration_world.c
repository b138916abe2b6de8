/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/migration_world.h"

#include <glib/gstdio.h>

#include "fake/fake_sysfs.h"
#include "netprep/attach_job.h"
#include "netprep/description.h"
#include "netprep/release.h"
#include "netprep/reservation.h"
#include "netprep/unplug.h"

#define OWNER          "coordinator"
#define LEASE_SECONDS  60
#define SETTLED_ROUNDS 30

static const char domain_text[] =
    "<domain type='kvm' id='1'><name>web1</name><uuid>" WORLD_UUID "</uuid><devices>"
    "<interface type='bridge'><mac address='" WORLD_MAC "'/><source bridge='br0'/>"
    "<target dev='vnet0'/><model type='virtio'/><alias name='net0'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0'/></interface>"
    "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/>"
    "<source><address domain='0x0000' bus='0x01' slot='0x10' function='0x0'/></source>"
    "<alias name='hostdev0'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x04' function='0x0'/></hostdev>"
    "%s<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' state='connected'/>"
    "</channel></devices></domain>";

static const char second_text[] =
    "<interface type='bridge'><mac address='" WORLD_MAC_2 "'/><source bridge='br0'/>"
    "<target dev='vnet1'/><model type='virtio'/><alias name='net1'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/></interface>"
    "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/>"
    "<source><address domain='0x0000' bus='0x01' slot='0x10' function='0x2'/></source>"
    "<alias name='hostdev1'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x06' function='0x0'/></hostdev>";

static void
quiet(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
}

static void
give_function(MigrationHost *host, unsigned vnic)
{
    const FunctionSettings settings = { .vlan = 12, .trust = TRUE, .spoof_check = TRUE };

    *fake_function_control_settings(host->control, vnic) = settings;
    fake_sysfs_bind(host->sysfs, host->functions[vnic], "vfio-pci");
    host->plugged[vnic] = (gint)vnic;
}

static MigrationWorld *
world_new(unsigned vnics)
{
    MigrationWorld *world = g_new0(MigrationWorld, 1);
    g_autofree char *xml = g_strdup_printf(domain_text, vnics > 1 ? second_text : "");

    /* Hundreds of failures are warned about, as they should be. */
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    if (!g_test_verbose())
        g_log_set_handler("migprep", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE, quiet, NULL);
    world->directory = g_dir_make_tmp("migration-XXXXXX", NULL);
    world->guest = fake_guest_new();
    world->source = migration_host_new("source", 0x01, world->directory, world->guest);
    world->destination = migration_host_new("destination", 0x41, world->directory, world->guest);
    for (unsigned vnic = 0; vnic < vnics; vnic++)
        give_function(world->source, vnic);
    if (vnics > 1)
        fake_guest_set_two_bonds(world->guest);
    fake_hypervisor_add_guest(world->source->hypervisor, xml, GUEST_STATE_RUNNING, TRUE);
    return world;
}

MigrationWorld *
migration_world_new(void)
{
    return world_new(1);
}

MigrationWorld *
migration_world_new_with_two(void)
{
    return world_new(2);
}

static void
remove_directory(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(directory))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_remove(file);
    }
    g_rmdir(path);
}

void
migration_world_free(MigrationWorld *world)
{
    migration_host_free(world->source);
    migration_host_free(world->destination);
    fake_guest_free(world->guest);
    remove_directory(world->directory);
    g_free(world->directory);
    g_free(world);
}

/* The daemon that a call of the coordinator gets to, or NULL. */
static const NetworkHost *
reach(const MigrationWorld *world, const MigrationHost *host)
{
    gboolean answers = !world->coordinator_gone && !host->cut_off && host->daemon &&
                       !daemon_process_is_dead(host->daemon);

    return answers ? daemon_process_host(host->daemon) : NULL;
}

static void
revive(MigrationWorld *world)
{
    migration_host_revive(world->source);
    migration_host_revive(world->destination);
}

gboolean
migration_world_reserve(MigrationWorld *world)
{
    const NetworkHost *source = reach(world, world->source);
    const NetworkHost *destination = reach(world, world->destination);
    g_autoptr(GError) error = NULL;
    json_auto_t *guest = source ? description_of_guest(source, "web1", &error) : NULL;
    ReservationRequest request = {
        OWNER,        "reserve", "web1", WORLD_UUID, guest ? json_object_get(guest, "vnics") : NULL,
        LEASE_SECONDS
    };
    g_autoptr(Lease) lease =
        guest && destination ? reservation_create(destination, &request, &error) : NULL;

    if (error)
        g_test_message("Reserve: %s", error->message);
    return lease != NULL;
}

/* Waits for @job; FALSE with @error. */
static gboolean
finish(Job *job, const char *what, GError *error)
{
    g_autoptr(Job) owned = job;
    g_autoptr(GError) failure = error;
    json_auto_t *result = job ? job_wait(job, &failure) : NULL;

    if (failure)
        g_test_message("%s: %s", what, failure->message);
    return result != NULL;
}

gboolean
migration_world_detach(MigrationWorld *world, const char *token)
{
    const NetworkHost *source = reach(world, world->source);
    GError *error = NULL;
    Job *job = source ? unplug_start(source, OWNER, token, "web1", LEASE_SECONDS, &error) : NULL;
    gboolean done = finish(job, "Detach", error);

    revive(world);
    return done;
}

gboolean
migration_world_attach(MigrationWorld *world)
{
    const NetworkHost *destination = reach(world, world->destination);
    g_autoptr(GPtrArray) leases = destination ? migration_host_leases(world->destination) : NULL;
    GError *error = NULL;

    if (!leases || leases->len == 0)
        return FALSE;
    const Lease *lease = leases->pdata[0];
    Job *job = attach_start(destination, lease->id, lease->generation, 0, &error);
    gboolean done = finish(job, "Attach", error);

    revive(world);
    return done;
}

static void
release_on(MigrationWorld *world, const MigrationHost *host)
{
    const NetworkHost *reached = reach(world, host);
    g_autoptr(GPtrArray) leases = reached ? migration_host_leases(host) : NULL;

    for (guint i = 0; leases && i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];
        GError *error = NULL;
        Job *job = release_start(reached, lease->id, lease->generation, &error);

        (void)finish(job, "Release", error);
    }
}

void
migration_world_release(MigrationWorld *world)
{
    release_on(world, world->source);
    release_on(world, world->destination);
    revive(world);
}

static gboolean
has_passthrough(const Guest *guest)
{
    g_autoptr(DomainXml) domain = domain_xml_parse(guest->xml, NULL);

    return domain->passthrough->len > 0;
}

gboolean
migration_world_depart(MigrationWorld *world)
{
    g_autoptr(Guest) guest = migration_host_guest(world->source);

    if (world->coordinator_gone || world->destination->cut_off || !world->destination->daemon ||
        has_passthrough(guest))
        return FALSE;
    fake_hypervisor_set_job(world->source->hypervisor, WORLD_UUID, TRUE);
    fake_hypervisor_add_guest(world->destination->hypervisor, guest->xml, GUEST_STATE_PAUSED, TRUE);
    return TRUE;
}

static gboolean
is_under_way(const MigrationWorld *world)
{
    g_autoptr(Guest) guest = migration_host_guest(world->source);

    return guest && guest->has_job;
}

gboolean
migration_world_arrive(MigrationWorld *world, gboolean well)
{
    g_autoptr(Guest) coming = migration_host_guest(world->destination);

    if (!is_under_way(world))
        return FALSE;
    if (well && coming && !world->destination->cut_off) {
        fake_hypervisor_set_state(world->destination->hypervisor, WORLD_UUID, GUEST_STATE_RUNNING);
        fake_hypervisor_remove_guest(world->source->hypervisor, WORLD_UUID);
        return TRUE;
    }
    fake_hypervisor_set_job(world->source->hypervisor, WORLD_UUID, FALSE);
    if (coming)
        fake_hypervisor_remove_guest(world->destination->hypervisor, WORLD_UUID);
    return FALSE;
}

static void
print_host(GString *text, const MigrationHost *host)
{
    g_autoptr(GPtrArray) leases = migration_host_leases(host);
    g_autoptr(Guest) guest = migration_host_guest(host);

    g_string_append_printf(text, "%s: %s\n", host->name, guest ? guest->xml : "no guest");
    for (guint i = 0; i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        g_string_append_printf(text, "%s %s %s\n", lease->id, lease->state, lease->reason);
        for (guint k = 0; k < lease->assets->len; k++) {
            const LeaseAsset *asset = lease->assets->pdata[k];
            g_string_append_printf(text, "  %s %s\n", asset->key, asset->state);
        }
    }
}

static char *
look_once(const MigrationWorld *world)
{
    MigrationHost *const hosts[] = { world->source, world->destination };
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
        if (!hosts[i]->daemon)
            continue;
        daemon_process_reconcile(hosts[i]->daemon);
        print_host(text, hosts[i]);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void
migration_world_look(MigrationWorld *world)
{
    revive(world);
    g_autofree char *state = look_once(world);
}

void
migration_world_settle(MigrationWorld *world)
{
    g_autofree char *before = NULL;

    for (unsigned round = 0; round < SETTLED_ROUNDS; round++) {
        revive(world);
        g_autofree char *now = look_once(world);

        if (g_strcmp0(before, now) == 0)
            return;
        g_free(before);
        before = g_steal_pointer(&now);
    }
    g_error("the daemons find no rest: %s", before);
}

void
migration_world_expire(MigrationWorld *world)
{
    revive(world);
    migration_host_expire(world->source);
    if (world->destination->daemon)
        migration_host_expire(world->destination);
}
