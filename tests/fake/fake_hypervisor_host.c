/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_hypervisor_host.h"

#include "fake/fake_hypervisor.h"

#define GIB (1ULL << 30)

const FakeHost FAKE_HOST_DEFAULT = {
    .type = "QEMU",
    .version = 7002000,
    .processors = 8,
    .available_bytes = 16 * GIB,
    .huge_pages = { 2ULL << 20, 512 },
    .machine = "pc-q35-7.2",
};

static const char capabilities[] =
    "<capabilities><host><cpu><arch>x86_64</arch><model>Haswell</model><vendor>Intel</vendor>"
    "<pages unit='KiB' size='4'/><pages unit='KiB' size='2048'/></cpu></host>"
    "<guest><os_type>hvm</os_type><arch name='x86_64'><emulator>/usr/bin/qemu</emulator>"
    "<machine canonical='%s'>q35</machine></arch></guest></capabilities>";

HypervisorHost *
fake_host_get(void *self, GError **error)
{
    const FakeHost *fake = fake_hypervisor_host(self);
    HypervisorHost *host = NULL;

    if (!fake_hypervisor_enter(self, "get_host", NULL, error))
        return NULL;
    host = g_new0(HypervisorHost, 1);
    host->type = g_strdup(fake->type);
    host->version = host->library_version = fake->version;
    host->processors = fake->processors;
    host->available_bytes = fake->available_bytes;
    host->huge_pages = g_array_new(FALSE, FALSE, sizeof(HugePages));
    g_array_append_val(host->huge_pages, fake->huge_pages);
    host->capabilities = g_strdup_printf(capabilities, fake->machine);
    return host;
}

gboolean
fake_host_compare_processor(void *self, const HypervisorMachine *machine, const char *xml,
                            char **ret_obstacle, GError **error)
{
    if (!fake_hypervisor_enter(self, "compare_processor", NULL, error))
        return FALSE;
    *ret_obstacle = g_strdup(fake_hypervisor_host(self)->processor_obstacle);
    return TRUE;
}

gboolean
fake_host_count_snapshots(void *self, const char *uuid, unsigned *ret_count, GError **error)
{
    if (!fake_hypervisor_enter(self, "count_snapshots", uuid, error))
        return FALSE;
    g_autoptr(Guest) guest = hypervisor_get_guest(fake_hypervisor_get(self), uuid, error);
    if (!guest)
        return FALSE;
    *ret_count = fake_hypervisor_host(self)->snapshots;
    return TRUE;
}
