/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks whose host is the NFS server itself: kept from being lost, and when libvirt is told to go
 * on. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/domain_xml.h"
#include "common/fault.h"
#include "storprep/migration_plan.h"
#include "storprep/shared_disk.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define KEEP "<seclabel model='dac' relabel='no'/>"

static const Disk local = { .target = (char *)"vda", .path = (char *)"/tmp/images/a.qcow2" };
static const Disk other = { .target = (char *)"vda", .path = (char *)"/tmp/other/a.qcow2" };
static const Disk kept = { .target = (char *)"vda",
                           .path = (char *)"/tmp/images/a.qcow2",
                           .owner_kept = TRUE };

static void
test_a_local_directory_is_refused_with_the_ways_out(void)
{
    g_auto(QemuConf) conf = { .shared_filesystems = g_new0(char *, 1) };
    g_autoptr(GError) error = NULL;
    SharedDiskSight sight;

    g_assert_false(shared_disk_check(&conf, &local, &sight, &error));
    g_assert_error(error, FAULT, FAULT_DISK_UNSUPPORTED);
    g_assert_nonnull(strstr(fault_object(error), "vda"));
    g_assert_nonnull(strstr(fault_remedy(error), "shared_filesystems = [ \"/tmp/images\" ]"));
    g_assert_nonnull(strstr(fault_remedy(error), "mount it at '/tmp/images' on both hosts"));
    g_assert_nonnull(strstr(fault_remedy(error), "dynamic_ownership = 0"));
    g_assert_null(strstr(fault_remedy(error), "unsafe"));
}

static void
test_a_directory_that_libvirt_was_told_about_is_accepted(void)
{
    g_auto(QemuConf) conf = { .shared_filesystems = g_strsplit("/srv;/tmp/images", ";", -1) };

    g_assert_cmpint(shared_disk_look(&conf, &local), ==, SHARED_DISK_SEEN);
    g_assert_cmpint(shared_disk_look(&conf, &other), ==, SHARED_DISK_LOST);
}

static void
test_an_image_whose_owner_never_changes_is_not_lost(void)
{
    g_auto(QemuConf) conf = { .shared_filesystems = g_new0(char *, 1) };

    g_assert_cmpint(shared_disk_look(&conf, &kept), ==, SHARED_DISK_UNSEEN);
    conf.owner_kept = TRUE;
    g_assert_cmpint(shared_disk_look(&conf, &local), ==, SHARED_DISK_UNSEEN);
}

static void
test_only_labels_of_ownership_keep_it(void)
{
    static const struct {
        const char *of_guest, *of_disk;
        gboolean kept;
    } cases[] = {
        { "", "", FALSE },
        { "", KEEP, TRUE },
        { "", "<seclabel relabel='no'/>", TRUE },
        { "", "<seclabel model='selinux' relabel='no'/>", FALSE },
        { "", "<seclabel model='selinux' relabel='no'/>" KEEP, TRUE },
        { "", "<seclabel model='dac' relabel='yes'/>", FALSE },
        { "<seclabel type='none' model='dac'/>", "", TRUE },
        { "<seclabel type='static' model='dac' relabel='no'/>", "", TRUE },
        { "<seclabel type='dynamic' model='dac' relabel='yes'/>", "", FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<domain><name>web1</name><uuid>" UUID "</uuid>%s<devices><disk type='file'>"
            "<source file='/a'>%s</source><target dev='vda'/></disk></devices></domain>",
            cases[i].of_guest, cases[i].of_disk);
        g_autoptr(DomainXml) domain = domain_xml_parse(xml, NULL);
        const DomainDisk *disk = domain->disks->pdata[0];

        g_assert_cmpint(disk->owner_kept, ==, cases[i].kept);
    }
}

/* A plan for a running guest whose two disks lie in a local directory, @shared as the caller says.
 */
static MigrationPlan *
plan(const char *label, const char *cache, const char *shared, gboolean unsafe, GError **error)
{
    g_autofree char *path = NULL;
    const Policy policy = policy_new();

    close(g_file_open_tmp("shared-XXXXXX", &path, NULL));
    g_assert_cmpint(truncate(path, 4096), ==, 0);
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web1</name><uuid>" UUID "</uuid><devices>"
        "<disk type='file' device='disk'><driver type='raw' cache='%s'/><source file='%s'>%s"
        "</source><target dev='vda'/></disk>"
        "<disk type='file' device='disk'><driver type='raw' cache='none'/><source file='%s'>%s"
        "</source><target dev='vdb'/></disk></devices></domain>",
        cache, path, label, path, label);
    const Guest guest = { .name = (char *)"web1",
                          .uuid = (char *)UUID,
                          .state = GUEST_STATE_RUNNING,
                          .persistent = TRUE,
                          .xml = xml,
                          .inactive_xml = xml };
    json_auto_t *asked = json_pack("{s:s, s:s, s:[], s:b}", "guest", UUID, "destinationUri",
                                   "qemu+ssh://host2/system", "copyDisks", "unsafe", unsafe);
    json_object_set_new(asked, "sharedDisks", json_loads(shared, 0, NULL));
    MigrationPlan *made = migration_plan_new(asked, &guest, &policy, NULL, error);
    g_unlink(path);
    return made;
}

static void
test_libvirt_is_told_to_go_on_only_where_that_is_proven_to_be_safe(void)
{
    static const struct {
        const char *label, *cache, *shared;
        gboolean asked, unsafe, proven, refused;
    } cases[] = {
        { KEEP, "none", "[\"vda\", \"vdb\"]", FALSE, TRUE, TRUE, FALSE },
        { KEEP, "directsync", "[\"vda\", \"vdb\"]", FALSE, TRUE, TRUE, FALSE },
        { KEEP, "writeback", "[\"vda\", \"vdb\"]", FALSE, FALSE, FALSE, TRUE },
        { KEEP, "writeback", "[\"vda\", \"vdb\"]", TRUE, TRUE, FALSE, FALSE },
        { KEEP, "none", "[\"vda\"]", FALSE, FALSE, FALSE, TRUE },
        { KEEP, "none", "[]", FALSE, FALSE, FALSE, FALSE },
        { "", "none", "[\"vda\", \"vdb\"]", FALSE, FALSE, FALSE, TRUE },
        { "", "none", "[\"vda\", \"vdb\"]", TRUE, FALSE, FALSE, TRUE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MigrationPlan) made =
            plan(cases[i].label, cases[i].cache, cases[i].shared, cases[i].asked, &error);

        if (cases[i].refused) {
            g_assert_error(error, FAULT, FAULT_DISK_UNSUPPORTED);
            continue;
        }
        g_assert_no_error(error);
        g_assert_cmpint(made->unsafe, ==, cases[i].unsafe);
        g_assert_cmpint(made->proven_safe, ==, cases[i].proven);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shared-disk/local", test_a_local_directory_is_refused_with_the_ways_out);
    g_test_add_func("/shared-disk/told", test_a_directory_that_libvirt_was_told_about_is_accepted);
    g_test_add_func("/shared-disk/owner-kept", test_an_image_whose_owner_never_changes_is_not_lost);
    g_test_add_func("/shared-disk/labels", test_only_labels_of_ownership_keep_it);
    g_test_add_func("/shared-disk/unsafe",
                    test_libvirt_is_told_to_go_on_only_where_that_is_proven_to_be_safe);
    return g_test_run();
}
