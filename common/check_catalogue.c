/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the catalogue. Whoever adds a line adds a test where the check holds and one where it is
 * broken; tests/check-catalogue looks for both. */
#include "common/check_catalogue.h"

#define AT_SOURCE      CHECK_AT_SOURCE
#define AT_DESTINATION CHECK_AT_DESTINATION
#define AT_EVERY_HOST  CHECK_AT_EVERY_HOST
#define BLOCKER        CHECK_BLOCKER
#define WARNING        CHECK_WARNING
#define NETPREPD       "netprepd"
#define STORPREPD      "storprepd"

#define GUEST_STATE   "a change of the guest's state"
#define GUEST_CONFIG  "a change of the guest's configuration"
#define GUEST_NETWORK "a change of the network inside the guest"
#define HOST_SOFTWARE "an update or a restart of the host"
#define HOST_LOAD     "another guest that starts or arrives there"
#define HOST_NETWORK  "a change of the host's networks"
#define HOST_STORAGE  "a change of files or of free space on the host"

#define RHEL      "RHEL 8, Configuring and managing virtualization, Migrating virtual machines"
#define RHV       "RHV, Virtual Machine Management Guide, 6.14.1 Live Migration Prerequisites"
#define RHV_VF    "RHV, Virtual Machine Management Guide, 6.14.2 SR-IOV vNICs"
#define OPENEULER "openEuler, Virtualization User Guide, VM Live Migration"
#define LIBVIRT   "libvirt, qemuMigrationSrcIsAllowed() and qemuMigrationSrcIsSafe()"
#define QEMU      "QEMU, docs/devel/migration"
#define BONDING   "Linux, Documentation/networking/bonding.rst"
#define VFIO      "Linux, Documentation/driver-api/vfio.rst"
#define QCOW2     "QEMU, docs/system/images.rst, and CVE-2014-0134"

/* clang-format off */
static const CheckKind kinds[] = {
    { "host.daemons-answer", "daemons answer",
      "netprepd and storprepd of the host can be asked.",
      BLOCKER, AT_EVERY_HOST, "migprep", "systemctl start netprepd.socket storprepd.socket",
      RHEL, HOST_SOFTWARE, TRUE },
    { "host.libvirt-answers", "libvirt answers",
      "The libvirt that the host's daemons use answers.",
      BLOCKER, AT_EVERY_HOST, STORPREPD, "systemctl start libvirtd",
      RHEL, HOST_SOFTWARE, TRUE },
    { "host.hypervisor-same", "same hypervisor",
      "Both hosts run the same kind of hypervisor.",
      BLOCKER, AT_DESTINATION, STORPREPD, "move the guest to a host with the same hypervisor",
      RHV, HOST_SOFTWARE, FALSE },
    { "host.version-not-older", "hypervisor not older",
      "The destination's QEMU is not older than the source's: an older one may not understand what "
      "a newer one sends.",
      BLOCKER, AT_DESTINATION, STORPREPD, "update QEMU on the destination",
      QEMU, HOST_SOFTWARE, FALSE },
    { "host.cpu-compatible", "processor compatible",
      "libvirt says that the destination's processor has all that the guest's has.",
      BLOCKER, AT_DESTINATION, STORPREPD,
      "give the guest a model that both have: virsh hypervisor-cpu-baseline",
      RHEL, GUEST_CONFIG, FALSE },
    { "host.vcpus-fit", "enough processors",
      "The guest has no more virtual processors than the destination has physical ones.",
      WARNING, AT_DESTINATION, STORPREPD, "move the guest to a host with more processors",
      OPENEULER, HOST_SOFTWARE, FALSE },
    { "host.memory-enough", "enough memory",
      "The destination's free and reclaimable memory holds the guest.",
      BLOCKER, AT_DESTINATION, STORPREPD, "move other guests away from the destination first",
      RHV, HOST_LOAD, FALSE },
    { "host.huge-pages-enough", "enough huge pages",
      "The destination has as many free huge pages of the guest's size as the guest needs.",
      BLOCKER, AT_DESTINATION, STORPREPD, "virsh allocpages --help",
      LIBVIRT, HOST_LOAD, FALSE },
    { "host.iommu-on", "IOMMU is on",
      "The host has IOMMU groups, without which no function can be given to a guest.",
      BLOCKER, AT_EVERY_HOST, NETPREPD,
      "enable VT-d or AMD-Vi in the firmware and boot with intel_iommu=on",
      VFIO, HOST_SOFTWARE, FALSE },
    { "host.vfio-present", "vfio-pci is loaded",
      "The driver that gives functions to guests is loaded; libvirt would load it by itself, if it "
      "is installed.",
      WARNING, AT_EVERY_HOST, NETPREPD, "modprobe vfio-pci",
      VFIO, HOST_SOFTWARE, TRUE },
    { "guest.exists", "guest is here",
      "The guest is known to the source's libvirt.",
      BLOCKER, AT_SOURCE, STORPREPD, "virsh list --all",
      RHEL, GUEST_STATE, FALSE },
    { "guest.running", "guest runs",
      "The guest runs: only then it is moved live.",
      BLOCKER, AT_SOURCE, STORPREPD, "start or resume the guest",
      RHEL, GUEST_STATE, FALSE },
    { "guest.no-job", "no job runs on it",
      "libvirt runs no migration, backup, save or dump of the guest, and no disk is being copied.",
      BLOCKER, AT_SOURCE, STORPREPD, "wait for the job to end",
      LIBVIRT, GUEST_STATE, FALSE },
    { "guest.no-snapshot", "no snapshots",
      "The guest has no snapshots: libvirt refuses to move a guest that has.",
      BLOCKER, AT_SOURCE, STORPREPD, "virsh snapshot-delete",
      LIBVIRT, GUEST_CONFIG, FALSE },
    { "guest.not-transient-disk", "no transient disks",
      "No disk is to be thrown away when the guest ends.",
      BLOCKER, AT_SOURCE, STORPREPD, "remove <transient/> and restart the guest",
      LIBVIRT, GUEST_CONFIG, FALSE },
    { "guest.no-host-devices", "no devices of its host",
      "The guest has no device of this host besides VFs of network cards: no USB, SCSI, mediated "
      "or other PCI device.",
      BLOCKER, AT_SOURCE, NETPREPD, "detach the device",
      LIBVIRT, GUEST_CONFIG, FALSE },
    { "guest.agent-answers", "guest agent answers",
      "The guest's agent answers and tells about its network devices, so that its traffic can be "
      "moved off its VFs.",
      BLOCKER, AT_SOURCE, NETPREPD, "start qemu-guest-agent in the guest",
      RHV_VF, GUEST_NETWORK, FALSE },
    { "guest.absent-there", "not there already",
      "The destination has no active guest of that UUID and no other one of that name.",
      BLOCKER, AT_DESTINATION, STORPREPD, "find out which of the two is the right one",
      LIBVIRT, HOST_LOAD, FALSE },
    { "guest.machine-known-there", "machine type known",
      "The destination's QEMU offers the guest's machine type.",
      BLOCKER, AT_DESTINATION, STORPREPD, "update QEMU on the destination",
      RHEL, HOST_SOFTWARE, FALSE },
    { "network.networks-there", "networks are there",
      "Each libvirt network of the guest is active on the destination.",
      BLOCKER, AT_DESTINATION, NETPREPD, "virsh net-start",
      RHV, HOST_NETWORK, TRUE },
    { "network.bridges-there", "bridges are there",
      "Each bridge of the guest exists on the destination and is up.",
      BLOCKER, AT_DESTINATION, NETPREPD, "ip link set BRIDGE up",
      RHEL, HOST_NETWORK, TRUE },
    { "network.functions-free", "enough free VFs",
      "As many VFs are free on each of the guest's physical networks as it has there, on ports with "
      "a link.",
      BLOCKER, AT_DESTINATION, NETPREPD, "migprep status",
      RHV_VF, HOST_LOAD, FALSE },
    { "network.functions-settings-supported", "VF settings supported",
      "The destination's driver knows each setting that the guest's VF has.",
      WARNING, AT_DESTINATION, NETPREPD, "use cards of the same kind",
      VFIO, HOST_SOFTWARE, FALSE },
    { "network.backup-present", "VirtIO NIC in the bond",
      "Each VF of the guest is in a bond with a VirtIO NIC that has a link.",
      BLOCKER, AT_SOURCE, NETPREPD, "migprep setup-bond GUEST",
      RHV_VF, GUEST_NETWORK, FALSE },
    { "network.backup-unfiltered", "VirtIO NIC unfiltered",
      "No network filter drops what the bond sends through the VirtIO NIC.",
      BLOCKER, AT_SOURCE, NETPREPD, "virsh edit GUEST: remove <filterref>",
      RHV_VF, GUEST_CONFIG, FALSE },
    { "network.bond-mode", "bond is active-backup",
      "The bond uses one port at a time, which no switch has to know about.",
      BLOCKER, AT_SOURCE, NETPREPD, "set the bond's mode to active-backup in the guest",
      RHV_VF, GUEST_NETWORK, FALSE },
    { "network.bond-monitoring", "bond watches its links",
      "The bond watches its links (miimon), so that it notices a dead one.",
      BLOCKER, AT_SOURCE, NETPREPD, "set the bond's miimon to 100 in the guest",
      BONDING, GUEST_NETWORK, FALSE },
    { "network.bond-primary", "VF is primary",
      "The bond goes back to the VF by itself.",
      WARNING, AT_SOURCE, NETPREPD, "set the bond's primary in the guest",
      BONDING, GUEST_NETWORK, FALSE },
    { "network.bond-announcements", "bond announces itself",
      "The bond tells switches often enough where it went.",
      WARNING, AT_SOURCE, NETPREPD, "set the bond's num_grat_arp to 3 in the guest",
      BONDING, GUEST_NETWORK, FALSE },
    { "storage.disks-movable", "disk can be moved",
      "The disk is copied, or needs no copy.",
      BLOCKER, AT_SOURCE, STORPREPD, "see the evidence",
      OPENEULER, GUEST_CONFIG, FALSE },
    { "storage.format-matches", "image is what is declared",
      "A disk declared as raw does not begin like a qcow2 image, which some program might take it "
      "for.",
      WARNING, AT_SOURCE, STORPREPD, "declare the image's real format: virsh edit",
      QCOW2, GUEST_CONFIG, FALSE },
    { "storage.cache-mode", "cache mode is safe",
      "A disk on shared storage bypasses the hosts' page caches: none or directsync.",
      WARNING, AT_SOURCE, STORPREPD, "set <driver cache='none'/> and restart the guest",
      LIBVIRT, GUEST_CONFIG, FALSE },
    { "storage.path-allowed", "path is allowed",
      "The copy's path lies in an image directory of the destination, which is there.",
      BLOCKER, AT_DESTINATION, STORPREPD,
      "create the directory, or add it to image-directories in /etc/migprep/migprep.conf",
      OPENEULER, HOST_STORAGE, FALSE },
    { "storage.target-absent", "path is free",
      "Nothing is at the copy's path: no file is ever overwritten.",
      BLOCKER, AT_DESTINATION, STORPREPD, "move the file away if nobody needs it",
      OPENEULER, HOST_STORAGE, FALSE },
    { "storage.space-enough", "enough space",
      "The copies fit, fully written, beside what other moves were promised.",
      BLOCKER, AT_DESTINATION, STORPREPD, "free space there",
      OPENEULER, HOST_STORAGE, FALSE },
};
/* clang-format on */

const CheckKind *
check_catalogue(gsize *ret_count)
{
    *ret_count = G_N_ELEMENTS(kinds);
    return kinds;
}

const CheckKind *
check_catalogue_find(const char *id)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(kinds[i].id, id))
            return &kinds[i];
    }
    return NULL;
}

const char *
check_severity_name(CheckSeverity severity)
{
    switch (severity) {
    case CHECK_BLOCKER:
        return "blocker";
    case CHECK_WARNING:
        return "warning";
    case CHECK_INFORMATION:
        return "information";
    }
    g_return_val_if_reached("blocker");
}

static const char *
place_name(CheckPlace place)
{
    switch (place) {
    case CHECK_AT_SOURCE:
        return "source";
    case CHECK_AT_DESTINATION:
        return "destination";
    case CHECK_AT_EVERY_HOST:
        return "every host";
    }
    g_return_val_if_reached("every host");
}

static void
print_kind(GString *text, const CheckKind *kind)
{
    g_string_append_printf(text, "\n## %s\n%s\n\n", kind->id, kind->proves);
    g_string_append_printf(text, "* severity: %s\n* asked of: %s (%s)\n* remedy: `%s`%s\n",
                           check_severity_name(kind->severity), place_name(kind->place),
                           kind->daemon, kind->remedy, kind->safe_to_fix ? ", safe to apply" : "");
    g_string_append_printf(text, "* source: %s\n* stale after: %s\n", kind->source,
                           kind->invalidated_by);
}

char *
check_catalogue_print(void)
{
    GString *text = g_string_new("# Checks\n"
                                 "All that `migprep check` looks at. Printed by `migprep check "
                                 "--catalogue`; do not edit.\n");

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        print_kind(text, &kinds[i]);
    return g_string_free(text, FALSE);
}
