/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of disks whose host is the NFS server itself. */
#include <string.h>

#include "common/fault.h"
#include "storprep/shared_disk.h"

static void
test_a_local_directory_is_refused_with_both_ways_out(void)
{
    g_auto(QemuConf) conf = { .shared_filesystems = g_new0(char *, 1) };
    g_autoptr(GError) error = NULL;

    g_assert_false(shared_disk_check(&conf, "vda", "/tmp/images/a.qcow2", &error));
    g_assert_error(error, FAULT, FAULT_DISK_UNSUPPORTED);
    g_assert_nonnull(strstr(fault_object(error), "vda"));
    g_assert_nonnull(strstr(fault_remedy(error), "shared_filesystems = [ \"/tmp/images\" ]"));
    g_assert_nonnull(strstr(fault_remedy(error), "mount it at '/tmp/images' on both hosts"));
    g_assert_null(strstr(fault_remedy(error), "unsafe"));
}

static void
test_a_directory_that_libvirt_was_told_about_is_accepted(void)
{
    g_auto(QemuConf) conf = { .shared_filesystems = g_strsplit("/srv;/tmp/images", ";", -1) };

    g_assert_true(shared_disk_check(&conf, "vda", "/tmp/images/a.qcow2", NULL));
    g_assert_false(shared_disk_check(&conf, "vda", "/tmp/other/a.qcow2", NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shared-disk/local", test_a_local_directory_is_refused_with_both_ways_out);
    g_test_add_func("/shared-disk/told", test_a_directory_that_libvirt_was_told_about_is_accepted);
    return g_test_run();
}
