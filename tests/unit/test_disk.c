/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of what a move means for a disk. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "storprep/disk.h"
#include "storprep/file_system.h"

/* A qcow2 version 3 header of 104 bytes: 1 GiB, clusters of 64 KiB. */
static const guint8 qcow2[104] = {
    [0] = 'Q', [1] = 'F',   [2] = 'I', [3] = 0xfb,  [7] = 3,
    [23] = 16, [28] = 0x40, [99] = 4,  [103] = 104,
};

typedef struct {
    char *directory;
    char *path;
    DomainDisk definition;
} Fixture;

static void
write_image(Fixture *fixture, size_t offset, guint8 value)
{
    guint8 header[sizeof qcow2];

    memcpy(header, qcow2, sizeof header);
    header[offset] = value;
    g_assert_true(g_file_set_contents(fixture->path, (char *)header, sizeof header, NULL));
}

/* A definition that is copied; each test spoils one thing. */
static void
set_up(Fixture *fixture, const void *data)
{
    fixture->directory = g_dir_make_tmp("disk-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->directory, "image", NULL);
    fixture->definition = (DomainDisk) {
        .target = (char *)"vda",
        .device = (char *)"disk",
        .type = (char *)"file",
        .source = fixture->path,
        .format = (char *)"qcow2",
    };
    write_image(fixture, 0, 'Q');
}

static void
tear_down(Fixture *fixture, const void *data)
{
    g_unlink(fixture->path);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->path);
    g_free(fixture->directory);
}

static void
assert_plan(Fixture *fixture, DiskMigration migration, const char *reason)
{
    g_autoptr(Disk) disk = disk_plan(&fixture->definition, NULL);

    g_assert_cmpint(disk->migration, ==, migration);
    if (reason)
        g_assert_nonnull(strstr(disk->reason, reason));
    else
        g_assert_null(disk->reason);
}

static void
test_plain_image_is_copied(Fixture *fixture, const void *data)
{
    assert_plan(fixture, DISK_COPY, NULL);
    fixture->definition.format = (char *)"raw";
    assert_plan(fixture, DISK_COPY, NULL);
}

static void
test_definition_decides(Fixture *fixture, const void *data)
{
    DomainDisk good = fixture->definition;

    fixture->definition.transient = TRUE;
    assert_plan(fixture, DISK_IMPOSSIBLE, "transient");
    fixture->definition = good;
    fixture->definition.shareable = TRUE;
    assert_plan(fixture, DISK_IMPOSSIBLE, "shared with other guests");
    fixture->definition = good;
    fixture->definition.encrypted = TRUE;
    assert_plan(fixture, DISK_IMPOSSIBLE, "encrypted");
    fixture->definition = good;
    fixture->definition.type = (char *)"block";
    assert_plan(fixture, DISK_IMPOSSIBLE, "block device");
    fixture->definition.type = (char *)"dir";
    assert_plan(fixture, DISK_IMPOSSIBLE, "neither file, volume nor network");
    fixture->definition.type = (char *)"network";
    assert_plan(fixture, DISK_NONE, "reach it");
    fixture->definition = good;
    fixture->definition.device = (char *)"lun";
    assert_plan(fixture, DISK_IMPOSSIBLE, "plain disk");
    fixture->definition = good;
    fixture->definition.format = (char *)"vmdk";
    assert_plan(fixture, DISK_IMPOSSIBLE, "neither qcow2 nor raw");
}

static void
assert_provable(Fixture *fixture, gboolean provable)
{
    g_autoptr(Disk) disk = disk_plan(&fixture->definition, NULL);

    g_assert_cmpint(disk->provable, ==, provable);
}

/* What could not be copied may still be shared; what no host may share is not. */
static void
test_plain_files_can_be_proven_shared(Fixture *fixture, const void *data)
{
    assert_provable(fixture, TRUE);
    fixture->definition.has_backing = TRUE;
    fixture->definition.encrypted = TRUE;
    assert_provable(fixture, TRUE);
    fixture->definition.transient = TRUE;
    assert_provable(fixture, FALSE);
    fixture->definition.transient = FALSE;
    fixture->definition.device = (char *)"cdrom";
    assert_provable(fixture, FALSE);
    fixture->definition.device = (char *)"disk";
    fixture->definition.type = (char *)"network";
    assert_provable(fixture, FALSE);
}

static void
test_read_only_and_empty_are_left(Fixture *fixture, const void *data)
{
    fixture->definition.read_only = TRUE;
    assert_plan(fixture, DISK_NONE, "read-only");
    fixture->definition.read_only = FALSE;
    fixture->definition.device = (char *)"cdrom";
    assert_plan(fixture, DISK_NONE, "read-only");
    fixture->definition.source = NULL;
    assert_plan(fixture, DISK_NONE, "it is empty");
}

static void
test_header_decides(Fixture *fixture, const void *data)
{
    write_image(fixture, 14, 1); /* a backing file, which becomes part of the copy */
    assert_plan(fixture, DISK_COPY, NULL);
    write_image(fixture, 35, 1);
    assert_plan(fixture, DISK_IMPOSSIBLE, "encrypted");
    write_image(fixture, 63, 1);
    assert_plan(fixture, DISK_IMPOSSIBLE, "internal snapshots");
    write_image(fixture, 79, 1 << 1);
    assert_plan(fixture, DISK_IMPOSSIBLE, "corrupt");
    write_image(fixture, 79, 1 << 2);
    assert_plan(fixture, DISK_IMPOSSIBLE, "external file");
    write_image(fixture, 79, 1 << 5);
    assert_plan(fixture, DISK_IMPOSSIBLE, "not known here");
    write_image(fixture, 79, 1 << 0);
    assert_plan(fixture, DISK_COPY, NULL);
}

static void
test_unreadable_image_is_a_reason_not_an_error(Fixture *fixture, const void *data)
{
    g_unlink(fixture->path);
    assert_plan(fixture, DISK_IMPOSSIBLE, "No such file");
    fixture->definition.source = fixture->directory;
    assert_plan(fixture, DISK_IMPOSSIBLE, "not a regular file");
}

static void
test_record_holds_the_shape(Fixture *fixture, const void *data)
{
    g_autoptr(Disk) disk = disk_plan(&fixture->definition, NULL);
    json_t *record = disk_to_json(disk);
    json_int_t size, cluster, refcount;
    const char *target, *path, *format, *compat, *migration;
    int extended, lazy, provable, read_only, shareable, transient, encrypted;
    const char *storage, *first;

    g_assert_cmpint(json_unpack(record,
                                "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:b, s:b, s:s, s:s, "
                                "s:b, s:b, s:b, s:b !}",
                                "target", &target, "path", &path, "format", &format, "compat",
                                &compat, "migration", &migration, "virtualSizeBytes", &size,
                                "clusterSizeBytes", &cluster, "refcountBits", &refcount,
                                "extendedL2", &extended, "lazyRefcounts", &lazy, "provable",
                                &provable, "storage", &storage, "header", &first, "readOnly",
                                &read_only, "shareable", &shareable, "transient", &transient,
                                "encrypted", &encrypted),
                    ==, 0);
    g_assert_cmpstr(migration, ==, "copy");
    g_assert_true(provable);
    g_assert_cmpstr(storage, ==, "file");
    g_assert_cmpstr(first, ==, "qcow2");
    g_assert_false(read_only || shareable || transient || encrypted);
    g_assert_cmpstr(compat, ==, "1.1");
    g_assert_cmpint(size, ==, 1 << 30);
    g_assert_cmpint(cluster, ==, 65536);
    g_assert_cmpint(refcount, ==, 16);
    json_decref(record);
}

/* What the definition says is what counts; what the image says is told. */
static void
test_raw_disk_that_begins_like_qcow2_is_told(Fixture *fixture, const void *data)
{
    fixture->definition.format = (char *)"raw";
    g_autoptr(Disk) forged = disk_plan(&fixture->definition, NULL);
    g_assert_cmpint(forged->migration, ==, DISK_COPY);
    g_assert_cmpint(forged->shape.format, ==, IMAGE_FORMAT_RAW);
    g_assert_cmpstr(forged->header, ==, "qcow2");
    write_image(fixture, 0, 'X');
    g_autoptr(Disk) plain = disk_plan(&fixture->definition, NULL);
    g_assert_cmpstr(plain->header, ==, "raw");
}

static GPtrArray *
plan_chain(const char *image, const char *live_chain, const char *configured_chain)
{
    static const char form[] = "<domain type='kvm'><name>web1</name>"
                               "<uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid><devices>"
                               "<disk type='file' device='disk'><driver type='qcow2'/>"
                               "<source file='%s'/>%s<target dev='vda'/></disk></devices></domain>";
    g_autofree char *live = g_strdup_printf(form, image, live_chain);
    g_autofree char *configured = g_strdup_printf(form, image, configured_chain);
    const Guest guest = { .name = (char *)"web1", .xml = live, .inactive_xml = configured };
    g_autoptr(GError) error = NULL;
    GPtrArray *disks = disk_plan_guest(&guest, NULL, &error);

    g_assert_no_error(error);
    return disks;
}

static void
test_chain_is_told_and_becomes_part_of_the_copy(Fixture *fixture, const void *data)
{
    static const char chain[] =
        "<backingStore type='file'><format type='qcow2'/><source file='/images/base'/>"
        "<backingStore type='file'><format type='raw'/><source file='/images/root'/>"
        "<backingStore/></backingStore></backingStore>";
    g_autoptr(GPtrArray) disks = plan_chain(fixture->path, chain, "");
    g_autoptr(GPtrArray) named = plan_chain(fixture->path, chain, chain);
    const Disk *disk = disks->pdata[0];

    g_assert_cmpint(disk->migration, ==, DISK_COPY);
    json_auto_t *expected = json_pack("[{s:s, s:s}, {s:s, s:s}]", "path", "/images/base", "format",
                                      "qcow2", "path", "/images/root", "format", "raw");
    g_assert_true(json_equal(disk->backing, expected));
    disk = named->pdata[0];
    g_assert_cmpint(disk->migration, ==, DISK_IMPOSSIBLE);
    g_assert_nonnull(strstr(disk->reason, "definition names its backing file"));
}

static void
test_shared_file_systems_are_known(void)
{
    g_assert_cmpstr(file_system_shared_name(0x6969), ==, "NFS");
    g_assert_cmpstr(file_system_shared_name(0x00c36400), ==, "CephFS");
    g_assert_null(file_system_shared_name(0xef53));     /* ext4 */
    g_assert_null(file_system_shared_name(0x01021994)); /* tmpfs */
}

static void
add(const char *name, void (*test)(Fixture *, const void *))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/disk/plain-image-is-copied", test_plain_image_is_copied);
    add("/disk/definition-decides", test_definition_decides);
    add("/disk/plain-files-can-be-proven-shared", test_plain_files_can_be_proven_shared);
    add("/disk/read-only-and-empty-are-left", test_read_only_and_empty_are_left);
    add("/disk/header-decides", test_header_decides);
    add("/disk/unreadable-image-is-a-reason", test_unreadable_image_is_a_reason_not_an_error);
    add("/disk/record-holds-the-shape", test_record_holds_the_shape);
    add("/disk/raw-disk-that-begins-like-qcow2-is-told",
        test_raw_disk_that_begins_like_qcow2_is_told);
    add("/disk/chain-is-told-and-becomes-part-of-the-copy",
        test_chain_is_told_and_becomes_part_of_the_copy);
    g_test_add_func("/disk/shared-file-systems-are-known", test_shared_file_systems_are_known);
    return g_test_run();
}
