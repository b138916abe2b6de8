/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/xml_tree.h"
#include "fake/fake_hypervisor.h"

struct FakeJob {
    GMutex lock; /* guards everything below */
    FakeMigrate migrate;
    void *data;
    MigrationProgress progress;
};

FakeJob *
fake_job_new(void)
{
    FakeJob *job = g_new0(FakeJob, 1);

    g_mutex_init(&job->lock);
    job->progress = (MigrationProgress) { .active = TRUE,
                                          .memory_total_bytes = 1000,
                                          .memory_remaining_bytes = 400 };
    return job;
}

void
fake_job_free(FakeJob *job)
{
    g_mutex_clear(&job->lock);
    g_free(job);
}

void
fake_hypervisor_set_migrate(FakeHypervisor *fake, FakeMigrate hook, void *data)
{
    FakeJob *job = fake_hypervisor_job(fake);

    g_mutex_lock(&job->lock);
    job->migrate = hook;
    job->data = data;
    g_mutex_unlock(&job->lock);
}

void
fake_hypervisor_set_progress(FakeHypervisor *fake, const MigrationProgress *progress)
{
    FakeJob *job = fake_hypervisor_job(fake);

    g_mutex_lock(&job->lock);
    job->progress = *progress;
    g_mutex_unlock(&job->lock);
}

static void
ignore(Guest *guest, void *data)
{
}

gboolean
fake_job_migrate(void *self, const char *uuid, const MigrationRequest *request, GError **error)
{
    FakeJob *job = fake_hypervisor_job(self);

    if (!fake_hypervisor_enter(self, "migrate", request->destination_uri, error) ||
        !fake_hypervisor_with_guest(self, uuid, ignore, NULL, error))
        return FALSE;
    g_mutex_lock(&job->lock);
    FakeMigrate hook = job->migrate;
    void *data = job->data;
    g_mutex_unlock(&job->lock);
    return !hook || hook(uuid, request, data, error);
}

static void
note_job(Guest *guest, void *data)
{
    *(gboolean *)data = guest->has_job;
}

gboolean
fake_job_get_progress(void *self, const char *uuid, MigrationProgress *ret_progress, GError **error)
{
    FakeJob *job = fake_hypervisor_job(self);
    gboolean has_job;

    if (!fake_hypervisor_enter(self, "get_progress", NULL, error) ||
        !fake_hypervisor_with_guest(self, uuid, note_job, &has_job, error))
        return FALSE;
    g_mutex_lock(&job->lock);
    *ret_progress = job->progress;
    g_mutex_unlock(&job->lock);
    ret_progress->active = has_job;
    return TRUE;
}

/* What only a guest with a job lets be done. */
static gboolean
enter_job(FakeHypervisor *fake, const char *operation, const char *uuid, GError **error)
{
    gboolean has_job;

    /* Whoever waits for the call may end the job as soon as it is noted. */
    if (!fake_hypervisor_with_guest(fake, uuid, note_job, &has_job, error) ||
        !fake_hypervisor_enter(fake, operation, NULL, error))
        return FALSE;
    if (!has_job)
        fault_set(error, FAULT_HYPERVISOR_FAILED, "job", NULL, "no job is active on the domain");
    return has_job;
}

gboolean
fake_job_abort(void *self, const char *uuid, GError **error)
{
    return enter_job(self, "abort_job", uuid, error);
}

gboolean
fake_job_start_post_copy(void *self, const char *uuid, GError **error)
{
    return enter_job(self, "start_post_copy", uuid, error);
}

static void
pause_guest(Guest *guest, void *data)
{
    guest->state = GUEST_STATE_PAUSED;
}

gboolean
fake_job_suspend(void *self, const char *uuid, GError **error)
{
    return fake_hypervisor_enter(self, "suspend", NULL, error) &&
           fake_hypervisor_with_guest(self, uuid, pause_guest, NULL, error);
}

typedef struct {
    const char *uri, *prefix, *xml;
    DeviceScope scope;
} Metadata;

static xmlNode *
find_metadata(xmlNode *root)
{
    xmlNode *metadata = xml_tree_child(root, "metadata");

    return metadata ? metadata : xml_tree_add(root, "metadata");
}

static void
remove_of(xmlNode *metadata, const char *uri)
{
    xmlNode *next;

    for (xmlNode *node = xml_tree_child(metadata, NULL); node; node = next) {
        next = xml_tree_next(node, NULL);
        if (node->ns && xmlStrEqual(node->ns->href, (const xmlChar *)uri)) {
            xmlUnlinkNode(node);
            xmlFreeNode(node);
        }
    }
}

static void
change_xml(char **xml, const Metadata *change)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(*xml, "fake domain", NULL);
    g_autoptr(xmlDoc) added = change->xml ? xml_tree_parse(change->xml, "metadata", NULL) : NULL;
    xmlNode *root = xmlDocGetRootElement(document);
    xmlNode *metadata = find_metadata(root);

    remove_of(metadata, change->uri);
    if (added) {
        xmlNode *node = xmlDocCopyNode(xmlDocGetRootElement(added), document, 1);
        xmlNs *space =
            xmlNewNs(node, (const xmlChar *)change->uri, (const xmlChar *)change->prefix);

        xmlSetNs(node, space);
        xmlAddChild(metadata, node);
    }
    g_free(*xml);
    *xml = xml_tree_print(root);
}

static void
change_guest(Guest *guest, void *data)
{
    const Metadata *change = data;

    if (change->scope & DEVICE_LIVE)
        change_xml(&guest->xml, change);
    if (change->scope & DEVICE_CONFIG)
        change_xml(&guest->inactive_xml, change);
}

gboolean
fake_job_set_metadata(void *self, const char *uuid, const char *uri, const char *prefix,
                      const char *xml, DeviceScope scope, GError **error)
{
    Metadata change = { uri, prefix, xml, scope };

    return fake_hypervisor_enter(self, "set_metadata", NULL, error) &&
           fake_hypervisor_with_guest(self, uuid, change_guest, &change, error);
}
