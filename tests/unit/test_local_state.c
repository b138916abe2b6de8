/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of what else of a guest lies on its host. */
#include "storprep/local_state.h"

#define DOMAIN(system, devices)                                                                    \
    "<domain type='kvm'><name>web1</name><uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid><os>"    \
    "<type>hvm</type>" system "</os><devices>" devices "</devices></domain>"

/* Exactly one thing of @kind is found, at @path. */
static void
assert_found(const char *xml, const char *kind, const char *path, gboolean migrates)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *list = local_state_list(xml, &error);
    const json_t *found = json_array_get(list, 0);

    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(list), ==, 1);
    g_assert_cmpstr(json_string_value(json_object_get(found, "kind")), ==, kind);
    g_assert_cmpstr(json_string_value(json_object_get(found, "path")), ==, path);
    g_assert_cmpint(json_is_true(json_object_get(found, "migrates")), ==, migrates);
    g_assert_cmpstr(json_string_value(json_object_get(found, "remedy")), !=, "");
}

static void
test_what_is_found(void)
{
    assert_found(DOMAIN("<nvram>/var/lib/libvirt/qemu/nvram/web1.fd</nvram>", ""), "nvram",
                 "/var/lib/libvirt/qemu/nvram/web1.fd", TRUE);
    assert_found(DOMAIN("<nvram type='file'><source file='/nvram/web1'/></nvram>", ""), "nvram",
                 "/nvram/web1", TRUE);
    assert_found(DOMAIN("", "<tpm model='tpm-crb'><backend type='emulator'/></tpm>"), "tpm",
                 "/var/lib/libvirt/swtpm/4dea22b3-1d52-d8f3-2516-782e98ab3fa0", TRUE);
    assert_found(DOMAIN("<kernel>/boot/vmlinuz</kernel>", ""), "boot", "/boot/vmlinuz", FALSE);
    assert_found(DOMAIN("", "<disk type='file' device='cdrom'><source file='/iso/seed.iso'/>"
                            "<target dev='sda'/></disk>"),
                 "medium", "/iso/seed.iso", FALSE);
}

static void
test_what_is_not(void)
{
    json_auto_t *list = local_state_list(
        DOMAIN("", "<tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/tpm0'/>"
                   "</backend></tpm><disk type='file' device='cdrom'><target dev='sda'/></disk>"
                   "<disk type='file' device='disk'><source file='/images/a'/></disk>"),
        NULL);

    g_assert_cmpuint(json_array_size(list), ==, 0);
    g_assert_null(local_state_list("<domain", NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/local-state/what-is-found", test_what_is_found);
    g_test_add_func("/local-state/what-is-not", test_what_is_not);
    return g_test_run();
}
