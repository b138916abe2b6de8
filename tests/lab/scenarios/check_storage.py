# SPDX-License-Identifier: LGPL-2.1-or-later
"""migprep check of guests whose disks are on NFS: rights, mounts, pools, a server that is gone."""

import json
import time

from emulation.checks import READY, WARNINGS, broken, check, expect, is_found, unchanged, wrong
from emulation.deadline import scaled, wait_for
from emulation.storage import Storage

BACKING = "/srv/shared"
SHARED = "/var/lib/libvirt/images/shared"
CONFIG = "[storage]\nimage-directories=/var/lib/libvirt/images;/srv\n"
GUESTS = 2
DEADLINE = 12  # one server that does not answer, for all guests
# The destination asks the server in vain; the guest's own host goes on.
CUT = "iptables -{} OUTPUT -d 10.98.0.1 -p tcp --dport 2049 -j DROP"
POOL = "<pool type='dir'><name>lab</name><target><path>" + SHARED + "</path></target></pool>"


def run(lab):
    source, target = lab.hosts
    stores = [Storage(host) for host in lab.hosts]
    for host in lab.hosts:
        host.run(["mkdir", "-p", "/etc/migprep", BACKING])
        host.run(["tee", "/etc/migprep/migprep.conf"], stdin=CONFIG)
        host.run(["systemctl", "restart", "storprepd.service"])
    source.run(["systemctl", "start", "nfs-server"])
    exported = stores[0].export(BACKING, "host1", "host2")
    mounts = [storage.mount("host1", exported["exportPath"], SHARED) for storage in stores]
    guests = [new_guest(lab, number) for number in range(1, GUESTS + 1)]
    try:
        changes_nothing(lab, source, target)
        rights(lab, source, guests[0])
        mounting(lab, source, target)
        others(lab, source, target)
        gone(lab, source, target)
    finally:
        for guest in guests:
            guest.destroy()
        for storage, mounted in zip(stores, mounts):
            storage.release(mounted)
        stores[0].release(exported)
        for host in lab.hosts:
            host.run("rm -f /etc/migprep/migprep.conf")


def new_guest(lab, number):
    guest = lab.guest(f"guest{number}")
    guest.disk = f"{SHARED}/{guest.name}.qcow2"
    guest.create(lab.host(1), form=None)
    return guest


def changes_nothing(lab, source, target):
    with lab.case("a guest on NFS can be moved, and both hosts are as they were"):
        # libvirt's first look at what its QEMU can do takes an emulated host many seconds.
        wait_for("a first answer", lambda: check(source, "guest1", "--to", "host2")[0] in
                 (READY, WARNINGS), 90)
        with unchanged(source, target):
            code, document, seconds = check(source, "guest1", "--to", "host2")
        assert code in (READY, WARNINGS), wrong(document)
        lab.result["checkSeconds"] = round(seconds, 2)


def rights(lab, source, guest):
    """The server is the source, so its files can be changed there."""
    image = f"{BACKING}/{guest.name}.qcow2"
    with lab.case("an image that QEMU's user may not open"), broken(
            source, f"chmod 000 {image}", f"chmod 644 {image}"):
        expect(source, "storage.nfs-rights", "blocker", guest.disk, "may not")

    with lab.case("an export that squashes root, and an image that is not QEMU's"), broken(
            source, f"{squash('root_squash')} && chown 1000:$(id -g libvirt-qemu) {image} && "
            f"chmod 660 {image}",
            f"{squash('no_root_squash')} && chown libvirt-qemu {image}; chmod 644 {image}"):
        # The mount believes in the old owner for up to a minute.
        wait_for("the new owner to be seen", lambda: is_found(source, "storage.nfs-squash"), 90, 1)
        expect(source, "storage.nfs-squash", "warning", "root_squash", status=None)


def squash(word):
    """The shell command that exports as before, but for that; another fsid would be another export."""
    return (f"exportfs -o $(exportfs -s | sed -nE 's|^{BACKING} +host2\\((.*)\\)$|\\1|p' | "
            f"sed -E 's/(^|,)(no_)?root_squash//'),{word} host2:{BACKING}")


def mounting(lab, source, target):
    with lab.case("a soft mount"), broken(
            target, f"mount -t nfs4 -o soft,nosharecache host1:{BACKING} {SHARED}",
            f"umount {SHARED}"):
        expect(source, "storage.nfs-options", "warning", "'soft'", status=WARNINGS)

    with lab.case("an old NFS"), broken(
            target, f"mount -t nfs -o vers=3,nolock,nosharecache host1:{BACKING} {SHARED}",
            f"findmnt -n -o OPTIONS {SHARED} | tail -1 | grep -q vers=3 && umount {SHARED}"):
        expect(source, "storage.nfs-version", "warning", "NFS 3", status=None)

    with lab.case("a read-only mount"), broken(
            target, f"mount -t nfs4 -o ro,nosharecache host1:{BACKING} {SHARED}",
            f"umount {SHARED}"):
        expect(source, "storage.nfs-options", "warning", "'ro'", status=None)


def others(lab, source, target):
    with lab.case("a pool that is not active there"):
        for host in (source, target):
            host.run("virsh pool-define /dev/stdin && virsh pool-start lab", stdin=POOL)
        try:
            target.run("virsh pool-destroy lab")
            expect(source, "storage.pools-there", "warning", "'lab'", "not active",
                   status=WARNINGS)
        finally:
            for host in (source, target):
                host.run("virsh pool-destroy lab; virsh pool-undefine lab", check=False)

    with lab.case("QEMU is another user there"), broken(
            target, "cp /etc/libvirt/qemu.conf /run/qemu.conf; "
            "echo 'user = \"root\"' >> /etc/libvirt/qemu.conf",
            "cp /run/qemu.conf /etc/libvirt/qemu.conf"):
        expect(source, "storage.qemu-user-same", "blocker", "as user 0 here")


def gone(lab, source, target):
    with lab.case("a server that does not answer costs its deadline once, for all guests"):
        with broken(target, CUT.format("A"), CUT.format("D")):
            expect(source, "storage.server-answers", "blocker", "did not answer")
            wait_for("the verdict to grow old", grown_old(time.monotonic()), 30, 1)
            begin = time.monotonic()
            done = source.run("migprep check --all --to host2 --json", check=False, seconds=60)
            seconds = time.monotonic() - begin
        documents = [json.loads(line) for line in done.stdout.splitlines()]
        assert [document["verdict"] for document in documents] == ["blocked"] * GUESTS, documents
        lab.result["deadServerSeconds"] = round(seconds, 2)
        assert seconds < scaled(DEADLINE), f"{seconds:.1f} s"

    with lab.case("and is found again when it is there"):
        wait_for("the server", lambda: check(source, "guest1", "--to", "host2")[0] in
                 (READY, WARNINGS), 60, 1)


def grown_old(since):
    """storprepd keeps a verdict for ten seconds; the next question is to be a new one."""
    return lambda: time.monotonic() - since > 11
