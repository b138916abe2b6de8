# SPDX-License-Identifier: LGPL-2.1-or-later
"""migprep check of what is broken more rarely: odd definitions, ways that are closed, disk servers."""

import xml.etree.ElementTree as ET
from contextlib import contextmanager, suppress

from emulation.checks import READY, UNKNOWN, WARNINGS, broken, check, expect, is_found, wrong
from emulation.deadline import wait_for
from emulation.error import CommandFailed
from emulation.probe import Probe
from scenarios.check import PROBE_MS, child

BY_ADDRESS = ("guest1", "--to", "10.98.0.2")
# ssh with a key that root's own ssh, which libvirt uses, does not have.
OTHER_SSH = "/run/lab-ssh"
CLOSE_DOOR = (f"printf '#!/bin/sh\\nexec ssh -i /run/lab-key \"$@\"\\n' > {OTHER_SSH}; "
              f"chmod 755 {OTHER_SSH}; mv /root/.ssh/id_ed25519 /run/lab-key",
              f"mv /run/lab-key /root/.ssh/id_ed25519; rm {OTHER_SSH}")
GROUP = ("<domain type='kvm'><name>other</name><memory>65536</memory><metadata>"
         "<m:policy xmlns:m='https://migprep.io/policy/1'><m:together>shop</m:together></m:policy>"
         "</metadata><os><type>hvm</type></os></domain>")
NBD_IMAGE = "/var/lib/libvirt/images/nbd.raw"
NBD = (f"qemu-img create -q -f raw {NBD_IMAGE} 8M && qemu-nbd --fork --persistent -b 10.98.0.1 "
       f"-p 10809 -x lab -f raw --pid-file=/run/lab-nbd.pid {NBD_IMAGE}",
       f"kill $(cat /run/lab-nbd.pid); rm -f {NBD_IMAGE}")
NBD_DISK = ("<disk type='network' device='disk'><driver name='qemu' type='raw'/>"
            "<source protocol='nbd' name='lab'><host name='10.98.0.1' port='10809'/></source>"
            "<target dev='vdb' bus='virtio'/></disk>")
# The destination's command tells the journal whenever it stands between ssh and a daemon.
WATCH_PROXY = ("program=$(command -v migprep); mv $program $program.real; printf '#!/bin/sh\\n"
               "[ \"$1\" != proxy ] || logger -t lab-proxy \"$2\"\\nexec %s.real \"$@\"\\n' $program "
               "> $program; chmod 755 $program",
               "program=$(command -v migprep); mv $program.real $program")
FORWARD_NOTHING = ("echo 'AllowStreamLocalForwarding no' > /etc/ssh/sshd_config.d/lab.conf; "
                   "systemctl reload ssh",
                   "rm /etc/ssh/sshd_config.d/lab.conf; systemctl reload ssh")
COPY = "/var/lib/libvirt/images/copy.qcow2"
ODD_BOND = ("[ -d /sys/class/net/bond0 ] || echo +bond0 > /sys/class/net/bonding_masters; "
            "cd /sys/class/net/bond0/bonding; echo {mode} > mode; echo {policy} > fail_over_mac; "
            "echo 100 > miimon; for n in /sys/class/net/*/device; do n=${{n%/device}}; n=${{n##*/}}; "
            "ip link set $n down; echo +$n > slaves; done; ip link set bond0 up")


def run(lab):
    source, target = lab.hosts
    guest = lab.guest("guest1")
    guest.create(source, bond="self")
    with Probe(guest, PROBE_MS):
        wait_for("a first answer", lambda: check(source, "guest1", "--to", "host2")[0] != UNKNOWN, 90)
        guests(lab, source, guest)
        ways(lab, source, target)
        forwarding(lab, source, target)
        hosts(lab, source, target)
        servers(lab, source, target)
        virtualization(lab, source, target)
    guest.destroy()
    definitions(lab, source, target, guest)
    full_disk(lab, source, guest)
    bonds(lab, source, guest)


def forwarding(lab, source, target):
    """ssh leads to the daemons by itself, and by their proxy where sshd has it so."""
    proxies = "journalctl -q -o cat --since '-5min' -t lab-proxy | wc -l"
    with lab.case("sockets are forwarded: no program runs on the destination"):
        with broken(target, *WATCH_PROXY):
            assert check(source, "guest1", "--to", "host2")[0] in (READY, WARNINGS)
            assert target.output(proxies) == "0", "migprep proxy ran"

    with lab.case("sshd that forwards none"), broken(target, *WATCH_PROXY), \
            broken(target, *FORWARD_NOTHING):
        code, document, _ = check(source, "guest1", "--to", "host2")
        assert code in (READY, WARNINGS), wrong(document)
        assert int(target.output(proxies)) > 0, "no migprep proxy ran"


def guests(lab, source, guest):
    with lab.case("a guest that nobody knows"):
        expect(source, "guest.exists", "blocker", "not known", words=("nonesuch", "--to", "host2"))

    with lab.case("a guest whose agent was asked by hand"):
        source.run(["virsh", "qemu-agent-command", "guest1", '{"execute":"guest-ping"}'])
        expect(source, "guest.untainted", "information", "custom", status=None)

    with lab.case("a disk that is being copied"), broken(
            source, f"virsh blockcopy guest1 vda {COPY} --transient-job --bandwidth 1",
            f"virsh blockjob guest1 vda --abort; rm -f {COPY}"):
        expect(source, "guest.no-job", "blocker", status=None)

    with lab.case("a policy that names other hosts"), broken(
            source, "migprep policy guest1 hosts=host7", "migprep policy guest1 hosts="):
        expect(source, "guest.place-allowed", "warning", "host7", status=WARNINGS)

    with lab.case("a guest of the same group that stays"), broken(
            source, "migprep policy guest1 together=shop", "migprep policy guest1 together="):
        source.run("virsh create /dev/stdin --paused", stdin=GROUP, seconds=90)
        try:
            expect(source, "guest.group-together", "warning", "'other'", "'shop'", status=WARNINGS)
        finally:
            source.run("virsh destroy other", check=False)

    with lab.case("a guest that writes its memory faster than the way carries"):
        guest.output("(for i in 1 2 3 4 5 6 7 8 9; do dd if=/dev/zero of=/tmp/load bs=1M count=24; "
                     "done; rm /tmp/load) > /dev/null 2>&1 &")
        expect(source, "guest.converges", "warning", "MiB of memory a second", status=WARNINGS,
               words=("guest1", "--to", "host2", "--measure", "2", "--bandwidth", "1"))


def ways(lab, source, target):
    with lab.case("a name that leads nowhere here"), broken(
            source, "cp /etc/hosts /run/hosts; grep -v host2 /run/hosts > /etc/hosts; "
            "sed -i.lab 's/^Host host1 host2$/& 10.98.0.2/' /root/.ssh/config",
            "cp /run/hosts /etc/hosts; mv /root/.ssh/config.lab /root/.ssh/config"):
        expect(source, "host.name-resolves", "blocker", "'host2'", "cannot resolve",
               words=BY_ADDRESS)

    with lab.case("a key that root's own ssh lacks"), broken(source, *CLOSE_DOOR):
        expect(source, "host.ssh-login", "blocker", "root cannot log in",
               words=("guest1", "--to", "host2", "--ssh", OTHER_SSH))

    with lab.case("ports of libvirt that a firewall drops"), broken(
            target, "iptables -A INPUT -p tcp --dport 16514 -j DROP",
            "iptables -D INPUT -p tcp --dport 16514 -j DROP"):
        expect(source, "host.libvirt-ports-reachable", "information", "16514", status=None)


def hosts(lab, source, target):
    with lab.case("another firmware there"), broken(
            target, "echo 0.0.lab > /run/bios; mount --bind /run/bios "
            "$(readlink -f /sys/class/dmi/id)/bios_version",
            "umount $(readlink -f /sys/class/dmi/id)/bios_version"):
        expect(source, "host.firmware-same", "information", "0.0.lab", status=None)


@contextmanager
def attached(host, element):
    """A device that the guest has for as long as the block runs."""
    host.run("virsh attach-device guest1 /dev/stdin --live", stdin=element)
    try:
        yield
    finally:
        host.run("virsh detach-disk guest1 vdb --live", check=False)


def servers(lab, source, target):
    with broken(source, *NBD), attached(source, NBD_DISK):
        with lab.case("a disk of a server, with a cache of its host"):
            expect(source, "storage.cache-mode", "warning", "the default", status=None)

        with lab.case("a disk's server that the destination does not reach"), broken(
                target, "iptables -A OUTPUT -d 10.98.0.1 -p tcp --dport 10809 -j DROP",
                "iptables -D OUTPUT -d 10.98.0.1 -p tcp --dport 10809 -j DROP"):
            expect(source, "storage.servers-reachable", "blocker", "disk vdb", "10809")


def virtualization(lab, source, target):
    """libvirt looks anew at what its host can, which takes an emulated one many seconds."""
    with lab.case("virtualization is off"), broken(
            target, "modprobe -r kvm_amd kvm && systemctl restart libvirtd",
            "modprobe kvm_amd; systemctl restart libvirtd"):
        wait_for("libvirt to notice", lambda: is_found(source, "host.virtualization-on"), 120)
        expect(source, "host.virtualization-on", "blocker", "kvm", status=None)
    wait_for("libvirt's return", lambda: check(source, "guest1", "--to", "host2")[0] != UNKNOWN, 120)


@contextmanager
def made(guest, host, **options):
    """The guest, made otherwise than usual."""
    guest.create(host, **options)
    try:
        yield
    finally:
        guest.destroy()


def set_text(tag, text):
    """A change of a definition."""
    def change(domain):
        domain.find(tag).text = text
    return change


def share_directory(domain):
    shared = ET.SubElement(domain.find("devices"), "filesystem", type="mount",
                           accessmode="passthrough")
    ET.SubElement(shared, "source", dir="/srv")
    ET.SubElement(shared, "target", dir="shared")


def use_macvtap(domain):
    nic = ET.SubElement(domain.find("devices"), "interface", type="direct")
    ET.SubElement(nic, "source", dev="lab0", mode="bridge")
    ET.SubElement(nic, "model", type="virtio")


def sit_on_root(domain):
    ET.SubElement(domain.find("devices/hostdev"), "address", type="pci", domain="0x0000",
                  bus="0x00", slot="0x09", function="0x0")


def definitions(lab, source, target, guest):
    """What is wrong with how the guest is defined, which takes a guest each."""
    with lab.case("more processors than there are"), made(
            guest, source, form=None, change=set_text("vcpu", "3")):
        expect(source, "host.vcpus-fit", "warning", "the guest 3", status=None)

    # No function: that would have all of its memory pinned.
    with lab.case("more memory than there is"), made(guest, source, form=None, memory_mib=1900):
        expect(source, "host.memory-enough", "blocker", "the guest needs 1900")

    with lab.case("a directory of the host"), made(guest, source, form=None, change=share_directory):
        expect(source, "guest.no-shared-directories", "blocker", "/srv")

    with lab.case("a disk that is not what it is declared to be"), made(
            guest, source, form=None, change=child("devices", "disk", "driver", type="raw")):
        expect(source, "storage.format-matches", "warning", "begins like a qcow2", status=None)

    with lab.case("a disk that is to be thrown away"), made(
            guest, source, form=None, change=child("devices", "disk", "transient")):
        expect(source, "storage.disks-movable", "blocker", "transient")

    with lab.case("a device of the host that is not there"), broken(
            source, "ip link add lab0 type dummy; ip link set lab0 up", "ip link del lab0"):
        with made(guest, source, form=None, change=use_macvtap):
            expect(source, "network.devices-there", "blocker", "lab0")

    with lab.case("a function that the guest boots from"), made(
            guest, source, bond="self", change=child("devices", "hostdev", "boot", order="3")):
        expect(source, "network.boot-order", "information", "number 3", status=None)

    with lab.case("a function at the root of the bus"), made(
            guest, source, bond="self", change=sit_on_root):
        expect(source, "network.hotplug-possible", "blocker", "root complex")


def full_disk(lab, source, guest):
    """The guest writes where its image has nothing yet, and its host has no place left."""
    with broken(source, "mount -t tmpfs -o size=100m small /var/lib/libvirt/images",
                "umount -l /var/lib/libvirt/images"), made(guest, source, form=None):
        with lab.case("a disk whose requests fail"):
            source.run("dd if=/dev/zero of=/var/lib/libvirt/images/fill bs=1M", check=False)
            with suppress(CommandFailed):  # the guest stands still at once
                guest.output("dd if=/dev/urandom of=/dev/vda bs=1M seek=44 count=10 conv=fsync "
                             "> /dev/null 2>&1 &")
            wait_for("libvirt to notice", lambda: is_found(source, "guest.disks-healthy"), 60)
            expect(source, "guest.disks-healthy", "blocker", "vda", status=None)


def bonds(lab, source, guest):
    with made(guest, source):
        with lab.case("no bond"):
            expect(source, "network.backup-present", "blocker", "in no bond")

        with lab.case("a bond that balances"):
            guest.output(ODD_BOND.format(mode="balance-rr", policy="none"))
            expect(source, "network.bond-mode", "blocker", "balance-rr", status=None)

    with made(guest, source), lab.case("a bond that changes its address"):
        guest.output(ODD_BOND.format(mode="active-backup", policy="active"))
        expect(source, "network.bond-mac", "warning", "active", status=None)
