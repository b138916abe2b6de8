# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shared storage over NFS: export, mount, proof, moves of a guest, dead servers, and the way back."""

import statistics
import time

from emulation.deadline import wait_for
from emulation.journey import Journey
from emulation.storage import Storage, key, share_seconds

BACKING = "/srv/shared"
SHARED = "/var/lib/libvirt/images/shared"
SERVED = "/var/lib/libvirt/images/served"
CONFIG = "[storage]\nimage-directories=/var/lib/libvirt/images;/srv\n"
ROUNDS = 10


def run(lab):
    hosts = lab.host(1), lab.host(2)
    stores = Storage(hosts[0]), Storage(hosts[1])
    for host in hosts:
        configure(host)
    hosts[0].run("systemctl start nfs-server")
    try:
        export_mount_proof(lab, stores)
        shared_by_a_third_directory(lab, hosts, stores)
        source_is_the_server(lab, hosts, stores)
        restarts(lab, hosts, stores)
        dead_server(lab, hosts, stores)
    finally:
        for host in hosts:
            host.run("rm -f /etc/migprep/migprep.conf; true")


def configure(host):
    host.run(["mkdir", "-p", "/etc/migprep", BACKING])
    host.run(["tee", "/etc/migprep/migprep.conf"], stdin=CONFIG)
    host.run(["systemctl", "restart", "storprepd.service"])


def export_mount_proof(lab, stores):
    server, client = stores
    with lab.case("an export is for the named host only and tried out without mounting"):
        exported = server.export(BACKING, "host2")
        listed = server.host.output(["exportfs", "-s"])
        assert BACKING in listed and "host2" in listed and "*" not in listed, listed
        tried = client.call("ProbeExport", server="host1", exportPath=exported["exportPath"])
        assert tried["reachable"] and tried["writable"] and tried["lockable"], tried
        assert tried["squash"] == "none" and tried["freeBytes"] > 0, tried
        assert not server.host.output(["ls", "-A", BACKING]), "the trial left something"
        server.release(exported)
        assert BACKING not in server.host.output(["exportfs", "-s"])

    with lab.case("squash qemu makes root's files the user's that QEMU runs as"):
        exported = server.export(BACKING, "host2", squash="qemu")
        server.host.run(["chown", "libvirt-qemu", BACKING])
        tried = client.call("ProbeExport", server="host1", exportPath=exported["exportPath"])
        assert tried["squash"] == "qemu" and tried["writable"], tried
        server.host.run(["chown", "root", BACKING])
        server.release(exported)

    with lab.case("export, mount and proof, ten times"):
        seconds = [share_seconds(server, client, BACKING, SHARED) for _ in range(ROUNDS)]
        lab.result["exportMountSeconds"] = seconds
        lab.result["exportMountMedian"] = round(statistics.median(seconds), 3)
        assert not server.leases() and not client.leases()
        assert client.host.run(["test", "-e", SHARED], check=False).returncode == 1


def new_guest(lab, host, directory):
    guest = lab.guest("guest1")
    guest.disk = f"{directory}/{guest.name}.qcow2"
    guest.create(host, form=None)
    return guest


def move(guest, to, expect="moved"):
    journey = Journey(guest, guest.host(), to.name)
    journey.end()
    assert journey.result["result"] == expect, journey.result
    steps = [event["name"] for event in journey.events if event["event"] == "step"]
    return journey.result, steps


def write_and_read(guest):
    """The guest can write to its disk, and reads back what it wrote."""
    guest.output("dd if=/dev/urandom of=/run/block bs=64k count=1 2>/dev/null && "
                 "dd if=/run/block of=/dev/vda bs=64k seek=700 conv=fsync 2>/dev/null && "
                 "echo 3 > /proc/sys/vm/drop_caches && "
                 "dd if=/dev/vda bs=64k skip=700 count=1 2>/dev/null | cmp - /run/block")


def shared_by_a_third_directory(lab, hosts, stores):
    """The server keeps the images elsewhere and mounts its own export like everybody else."""
    server, client = stores
    with lab.case("a guest on NFS moves there and back without a copy, and keeps writing"):
        exported = server.export(BACKING, "host1", "host2")
        mounts = [storage.mount("host1", exported["exportPath"], SHARED) for storage in stores]
        guest = new_guest(lab, hosts[0], SHARED)
        before = guest.disk_sha256()
        for target in (hosts[1], hosts[0], hosts[1]):
            _, steps = move(guest, target)
            assert "create-targets" not in steps, steps
            assert guest.disk_sha256() == before
            write_and_read(guest)
            before = guest.disk_sha256()

    with lab.case("nothing is taken from the guest that uses it"):
        text = server.refused("ShareBusy", "Release", **key(exported))
        assert "10.98.0.2" in text, text
        text = client.refused("ShareBusy", "Release", **key(mounts[1]))
        assert guest.name in text, text
        write_and_read(guest)

    with lab.case("and goes when the guest is gone"):
        guest.destroy()
        for storage, reply in zip(stores, mounts):
            storage.release(reply)
        server.release(exported)
        assert not server.leases() and not client.leases()
        assert "nfs" not in hosts[1].output("findmnt -rn -o FSTYPE")

    with lab.case("the exported directory is not mounted over itself"):
        exported = server.export(BACKING, "host1")
        server.refused("ShareRefused", "Mount", owner="lab", token="loop", timeoutSeconds=60,
                       server="host1", exportPath=BACKING, path=BACKING)
        server.release(exported)


def source_is_the_server(lab, hosts, stores):
    """The image looks local on the server: libvirt would take it away after the move."""
    server, client = stores
    hosts[0].run(["mkdir", "-p", SERVED])
    exported = server.export(SERVED, "host2")
    mounted = client.mount("host1", exported["exportPath"], SERVED)
    guest = new_guest(lab, hosts[0], SERVED)

    with lab.case("refused, with the commands that help, as long as libvirt does not know"):
        result, steps = move(guest, hosts[1], expect="failed")
        assert result["error"]["code"] == "DiskUnsupported", result
        assert "shared_filesystems" in result["error"]["remedy"], result
        assert "create-targets" not in steps, steps
        write_and_read(guest)

    with lab.case("moved once qemu.conf has shared_filesystems; the guest goes on writing"):
        hosts[0].run("cp /etc/libvirt/qemu.conf /run/qemu.conf; "
                     f"echo 'shared_filesystems = [ \"{SERVED}\" ]' >> /etc/libvirt/qemu.conf; "
                     "systemctl restart libvirtd")
        try:
            before = guest.disk_sha256()
            move(guest, hosts[1])
            assert guest.disk_sha256() == before
            write_and_read(guest)
            owner = hosts[0].output(["stat", "-c", "%U", guest.disk])
            assert owner == "libvirt-qemu", f"the image belongs to {owner}"
            move(guest, hosts[0])
            write_and_read(guest)
        finally:
            guest.destroy()
            hosts[0].run("cp /run/qemu.conf /etc/libvirt/qemu.conf; systemctl restart libvirtd")
    client.release(mounted)
    server.release(exported)


def restarts(lab, hosts, stores):
    server, client = stores
    with lab.case("a committed export outlives a restart of the NFS server"):
        exported = server.export(BACKING, "host2")
        server.call("Commit", **key(exported))
        hosts[0].run(["systemctl", "restart", "nfs-server"])
        wait_for("the export to come back",
                 lambda: BACKING in hosts[0].output(["exportfs", "-s"]), 30)

    with lab.case("storprepd killed and started again keeps both shares and gives them back"):
        mounted = client.mount("host1", exported["exportPath"], SHARED)
        for host in hosts:
            host.run("systemctl kill -s KILL storprepd.service; systemctl reset-failed; "
                     "systemctl start storprepd.service")
        assert hosts[1].output(["findmnt", "-rn", "-o", "SOURCE", SHARED]) == f"host1:{BACKING}"
        client.release(mounted)
        server.release(exported)
        assert BACKING not in hosts[0].output(["exportfs", "-s"])
        assert hosts[1].run(["test", "-e", SHARED], check=False).returncode == 1


def dead_server(lab, hosts, stores):
    """The server's host drops everything: nothing may wait for it without end."""
    server, client = stores
    exported = server.export(BACKING, "host2")
    mounted = client.mount("host1", exported["exportPath"], SHARED)
    hosts[0].run("ip route add blackhole 10.98.0.2/32")
    try:
        with lab.case("with a dead server every call ends at its deadline"):
            client.refused("TimedOut", "FindProbe", directory=SHARED, nonce="n",
                           name=".migprep-probe-00000000-0000-4000-8000-000000000000")
            lab.result["deadServerFindSeconds"] = round(client.seconds, 1)
            assert client.seconds < 20, client.seconds
            begin = time.monotonic()
            assert client.leases()
            lab.result["deadServerListSeconds"] = round(time.monotonic() - begin, 2)
            assert time.monotonic() - begin < 5
    finally:
        hosts[0].run("ip route del blackhole 10.98.0.2/32")
    with lab.case("and all is given back when the server is there again"):
        client.release(mounted)
        server.release(exported)
        assert not client.leases() and not server.leases()
