/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/storage_audit.h"

#include <string.h>

#include "fake/database_audit.h"

static void
assert_known(const DatabaseAudit *audit, const char *what)
{
    g_test_message("%s is held by lease %s", what, database_audit_holder(audit, what));
    g_assert_true(*database_audit_holder(audit, what) ||
                  strstr(database_audit_details(audit), what));
}

/* What a guest that is here has is its own. */
static gboolean
is_guests(const ShareFixture *host, const char *path)
{
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(host->hypervisor, NULL);

    for (guint i = 0; i < guests->len; i++) {
        if (strstr(((const Guest *)guests->pdata[i])->xml, path))
            return TRUE;
    }
    return FALSE;
}

static void
audit_files(const ShareFixture *host, const DatabaseAudit *audit)
{
    g_autoptr(GDir) directory = g_dir_open(host->images, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(host->images, name, NULL);

        if (!is_guests(host, path))
            assert_known(audit, *name == '.' ? name : path);
    }
}

static void
audit_shares(const ShareFixture *host, const DatabaseAudit *audit)
{
    for (guint i = 0; i < host->fake_server->exports->len; i++) {
        const NfsExport *share = host->fake_server->exports->pdata[i];
        g_autofree char *subject = g_strdup_printf("%s:%s ", share->client, share->path);

        assert_known(audit, subject);
    }
    g_assert_cmpuint(fake_mount_table_count(host->fake_mounts), <=, 1);
    for (guint i = 0; i < host->fake_mounts->entries->len; i++) {
        const MountEntry *entry = host->fake_mounts->entries->pdata[i];

        assert_known(audit, entry->target);
    }
    if (fake_hypervisor_host(host->fake_hypervisor)->pool)
        assert_known(audit, "\"pool\":\"images\"");
    if (host->fake_firewall.open)
        assert_known(audit, "firewall: nfs ");
}

static gboolean
is_shared(const ShareFixture *host, const char *kind, const char *key)
{
    const GPtrArray *exports = host->fake_server->exports;
    const GPtrArray *mounts = host->fake_mounts->entries;

    for (guint i = 0; g_str_equal(kind, "export") && i < exports->len; i++) {
        const NfsExport *share = exports->pdata[i];
        g_autofree char *subject = g_strdup_printf("%s:%s ", share->client, share->path);

        if (g_str_has_prefix(key, subject))
            return TRUE;
    }
    for (guint i = 0; g_str_equal(kind, "mount") && i < mounts->len; i++) {
        if (g_str_has_prefix(key, ((const MountEntry *)mounts->pdata[i])->target))
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_there(const ShareFixture *host, const char *kind, const char *key)
{
    g_auto(GStrv) words = g_strsplit(key, " ", 2);

    if (g_str_equal(kind, "target") || g_str_equal(kind, "probe"))
        return g_file_test(words[0], G_FILE_TEST_IS_REGULAR);
    if (g_str_equal(kind, "pool"))
        return fake_hypervisor_host(host->fake_hypervisor)->pool != NULL;
    if (g_str_equal(kind, "firewall"))
        return host->fake_firewall.open;
    return is_shared(host, kind, key);
}

/* What a lease that is whole promises. */
static void
check_promise(const DatabaseAsset *asset, void *data)
{
    const ShareFixture *host = data;

    if (!g_str_equal(asset->lease_state, "ready") && !g_str_equal(asset->lease_state, "committed"))
        return;
    g_test_message("lease %s has %s %s", asset->lease, asset->kind, asset->key);
    g_assert_cmpstr(asset->state, ==, "made");
    g_assert_true(is_there(host, asset->kind, asset->key));
}

static void
audit(const ShareFixture *host, gboolean empty)
{
    g_autoptr(DatabaseAudit) audit = database_audit_new(host->database);

    audit_files(host, audit);
    audit_shares(host, audit);
    database_audit_each(audit, check_promise, (void *)host);
    if (empty)
        g_assert_cmpuint(database_audit_leases(audit), ==, 0);
}

void
storage_audit(const ShareFixture *host)
{
    audit(host, FALSE);
}

void
storage_audit_empty(const ShareFixture *host)
{
    audit(host, TRUE);
}
