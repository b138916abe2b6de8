/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_hypervisor.h"

#include <jansson.h>
#include <string.h>

#include "common/xml_tree.h"
#include "fake/fake_device.h"

/* A failure on demand. */
typedef struct {
    char *operation;
    unsigned left; /* calls until it fails, that one included */
    FaultCode code;
} Failure;

struct FakeHypervisor {
    Hypervisor *hypervisor;
    FakeEventSource *events; /* other handles; before our own */
    GMutex lock;             /* guards everything below */
    GPtrArray *guests;       /* of Guest *; their xml members are their configurations */
    GPtrArray *calls;        /* of char * */
    GPtrArray *answers;      /* of char **: what fake_hypervisor_calls() returned */
    GPtrArray *failures;     /* of Failure * */
    GHashTable *unplugs;     /* alias -> FakeUnplug */
    FakeNetworks *networks;
    unsigned next_alias;
    FakeAgent agent;
    void *agent_data;
    FakeHost host;
    FakeJob *job;
};

static void
failure_free(gpointer data)
{
    Failure *failure = data;

    g_free(failure->operation);
    g_free(failure);
}

/* Notes the call; FALSE if it is the one that is to fail. */
static gboolean
enter(FakeHypervisor *fake, const char *operation, const char *detail, GError **error)
{
    gboolean fine = TRUE;

    g_mutex_lock(&fake->lock);
    g_ptr_array_add(fake->calls,
                    detail ? g_strdup_printf("%s %s", operation, detail) : g_strdup(operation));
    for (guint i = 0; i < fake->failures->len && fine; i++) {
        Failure *failure = fake->failures->pdata[i];
        if (strcmp(failure->operation, operation) != 0 || --failure->left > 0)
            continue;
        fault_set(error, failure->code, operation, "none: a test asked for it", "fails on demand");
        g_ptr_array_remove_index(fake->failures, i);
        fine = FALSE;
    }
    g_mutex_unlock(&fake->lock);
    return fine;
}

gboolean
fake_hypervisor_enter(FakeHypervisor *fake, const char *operation, const char *detail,
                      GError **error)
{
    return enter(fake, operation, detail, error);
}

/* With the lock. NULL with @error (which may be NULL). */
static Guest *
find(FakeHypervisor *fake, const char *name, GError **error)
{
    for (guint i = 0; i < fake->guests->len; i++) {
        Guest *guest = fake->guests->pdata[i];
        if (strcmp(guest->uuid, name) == 0 || strcmp(guest->name, name) == 0)
            return guest;
    }
    g_autofree char *object = g_strdup_printf("guest '%s'", name);
    fault_set(error, FAULT_GUEST_NOT_FOUND, object, "list guests with: virsh list --all",
              "no such guest on this host");
    return NULL;
}

static gboolean
is_active(const Guest *guest)
{
    return guest->state == GUEST_STATE_RUNNING || guest->state == GUEST_STATE_PAUSED;
}

static Guest *
copy(const Guest *guest, gboolean with_inactive)
{
    Guest *result = g_memdup2(guest, sizeof *guest);

    result->name = g_strdup(guest->name);
    result->uuid = g_strdup(guest->uuid);
    result->xml =
        g_strdup(!is_active(guest) && guest->inactive_xml ? guest->inactive_xml : guest->xml);
    result->inactive_xml = with_inactive ? g_strdup(guest->inactive_xml) : NULL;
    return result;
}

static Guest *
get_guest(void *self, const char *name, GError **error)
{
    FakeHypervisor *fake = self;

    if (!enter(fake, "get_guest", name, error))
        return NULL;
    g_mutex_lock(&fake->lock);
    const Guest *guest = find(fake, name, error);
    Guest *result = guest ? copy(guest, TRUE) : NULL;
    g_mutex_unlock(&fake->lock);
    return result;
}

static GPtrArray *
list_guests(void *self, GError **error)
{
    FakeHypervisor *fake = self;

    if (!enter(fake, "list_guests", NULL, error))
        return NULL;
    GPtrArray *guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_free);
    g_mutex_lock(&fake->lock);
    for (guint i = 0; i < fake->guests->len; i++)
        g_ptr_array_add(guests, copy(fake->guests->pdata[i], FALSE));
    g_mutex_unlock(&fake->lock);
    return guests;
}

static void
emit(FakeHypervisor *fake, HypervisorEventType type, const char *uuid, const char *alias)
{
    HypervisorEvent event = { .type = type, .uuid = (char *)uuid, .alias = (char *)alias };

    fake_event_source_emit(fake->events, &event);
    hypervisor_emit(fake->hypervisor, &event);
}

static char *
describe(const char *device, DeviceScope scope)
{
    return g_strdup_printf(
        "%s %s%s%s", *device == '<' ? "xml" : device, scope & DEVICE_LIVE ? "live" : "",
        scope == (DEVICE_LIVE | DEVICE_CONFIG) ? "|" : "", scope & DEVICE_CONFIG ? "config" : "");
}

static void
set_no_device(GError **error, const char *device)
{
    fault_set(error, FAULT_HYPERVISOR_FAILED, "device", NULL, "no such device: %s", device);
}

/* The guest's part of a live unplug. */
static void
react(FakeHypervisor *fake, const char *uuid, const char *alias)
{
    g_mutex_lock(&fake->lock);
    FakeUnplug behaviour = GPOINTER_TO_INT(g_hash_table_lookup(fake->unplugs, alias));
    g_mutex_unlock(&fake->lock);
    switch (behaviour) {
    case FAKE_UNPLUG_AT_ONCE:
        fake_hypervisor_finish_unplug(fake, uuid, alias);
        break;
    case FAKE_UNPLUG_REFUSED:
        emit(fake, HYPERVISOR_EVENT_DEVICE_REFUSED, uuid, alias);
        break;
    case FAKE_UNPLUG_SILENT:
        break;
    }
}

/* With the lock: as libvirt checks before it touches anything. */
static gboolean
check_scope(const Guest *guest, DeviceScope scope, GError **error)
{
    const char *cause = NULL;

    if (scope & DEVICE_LIVE && !is_active(guest))
        cause = "domain is not running";
    else if (scope & DEVICE_CONFIG && !guest->inactive_xml)
        cause = "transient domains do not have any persistent config";
    if (cause)
        fault_set(error, FAULT_HYPERVISOR_FAILED, guest->name, NULL, "%s", cause);
    return !cause;
}

static gboolean
detach_device(void *self, const char *uuid, const char *alias_or_xml, DeviceScope scope,
              GError **error)
{
    FakeHypervisor *fake = self;
    g_autofree char *detail = describe(alias_or_xml, scope);

    if (!enter(fake, "detach_device", detail, error))
        return FALSE;
    g_mutex_lock(&fake->lock);
    Guest *guest = find(fake, uuid, error);
    gboolean allowed = guest && check_scope(guest, scope, error);
    gboolean found = allowed;
    g_autofree char *alias = NULL;
    if (allowed && scope & DEVICE_CONFIG)
        found = fake_device_remove(&guest->inactive_xml, alias_or_xml);
    if (found && scope & DEVICE_LIVE)
        found = (alias = fake_device_find_alias(guest->xml, alias_or_xml)) != NULL;
    if (allowed && !found)
        set_no_device(error, alias_or_xml);
    g_mutex_unlock(&fake->lock);
    if (found && scope & DEVICE_LIVE)
        react(fake, uuid, alias);
    return found;
}

static gboolean
attach_device(void *self, const char *uuid, const char *xml, DeviceScope scope, GError **error)
{
    FakeHypervisor *fake = self;
    g_autofree char *detail = describe(xml, scope);

    if (!enter(fake, "attach_device", detail, error))
        return FALSE;
    g_mutex_lock(&fake->lock);
    Guest *guest = find(fake, uuid, error);
    g_autofree char *alias = g_strdup_printf("hostdev%u", 100 + fake->next_alias++);
    gboolean allowed = guest && check_scope(guest, scope, error);
    gboolean added = allowed;
    if (allowed && scope & DEVICE_CONFIG)
        added = fake_device_add(&guest->inactive_xml, xml, NULL);
    if (allowed && scope & DEVICE_LIVE)
        added = added && fake_device_add(&guest->xml, xml, alias);
    if (allowed && !added)
        fault_set(error, FAULT_HYPERVISOR_FAILED, "device", NULL, "it is there already");
    g_mutex_unlock(&fake->lock);
    return added;
}

/* Found by name, host address and MAC; whatever else @xml says takes the place of what was there.
 */
static gboolean
update_device(void *self, const char *uuid, const char *xml, DeviceScope scope, GError **error)
{
    FakeHypervisor *fake = self;
    g_autofree char *detail = describe(xml, scope);

    if (!enter(fake, "update_device", detail, error))
        return FALSE;
    g_mutex_lock(&fake->lock);
    Guest *guest = find(fake, uuid, error);
    gboolean allowed = guest && check_scope(guest, scope, error);
    gboolean found = allowed;
    if (allowed && scope & DEVICE_CONFIG)
        found = fake_device_remove(&guest->inactive_xml, xml) &&
                fake_device_add(&guest->inactive_xml, xml, NULL);
    if (found && scope & DEVICE_LIVE)
        found = fake_device_remove(&guest->xml, xml) && fake_device_add(&guest->xml, xml, NULL);
    if (allowed && !found)
        set_no_device(error, xml);
    g_mutex_unlock(&fake->lock);
    return found;
}

/* libvirt looks into the reply: what the agent calls an error is one. */
static gboolean
check_reply(const char *reply, GError **error)
{
    json_t *answer = reply ? json_loads(reply, 0, NULL) : NULL;
    gboolean refused = json_object_get(answer, "error") != NULL;

    json_decref(answer);
    if (!reply)
        fault_set(error, FAULT_AGENT_UNAVAILABLE, "guest agent", "start it in the guest",
                  "it does not answer");
    else if (refused)
        fault_set(error, FAULT_AGENT_FAILED, "guest agent", NULL, "it answers %s", reply);
    return reply && !refused;
}

static char *
agent_command(void *self, const char *uuid, const char *command, unsigned timeout_seconds,
              GError **error)
{
    FakeHypervisor *fake = self;

    if (!enter(fake, "agent_command", NULL, error))
        return NULL;
    g_mutex_lock(&fake->lock);
    const Guest *guest = find(fake, uuid, error);
    gboolean known = guest != NULL;
    FakeAgent agent = known && is_active(guest) ? fake->agent : NULL;
    void *data = fake->agent_data;
    g_mutex_unlock(&fake->lock);
    if (!known)
        return NULL;
    g_autofree char *reply = agent ? agent(uuid, command, data) : NULL;
    return check_reply(reply, error) ? g_steal_pointer(&reply) : NULL;
}

gboolean
fake_hypervisor_with_guest(FakeHypervisor *fake, const char *uuid, void (*use)(Guest *, void *),
                           void *data, GError **error)
{
    g_mutex_lock(&fake->lock);
    Guest *guest = find(fake, uuid, error);
    if (guest)
        use(guest, data);
    g_mutex_unlock(&fake->lock);
    return guest != NULL;
}

static GPtrArray *
list_networks(void *self, GError **error)
{
    FakeHypervisor *fake = self;

    return enter(fake, "list_networks", NULL, error) ? fake_networks_list(fake->networks) : NULL;
}

static GPtrArray *
list_network_ports(void *self, GError **error)
{
    FakeHypervisor *fake = self;

    return enter(fake, "list_network_ports", NULL, error) ? fake_networks_list_ports(fake->networks)
                                                          : NULL;
}

static gboolean
create_network_port(void *self, const NetworkPort *port, GError **error)
{
    FakeHypervisor *fake = self;

    return enter(fake, "create_network_port", port->function, error) &&
           fake_networks_create_port(fake->networks, port, error);
}

static gboolean
delete_network_port(void *self, const char *network, const char *uuid, GError **error)
{
    FakeHypervisor *fake = self;

    return enter(fake, "delete_network_port", uuid, error) &&
           fake_networks_delete_port(fake->networks, network, uuid, error);
}

static void
fake_free(void *self)
{
    FakeHypervisor *fake = self;

    fake_event_source_free(fake->events);
    g_ptr_array_unref(fake->guests);
    g_ptr_array_unref(fake->calls);
    g_ptr_array_unref(fake->answers);
    g_ptr_array_unref(fake->failures);
    g_hash_table_unref(fake->unplugs);
    fake_networks_free(fake->networks);
    fake_job_free(fake->job);
    g_mutex_clear(&fake->lock);
    g_free(fake);
}

FakeHypervisor *
fake_hypervisor_new(void)
{
    static const HypervisorOps ops = {
        .get_guest = get_guest,
        .list_guests = list_guests,
        .detach_device = detach_device,
        .attach_device = attach_device,
        .update_device = update_device,
        .agent_command = agent_command,
        .migrate = fake_job_migrate,
        .get_progress = fake_job_get_progress,
        .abort_job = fake_job_abort,
        .start_post_copy = fake_job_start_post_copy,
        .suspend = fake_job_suspend,
        .save = fake_life_save,
        .shut_down = fake_life_shut_down,
        .start = fake_life_start,
        .set_metadata = fake_job_set_metadata,
        .list_networks = list_networks,
        .get_host = fake_host_get,
        .compare_processor = fake_host_compare_processor,
        .inspect_guest = fake_host_inspect_guest,
        .get_definition = fake_host_get_definition,
        .list_pools = fake_host_list_pools,
        .measure_dirty_rate = fake_host_measure_dirty_rate,
        .baseline_processor = fake_host_baseline_processor,
        .list_network_ports = list_network_ports,
        .create_network_port = create_network_port,
        .delete_network_port = delete_network_port,
        .create_pool = fake_host_create_pool,
        .destroy_pool = fake_host_destroy_pool,
        .find_volume = fake_host_find_volume,
        .refresh_pool = fake_host_refresh_pool,
        .free = fake_free,
    };
    FakeHypervisor *fake = g_new0(FakeHypervisor, 1);

    g_mutex_init(&fake->lock);
    fake->guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_free);
    fake->calls = g_ptr_array_new_with_free_func(g_free);
    fake->answers = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    fake->failures = g_ptr_array_new_with_free_func(failure_free);
    fake->unplugs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake->networks = fake_networks_new();
    fake->host = FAKE_HOST_DEFAULT;
    fake->job = fake_job_new();
    fake->hypervisor = hypervisor_new(&ops, fake);
    fake->events = fake_event_source_new();
    return fake;
}

FakeEventSource *
fake_hypervisor_events(FakeHypervisor *fake)
{
    return fake->events;
}

FakeHost *
fake_hypervisor_host(FakeHypervisor *fake)
{
    return &fake->host;
}

FakeJob *
fake_hypervisor_job(FakeHypervisor *fake)
{
    return fake->job;
}

Hypervisor *
fake_hypervisor_get(FakeHypervisor *fake)
{
    return fake->hypervisor;
}

void
fake_hypervisor_add_guest(FakeHypervisor *fake, const char *xml, GuestState state,
                          gboolean persistent)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "fake domain", NULL);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    Guest *guest = g_new0(Guest, 1);

    g_assert_nonnull(root);
    guest->name = xml_tree_child_text(root, "name");
    guest->uuid = xml_tree_child_text(root, "uuid");
    guest->state = state;
    guest->is_between = state == GUEST_STATE_PAUSED;
    guest->persistent = persistent;
    guest->xml = g_strdup(xml);
    guest->inactive_xml = persistent ? g_strdup(xml) : NULL;
    g_assert_nonnull(guest->uuid);
    g_mutex_lock(&fake->lock);
    g_ptr_array_add(fake->guests, guest);
    g_mutex_unlock(&fake->lock);
    if (state == GUEST_STATE_RUNNING || state == GUEST_STATE_PAUSED)
        emit(fake,
             state == GUEST_STATE_RUNNING ? HYPERVISOR_EVENT_RESUMED : HYPERVISOR_EVENT_COMING,
             guest->uuid, "");
}

void
fake_hypervisor_lose_guest(FakeHypervisor *fake, const char *uuid)
{
    g_mutex_lock(&fake->lock);
    g_ptr_array_remove(fake->guests, find(fake, uuid, NULL));
    g_mutex_unlock(&fake->lock);
}

void
fake_hypervisor_remove_guest(FakeHypervisor *fake, const char *uuid)
{
    fake_hypervisor_lose_guest(fake, uuid);
    emit(fake, HYPERVISOR_EVENT_STOPPED, uuid, "");
}

void
fake_hypervisor_set_state(FakeHypervisor *fake, const char *uuid, GuestState state)
{
    g_mutex_lock(&fake->lock);
    Guest *guest = find(fake, uuid, NULL);
    g_assert_nonnull(guest);
    guest->state = state;
    guest->is_between = FALSE;
    g_mutex_unlock(&fake->lock);
    emit(fake,
         state == GUEST_STATE_RUNNING  ? HYPERVISOR_EVENT_RESUMED
         : state == GUEST_STATE_PAUSED ? HYPERVISOR_EVENT_SUSPENDED
                                       : HYPERVISOR_EVENT_STOPPED,
         uuid, "");
}

void
fake_hypervisor_set_job(FakeHypervisor *fake, const char *uuid, gboolean has_job)
{
    g_mutex_lock(&fake->lock);
    Guest *guest = find(fake, uuid, NULL);
    g_assert_nonnull(guest);
    guest->has_job = has_job;
    g_mutex_unlock(&fake->lock);
}

void
fake_hypervisor_set_unplug(FakeHypervisor *fake, const char *alias, FakeUnplug behaviour)
{
    g_mutex_lock(&fake->lock);
    g_hash_table_insert(fake->unplugs, g_strdup(alias), GINT_TO_POINTER(behaviour));
    g_mutex_unlock(&fake->lock);
}

void
fake_hypervisor_finish_unplug(FakeHypervisor *fake, const char *uuid, const char *alias)
{
    g_mutex_lock(&fake->lock);
    Guest *guest = find(fake, uuid, NULL);
    gboolean removed = guest && fake_device_remove(&guest->xml, alias);
    g_mutex_unlock(&fake->lock);
    if (removed)
        emit(fake, HYPERVISOR_EVENT_DEVICE_REMOVED, uuid, alias);
}

void
fake_hypervisor_set_agent(FakeHypervisor *fake, FakeAgent agent, void *data)
{
    g_mutex_lock(&fake->lock);
    fake->agent = agent;
    fake->agent_data = data;
    g_mutex_unlock(&fake->lock);
}

FakeNetworks *
fake_hypervisor_networks(FakeHypervisor *fake)
{
    return fake->networks;
}

void
fake_hypervisor_add_network(FakeHypervisor *fake, const char *name, const char *pf)
{
    fake_networks_add(fake->networks, name, pf);
}

void
fake_hypervisor_add_bridge(FakeHypervisor *fake, const char *name, const char *bridge)
{
    fake_networks_add_bridge(fake->networks, name, bridge);
}

void
fake_hypervisor_fail(FakeHypervisor *fake, const char *operation, unsigned nth, FaultCode code)
{
    Failure *failure = g_new0(Failure, 1);

    failure->operation = g_strdup(operation);
    failure->left = nth;
    failure->code = code;
    g_mutex_lock(&fake->lock);
    g_ptr_array_add(fake->failures, failure);
    g_mutex_unlock(&fake->lock);
}

const char *const *
fake_hypervisor_calls(FakeHypervisor *fake)
{
    g_mutex_lock(&fake->lock);
    char **calls = g_new0(char *, fake->calls->len + 1);
    for (guint i = 0; i < fake->calls->len; i++)
        calls[i] = g_strdup(fake->calls->pdata[i]);
    g_ptr_array_add(fake->answers, calls);
    g_mutex_unlock(&fake->lock);
    return (const char *const *)calls;
}

void
fake_hypervisor_forget_calls(FakeHypervisor *fake)
{
    g_mutex_lock(&fake->lock);
    g_ptr_array_set_size(fake->calls, 0);
    g_ptr_array_set_size(fake->answers, 0);
    g_mutex_unlock(&fake->lock);
}
